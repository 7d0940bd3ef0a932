"""Kind ``executes``: the notebook runs from top to bottom.

What it checks: the share of the code cells that ran without an error.
Why it matters: a result that cannot be reproduced is not a result.
Example: ``kind = "executes"``, ``points = 10``; one failing cell of five leaves 8 points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grader.i18n.message import Message, message
from grader.models.assignment import Criterion
from grader.models.grade import Score, scored
from grader.models.run import Run


@dataclass(frozen=True)
class Executes(Criterion):
    kind: Literal["executes"] = "executes"


def score(criterion: Executes, run: Run) -> Score:
    """Score the share of the code cells that ran; empty cells and text do not count."""
    code = [cell for cell in run.cells if cell.kind == "code" and cell.characters]
    good = [cell for cell in code if cell.ran and cell.error is None]
    share = len(good) / len(code) if code else 0.0
    return scored(
        criterion,
        round(criterion.points * share, 2),
        _reason(len(good), len(code), run),
        passed=bool(code) and len(good) == len(code),
        value=share,
        n=len(code),
    )


def _reason(good: int, code: int, run: Run) -> Message:
    if not code:
        return message("There is no code in the notebook.")
    if good == code:
        return message("All {n} code cells ran without an error.", n=code)
    failed = [str(cell.index + 1) for cell in run.cells if cell.error is not None]
    if not failed:
        return message("{good} of {n} code cells ran; the rest was not reached.", good=good, n=code)
    return message(
        "{good} of {n} code cells ran without an error; these did not: cell {cells}.",
        good=good,
        n=code,
        cells=", ".join(failed[:20]),
    )
