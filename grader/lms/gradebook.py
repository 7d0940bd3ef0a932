"""A teacher's gradebook as its LMS exported it: whose line is whose, and grades filled into one column."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import IntakeError
from grader.handback import Missing, Order, Result, Results
from grader.lms.columns import Column
from grader.lms.owner import folded
from grader.lms.sheet import Sheet, number, parsed_number
from grader.records import Message, Student, Submission, message
from grader.sentences import joined, listed

_SAME = 0.005  # grades are written with two digits


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


@dataclass
class Placed:
    """Whose grade goes to which line (by ``Row.index``); ``absent`` are in none, ``doubled`` share one."""

    by_row: dict[int, Result] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    doubled: dict[int, list[str]] = field(default_factory=dict)


# ---------------------------------------------------------------- reading


def only_sheet(sheets: Sequence[Path]) -> Path:
    """Raises ``IntakeError`` when it is not one."""
    if len(sheets) != 1:
        names = listed([str(path) for path in sheets])
        raise IntakeError(
            message("{count} gradebooks were given, expected one: {names}.", count=len(sheets), names=names)
        )
    return sheets[0]


def raise_all(problems: Sequence[Message]) -> None:
    if problems:
        raise IntakeError(joined(problems))


def repeated_keys(sheet: Sheet, rows: Sequence[Row], heading: str) -> list[Message]:
    """What is wrong with the lines that name no student, or one that another line names as well."""
    lines: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        lines[folded(row.key)].append(sheet.line(row.index))
    return [
        message(
            '{file}, lines {lines}: found {found} in the column "{column}" more than once, expected each student '
            "once. Download the file again.",
            file=sheet.path,
            lines=listed([str(line) for line in where]),
            found=key,
            column=heading,
        )
        for key, where in lines.items()
        if len(where) > 1
    ]


def nobody_in_common(book: Gradebook, students: Sequence[Student]) -> Message:
    """What to say when none of ``students`` has a line."""
    return message(
        "{file} and the submissions have no student in common: found {found}, expected {expected}. Export the "
        "gradebook of the course that the submissions came from.",
        file=book.sheet.path,
        found=listed([f"{row.name} ({row.key})" for row in book.rows] or ["–"], most=3),
        expected=listed([f"{one.name} ({one.key or one.id})" for one in students] or ["–"], most=3),
    )


def people(handed: Iterable[Submission | Result]) -> list[tuple[Student, str]]:
    """Everybody who handed in, members of groups one by one, each with the LMS that they came under."""
    return [(student, one.lms) for one in handed for student in one.group or (one.student,)]


def check_somebody(book: Gradebook, everybody: Sequence[tuple[Student, str]]) -> None:
    """Raises ``IntakeError`` when none of the students, each with the LMS they came under, has a line."""
    find = finder(book)
    if everybody and all(find(student, lms) is None for student, lms in everybody):
        raise IntakeError(nobody_in_common(book, [student for student, _lms in everybody]))


def finder(book: Gradebook) -> Callable[[Student, str], int | None]:
    """Tells the line of a student who came under an LMS: by that LMS's own id alone if it is the gradebook's, else by
    login, student number or address, and by name where only one has it.
    """
    keys = _unambiguous((row.key, row) for row in book.rows)
    others = _unambiguous((other, row) for row in book.rows for other in row.others)
    names = _unambiguous((name, row) for row in book.rows for name in _spellings(row.name))

    def find(student: Student, lms: str) -> int | None:
        if lms == book.lms:
            return keys.get(folded(student.key))
        for value in filter(None, (student.username, student.email, student.id, student.name)):
            if folded(value) in others:
                return others[folded(value)]
        return next((names[name] for name in _spellings(student.name) if name in names), None)

    return find


def _unambiguous(pairs: Iterable[tuple[str, Row]]) -> dict[str, int]:
    places: dict[str, set[int]] = defaultdict(set)
    for value, row in pairs:
        places[folded(value.strip())].add(row.index)
    return {value: next(iter(indices)) for value, indices in places.items() if value and len(indices) == 1}


def _spellings(name: str) -> tuple[str, ...]:
    """ "Lee, Ann" is "Ann Lee" as well."""
    plain = " ".join(folded(name).split())
    last, comma, first = plain.partition(",")
    return (plain, f"{first.strip()} {last.strip()}".strip()) if comma else (plain,)


# ---------------------------------------------------------------- filling


def place(book: Gradebook, results: Sequence[Result]) -> Placed:
    find = finder(book)
    placed = Placed()
    for result in results:
        for student in result.group or (result.student,):
            row = find(student, result.lms)
            if row is None:
                placed.absent.append(student.name)
            elif row in placed.by_row and placed.by_row[row] is not result:
                placed.doubled.setdefault(row, [placed.by_row[row].student.name]).append(student.name)
            else:
                placed.by_row[row] = result
    for row in placed.doubled:
        del placed.by_row[row]
    return placed


@dataclass
class Filling:
    """One column's new cells, and the names of those about whom something is to be said."""

    book: Gradebook
    column: Column
    changes: dict[tuple[int, int], str] = field(default_factory=dict)
    named: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def grade(self, row: Row, result: Result) -> None:
        found = self.book.sheet.cell(row.index, self.column.index).strip()
        if self.book.kept(found):
            self.named["kept"].append(f"{row.name} ({found})")
        elif result.total is None:
            self.named["open"].append(row.name)
        else:
            self._write(row, self._scaled(result.total, result.max), found)

    def nothing_handed_in(self, row: Row, missing: Missing) -> None:
        """A cell with anything in it is somebody's word: a zero goes to blank ones alone."""
        if self.book.sheet.cell(row.index, self.column.index).strip() not in ("", "-"):
            return
        if missing is Missing.ZERO:
            self._write(row, 0.0, "")
        self.named["zero" if missing is Missing.ZERO else "nothing"].append(row.name)

    def _scaled(self, total: float, most: float) -> float:
        full = self.column.max
        return total * full / most if full and most else total

    def _write(self, row: Row, points: float, found: str) -> None:
        new = number(points, decimal_comma=self.book.decimal_comma)
        before = parsed_number(found)
        if self.column.max and points > self.column.max + _SAME:
            self.named["above"].append(f"{row.name} ({new})")
        if before is not None and abs(before - points) < _SAME:
            return
        if not self.book.empty(found):
            self.named["replaced"].append(f"{row.name} ({found} → {new})")
        self.changes[row.index, self.column.index] = new


