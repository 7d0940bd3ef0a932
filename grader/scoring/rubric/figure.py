"""Kind ``figure``: a learning curve was drawn.

What it checks: a picture shows the values of a recorded training curve, also smoothed, on a logarithmic scale, as
points, or as the means of epochs. A person looks at captions and at other pictures that may be the curve.
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
    """Give all points for a curve. A person checks one that only its caption names.

    A person decides, before there are any points, on a picture that may show a recorded training.
    """
    shown = [figure for figure in run.facts.figures if _was_shown(figure, run)]
    matched = next((figure for figure in shown if CURVES[criterion.shows] & set(figure.shows)), None)
    if matched is not None:
        reason = message(
            "Cell {cell} draws the curve of a recorded training: {curves}.",
            cell=matched.cell + 1,
            curves=", ".join(matched.shows),
        )
        if run.contradicted is not None:
            return scored(criterion, None, reason, passed=None, review=run.contradicted)
        return scored(criterion, criterion.points, reason, passed=True)
    captioned = next((figure for figure in shown if criterion.shows == "loss" and _has_loss_caption(figure)), None)
    if captioned is not None:
        reason = message("Cell {cell} draws lines captioned as a loss.", cell=captioned.cell + 1)
        check = message("The caption names a loss, but no recorded training has these values: check the picture.")
        return scored(criterion, criterion.points, reason, passed=True, review=check)
    reason = _reason(criterion, len(shown))
    review = _possible_curve(criterion, run, shown) if run.facts.fits else None
    if review is not None:
        return scored(criterion, None, reason, passed=None, review=review)
    return scored(criterion, 0.0, reason, passed=False)


def _was_shown(figure: Figure, run: Run) -> bool:
    """Return whether the executed notebook has a picture in the cell that claims to have drawn it.

    A figure saved into a file may be shown by a later cell.
    """
    return any(
        cell.images and (cell.index == figure.cell or (figure.saved and cell.index > figure.cell >= 0))
        for cell in run.cells
    )


def _has_loss_caption(figure: Figure) -> bool:
    return figure.lines > 0 and bool(LOSS_WORDS.search(figure.caption))


def _possible_curve(criterion: FigureDrawn, run: Run, shown: list[Figure]) -> Message | None:
    """Return the request to look at a picture that may show the curve, or None if there is no such picture."""
    trend = {"loss": "falls", "accuracy": "rises"}[criterion.shows]
    drawn = next((figure for figure in shown if trend in figure.trends), None)
    if drawn is not None:
        return _check_picture(criterion, drawn.cell)
    known = {figure.cell for figure in run.facts.figures}
    saved = any(figure.saved for figure in run.facts.figures)  # shown by a later cell, and not the curve
    other = next((cell.index for cell in run.cells if cell.images and cell.index not in known and not saved), None)
    if other is not None:
        return _check_picture(criterion, other)
    hidden = next(
        (figure for figure in run.facts.figures if figure.saved and CURVES[criterion.shows] & set(figure.shows)), None
    )
    if hidden is None or hidden.cell < 0:
        return None
    return message(
        "Cell {cell} saves the curve of a recorded training into a file, but no cell shows it: decide on the points.",
        cell=hidden.cell + 1,
    )


def _check_picture(criterion: FigureDrawn, cell: int) -> Message:
    return message(
        "Cell {cell} shows a picture that may be the {what} of a training; its values were not recognised. Look at it "
        "and decide on the points.",
        cell=cell + 1,
        what=criterion.shows,
    )


def _reason(criterion: FigureDrawn, shown: int) -> Message:
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
