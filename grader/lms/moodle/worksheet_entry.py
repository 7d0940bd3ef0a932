"""What is written into a grading worksheet, and what the teacher should know of it."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from grader.files.csv_sheet import number, parsed_number
from grader.grading.results import Result
from grader.i18n.catalogue import LANGUAGES, Translation, translation
from grader.i18n.message import Message, join_list, message
from grader.lms.export_request import Missing
from grader.lms.moodle.worksheet import UNGRADED
from grader.lms.moodle.worksheet_matching import Match

_SAME = 0.005  # grades are written with two digits
_BREAK = "<br>"


@dataclass
class Filling:
    """What becomes of one worksheet; the lists are of names, for the notes."""

    changes: dict[tuple[int, int], str] = field(default_factory=dict)
    replaced: list[str] = field(default_factory=list)
    locked: list[str] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)
    kept_comments: list[str] = field(default_factory=list)
    zeros: int = 0


def fill(match: Match[Result], speech: Translation, missing: Missing) -> Filling:
    filling = Filling()
    for row in match.rows:
        _fill_row(filling, match, row, speech)
    if missing is Missing.ZERO:
        _fill_zeros(filling, match)
    return filling


def _fill_zeros(filling: Filling, match: Match[Result]) -> None:
    """For who handed in nothing and has no grade from elsewhere, on paper for example."""
    worksheet = match.worksheet
    for row in set(worksheet.rows.values()) - match.claimed:
        place = (row, worksheet.columns.grade)
        if not worksheet.locked(row) and worksheet.sheet.cell(*place).strip() in UNGRADED:
            filling.changes[place] = "0"
            filling.zeros += 1


def _fill_row(filling: Filling, match: Match[Result], row: int, speech: Translation) -> None:
    """An open result leaves its row as it is."""
    worksheet, columns, result = match.worksheet, match.worksheet.columns, match.rows[row]
    name = f"{result.student.name} ({worksheet.identifier(row)})" if match.teams else result.student.name
    points = result.out_of(worksheet.maximum)
    if points is None:
        return
    if points > worksheet.maximum + _SAME:
        filling.beyond.append(name)
        return
    if worksheet.locked(row):
        filling.locked.append(name)
        return
    old = parsed_number(worksheet.sheet.cell(row, columns.grade))
    if old is None or abs(old - points) > _SAME:
        filling.changes[row, columns.grade] = number(points, decimal_comma=worksheet.decimal_comma)
        filling.replaced += [name] if old is not None else []
    if columns.comments is not None:
        written, new = worksheet.sheet.cell(row, columns.comments).strip(), comment(result, speech)
        if not written or (written != new and is_own_comment(written)):
            filling.changes[row, columns.comments] = new
        elif written != new:
            filling.kept_comments.append(name)


# ---------------------------------------------------------------- comments


def comment(result: Result, speech: Translation) -> str:
    """Total and one line per criterion, as HTML, which is what Moodle keeps comments in."""
    total = message("Total: {points} / {max}", points=_points(result.total), max=_points(result.max))
    named = [(speech.title(one.title) or one.id, one) for one in result.criteria]
    criteria = [f"{html.escape(name)}: {_points(one.points)} / {_points(one.max)}" for name, one in named]
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
                names=join_list(filling.replaced)) if filling.replaced else None,
        message("{names}: the grade is locked in Moodle and was left as it is.", names=join_list(filling.locked))
        if filling.locked else None,
        message("{names}: more points than Moodle's maximum grade, or fewer than 0; Moodle would skip them, so nothing "
                "was filled in. Grade by hand.", names=join_list(filling.beyond)) if filling.beyond else None,
        message("{names}: had a feedback comment; it was kept.", names=join_list(filling.kept_comments))
        if filling.kept_comments else None,
        message("Handed in nothing and got 0: {count}.", count=filling.zeros) if filling.zeros else None,
    ]  # fmt: skip
    return [one for one in found if one is not None]
