"""Blackboard's gradebook as "Work Offline, Download" writes it: tab-separated UTF-16 named ``.xls``, or a CSV.

The column ``Username`` names the student. A column ``HW 1 [Total Pts: 100 Score] |12345`` takes grades: Blackboard
goes by its number only. One column downloaded with its comments has ``Feedback to Learner`` beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from grader.files.csv_sheet import Sheet, parse_number
from grader.i18n.message import Message, join_lines, join_list, message
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
from grader.lms.identity import fold_case
from grader.models.errors import IntakeError
from grader.models.submission import Submission

_COLUMN = re.compile(r"(?P<title>.*?)\s*\[(?P<about>[^\[\]]*)\]\s*\|\s*(?P<id>[0-9_]+)", re.DOTALL)
_POINTS = re.compile(r"[:：]\s*(?P<points>[0-9]+(?:[.,][0-9]+)?)\s*(?P<shown>.*)")
_USERNAME = frozenset({"username", "user name", "使用者名稱", "用户名"})
_NUMBER = frozenset({"student id", "學生 id", "学生 id"})
_FIRST, _LAST = frozenset({"first name", "名字", "名"}), frozenset({"last name", "姓氏", "姓"})
# A column that shows letters, percentages or words would read a grade as one of those.
_SHOWN_OTHERWISE = ("Letter", "Text", "Percentage", "Complete/Incomplete")
_EXEMPT = frozenset({"exempt", "ex", "豁免", "免除", "免评分", "免評分"})


def recognises(sheet: Sheet) -> bool:
    """Check whether ``sheet`` is a gradebook of Blackboard, perhaps with faults to report."""
    titled = any("[" in heading and _POINTS.search(heading) for heading in sheet.header)
    return any(map(_COLUMN.fullmatch, sheet.header)) or (_place(sheet, _USERNAME) is not None and titled)


def parse_gradebook(sheet: Sheet) -> Gradebook:
    """Return the gradebook in ``sheet``; raises ``IntakeError`` with every reason why it cannot be filled in."""
    place = _place(sheet, _USERNAME)
    if place is None:
        raise IntakeError(
            message(
                '{file}, line {line}: found the columns {found}, expected one called "Username". Download the '
                "gradebook from Blackboard again and leave its first line as it is.",
                file=sheet.path,
                line=sheet.line(0),
                found=join_list(sheet.header, most=8),
            )
        )
    rows = tuple(_rows(sheet, place))
    columns = tuple(_columns(sheet))
    repeated = repeated_keys(sheet, [row for row in rows if row.key], "Username")
    if problems := [*_nameless(sheet, rows), *repeated, *_no_column(sheet, columns)]:
        raise IntakeError(join_lines(problems))
    decimal_comma = uses_decimal_comma(sheet, [column.index for column in columns])
    return Gradebook("blackboard", sheet, columns, rows, _is_exempt, _is_empty, decimal_comma)


def check(submissions: Sequence[Submission], gradebooks: Sequence[GradebookFile]) -> None:
    """Raise ``IntakeError`` if a gradebook was given that does not fit the submissions."""
    if gradebooks:
        book = parse_gradebook(only_gradebook(gradebooks).sheet)
        check_students(book, submissions)


def _is_exempt(text: str) -> bool:
    return fold_case(text) in _EXEMPT


def _is_empty(text: str) -> bool:
    """Check that a cell holds no grade yet, but perhaps a state: "Needs Grading", "In Progress(40.00)"."""
    return parse_number(text) is None


def _place(sheet: Sheet, names: frozenset[str]) -> int | None:
    return next((place for place, heading in enumerate(sheet.header) if fold_case(heading) in names), None)


def _rows(sheet: Sheet, username: int) -> Iterator[Row]:
    first, last, student_number = (_place(sheet, names) for names in (_FIRST, _LAST, _NUMBER))
    for index in range(1, len(sheet.rows)):
        given, family, other = (
            sheet.cell(index, place).strip() if place is not None else "" for place in (first, last, student_number)
        )
        key = sheet.cell(index, username).strip()
        name = f"{family}, {given}" if given and family else given or family
        yield Row(index, name or key, key, tuple(filter(None, (key, other))))


def _columns(sheet: Sheet) -> Iterator[Column]:
    for index, heading in enumerate(sheet.header):
        found = _COLUMN.fullmatch(heading)
        points = _POINTS.search(found["about"]) if found else None
        # A heading without a plain number belongs to a total ("up to ...").
        if found and points and not points["shown"].strip().endswith(_SHOWN_OTHERWISE):
            yield Column(index, heading, found["title"], found["id"], parse_number(points["points"]))


def _nameless(sheet: Sheet, rows: Sequence[Row]) -> Iterator[Message]:
    nameless = [row for row in rows if not row.key]
    if nameless:
        yield message(
            '{file}, lines {lines}: the column "Username" is empty. Download the gradebook from Blackboard again.',
            file=sheet.path,
            lines=join_list([str(sheet.line(row.index)) for row in nameless]),
        )


def _no_column(sheet: Sheet, columns: Sequence[Column]) -> Iterator[Message]:
    if not columns:
        yield message(
            "{file}, line {line}: found no column that takes points among {found}, expected one such as "
            '"HW 1 [Total Pts: 100 Score] |12345". Let Blackboard show the column\'s grades as scores and download the '
            "gradebook again.",
            file=sheet.path,
            line=sheet.line(0),
            found=join_list(sheet.header, most=12),
        )
