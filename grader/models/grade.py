"""Scores, grades and graded submissions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict, Unpack

from grader.i18n.message import Message, Titles
from grader.models.assignment import Criterion
from grader.models.lateness import Lateness
from grader.models.run import Run
from grader.models.submission import Submission


@dataclass(frozen=True, slots=True)
class Scale:
    """Reference values for a measured value."""

    full_at: float
    zero_at: float
    baselines: Mapping[str, float] = field(default_factory=dict)  # "majority", "mean", "linear"


@dataclass(frozen=True, slots=True)
class Score:
    """The result of one criterion. ``points`` is None if a person must judge it."""

    criterion: str
    title: Titles
    points: float | None
    max: float
    passed: bool | None
    reason: Message
    value: float | None = None
    low: float | None = None  # 95 % interval
    high: float | None = None
    n: int | None = None  # sample size behind the value
    scale: Scale | None = None
    review: Message | None = None  # why a person should check it


class ScoreDetails(TypedDict, total=False):
    """The optional fields of a ``Score``."""

    value: float
    low: float
    high: float
    n: int
    scale: Scale
    review: Message | None


def scored(
    criterion: Criterion, points: float | None, reason: Message, *, passed: bool | None, **details: Unpack[ScoreDetails]
) -> Score:
    """Return the score of ``criterion``."""
    return Score(criterion.id, criterion.title, points, criterion.points, passed, reason, **details)


@dataclass(frozen=True, slots=True)
class Grade:
    """All scores of one submission. ``total`` already includes the late penalty.

    ``total`` is None if a criterion is unscored, by a fault of the grader or until a person decides; it is never a
    zero then.
    """

    scores: tuple[Score, ...]
    total: float | None
    max: float
    late: bool | None = None
    review_reasons: tuple[Message, ...] = ()
    lateness: Lateness | None = None  # None: there is no due date

    @property
    def needs_review(self) -> bool:
        return bool(self.review_reasons)


@dataclass(frozen=True, slots=True)
class Graded:
    """A submission with its run and its grade."""

    submission: Submission
    run: Run
    grade: Grade