def fill(book: Gradebook, column: Column, results: Results, order: Order) -> Filling:
    """The grades in ``column``; a line whose grade stands there already stays as it is, byte for byte."""
    placed = place(book, results.students)
    filling = Filling(book, column)
    for row in book.rows:
        if row.index in placed.by_row:
            filling.grade(row, placed.by_row[row.index])
        elif row.index not in placed.doubled:
            filling.nothing_handed_in(row, order.missing)
    filling.named["absent"] = placed.absent
    filling.named["doubled"] = [name for names in placed.doubled.values() for name in names]
    return filling


def notes_on(filling: Filling, results: Results) -> list[Message]:
    """What the teacher should know of a filling before uploading it."""
    file, column = filling.book.sheet.path.name, filling.column
    notes = [message("The grades are in the column {column} of {file}.", column=column.heading, file=file)]
    if column.max and results.max and column.max != results.max:
        notes.append(
            message(
                "The column counts {possible} points, the assignment {points}: the grades were scaled.",
                possible=f"{column.max:g}",
                points=f"{results.max:g}",
            )
        )
    said: Mapping[str, Message] = {kind: listed(names) for kind, names in filling.named.items() if names}
    return notes + [Message(_ABOUT[kind].template, {"names": names}) for kind, names in said.items() if kind in _ABOUT]


_ABOUT: Mapping[str, Message] = {
    "absent": message("Graded, but not in the gradebook, so nothing was written for: {names}.", names=""),
    "doubled": message(
        "Several submissions belong to the same line of the gradebook, so nothing was written for: {names}. Enter the "
        "grade that counts by hand.",
        names="",
    ),
    "open": message("Without a grade for a fault of the grader's own, left as they were: {names}.", names=""),
    "kept": message("Left as they were, for what stands there is no grade: {names}.", names=""),
    "replaced": message("Grades that stood there were replaced: {names}.", names=""),
    "above": message("More than the column's full points: {names}.", names=""),
    "zero": message("Handed in nothing and got 0: {names}.", names=""),
    "nothing": message("Handed in nothing, left as they were: {names}.", names=""),
}
