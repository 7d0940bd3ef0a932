"""Grades and reports given back to the LMS that the submissions came from, each in the way it takes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import IntakeError
from grader.handback import HandedBack, Order, Results
from grader.lms import nbgrader_course, table
from grader.lms.sheet import Sheet
from grader.records import Submission, message


def _no_sheet(_sheet: Sheet) -> bool:
    return False


def _nothing_to_check(_submissions: Sequence[Submission], _sheets: Sequence[Path]) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Writer:
    """One LMS's way back.

    ``recognises`` says whether a table is the LMS's own list of grades; ``check`` raises ``IntakeError`` before
    anything is run when such lists do not fit the submissions; ``hand_back`` fills them in.
    """

    hand_back: Callable[[Results, Order], HandedBack]
    recognises: Callable[[Sheet], bool] = _no_sheet
    check: Callable[[Sequence[Submission], Sequence[Path]], None] = _nothing_to_check


WRITERS: Mapping[str, Writer] = {
    "csv": Writer(table.hand_back),
    "nbgrader": Writer(nbgrader_course.hand_back, check=nbgrader_course.check),
}


def hand_back(results: Results, order: Order, *, to: str = "auto") -> HandedBack:
    """Writes what is to be uploaded into ``order.out``; "auto" is the LMS that most submissions came from.

    Raises ``IntakeError`` when a sheet does not fit, ``OutputError`` when nothing can be written.
    """
    if to == "auto":
        to = came_from([one.lms for one in results.students])
    if to not in WRITERS:
        raise IntakeError(
            message("LMS {found} is not known; expected one of {known}.", found=to, known=", ".join(["auto", *WRITERS]))
        )
    return WRITERS[to].hand_back(results, order)


def came_from(systems: Sequence[str]) -> str:
    """The LMS that most came from; "csv" where that has no way back of its own."""
    most = Counter(systems).most_common(1)
    return most[0][0] if most and most[0][0] in WRITERS else "csv"
