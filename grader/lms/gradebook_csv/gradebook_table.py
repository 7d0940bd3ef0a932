"""A teacher's gradebook as its LMS exported it, and whose line in it is whose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.files.csv_sheet import Sheet, parsed_number
from grader.grading.results import Result
from grader.i18n.message import Message, join_list, message
from grader.lms.gradebook_csv.grade_column import Column
from grader.lms.identity import fold_case, spellings
from grader.models.errors import IntakeError
from grader.models.submission import Student, Submission


@dataclass(frozen=True, slots=True)
class Row:
    """One student's. ``key`` is what the LMS itself goes by, ``others`` are logins and student numbers."""

    index: int
    name: str
    key: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gradebook:
    """``kept`` says of a cell's text that it is no grade and stays, such as that a student is excused; ``empty`` that
    it only waits for one.
    """

    lms: str
    sheet: Sheet
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    kept: Callable[[str], bool]
    empty: Callable[[str], bool]

    @property
    def decimal_comma(self) -> bool:
        """Whether the sheet's own numbers are written so."""
        texts = [
            self.sheet.cell(row, column.index) for row in range(1, len(self.sheet.rows)) for column in self.columns
        ]
        numbers = [text for text in texts if parsed_number(text) is not None]
        return sum("," in text for text in numbers) > sum("." in text for text in numbers)


def only_sheet(sheets: Sequence[Path]) -> Path:
    """Raises ``IntakeError`` when it is not one."""
    if len(sheets) != 1:
        names = join_list([str(path) for path in sheets])
        raise IntakeError(
            message("{count} gradebooks were given, expected one: {names}.", count=len(sheets), names=names)
        )
    return sheets[0]


def repeated_keys(sheet: Sheet, rows: Sequence[Row], heading: str) -> list[Message]:
    """What is wrong with lines that name a student whom another line names as well."""
    places: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        places[fold_case(row.key)].append(row.index)
    return [
        message(
            '{file}, lines {lines}: found {found} in the column "{column}" more than once, expected each student '
            "once. Download the file again.",
            file=sheet.path,
            lines=join_list([str(sheet.line(index)) for index in where]),
            found=key,
            column=heading,
        )
        for key, where in places.items()
        if len(where) > 1
    ]


def _nobody_in_common(book: Gradebook, students: Sequence[Student]) -> Message:
    """What to say when none of ``students`` has a line."""
    return message(
        "{file} and the submissions have no student in common: found {found}, expected {expected}. Export the "
        "gradebook of the course that the submissions came from.",
        file=book.sheet.path,
        found=join_list([f"{row.name} ({row.key})" for row in book.rows] or ["–"], most=3),
        expected=join_list([f"{one.name} ({one.key or one.id})" for one in students] or ["–"], most=3),
    )


def check_somebody(book: Gradebook, handed_in: Sequence[Submission | Result]) -> None:
    """Raises ``IntakeError`` when nobody who handed in has a line."""
    find = finder(book)
    if handed_in and all(find(student, one.lms) is None for one in handed_in for student in one.members):
        raise IntakeError(_nobody_in_common(book, [student for one in handed_in for student in one.members]))


def finder(book: Gradebook) -> Callable[[Student, str], int | None]:
    """Tells the line of a student who came under an LMS: by that LMS's own id alone if it is the gradebook's, else by
    login, student number or address, and by name where only one has it.
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
