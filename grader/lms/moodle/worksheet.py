"""Moodle's grading worksheet, the gradebook that a teacher downloads, fills in and uploads again.

Moodle writes its columns in one order, under names in the site's language: identifier ("Participant 12"; many
languages have no space), full name unless marking is blind, status, a team's group, grade, maximum grade or scale,
whether the grade can be changed, times, feedback comments. So columns are found by place and content.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from grader.files.csv_sheet import Sheet, parse_number
from grader.i18n.message import Message, join_lines, join_list, message
from grader.lms.gradebook_csv.grade_column import Column
from grader.lms.gradebook_csv.gradebook_table import Gradebook, Row, uses_decimal_comma
from grader.lms.moodle import column_names
from grader.models.errors import IntakeError

_PARTICIPANT = re.compile(r"(?P<word>[^0-9]*)(?P<number>[0-9]+)\s*")
_DATE = re.compile(r"(?=.*[0-9]{4})(?=.*[0-9]{1,2}\s?[:.h][0-9]{2})[^<]{8,80}", re.DOTALL)
_MOST_PROBLEMS = 21  # one more than are shown; each counts the lines before it, which takes time
UNGRADED = ("", "-")  # the text depends on Moodle's version and its grade display


@dataclass(frozen=True, slots=True)
class Columns:
    """The indices of the columns. ``points`` is the maximum grade, or the labels where a ``scale`` is used."""

    identifier: int
    grade: int
    points: int
    scale: bool
    changeable: int | None
    modified: int | None
    comments: int | None


@dataclass(frozen=True, slots=True)
class Worksheet:
    """A valid grading worksheet. ``rows`` are indices by the participant's number, which the archive's names hold."""

    book: Gradebook
    columns: Columns
    rows: dict[str, int]

    @property
    def sheet(self) -> Sheet:
        return self.book.sheet

    @property
    def column(self) -> Column:
        return self.book.columns[0]

    @property
    def maximum(self) -> float:
        return self.column.max or 0.0

    def identifier(self, row: int) -> str:
        return self.sheet.cell(row, self.columns.identifier).strip()


def parse_worksheet(sheet: Sheet) -> Worksheet:
    """Return the grading worksheet in ``sheet``; raises ``IntakeError`` with everything that is wrong with it."""
    path = sheet.path
    columns = find_columns(sheet)
    if columns is None and len(sheet.rows) == 1 and not column_names.MODIFIED.isdisjoint(sheet.header):
        raise IntakeError(message("{path} has no rows; expected one for each participant.", path=path))
    if columns is None:
        raise IntakeError(
            message(
                "{path}, line 1: found the columns {found}; expected Moodle's grading worksheet, with columns for "
                "identifier, grade, maximum grade and last modification. Download it from the assignment again.",
                path=path, found=join_list(sheet.header, most=12),
            )
        )  # fmt: skip
    if problems := list(islice(_problems(sheet, columns), _MOST_PROBLEMS)):
        raise IntakeError(join_lines(problems))
    numbers = {_number(sheet.cell(row, columns.identifier)): row for row in range(1, len(sheet.rows))}
    return Worksheet(_gradebook(sheet, columns, numbers), columns, numbers)


def _gradebook(sheet: Sheet, columns: Columns, numbers: dict[str, int]) -> Gradebook:
    maximum = parse_number(sheet.cell(1, columns.points))
    heading = sheet.header[columns.grade]
    changeable = columns.changeable
    return Gradebook(
        lms="moodle",
        sheet=sheet,
        columns=(Column(columns.grade, heading, heading, "", maximum),),
        rows=tuple(Row(row, sheet.cell(row, columns.identifier).strip(), number) for number, row in numbers.items()),
        is_kept=lambda _text: False,
        is_empty=lambda text: parse_number(text) is None,
        decimal_comma=uses_decimal_comma(sheet, (columns.points, columns.grade)),
        locked=frozenset(
            row
            for row in numbers.values()
            if changeable is not None and sheet.cell(row, changeable).strip() in column_names.NO
        ),
        takes_more=False,
    )


# ---------------------------------------------------------------- finding columns


def find_columns(sheet: Sheet) -> Columns | None:
    """Return the columns of Moodle's grading worksheet; None for any other table."""
    width = len(sheet.header)
    identifier = next((column for column in range(width) if _identifies(_cells(sheet, column))), None)
    if identifier is None:
        return None
    maximum = _named(sheet, column_names.MAXIMUM) or _last(
        column for column in range(identifier + 2, width) if _is_maximum(sheet, column)
    )
    points = maximum or _named(sheet, column_names.SCALE) or _last(
        column for column in range(identifier + 2, width) if _is_scale(_cells(sheet, column))
    )  # fmt: skip
    if points is None or points < identifier + 2:
        return None
    modified = _named(sheet, column_names.MODIFIED) or _last(
        column for column in range(points + 1, width) if all(map(_is_time, _cells(sheet, column)))
    )
    comments = _named(sheet, column_names.COMMENTS)
    if comments is None and modified is not None and not _english(sheet, identifier, points - 1, modified):
        comments = modified + 1 if modified + 2 == width else None
    changeable = (
        column for column in (points + 1, points + 2) if not column_names.NO.isdisjoint(_cells(sheet, column))
    )
    found = Columns(identifier, points - 1, points, maximum is None, next(changeable, None), modified, comments)
    return found if modified is not None or sheet.header[identifier] == column_names.ENGLISH_IDENTIFIER else None


