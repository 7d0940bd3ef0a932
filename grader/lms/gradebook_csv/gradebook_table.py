"""A teacher's gradebook as the LMS exported it, and the rows of the students in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from grader.files.csv_sheet import Sheet, parse_number
from grader.grading.results import Result
from grader.i18n.message import Message, join_list, message
from grader.lms.gradebook_csv.grade_column import Column
from grader.lms.identity import fold_case, spellings
from grader.models.errors import IntakeError
from grader.models.submission import Student, Submission

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """The row of one student. ``key`` is the LMS's own id, ``others`` are logins and student numbers."""

    index: int
    name: str
    key: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gradebook:
    """A gradebook that can be filled in.

    ``is_kept`` tells a cell's text that is no grade and must stay, such as that the student is excused; ``is_empty``
    tells a text that only waits for a grade. An LMS that does not ``take_more`` than the full points skips such grades.
    """

    lms: str
    sheet: Sheet
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    is_kept: Callable[[str], bool]
    is_empty: Callable[[str], bool]
    decimal_comma: bool
    locked: frozenset[int] = frozenset()  # rows whose grade cannot be changed
    takes_more: bool = True


def uses_decimal_comma(sheet: Sheet, columns: Iterable[int]) -> bool:
    """Check whether most numbers in ``columns`` are written with a comma."""
    texts = [sheet.cell(row, column) for column in columns for row in range(1, len(sheet.rows))]
    numbers = [text for text in texts if parse_number(text) is not None]
    return sum("," in text for text in numbers) > sum("." in text for text in numbers)


def only_gradebook(gradebooks: Sequence[T]) -> T:
    """Return the only gradebook; raises ``IntakeError`` if there are several."""
    if len(gradebooks) != 1:
        names = join_list([str(getattr(gradebook, "path", gradebook)) for gradebook in gradebooks])
        raise IntakeError(
            message("{count} gradebooks were given; expected one: {names}.", count=len(gradebooks), names=names)
        )
    return gradebooks[0]


def repeated_keys(sheet: Sheet, rows: Sequence[Row], heading: str) -> list[Message]:
    """Return a problem for each student who has several rows."""
    places: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        places[fold_case(row.key)].append(row.index)
    return [
        message(
            '{file}, lines {lines}: found {found} in the column "{column}" more than once; expected each student '
            "once. Download the file again.",
            file=sheet.path,
            lines=join_list([str(sheet.line(index)) for index in indices]),
            found=key,
            column=heading,
        )
        for key, indices in places.items()
        if len(indices) > 1
    ]


def check_students(book: Gradebook, submitted: Sequence[Submission | Result]) -> None:
    """Raise ``IntakeError`` if no student who submitted has a row in ``book``."""
    find = row_finder(book)
    students = [(student, one.lms) for one in submitted for student in one.members]
    if not students or any(find(student, lms) is not None for student, lms in students):
        return
    names = [f"{student.name} ({student.key or student.id})" for student, _lms in students]
    raise IntakeError(
        message(
            "{file} and the submissions have no student in common: found {found}, expected {expected}. Export the "
            "gradebook of the course that the submissions came from.",
            file=book.sheet.path,
            found=join_list([f"{row.name} ({row.key})" for row in book.rows] or ["–"], most=3),
            expected=join_list(names, most=3),
        )
    )


def row_finder(book: Gradebook) -> Callable[[Student, str], int | None]:
    """Return a function that finds the row of a student who submitted through an LMS.

    A student of the gradebook's own LMS is found by that LMS's id only. Other students are found by login, student
    number or address, and by name where one row alone has that name.
    """
    keys = _unambiguous((row.key, row) for row in book.rows)
    others = _unambiguous((other, row) for row in book.rows for other in row.others)
    names = _unambiguous((name, row) for row in book.rows for name in spellings(row.name))

    def find(student: Student, lms: str) -> int | None:
        if lms == book.lms:
            return keys.get(fold_case(student.key))
        for value in filter(None, (student.username, student.email, student.id, student.name)):
            if fold_case(value) in others:
                return others[fold_case(value)]
        found = {names[name] for name in spellings(student.name) if name in names}
        return found.pop() if len(found) == 1 else None

    return find


def _unambiguous(pairs: Iterable[tuple[str, Row]]) -> dict[str, int]:
    places: dict[str, set[int]] = defaultdict(set)
    for value, row in pairs:
        places[fold_case(value.strip())].add(row.index)
    return {value: next(iter(indices)) for value, indices in places.items() if value and len(indices) == 1}
