"""Kind ``tested``: a test of another grader's format.

What it checks: the course's own test cell or test file, run in the same process as the student's code.
Why it matters: existing courses need not be rewritten. Results of such a test can be forged by the student's code;
criteria on hidden data cannot.
Example: not written into an assignment.toml; made for each test of an nbgrader or otter assignment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grader.i18n.message import message
from grader.models.assignment import Criterion
from grader.models.course import TestResult
from grader.models.grade import Score, scored
from grader.models.run import Run

IN_THE_STUDENTS_PROCESS = message(
    "These points come from tests that ran inside the notebook's own process, as this course's format requires. "
    "A notebook written to cheat could forge them, unlike points for predictions on hidden data."
)


@dataclass(frozen=True)
class Tested(Criterion):
    kind: Literal["tested"] = "tested"


def score(criterion: Tested, run: Run) -> Score:
    """Score the test with the criterion's id, limited to the criterion's points; a test that did not run earns 0."""
    test = next((test for test in run.tests if test.criterion == criterion.id), None)
    if test is None:
        test = TestResult(criterion.id, 0.0, criterion.points, run.reason or message("This test did not run."))
    points = None if test.points is None else min(max(test.points, 0.0), criterion.points)
    passed = None if points is None else points >= criterion.points
    return scored(criterion, points, test.reason, passed=passed, review=test.review)
