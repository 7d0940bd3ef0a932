"""Scores, the grade made of them, and a submission with everything that became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.i18n.message import Message, Titles
from grader.models.lateness import Lateness
from grader.models.run import Run
from grader.models.submission import Submission


@dataclass(frozen=True, slots=True)
class Scale:
    """What a measured value stands against."""

    full_at: float
    zero_at: float
    baselines: Mapping[str, float] = field(default_factory=dict)  # "majority", "mean", "linear"


@dataclass(frozen=True, slots=True)
class Score:
    """One criterion's result. ``points`` is None when it could not be judged and a person must."""

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
    review: Message | None = None  # why a person should look


@dataclass(frozen=True, slots=True)
class Grade:
    """``total`` is None when a fault of the grader's own left something unjudged: never a zero.

    What lateness costs is taken off ``total`` already.
    """

    scores: tuple[Score, ...]
    total: float | None
    max: float
    late: bool | None = None
    review_reasons: tuple[Message, ...] = ()
    lateness: Lateness | None = None  # None: nothing is due

    @property
    def needs_review(self) -> bool:
        return bool(self.review_reasons)


@dataclass(frozen=True, slots=True)
class Graded:
    """One submission with all that became of it."""

    submission: Submission
    run: Run
    grade: Grade
