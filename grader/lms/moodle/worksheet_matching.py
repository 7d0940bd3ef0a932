"""Which row of a grading worksheet is whose."""

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

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f&<>\"`|':\\/]")  # what Moodle takes out of the names of files


class Whose(Protocol):
    """A submission or a result."""

    @property
    def student(self) -> Student: ...


T = TypeVar("T", bound=Whose)


@dataclass(frozen=True, slots=True)
class Match(Generic[T]):
    """``claimed`` are also the rows of those who handed in, though which is theirs cannot be told."""

    worksheet: Worksheet
    rows: dict[int, T]
    claimed: set[int]
    teams: bool = False  # found by the names of groups


def match(worksheet: Worksheet, results: Sequence[T]) -> Match[T]:
    """The rows of ``results`` by the participants' numbers, or of teams by the names of their groups.

    A number or a group's name that two results share is nobody's.
    """
    alone = _by_number(worksheet, results)
    teams = max((_by_group(worksheet, column, results) for column in _group_columns(worksheet)), key=_found)
    # The id of a group may happen to be a participant's number. No group is called as that participant is.
    named = any(
        _tidy(worksheet.sheet.cell(row, worksheet.columns.identifier + 1)) == _tidy(one.student.name)
        or one.student.name.endswith(f" {one.student.key}")
        for row, one in alone.rows.items()
    )
    return teams if not named and 0 < _found(teams) >= _found(alone) else alone


def _by_number(worksheet: Worksheet, results: Sequence[T]) -> Match[T]:
    keys = Counter(one.student.key for one in results)
    rows = {worksheet.rows[one.student.key]: one for one in results if one.student.key in worksheet.rows}
    own = {row: one for row, one in rows.items() if keys[one.student.key] == 1}
    return Match(worksheet, own, set(rows))


def _found(one: Match[T]) -> int:
    return len({id(each) for each in one.rows.values()}) or min(len(one.claimed), 1)


def _group_columns(worksheet: Worksheet) -> Sequence[int]:
    """Before the grade, or before the marker and the grade; what students write of themselves comes earlier."""
    grade = worksheet.columns.grade
    return [column for column in (grade - 1, grade - 2) if column > worksheet.columns.identifier + 1] or [grade - 1]


def _by_group(worksheet: Worksheet, column: int, results: Sequence[T]) -> Match[T]:
    names = Counter(_tidy(one.student.name) for one in results)
    teams = {_tidy(one.student.name): one for one in results}
    groups = {row: worksheet.sheet.cell(row, column) for row in worksheet.rows.values()}
    spelt = _spelt(groups.values())
    called = {row: sorted(_files_names(group) & names.keys()) for row, group in groups.items() if group.strip()}
    own = {
        row: teams[found[0]]
        for row, found in called.items()
        if len(found) == 1 and names[found[0]] == 1 and len(spelt[found[0]]) == 1
    }
    return Match(worksheet, own, {row for row, found in called.items() if found}, teams=True)


def _spelt(groups: Iterable[str]) -> dict[str, set[str]]:
    """The groups' names by what Moodle makes of them for a file: two that become one cannot be told apart."""
    spelt: dict[str, set[str]] = {}
    for group in groups:
        for name in _files_names(group):
            spelt.setdefault(name, set()).add(group)
    return spelt


def _files_names(group: str) -> set[str]:
    """What a group may be called in the archive: some versions of Moodle escape its name first."""
    return {_tidy(group), _tidy(html.escape(group, quote=False))}


def _tidy(name: str) -> str:
    return unicodedata.normalize("NFC", " ".join(_FORBIDDEN.sub("", name.replace("_", " ")).split()))
