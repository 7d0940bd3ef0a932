"""The late policy of an assignment, a student's extension, and how late a submission is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from grader.i18n.message import Message

Policy = Literal["none", "percent", "late_days", "zero"]


@dataclass(frozen=True, slots=True)
class LatePolicy:
    """The section ``[late]``. Days late count from the due time, each begun day as one."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  read by grader.spec.loader: a misspelt option is an error
    due: datetime | None = None  # without an offset: in ``timezone``, else in the zone of this machine
    policy: Policy = "none"
    percent_per_day: float | None = None  # of the points earned
    at_most: float = 100.0  # percent, however late
    free_days: int = 0  # for "late_days": cost nothing; beyond them percent_per_day, else everything
    grace_minutes: float = 0.0  # not late at all
    timezone: str | None = None  # "Asia/Taipei"


@dataclass(frozen=True, slots=True)
class Extension:
    """One student's own due time: ``due``, or the class's moved by ``days`` on the calendar or by ``hours``."""

    due: datetime | None = None
    days: float = 0.0
    hours: float = 0.0
    days_used: int = 0  # of the free late days, in earlier homework


@dataclass(frozen=True, slots=True)
class Lateness:
    """``by`` is None where nobody says when it was handed in; ``taken_off`` is in points and never more than earned."""

    due: datetime
    submitted: datetime | None
    by: timedelta | None
    policy: Policy
    reason: Message
    taken_off: float = 0.0
    days: int = 0  # begun days late, of the free ones those used
    extended: bool = False
    review: Message | None = None  # why a person should look

    @property
    def late(self) -> bool | None:
        return None if self.by is None else self.by > timedelta(0)
