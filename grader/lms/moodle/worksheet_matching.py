"""The rows of a grading worksheet that belong to each submission."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from grader.lms.moodle.worksheet import Worksheet
from grader.models.submission import Student

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f&<>\"`|':\\/]")  # Moodle removes these from file names


class HasStudent(Protocol):
    """A submission or a result."""

    @property
    def student(self) -> Student: ...


T = TypeVar("T", bound=HasStudent)


@dataclass(frozen=True, slots=True)
class WorksheetMatch(Generic[T]):
    """The submissions by row. ``claimed`` also holds the rows that several submissions may belong to."""

    worksheet: Worksheet
    rows: dict[int, T]
    claimed: set[int]
    teams: bool = False  # found by the names of groups


def match_worksheet(worksheet: Worksheet, submissions: Sequence[T]) -> WorksheetMatch[T]:
    """Match rows by the participants' numbers, or the rows of teams by the names of their groups.

    A number or a group's name that two submissions share matches neither.
    """
    single = _by_number(worksheet, submissions)
    teams = max((_by_group(worksheet, column, submissions) for column in _group_columns(worksheet)), key=_count)
    # The id of a group may equal a participant's number; then the group's name differs from that participant's.
    named = any(
        _normalize(worksheet.sheet.cell(row, worksheet.columns.identifier + 1)) == _normalize(found.student.name)
        or found.student.name.endswith(f" {found.student.key}")
        for row, found in single.rows.items()
    )
    return teams if not named and 0 < _count(teams) >= _count(single) else single


def _by_number(worksheet: Worksheet, submissions: Sequence[T]) -> WorksheetMatch[T]:
    keys = Counter(submission.student.key for submission in submissions)
    rows = {
        worksheet.rows[submission.student.key]: submission
        for submission in submissions
        if submission.student.key in worksheet.rows
    }
    unique = {row: found for row, found in rows.items() if keys[found.student.key] == 1}
    return WorksheetMatch(worksheet, unique, set(rows))


def _count(match: WorksheetMatch[T]) -> int:
    return len({id(found) for found in match.rows.values()}) or min(len(match.claimed), 1)


def _group_columns(worksheet: Worksheet) -> Sequence[int]:
    """Return the columns before the grade, or before marker and grade; earlier columns hold text by students."""
    grade = worksheet.columns.grade
    return [column for column in (grade - 1, grade - 2) if column > worksheet.columns.identifier + 1] or [grade - 1]


def _by_group(worksheet: Worksheet, column: int, submissions: Sequence[T]) -> WorksheetMatch[T]:
    names = Counter(_normalize(submission.student.name) for submission in submissions)
    teams = {_normalize(submission.student.name): submission for submission in submissions}
    groups = {row: worksheet.sheet.cell(row, column) for row in worksheet.rows.values()}
    spellings = _spellings(groups.values())
    found = {row: sorted(_file_names(group) & names.keys()) for row, group in groups.items() if group.strip()}
    unique = {
        row: teams[matching[0]]
        for row, matching in found.items()
        if len(matching) == 1 and names[matching[0]] == 1 and len(spellings[matching[0]]) == 1
    }
    return WorksheetMatch(worksheet, unique, {row for row, matching in found.items() if matching}, teams=True)


def _spellings(groups: Iterable[str]) -> dict[str, set[str]]:
    """Return the groups by the name that Moodle gives their files: groups with one such name are indistinguishable."""
    spellings: dict[str, set[str]] = {}
    for group in groups:
        for name in _file_names(group):
            spellings.setdefault(name, set()).add(group)
    return spellings


def _file_names(group: str) -> set[str]:
    """Return the names that a group may have in the archive: some versions of Moodle escape HTML in them."""
    return {_normalize(group), _normalize(html.escape(group, quote=False))}


def _normalize(name: str) -> str:
    return unicodedata.normalize("NFC", " ".join(_FORBIDDEN.sub("", name.replace("_", " ")).split()))
