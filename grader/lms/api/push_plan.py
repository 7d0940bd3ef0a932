"""What is to be changed in the LMS, and the changing: nothing twice, and only what is seen there afterwards counts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from grader.grading.results import Result, Results
from grader.i18n.message import Message, message
from grader.models.errors import PushError, TokenError, UnclearError

_ROUNDS = 3  # of what a server broke down over
_DIGITS = 2  # as LMSs keep a grade


@dataclass(frozen=True, slots=True)
class Place:
    """Where one student's, or one group's, grade goes: ``id`` is what the server knows it by."""

    id: str
    grade: float | None = None  # that is there now
    closed: Message | None = None  # why nothing can be written


class Target(Protocol):
    """One assignment of an LMS."""

    system: str  # as submissions name it
    title: str
    max: float
    takes_more: bool  # than the maximum

    def places(self) -> Mapping[str, Place]:
        """By the ids that the LMS's archive of submissions holds, as they are now."""

    def write(self, place: Place, grade: float, report: Path | None) -> Message | None:
        """Puts grade and report there in one step; what it could not do besides the grade, it says."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of one result; ``obstacle`` says why nothing is written."""

    result: Result
    place: Place | None = None
    grade: float | None = None
    obstacle: Message | None = None

    @property
    def there_already(self) -> bool:
        return self.place is not None and _same(self.place.grade, self.grade)

    @property
    def due(self) -> bool:
        return self.obstacle is None and not self.there_already


@dataclass(frozen=True, slots=True)
class Sent:
    """A change that was tried: with a ``problem`` the grade is not there, with a ``note`` something else is not."""

    change: Change
    problem: Message | None = None
    note: Message | None = None


def plan(results: Results, target: Target) -> tuple[Change, ...]:
    """A change for each result, in their order; nothing is written."""
    there = target.places()
    count = Counter(one.student.key for one in results.submissions if one.lms == target.system)
    return tuple(_change(one, there, target, alone=count[one.student.key] == 1) for one in results.submissions)


def _change(result: Result, there: Mapping[str, Place], target: Target, *, alone: bool) -> Change:
    place = there.get(result.student.key) if result.lms == target.system and result.student.key else None
    if (points := result.out_of(target.max)) is None:
        return Change(result, place, None, message("the total is open"))
    grade = round(points, _DIGITS)
    if result.lms != target.system:
        obstacle = message("was not handed in through {system}", system=target.system)
    elif place is None:
        obstacle = message("is not in this assignment there")
    elif not alone:
        obstacle = message("shares its number with another submission")
    elif place.closed is not None:
        obstacle = place.closed
    elif grade > target.max and not target.takes_more:
        obstacle = message("more than the {max:g} points that can be had there", max=target.max)
    else:
        obstacle = None
    return Change(result, place, grade, obstacle)


def send(
    target: Target, changes: Sequence[Change], *, progress: Callable[[Change], None] = lambda _change: None
) -> tuple[Sent, ...]:
    """Makes those of ``changes`` that are due. What a server broke down over is tried again once it is seen not to be
    there; what it swallowed without a word is a problem as well.
    """
    sent: dict[str, Sent] = {}
    waiting = [change for change in changes if change.due]
    for _round in range(_ROUNDS):
        unclear: set[str] = set()
        for number, change in enumerate(waiting):
            student = change.result.student.id
            try:
                sent[student] = Sent(change, note=_write(target, change))
            except UnclearError as error:
                unclear.add(student)
                sent[student] = Sent(change, error.message)
            except TokenError as error:
                sent |= {one.result.student.id: Sent(one, error.message) for one in waiting[number:]}
                return tuple(sent.values())
            except PushError as error:
                sent[student] = Sent(change, error.message)
            progress(change)
        sent = _seen(sent, target)
        waiting = [one.change for student, one in sent.items() if one.problem is not None and student in unclear]
        if not waiting:
            break
    return tuple(sent.values())


def _write(target: Target, change: Change) -> Message | None:
    assert change.place is not None and change.grade is not None  # it is due
    report = change.result.report
    return target.write(change.place, change.grade, report if report.is_file() else None)


def _seen(sent: Mapping[str, Sent], target: Target) -> dict[str, Sent]:
    """``sent`` as the server shows it now; when it shows nothing, as it was."""
    try:
        there = target.places()
    except PushError:
        return dict(sent)
    return {student: _as_there(one, there.get(one.change.result.student.key)) for student, one in sent.items()}


def _as_there(one: Sent, place: Place | None) -> Sent:
    if place is not None and _same(place.grade, one.change.grade):
        return Sent(one.change, None, one.note)
    if one.problem is None:
        shown = "–" if place is None or place.grade is None else f"{place.grade:g}"
        return Sent(one.change, message("was taken without a word, but is not there: {shown} is", shown=shown))
    return one


def _same(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and math.isclose(one, other, abs_tol=0.5 * 10**-_DIGITS)
