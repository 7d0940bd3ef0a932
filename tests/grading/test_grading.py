"""The grade made of scores: the sum, open points, and the reasons for a review."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.grading.grading import grade_scores
from grader.i18n.message import Message, message
from grader.models.facts import Facts, Fit
from grader.models.grade import Score
from grader.models.run import Outcome, Run
from grader.models.submission import Student, Submission

SUBMISSION = Submission(Student("a", "A"), late=True)
OK = Run(Outcome.OK)


def score(points: float | None, review: Message | None = None, *, most: float = 10) -> Score:
    return Score("one", {"en": "One"}, points, most, None, message("Because."), review=review)


@pytest.mark.parametrize(
    ("points", "total"),
    [
        pytest.param([10, 5.5, 0], 15.5, id="sum"),
        pytest.param([0.1, 0.2], 0.3, id="rounded to two digits"),
        pytest.param([0, 0], 0, id="zero"),
        pytest.param([10, None], None, id="one open"),
        pytest.param([None, None], None, id="all open"),
        pytest.param([], 0, id="no criteria"),
    ],
)
def test_total_is_the_sum_or_open(points: list[float | None], total: float | None) -> None:
    grade = grade_scores(SUBMISSION, OK, [score(value) for value in points])
    assert grade.total == total
    assert grade.max == 10 * len(points)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 100))))
def test_total_is_never_more_than_the_maximum(parts: list[tuple[float, float]]) -> None:
    grade = grade_scores(SUBMISSION, OK, [score(share * most, most=most) for share, most in parts])
    assert grade.total is not None
    assert 0 <= grade.total <= grade.max + 0.005


@pytest.mark.parametrize("late", [True, False, None])
def test_late_mark_without_a_policy_has_no_penalty(late: bool | None) -> None:
    grade = grade_scores(Submission(Student("a", "A"), late=late), OK, [score(10)])
    assert (grade.late, grade.total) == (late, 10)


def test_review_reasons_follow_the_order_of_the_scores() -> None:
    first, second = message("Read it."), message("Too close.")
    grade = grade_scores(SUBMISSION, OK, [score(1, first), score(2), score(3, second)])
    assert grade.review_reasons == (first, second)
    assert grade.needs_review


def test_shared_review_reason_appears_once() -> None:
    grade = grade_scores(SUBMISSION, OK, [score(None, message("Read {n}.", n=1)) for _ in range(3)])
    assert grade.review_reasons == (message("Read {n}.", n=1),)


def test_no_review_without_a_reason() -> None:
    assert not grade_scores(SUBMISSION, OK, [score(10)]).needs_review


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Outcome.GRADER_FAULT, "The grader itself failed"),
        (Outcome.MISSING, "Nothing could be graded"),
        (Outcome.FORBIDDEN, "Nothing could be graded"),
    ],
)
def test_outcomes_that_always_need_review(outcome: Outcome, reason: str) -> None:
    grade = grade_scores(SUBMISSION, Run(outcome), [score(None)])
    assert reason in str(grade.review_reasons[0])


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.ERROR, Outcome.TIMEOUT, Outcome.MEMORY, Outcome.DISK])
def test_failures_of_the_student_need_no_review(outcome: Outcome) -> None:
    assert not grade_scores(SUBMISSION, Run(outcome), [score(3)]).needs_review


def test_training_stopped_by_the_time_limit_needs_review() -> None:
    """A faster machine would have finished it, so a person decides."""
    cut = Fit("sequential", 7, 32, 100, validated=True, seconds=9.0, curves={}, cut_short=True)
    grade = grade_scores(SUBMISSION, Run(Outcome.TIMEOUT, facts=Facts(fits=(cut,))), [score(10)])
    assert grade.total == 10
    assert [str(reason) for reason in grade.review_reasons] == [
        "A training run was stopped by the time limit. A larger budget may change the grade."
    ]
