"""Grades filled into one column of a gradebook, and notes for the teacher about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grader.files.csv_sheet import format_number, parse_number
from grader.grading.results import Result, Results
from grader.i18n.message import Message, join_list, message
from grader.lms.export_request import ExportRequest, Missing
from grader.lms.gradebook_csv.grade_column import Column
from grader.lms.gradebook_csv.gradebook_table import Gradebook, Row, row_finder

SAME_GRADE = 0.005  # grades are written with two digits


@dataclass
class Matches:
    """The results by row index. Nobody who may have submitted gets a zero: ``claimed`` are all their rows.

    ``unlisted`` are names without a row, ``shared`` the names of several results for one row.
    """

    by_row: dict[int, Result] = field(default_factory=dict)
    claimed: set[int] = field(default_factory=set)
    unlisted: list[str] = field(default_factory=list)
    shared: dict[int, list[str]] = field(default_factory=dict)


def match_rows(book: Gradebook, results: Sequence[Result]) -> Matches:
    """Match each member of each result with a row of ``book``."""
    find = row_finder(book)
    matches = Matches()
    for result in results:
        for student in result.members:
            row = find(student, result.lms)
            if row is None:
                matches.unlisted.append(student.name)
            elif row in matches.by_row and matches.by_row[row] is not result:
                matches.shared.setdefault(row, [matches.by_row[row].student.name]).append(student.name)
            else:
                matches.by_row[row] = result
    matches.claimed = set(matches.by_row)
    for row in matches.shared:
        del matches.by_row[row]
    return matches


@dataclass
class ColumnFill:
    """The new cells of one column, and the names for each kind of note. ``labels`` replace the rows' own names."""

    book: Gradebook
    column: Column
    matches: Matches
    labels: Mapping[int, str] = field(default_factory=dict)
    changes: dict[tuple[int, int], str] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def fill(self, missing: Missing) -> None:
        """Fill in all rows; a row that holds its grade already stays as it is, byte for byte."""
        for row in self.book.rows:
            if row.index in self.matches.by_row:
                self._enter(row, self.matches.by_row[row.index])
            elif row.index not in self.matches.claimed:
                self._enter_missing(row, missing)

    def refuses(self, row: int, points: float) -> bool:
        """Check whether the LMS would not take ``points`` in this row."""
        return row in self.book.locked or (not self.book.takes_more and self._above_maximum(points))

    def _enter(self, row: Row, result: Result) -> None:
        old = self.book.sheet.cell(row.index, self.column.index).strip()
        label = self.labels.get(row.index, row.name)
        points = result.out_of(self.column.max)
        if self.book.is_kept(old):
            self.names["kept"].append(f"{label} ({old})")
        elif points is None:
            self.names["open"].append(label)
        elif self.refuses(row.index, points):
            self.names["beyond" if not self.book.takes_more and self._above_maximum(points) else "locked"].append(label)
        else:
            self._write(row, label, points, old)

    def _enter_missing(self, row: Row, missing: Missing) -> None:
        """Enter a zero into a blank cell only: any other text was entered by a person."""
        text = self.book.sheet.cell(row.index, self.column.index).strip()
        if text not in ("", "-") or row.index in self.book.locked:
            return
        if missing is Missing.ZERO:
            self._write(row, row.name, 0.0, "")
        self.names["zero" if missing is Missing.ZERO else "nothing"].append(row.name)

    def _write(self, row: Row, label: str, points: float, old: str) -> None:
        new = format_number(points, decimal_comma=self.book.decimal_comma)
        before = parse_number(old)
        if self._above_maximum(points):
            self.names["above"].append(f"{label} ({new})")
        if before is not None and abs(before - points) < SAME_GRADE:
            return
        if not self.book.is_empty(old):
            self.names["replaced"].append(f"{label} ({old} → {new})")
        self.changes[row.index, self.column.index] = new

    def _above_maximum(self, points: float) -> bool:
        return bool(self.column.max) and points > (self.column.max or 0.0) + SAME_GRADE

    def notes(self, kinds: Sequence[str]) -> list[Message]:
        """Return the notes of these ``kinds``, in the order of ``_NOTES``."""
        return [
            Message(note.template, {"names": join_list(self.names[kind])})
            for kind, note in _NOTES.items()
            if kind in kinds and self.names[kind]
        ]


def fill_column(
    book: Gradebook, column: Column, results: Results, request: ExportRequest, *, unsure: int = 0
) -> ColumnFill:
    """Fill the grades into ``column``.

    No zeros are written if ``unsure`` submissions, or those without a row of their own, may be of students who seem to
    have submitted nothing.
    """
    matches = match_rows(book, results.submissions)
    filled = ColumnFill(book, column, matches)
    unsure += len(matches.unlisted) + len(matches.shared)
    missing = Missing.BLANK if unsure else request.missing
    if missing is not request.missing:
        filled.names["unsure"] = [str(unsure)]
    filled.fill(missing)
    filled.names["unlisted"] = matches.unlisted
    filled.names["shared"] = [name for names in matches.shared.values() for name in names]
    return filled


def notes_on(filled: ColumnFill, results: Results) -> list[Message]:
    """Return what the teacher should know before uploading the gradebook."""
    file, column = filled.book.sheet.path.name, filled.column
    notes = [message("The grades are in the column {column} of {file}.", column=column.heading, file=file)]
    if column.max and results.max and column.max != results.max:
        notes.append(
            message(
                "The column counts {possible} points, the assignment {points}: the grades were scaled.",
                possible=f"{column.max:g}",
                points=f"{results.max:g}",
            )
        )
    return notes + filled.notes(tuple(_NOTES))


NO_ZEROS = message(
    "No zeros were written: {names} submissions could not be matched to a student, who may be one of those without a "
    "submission. Enter zeros by hand.",
    names="",
)
SHARED_ROW = message(
    "Several submissions belong to the same row of the gradebook, skipped: {names}. Enter the grade that counts by "
    "hand.",
    names="",
)
_NOTES: Mapping[str, Message] = {
    "unlisted": message("Graded but missing from the gradebook, skipped: {names}.", names=""),
    "shared": SHARED_ROW,
    "open": message("Without a grade because the total is open, left unchanged: {names}.", names=""),
    "kept": message("Left unchanged because the cell holds something other than a grade: {names}.", names=""),
    "locked": message("Left unchanged because the grade is locked in the LMS: {names}.", names=""),
    "beyond": message(
        "Skipped because the grade is outside the LMS's range from 0 to the maximum grade: {names}. Grade by hand.",
        names="",
    ),
    "replaced": message("Existing grades were replaced: {names}.", names=""),
    "above": message("More than the column's full points: {names}.", names=""),
    "unsure": NO_ZEROS,
    "zero": message("No submission, graded 0: {names}.", names=""),
    "nothing": message("No submission, left unchanged: {names}.", names=""),
}
