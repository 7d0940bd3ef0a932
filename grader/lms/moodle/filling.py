"""A grading worksheet filled in: which row is whose, what is written there, what the teacher should know."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from grader.handback import Result
from grader.language import LANGUAGES, Translation, translation
from grader.lms.moodle.worksheet import Worksheet
from grader.lms.sheet import number, parsed_number
from grader.records import Message, Student, message

_NAMED = 10


class Whose(Protocol):
    """A submission or a result."""

    @property
    def student(self) -> Student: ...


T = TypeVar("T", bound=Whose)
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f&<>\"`|':\\/]")  # what Moodle takes out of the names of files
_BREAK = "<br>"


@dataclass
class Filling:
    """What becomes of one worksheet; the lists are of names, for the notes."""

    worksheet: Worksheet
    changes: dict[tuple[int, int], str] = field(default_factory=dict)
    replaced: list[str] = field(default_factory=list)
    locked: list[str] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)
    kept_comments: list[str] = field(default_factory=list)
    zeros: int = 0


def fill(worksheet: Worksheet, rows: Mapping[int, Result], speech: Translation) -> Filling:
    """``rows`` says whose result belongs in which row; an open one leaves its row as it is."""
    filling = Filling(worksheet)
    for row, result in rows.items():
        if result.total is not None:
            _fill_row(filling, row, result, speech)
    return filling


def fill_zeros(filling: Filling, claimed: set[int]) -> None:
    """For who handed in nothing and has no grade from elsewhere, on paper for example."""
    worksheet = filling.worksheet
    for row in set(worksheet.rows.values()) - claimed:
        place = (row, worksheet.columns.grade)
        if not worksheet.locked(row) and not worksheet.sheet.cell(*place).strip():
            filling.changes[place] = "0"
            filling.zeros += 1


def _fill_row(filling: Filling, row: int, result: Result, speech: Translation) -> None:
    worksheet = filling.worksheet
    name = _name(worksheet, row, result)
    points = scaled(result, worksheet.maximum)
    if points is None or not 0 <= points <= worksheet.maximum:
        filling.beyond.append(name)
        return
    if worksheet.locked(row):
        filling.locked.append(name)
        return
    old = parsed_number(worksheet.sheet.cell(row, worksheet.columns.grade))
    written = number(points, decimal_comma=worksheet.decimal_comma)
    if old is None or abs(old - points) > 0.005:
        filling.changes[row, worksheet.columns.grade] = written
        filling.replaced += [name] if old is not None else []
    if worksheet.columns.comments is not None:
        _fill_comment(filling, (row, worksheet.columns.comments), comment(result, speech), name)


def _fill_comment(filling: Filling, place: tuple[int, int], new: str, name: str) -> None:
    old = filling.worksheet.sheet.cell(*place).strip()
    if not old or (old != new and is_own_comment(old)):
        filling.changes[place] = new
    elif old != new:
        filling.kept_comments.append(name)


def scaled(result: Result, maximum: float) -> float | None:
    """The result's points as a part of ``maximum``, to two digits; None when it has none."""
    if result.total is None or result.max <= 0:
        return None
    return round(result.total / result.max * maximum, 2)


def _name(worksheet: Worksheet, row: int, result: Result) -> str:
    if worksheet.rows.get(result.student.key) == row:
        return result.student.name
    return f"{result.student.name} ({worksheet.identifier(row)})"


# ---------------------------------------------------------------- whose row is whose


def own_rows(worksheet: Worksheet, results: Sequence[T]) -> dict[int, T]:
    """The rows of ``results`` by the participants' numbers, or of teams by the names of their groups.

    A number or a group's name that two results share is nobody's.
    """
    keys = Counter(one.student.key for one in results)
    by_number = {
        worksheet.rows[one.student.key]: one
        for one in results
        if one.student.key in worksheet.rows and keys[one.student.key] == 1
    }
    by_team = _team_rows(worksheet, results)
    # The id of a group may happen to be a participant's number; a group's column tells that it is a group's.
    return by_team if by_team and len(set(map(id, by_team.values()))) >= len(by_number) else by_number


