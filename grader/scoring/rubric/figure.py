"""Kind ``figure``: a picture of the training was drawn.

What it checks: one of the pictures shows the numbers of a recorded training curve; captions are not believed.
Why it matters: whether a model learns, and when it begins to overfit, is seen in the curve and not in one number.
Example: ``kind = "figure"``, ``shows = "loss"``, ``points = 15``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from grader.i18n.message import Message, message
from grader.models.assignment import Criterion
from grader.models.facts import Figure
from grader.models.grade import Score
from grader.models.run import Run

LOSS_WORDS = re.compile(r"loss|error|\bmse\b|\bmae\b|損失|誤差", re.IGNORECASE)


@dataclass(frozen=True)
class FigureDrawn(Criterion):
    kind: Literal["figure"] = "figure"
    shows: Literal["loss", "accuracy"] = "loss"


def score(criterion: FigureDrawn, run: Run) -> Score:
    """Full points for a recorded curve; by its caption alone a curve is only proposed, for a person to look at."""
    drawn = [figure for figure in run.facts.figures if _was_shown(figure, run)]
    matched = next((figure for figure in drawn if _shows(figure, criterion.shows)), None)
    claimed = next((figure for figure in drawn if criterion.shows == "loss" and _looks_like_loss(figure)), None)
    found = matched or claimed
    return Score(
        criterion=criterion.id,
        title=criterion.title,
        points=criterion.points if found else 0.0,
        max=criterion.points,
        passed=found is not None,
        reason=_reason(criterion, found, matched is not None, len(drawn)),
        review=None
        if matched or not found
        else message("The picture says it shows a loss, but no recorded training has these numbers: look at it."),
    )


def _was_shown(figure: Figure, run: Run) -> bool:
    """The picture is really in the executed notebook, in the cell that says it drew it."""
    return any(cell.index == figure.cell and cell.images for cell in run.cells)


def _shows(figure: Figure, what: str) -> bool:
    names = {"loss": {"loss", "val_loss"}, "accuracy": {"accuracy", "val_accuracy", "acc", "val_acc"}}[what]
    return bool(names & set(figure.shows))


def _looks_like_loss(figure: Figure) -> bool:
    return figure.lines > 0 and bool(LOSS_WORDS.search(figure.caption))


def _reason(criterion: FigureDrawn, found: Figure | None, matched: bool, drawn: int) -> Message:
    if found and matched:
        return message(
            "Cell {cell} draws the curve of a recorded training: {curves}.",
            cell=found.cell + 1,
            curves=", ".join(found.shows),
        )
    if found:
        return message("Cell {cell} draws lines captioned as a loss.", cell=found.cell + 1)
    if drawn:
        return message(
            "{n} pictures were drawn, but none shows the {what} of a recorded training, epoch by epoch. "
            "Plot history.history['{what}'].",
            n=drawn,
            what=criterion.shows,
        )
    return message(
        "No picture was drawn. Plot history.history['{what}'] epoch by epoch.",
        what=criterion.shows,
    )
