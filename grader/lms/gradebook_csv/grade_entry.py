"""Grades filled into one column of a gradebook, and what a teacher should know of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grader.files.csv_sheet import number, parsed_number
from grader.grading.results import Result, Results
from grader.i18n.message import Message, join_list, message
from grader.lms.export_request import ExportRequest, Missing
from grader.lms.gradebook_csv.grade_column import Column
from grader.lms.gradebook_csv.gradebook_table import Gradebook, Row, finder

_SAME = 0.005  # grades are written with two digits


@dataclass
class Placed:
    """Whose grade goes to which line (by ``Row.index``); ``absent`` are in none, ``doubled`` share one."""

    by_row: dict[int, Result] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    doubled: dict[int, list[str]] = field(default_factory=dict)


def place(book: Gradebook, results: Sequence[Result]) -> Placed:
    find = finder(book)
    placed = Placed()
    for result in results:
        for student in result.members:
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
    decimal_comma: bool
    placed: Placed
    changes: dict[tuple[int, int], str] = field(default_factory=dict)
    named: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def grade(self, row: Row, result: Result) -> None:
        found = self.book.sheet.cell(row.index, self.column.index).strip()
        if self.book.kept(found):
            self.named["kept"].append(f"{row.name} ({found})")
        elif (points := result.out_of(self.column.max)) is None:
            self.named["open"].append(row.name)
        else:
            self._write(row, points, found)

    def nothing_handed_in(self, row: Row, missing: Missing) -> None:
        """A cell with anything in it is somebody's word: a zero goes to blank ones alone."""
        if self.book.sheet.cell(row.index, self.column.index).strip() not in ("", "-"):
            return
        if missing is Missing.ZERO:
            self._write(row, 0.0, "")
        self.named["zero" if missing is Missing.ZERO else "nothing"].append(row.name)

    def _write(self, row: Row, points: float, found: str) -> None:
        new = number(points, decimal_comma=self.decimal_comma)
        before = parsed_number(found)
        if self.column.max and points > self.column.max + _SAME:
            self.named["above"].append(f"{row.name} ({new})")
        if before is not None and abs(before - points) < _SAME:
            return
        if not self.book.empty(found):
            self.named["replaced"].append(f"{row.name} ({found} → {new})")
        self.changes[row.index, self.column.index] = new


def fill(book: Gradebook, column: Column, results: Results, order: ExportRequest, *, unsure: int = 0) -> Filling:
    """The grades in ``column``; a line whose grade stands there already stays as it is, byte for byte.

    ``unsure`` submissions may also be those of students who seem to have handed in nothing, as may be what has no line
    of its own: then nobody gets a zero.
    """
    placed = place(book, results.submissions)
    filling = Filling(book, column, book.decimal_comma, placed)
    unsure += len(placed.absent) + len(placed.doubled)
    missing = Missing.BLANK if unsure else order.missing
    if missing is not order.missing:
        filling.named["unsure"] = [str(unsure)]
    for row in book.rows:
        if row.index in placed.by_row:
            filling.grade(row, placed.by_row[row.index])
        elif row.index not in placed.doubled:
            filling.nothing_handed_in(row, missing)
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
    said: Mapping[str, Message] = {kind: join_list(names) for kind, names in filling.named.items() if names}
    return notes + [Message(_ABOUT[kind].template, {"names": names}) for kind, names in said.items() if kind in _ABOUT]


_ABOUT: Mapping[str, Message] = {
    "absent": message("Graded, but not in the gradebook, so nothing was written for: {names}.", names=""),
    "doubled": message(
        "Several submissions belong to the same line of the gradebook, so nothing was written for: {names}. Enter the "
        "grade that counts by hand.",
        names="",
    ),
    "open": message("Without a grade because their totals are open, left as they were: {names}.", names=""),
    "kept": message("Left as they were, for what stands there is no grade: {names}.", names=""),
    "replaced": message("Grades that stood there were replaced: {names}.", names=""),
    "above": message("More than the column's full points: {names}.", names=""),
    "unsure": message(
        "Nobody got a zero, for it is not sure whose {names} of the submissions are, and so who handed in nothing. "
        "Give zeros by hand.",
        names="",
    ),
    "zero": message("Handed in nothing and got 0: {names}.", names=""),
    "nothing": message("Handed in nothing, left as they were: {names}.", names=""),
}
