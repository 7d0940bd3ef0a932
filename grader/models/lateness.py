"""The late policy of an assignment, a student's extension, and the lateness of one submission."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from grader.i18n.message import Message

Policy = Literal["none", "percent", "late_days", "zero"]


@dataclass(frozen=True, slots=True)
class LatePolicy:
    """The section ``[late]`` of an assignment. Days late count from the due time; a begun day counts as a whole one."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  read by grader.spec.loader: a misspelt option is an error
    due: datetime | None = None  # without an offset: in ``timezone``, else in the zone of this machine
    policy: Policy = "none"
    percent_per_day: float | None = None  # of the points earned
    at_most: float = 100.0  # upper limit of the penalty, percent
    free_days: int = 0  # for "late_days": days without penalty; later days cost percent_per_day, or all points if unset
    grace_minutes: float = 0.0  # not counted as late
    timezone: str | None = None  # IANA name, such as "Asia/Taipei"


@dataclass(frozen=True, slots=True)
class Extension:
    """A student's own due time: either ``due``, or the class's due time moved by calendar ``days`` and ``hours``."""

    due: datetime | None = None
    days: float = 0.0
    hours: float = 0.0
    days_used: int = 0  # free late days already used in earlier homework


@dataclass(frozen=True, slots=True)
class Lateness:
    """Lateness of a submission and its penalty. ``taken_off`` is in points, at most the points earned."""

    due: datetime
    submitted: datetime | None
    by: timedelta | None  # None: the submission time is not known
    policy: Policy
    reason: Message
    taken_off: float = 0.0
    days: int = 0  # begun days late; with free late days, the days used
    extended: bool = False
    review: Message | None = None  # why a person should look

    @property
    def late(self) -> bool | None:
        """True if late, False if on time, None if the submission time is not known."""
        return None if self.by is None else self.by > timedelta(0)