def _cells(sheet: Sheet, column: int) -> list[str]:
    return [sheet.cell(row, column).strip() for row in range(1, len(sheet.rows))]


def _named(sheet: Sheet, names: Iterable[str]) -> int | None:
    found = [column for column, name in enumerate(sheet.header) if name in names]
    return found[0] if len(found) == 1 else None


def _last(columns: Iterator[int]) -> int | None:
    return max(columns, default=None)


def _identifies(cells: Sequence[str]) -> bool:
    """Check for one word and a number in at least half of the rows; the other rows are reported as problems."""
    found = [match["word"].strip() for match in map(_PARTICIPANT.fullmatch, cells) if match]
    return bool(found) and 2 * len(found) >= len(cells) and len(set(found)) == 1 and found[0] != ""


def _is_maximum(sheet: Sheet, column: int) -> bool:
    values = {parse_number(cell) for cell in _cells(sheet, column)}
    before = _cells(sheet, column - 1)
    are_grades = all(cell in UNGRADED or parse_number(cell) is not None for cell in before)
    return len(values) == 1 and None not in values and are_grades


def _is_scale(cells: Sequence[str]) -> bool:
    return len(set(cells)) == 1 and "\n" in cells[0]


def _is_time(cell: str) -> bool:
    return cell == "-" or _DATE.fullmatch(cell) is not None


def _english(sheet: Sheet, identifier: int, grade: int, modified: int | None) -> bool:
    """Check whether two of the three names that Moodle requires are English."""
    return len(_renamed(sheet, identifier, grade, modified)) < 2


def _renamed(sheet: Sheet, identifier: int, grade: int, modified: int | None) -> list[tuple[int, str]]:
    expected = (
        (identifier, column_names.ENGLISH_IDENTIFIER),
        (grade, column_names.ENGLISH_GRADE),
        (-1 if modified is None else modified, column_names.ENGLISH_MODIFIED),
    )
    return [(column, name) for column, name in expected if column < 0 or sheet.header[column] != name]


# ---------------------------------------------------------------- problems


