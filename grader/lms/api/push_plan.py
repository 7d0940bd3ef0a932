"""The changes to make in the LMS, and their execution: nothing twice, and verified by reading the grades again."""

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

_ROUNDS = 3  # tries of a change during which the server failed
_DIGITS = 2  # as LMSs keep a grade


@dataclass(frozen=True, slots=True)
class Place:
    """The place of the grade of one student or group; ``id`` is the server's own."""

    id: str
    grade: float | None = None  # the current one
    closed: Message | None = None  # why nothing can be written


class Target(Protocol):
    """An assignment on the server of an LMS."""

    system: str  # the LMS, as submissions name it
    title: str
    max: float
    takes_more: bool  # than the maximum grade

    def places(self) -> Mapping[str, Place]:
        """Return the current places, by the ids in the LMS's archive of submissions."""

    def write(self, place: Place, grade: float, report: Path | None) -> Message | None:
        """Write grade and report in one step; return a note if the grade was written without the report."""


@dataclass(frozen=True, slots=True)
class Change:
    """The change planned for one result; ``obstacle`` is the reason to write nothing."""

    result: Result
    place: Place | None = None
    grade: float | None = None
    obstacle: Message | None = None

    @property
    def is_written(self) -> bool:
        return self.place is not None and _same(self.place.grade, self.grade)

    @property
    def due(self) -> bool:
        return self.obstacle is None and not self.is_written


@dataclass(frozen=True, slots=True)
class Sent:
    """A change that was tried. With a ``problem`` the grade was not written, with a ``note`` the report was not."""

    change: Change
    problem: Message | None = None
    note: Message | None = None


def plan(results: Results, target: Target) -> tuple[Change, ...]:
    """Return a change for each result, in their order, without writing anything."""
    there = target.places()
    count = Counter(result.student.key for result in results.submissions if result.lms == target.system)
    return tuple(
        _change(result, there, target, unique=count[result.student.key] == 1) for result in results.submissions
    )


def _change(result: Result, there: Mapping[str, Place], target: Target, *, unique: bool) -> Change:
    place = there.get(result.student.key) if result.lms == target.system and result.student.key else None
    if (points := result.out_of(target.max)) is None:
        return Change(result, place, None, message("the total is open"))
    grade = round(points, _DIGITS)
    if result.lms != target.system:
        obstacle = message("was not submitted through {system}", system=target.system)
    elif place is None:
        obstacle = message("is not in this assignment on the server")
    elif not unique:
        obstacle = message("shares its number with another submission")
    elif place.closed is not None:
        obstacle = place.closed
    elif grade > target.max and not target.takes_more:
        obstacle = message("more than the maximum of {max:g} points there", max=target.max)
    else:
        obstacle = None
    return Change(result, place, grade, obstacle)


def send(
    target: Target, changes: Sequence[Change], *, progress: Callable[[Change], None] = lambda _change: None
) -> tuple[Sent, ...]:
    """Make the ``changes`` that are due, and check the result by reading the grades again.

    A change during which the server failed is tried again only if it turns out not to have been made. A grade that the
    server accepted but does not show is a problem.
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
                sent |= {other.result.student.id: Sent(other, error.message) for other in waiting[number:]}
                return tuple(sent.values())
            except PushError as error:
                sent[student] = Sent(change, error.message)
            progress(change)
        sent = _verify(sent, target)
        waiting = [tried.change for student, tried in sent.items() if tried.problem is not None and student in unclear]
        if not waiting:
            break
    return tuple(sent.values())


def _write(target: Target, change: Change) -> Message | None:
    assert change.place is not None and change.grade is not None  # it is due
    report = change.result.report
    return target.write(change.place, change.grade, report if report.is_file() else None)


def _verify(sent: Mapping[str, Sent], target: Target) -> dict[str, Sent]:
    """Return ``sent`` with the problems that the server's current grades show; unchanged if they cannot be read."""
    try:
        there = target.places()
    except PushError:
        return dict(sent)
    return {student: _compare(tried, there.get(tried.change.result.student.key)) for student, tried in sent.items()}


def _compare(tried: Sent, place: Place | None) -> Sent:
    if place is not None and _same(place.grade, tried.change.grade):
        return Sent(tried.change, None, tried.note)
    if tried.problem is None:
        shown = "–" if place is None or place.grade is None else f"{place.grade:g}"
        return Sent(tried.change, message("the server accepted the grade but still shows {shown}", shown=shown))
    return tried


def _same(first: float | None, second: float | None) -> bool:
    return first is not None and second is not None and math.isclose(first, second, abs_tol=0.5 * 10**-_DIGITS)
