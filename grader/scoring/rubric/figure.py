"""Kind ``figure``: a learning curve was drawn.

What it checks: a picture shows the values of a recorded training curve; captions are not believed.
Why it matters: the curve shows whether a model learns and when it begins to overfit; one number does not.
Example: ``kind = "figure"``, ``shows = "loss"``, ``points = 15``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from grader.i18n.message import Message, message
from grader.models.assignment import Criterion
from grader.models.facts import Figure
from grader.models.grade import Score, scored
from grader.models.run import Run

LOSS_WORDS = re.compile(r"loss|error|\bmse\b|\bmae\b|損失|誤差", re.IGNORECASE)
CURVES = {"loss": {"loss", "val_loss"}, "accuracy": {"accuracy", "val_accuracy", "acc", "val_acc"}}


@dataclass(frozen=True)
class FigureDrawn(Criterion):
    kind: Literal["figure"] = "figure"
    shows: Literal["loss", "accuracy"] = "loss"


def score(criterion: FigureDrawn, run: Run) -> Score:
    """Give all points for a curve; if only its caption names the loss, ask a person to check it."""
    shown = [figure for figure in run.facts.figures if _was_shown(figure, run)]
    matched = next((figure for figure in shown if CURVES[criterion.shows] & set(figure.shows)), None)
    captioned = next((figure for figure in shown if criterion.shows == "loss" and _has_loss_caption(figure)), None)
    found = matched or captioned
    return scored(
        criterion,
        criterion.points if found else 0.0,
        _reason(criterion, found, matched is not None, len(shown)),
        passed=found is not None,
        review=None
        if matched or not found
        else message("The caption names a loss, but no recorded training has these values: check the picture."),
    )


def _was_shown(figure: Figure, run: Run) -> bool:
    """Return whether the executed notebook has a picture in the cell that claims to have drawn it."""
    return any(cell.index == figure.cell and cell.images for cell in run.cells)


def _has_loss_caption(figure: Figure) -> bool:
    return figure.lines > 0 and bool(LOSS_WORDS.search(figure.caption))


def _reason(criterion: FigureDrawn, found: Figure | None, matched: bool, shown: int) -> Message:
    if found and matched:
        return message(
            "Cell {cell} draws the curve of a recorded training: {curves}.",
            cell=found.cell + 1,
            curves=", ".join(found.shows),
        )
    if found:
        return message("Cell {cell} draws lines captioned as a loss.", cell=found.cell + 1)
    if shown:
        return message(
            "{n} pictures were drawn, but none shows the {what} of a recorded training, epoch by epoch. "
            "Plot history.history['{what}'].",
            n=shown,
            what=criterion.shows,
        )
    return message(
        "No picture was drawn. Plot history.history['{what}'] epoch by epoch.",
        what=criterion.shows,
    )
