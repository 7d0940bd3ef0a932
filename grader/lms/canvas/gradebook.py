"""Canvas's gradebook as its "Export" writes it, by the rules by which its "Import" reads it again.

The first columns name the student: ``Student`` (or ``LastName``, ``FirstName``), ``ID``, perhaps SIS ids, ``Section``.
A column ``Title (12345)`` belongs to an assignment. The line "    Points Possible" holds the full points, or text for a
column that is read only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from grader.files.csv_sheet import Sheet, parse_number
from grader.i18n.message import Message, join_lines, join_list, message
from grader.lms.canvas.archive import is_anonymous
from grader.lms.export_request import GradebookFile
from grader.lms.gradebook_csv.grade_column import Column
from grader.lms.gradebook_csv.gradebook_table import (
    Gradebook,
    Row,
    check_students,
    only_gradebook,
    repeated_keys,
    uses_decimal_comma,
)
from grader.models.errors import IntakeError
from grader.models.submission import Submission

_ASSIGNMENT = re.compile(r"(?P<title>.*)\s\((?P<id>[0-9]+)\)", re.DOTALL)
# Canvas skips a column whose heading contains one of these.
_TOTALS = re.compile(r"(?:Current|Final) (?:Score|Points|Grade)|Override (?:Score|Grade|Status)")
_POINTS = "Points Possible"
_POSTING = re.compile(r"\s*(?:Muted|Manual Posting.*)?\s*", re.IGNORECASE)
_TEST_STUDENT = "Student, Test"
# Excused; not assigned to this student; or hidden while the grading is anonymous.
_KEPT = frozenset({"ex", "n/a"})


def recognises(sheet: Sheet) -> bool:
    """Check whether ``sheet`` is a gradebook of Canvas, perhaps with faults to report."""
    header = sheet.header
    signs = (_names(header) > 0, "Section" in header, "SIS Login ID" in header, any(map(_ASSIGNMENT.fullmatch, header)))
    return sum(map(bool, signs)) > 1


def parse_gradebook(sheet: Sheet) -> Gradebook:
    """Return the gradebook in ``sheet``; raises ``IntakeError`` with every reason why Canvas would refuse it."""
    names = _names(sheet.header)
    section = _section(sheet.header, names) if names else None
    if section is None:
        raise IntakeError(
            message(
                "{file}, line {line}: found the columns {found}, expected Student, ID, ... Section and then the "
                "assignments. Export the gradebook from Canvas again and leave its first line as it is.",
                file=sheet.path,
                line=sheet.line(0),
                found=join_list(sheet.header, most=8),
            )
        )
    rows = tuple(_rows(sheet, names))
    columns = tuple(_columns(sheet, section))
    if problems := [*_unreadable(sheet), *_wrong_ids(sheet, rows), *_no_column(sheet, columns, section)]:
        raise IntakeError(join_lines(problems))
    decimal_comma = uses_decimal_comma(sheet, [column.index for column in columns])
    return Gradebook("canvas", sheet, columns, rows, _is_kept, _is_empty, decimal_comma)


def check(submissions: Sequence[Submission], gradebooks: Sequence[GradebookFile]) -> None:
    """Raise ``IntakeError`` if a gradebook was given that does not fit the submissions."""
    if not gradebooks:
        return
    book = parse_gradebook(only_gradebook(gradebooks).sheet)
    if submissions and all(
        submission.lms == "canvas" and is_anonymous(submission.origin) for submission in submissions
    ):
        raise IntakeError(
            message(
                "{file}: the submissions are anonymous, and the gradebook has no anonymous ids. Turn anonymous grading "
                "off in Canvas and download the submissions again, or grade without the gradebook.",
                file=book.sheet.path,
            )
        )
    check_students(book, submissions)


def _is_kept(text: str) -> bool:
    return text.casefold() in _KEPT


def _is_empty(text: str) -> bool:
    return text in ("", "-")


def posted_by_hand(book: Gradebook, column: Column) -> bool:
    """Check whether students see the column's grades only after the teacher posts them."""
    cells = (book.sheet.cell(row, column.index) for row in range(1, min(4, len(book.sheet.rows))))
    return any(cell.strip().startswith("Manual Posting") for cell in cells)


