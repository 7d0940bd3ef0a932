"""Kind ``manual``: a person decides; the grader only proposes.

What it checks: nothing. It counts the characters of Markdown that a reader sees, without those of the starter notebook
and without repeated passages, and proposes points in proportion.
Why it matters: why each step was taken and what was learnt is the main part of the homework, and no machine can judge
it.
Example: ``kind = "manual"``, ``points = 15``, ``full_characters = 600``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Gt

from grader.i18n.message import message
from grader.models.assignment import Criterion
from grader.models.grade import Score, scored
from grader.models.run import Run


@dataclass(frozen=True)
class Manual(Criterion):
    kind: Literal["manual"] = "manual"
    full_characters: Annotated[int, Gt(0)] = 600  # white space not counted; one Chinese character counts as one


def score(criterion: Manual, run: Run) -> Score:
    """Propose points by the length of the text; ``passed`` is None because a person decides."""
    characters = sum(cell.characters for cell in run.cells if cell.kind == "markdown" and not cell.given)
    points = round(criterion.points * min(1.0, characters / criterion.full_characters), 1)
    reason = message(
        "{points:g} of {max:g} proposed for {n} characters of text (full at {full}); the teacher decides.",
        points=points,
        max=criterion.points,
        n=characters,
        full=criterion.full_characters,
    )
    review = message("Points were only proposed, by the length of the text: read it and decide.")
    return scored(criterion, points, reason, passed=None, value=float(characters), review=review)