def _problems(sheet: Sheet, columns: Columns) -> Iterator[Message]:
    path = sheet.path
    if sheet.encoding != "utf-8":
        yield message(
            "{path} is in the encoding {encoding}, as Excel saves it; Moodle's worksheet is UTF-8. Download it again "
            "and give it unchanged, without saving it in a spreadsheet.",
            path=path, encoding=sheet.encoding,
        )  # fmt: skip
    if columns.scale:
        labels = ", ".join(sheet.cell(1, columns.points).split("\n"))
        yield message(
            "{path}, line 1: column {name} holds a scale ({labels}); expected a maximum grade. Set the assignment's "
            "grade to points in Moodle. Nothing was filled in.",
            path=path, name=sheet.header[columns.points], labels=labels,
        )  # fmt: skip
    yield from _header_problems(sheet, columns)
    yield from _width_problems(sheet)
    yield from _identifier_problems(sheet, columns)
    if not columns.scale:
        yield from _grade_problems(sheet, columns)


def _header_problems(sheet: Sheet, columns: Columns) -> Iterator[Message]:
    """Check the names by which Moodle finds its columns; only the English names are known well enough."""
    renamed = _renamed(sheet, columns.identifier, columns.grade, columns.modified)
    in_english = len(renamed) == 1 and not column_names.ENGLISH_NAME.isdisjoint(sheet.header)
    if columns.modified is None or in_english:
        _column, expected = renamed[-1]
        found = sheet.header[renamed[-1][0]] if renamed[-1][0] >= 0 else join_list(sheet.header)
        yield message(
            "{path}, line 1: found {found}; expected a column {expected}, which Moodle requires. Download it "
            "again and change no column.",
            path=sheet.path, found=found, expected=expected,
        )  # fmt: skip


def _width_problems(sheet: Sheet) -> Iterator[Message]:
    """Check that no row lost or gained a separator: Moodle refuses such a file."""
    for row, cells in enumerate(sheet.rows):
        if len(cells) != len(sheet.header):
            yield message(
                "{path}, line {line}: {found} columns; expected {expected}, as in the header. Download it again.",
                path=sheet.path, line=sheet.line(row), found=len(cells), expected=len(sheet.header),
            )  # fmt: skip


def _identifier_problems(sheet: Sheet, columns: Columns) -> Iterator[Message]:
    seen: dict[str, int] = {}
    for row in range(1, len(sheet.rows)):
        cell = sheet.cell(row, columns.identifier).strip()
        if not _PARTICIPANT.fullmatch(cell):
            yield message(
                "{path}, line {line}: {name} is {found}; expected a participant's number, as in {example}.",
                path=sheet.path, line=sheet.line(row), name=sheet.header[columns.identifier], found=cell or '""',
                example=next(cell for cell in _cells(sheet, columns.identifier) if _PARTICIPANT.fullmatch(cell)),
            )  # fmt: skip
        elif (earlier := seen.setdefault(_number(cell), row)) != row:
            yield message(
                "{path}, line {line}: {found} is in line {earlier} as well; expected each participant once.",
                path=sheet.path, line=sheet.line(row), found=cell, earlier=sheet.line(earlier),
            )  # fmt: skip


def _grade_problems(sheet: Sheet, columns: Columns) -> Iterator[Message]:
    maximum_grade = parse_number(sheet.cell(1, columns.points)) or 0.0
    for row in range(1, len(sheet.rows)):
        maximum, grade = sheet.cell(row, columns.points).strip(), sheet.cell(row, columns.grade).strip()
        if parse_number(maximum) != maximum_grade or maximum_grade <= 0:
            yield message(
                "{path}, line {line}: {name} is {found}; expected the same number above 0 in every row.",
                path=sheet.path, line=sheet.line(row), name=sheet.header[columns.points], found=maximum or '""',
            )  # fmt: skip
        value = parse_number(grade)
        if grade not in UNGRADED and (value is None or not 0 <= value <= max(maximum_grade, 0.0)):
            yield message(
                "{path}, line {line}: {name} is {found}; expected an empty cell or a number from 0 to {maximum}.",
                path=sheet.path, line=sheet.line(row), name=sheet.header[columns.grade], found=grade,
                maximum=f"{maximum_grade:g}",
            )  # fmt: skip


def _number(cell: str) -> str:
    found = _PARTICIPANT.fullmatch(cell)
    return found["number"] if found else ""