def _names(header: Sequence[str]) -> int:
    """Return the number of name columns: "Student", or last and first name; 0 where ``ID`` does not follow."""
    if len(header) > 3 and tuple(header[:2]) == ("Student", "ID"):
        return 1
    return 2 if len(header) > 4 and tuple(header[:3]) == ("LastName", "FirstName", "ID") else 0


def _section(header: Sequence[str], names: int) -> int | None:
    """Return the index of the last column about the student; None where Canvas would not find it."""
    place = names + 1
    if re.search(r"SIS\s+Login\s+ID", header[place]):
        place += 1
    elif re.search(r"SIS\s+User\s+ID", header[place]) and re.search(r"SIS\s+Login\s+ID", header[place + 1]):
        place += 2
        for optional in (r"Integration\s+ID", r"Root\s+Account"):
            place += place < len(header) and re.search(optional, header[place]) is not None
    return place if place < len(header) and "Section" in header[place] else None


def _rows(sheet: Sheet, names: int) -> Iterator[Row]:
    logins = [place for place, heading in enumerate(sheet.header) if re.search(r"SIS\s+(?:User|Login)\s+ID", heading)]
    for index in range(1, len(sheet.rows)):
        name = ", ".join(sheet.cell(index, place).strip() for place in range(names))
        cells = [cell.text for cell in sheet.rows[index]]
        last = index == len(sheet.rows) - 1 and name == _TEST_STUDENT  # Canvas puts its own student last
        if _POINTS in name or all(_POSTING.fullmatch(cell) for cell in cells) or last:
            continue
        others = tuple(cell for place in logins if (cell := sheet.cell(index, place).strip()))
        yield Row(index, name, sheet.cell(index, names).strip(), others)


def _columns(sheet: Sheet, section: int) -> Iterator[Column]:
    line = next((row for row in range(1, len(sheet.rows)) if _POINTS in sheet.cell(row, 0)), None)
    for index, heading in enumerate(sheet.header):
        found = _ASSIGNMENT.fullmatch(heading)
        possible = sheet.cell(line, index).strip() if line is not None else ""
        full = parse_number(possible)
        # Other text in that line means, in the site's language, that the column is read only.
        if index > section and found and not _TOTALS.search(heading) and (not possible or full is not None):
            yield Column(index, heading, found["title"], found["id"], full)


def _unreadable(sheet: Sheet) -> Iterator[Message]:
    if sheet.encoding != "utf-8" or sheet.delimiter == "\t":
        yield message(
            "{file} was saved by another program: found {found}, expected UTF-8 with commas or semicolons, which is "
            "all that Canvas reads. Export the gradebook again and give it without opening it in a spreadsheet.",
            file=sheet.path,
            found=f"{sheet.encoding}, {sheet.delimiter!r}",
        )


def _wrong_ids(sheet: Sheet, rows: Sequence[Row]) -> Iterator[Message]:
    wrong = [row for row in rows if not re.fullmatch("[0-9]+", row.key)]
    if wrong:
        yield message(
            '{file}, lines {lines}: found {found} in the column "ID", expected a whole number. Spreadsheets spoil long '
            "numbers: export the gradebook from Canvas again.",
            file=sheet.path,
            lines=join_list([str(sheet.line(row.index)) for row in wrong]),
            found=join_list([repr(row.key) for row in wrong], most=3),
        )
    yield from repeated_keys(sheet, [row for row in rows if row not in wrong], "ID")


def _no_column(sheet: Sheet, columns: Sequence[Column], section: int) -> Iterator[Message]:
    if not columns:
        yield message(
            "{file}, line {line}: found no assignment that takes grades among the columns {found}, expected one such "
            'as "Homework 1 (12345)". Publish the assignment and export the gradebook again.',
            file=sheet.path,
            line=sheet.line(0),
            found=join_list(sheet.header[section + 1 :] or ["–"], most=8),
        )