def claimed_rows(worksheet: Worksheet, results: Sequence[Whose]) -> set[int]:
    """The rows of all who may have handed in, also where it cannot be told which of ``results`` is theirs."""
    keys, names = {one.student.key for one in results}, {_tidy(one.student.name) for one in results}
    between = range(worksheet.columns.identifier + 2, worksheet.columns.grade)
    return {
        row
        for key, row in worksheet.rows.items()
        if key in keys or any(_files_names(worksheet.sheet.cell(row, column)) & names for column in between)
    }


def _team_rows(worksheet: Worksheet, results: Sequence[T]) -> dict[int, T]:
    names = Counter(_tidy(one.student.name) for one in results)
    teams = {_tidy(one.student.name): one for one in results if names[_tidy(one.student.name)] == 1}
    found: list[dict[int, T]] = [{}]
    for column in range(worksheet.columns.identifier + 2, worksheet.columns.grade):
        groups = {row: worksheet.sheet.cell(row, column) for row in worksheet.rows.values()}
        spelt = _spelt(groups.values())
        called = {
            row: [name for name in _files_names(group) if name in teams and len(spelt[name]) == 1]
            for row, group in groups.items()
            # Beside a full name, the same name is the student's once more, not a group's.
            if group.strip() and group != worksheet.sheet.cell(row, worksheet.columns.identifier + 1)
        }
        found.append({row: teams[known[0]] for row, known in called.items() if len(known) == 1})
    return max(found, key=len)


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


# ---------------------------------------------------------------- comments


def comment(result: Result, speech: Translation) -> str:
    """Total and one line per criterion, as HTML, which is what Moodle keeps comments in."""
    total = message("Total: {points} / {max}", points=_points(result.total), max=_points(result.max))
    criteria = [f"{html.escape(one.criterion)}: {_points(one.points)} / {_points(one.max)}" for one in result.criteria]
    return _BREAK.join([html.escape(speech.say(total)), *criteria])


def is_own_comment(text: str) -> bool:
    """Whether ``text`` is an earlier one of these, which a person has added nothing to."""
    first, *others = re.split(r"<br\s*/?>", text)
    return any(one.fullmatch(first) for one in _totals()) and all(_LINE.fullmatch(line) for line in others)


_POINTS = r"(?:[0-9]+(?:\.[0-9]+)?|–)"
_LINE = re.compile(rf"[^<>]+: {_POINTS} / {_POINTS}")


def _totals() -> list[re.Pattern[str]]:
    gap = "\0"
    total = message("Total: {points} / {max}", points=gap, max=gap)
    said = [html.escape(translation(language).say(total)) for language in LANGUAGES]
    return [re.compile(re.escape(one).replace(re.escape(gap), _POINTS)) for one in said]


def _points(points: float | None) -> str:
    return "–" if points is None else number(points, decimal_comma=False)


# ---------------------------------------------------------------- notes


def notes(filling: Filling) -> list[Message]:
    """What the teacher should know of this worksheet before uploading it."""
    found = [
        message("{names}: had another grade in Moodle; it was replaced. On uploading, tick \"Allow updating records "
                "that have been modified more recently in Moodle than in the spreadsheet\".",
                names=listed(filling.replaced)) if filling.replaced else None,
        message("{names}: the grade is locked in Moodle and was left as it is.", names=listed(filling.locked))
        if filling.locked else None,
        message("{names}: more points than Moodle's maximum grade, or fewer than 0; Moodle would skip them, so nothing "
                "was filled in. Grade by hand.", names=listed(filling.beyond)) if filling.beyond else None,
        message("{names}: had a feedback comment; it was kept.", names=listed(filling.kept_comments))
        if filling.kept_comments else None,
        message("{count} students who handed in nothing got 0.", count=filling.zeros) if filling.zeros else None,
    ]  # fmt: skip
    return [one for one in found if one is not None]


def listed(names: Sequence[str]) -> str:
    return ", ".join([*names[:_NAMED], *(["…"] if len(names) > _NAMED else [])])
