"""Kind ``tested``: a test of another grader's format.

What it checks: what the course's own test cell or test file asks, run beside the student's code.
Why it matters: courses that exist need not be written anew. But such a test runs in the student's own process, so
what it gives could be forged there; criteria on hidden data cannot.
Example: not written into an assignment.toml; made of an nbgrader or otter assignment, one for each test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grader.i18n.message import message
from grader.models.assignment import Criterion
from grader.models.course import TestResult
from grader.models.grade import Score
from grader.models.run import Run

IN_THE_STUDENTS_PROCESS = message(
    "These points come from tests that ran inside the notebook's own process, as this course's format asks for. "
    "A notebook written to deceive could forge them; points for answers on hidden data it could not."
)


@dataclass(frozen=True)
class Tested(Criterion):
    kind: Literal["tested"] = "tested"


def score(criterion: Tested, run: Run) -> Score:
    test = next((one for one in run.tests if one.criterion == criterion.id), None)
    if test is None:
        test = TestResult(criterion.id, 0.0, criterion.points, run.reason or message("This test did not run."))
    points = None if test.points is None else min(max(test.points, 0.0), criterion.points)
    return Score(
        criterion=criterion.id,
        title=criterion.title,
        points=points,
        max=criterion.points,
        passed=None if points is None else points >= criterion.points,
        reason=test.reason,
        review=test.review,
    )
