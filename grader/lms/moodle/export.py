"""The way back into Moodle: the teacher's grading worksheet filled in, and the reports as one zip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import TypeVar

from grader.files.atomic import write_bytes, write_text
from grader.files.csv_export import csv_text, escape_formula
from grader.files.csv_sheet import Sheet, filled, number
from grader.grading.results import Result, Results
from grader.i18n.catalogue import translation
from grader.i18n.message import Message, join_lines, join_list, message
from grader.lms.export_request import ExportedFiles, ExportRequest, Missing
from grader.lms.moodle import column_names, feedback
from grader.lms.moodle.worksheet import Worksheet, find_columns, read_worksheet
from grader.lms.moodle.worksheet_entry import comment, fill, notes
from grader.lms.moodle.worksheet_matching import Match, Whose, match
from grader.models.errors import IntakeError
from grader.models.submission import Submission

FILE = "grades-for-moodle.csv"
UPLOAD_HINTS = {
    "grades-for-moodle*.csv": message(
        "{file}: Moodle, the assignment › Submissions › Actions › Upload grading worksheet."
    ),
    "feedback*.zip": message(
        "{file}: Moodle, the assignment › Submissions › Actions › Upload multiple feedback files in a zip."
    ),
}
_LARGE_MB = 50  # PHP and Moodle both have a limit of their own, often 50 or 100
T = TypeVar("T", bound=Whose)


@dataclass
class _Written:
    """What is uploaded, and what is said about it."""

    files: list[Path] = field(default_factory=list)
    notes: list[Message] = field(default_factory=list)


def recognises(sheet: Sheet) -> bool:
    """Whether ``sheet`` is a grading worksheet of Moodle's, whatever may be wrong with it."""
    return find_columns(sheet) is not None or not column_names.MODIFIED.isdisjoint(sheet.header)


def check(submissions: Sequence[Submission], sheets: Sequence[Path]) -> None:
    """Raises ``IntakeError`` with all that keeps the worksheets at ``sheets`` from taking these students' grades."""
    _matches(sheets, [one for one in submissions if one.lms == "moodle"])


def hand_back(results: Results, order: ExportRequest) -> ExportedFiles:
    """Writes ``grades-for-moodle.csv``, one per worksheet, and ``feedback.zip``; raises as ``check`` does."""
    ours = [one for one in results.submissions if one.lms == "moodle"]
    if not ours:
        raise IntakeError(
            message(
                "{folder} holds no results of submissions from Moodle. Grade the archive that Moodle made by "
                '"Download all submissions".',
                folder=results.folder,
            )
        )
    matches = _matches(order.sheets, ours)
    written = _Written()
    strangers = _in_no_row(ours, matches)
    if strangers and matches and order.missing is Missing.ZERO:
        order = replace(order, missing=Missing.BLANK)
        written.notes.append(
            message(
                "Nobody got a zero, for it is not sure whose {names} of the submissions are, and so who handed in "
                "nothing. Give zeros by hand.",
                names=str(strangers),
            )
        )
    for count, found in enumerate(matches, 1):
        _write_worksheet(written, found, order, "" if count == 1 else f"-{count}")
    if not matches:
        _write_without_worksheet(written, _alone(ours), results.max, order)
    written.notes += _left_out(ours, matches)
    _write_feedback(written, ours, matches, order.out)
    return ExportedFiles(tuple(written.files), tuple(written.notes))


# ---------------------------------------------------------------- worksheets that fit


def _matches(paths: Sequence[Path], whose: Sequence[T]) -> list[Match[T]]:
    """The worksheets at ``paths`` with the rows of ``whose`` in each; ``IntakeError`` with all that is wrong."""
    problems: list[Message] = []
    worksheets: list[Worksheet] = []
    for path in paths:
        try:
            worksheets.append(read_worksheet(path))
        except IntakeError as error:
            problems.append(error.message)
    matches = [match(worksheet, whose) for worksheet in worksheets]
    problems += [problem for problem in map(_overlap, combinations(worksheets, 2)) if problem is not None]
    problems += [_of_others(found.worksheet, whose) for found in matches if not found.claimed]
    if problems:
        raise IntakeError(join_lines(problems))
    return matches


def _in_no_row(ours: Sequence[Result], matches: Sequence[Match[Result]]) -> int:
    """How many are of nobody in the worksheets: whoever seems to have handed in nothing may have handed in these."""
    placed = {id(one) for each in matches for one in each.rows.values()}
    numbers = {key for each in matches for key in each.worksheet.rows}
    return sum(id(one) not in placed and one.student.key not in numbers for one in ours)


def _overlap(pair: tuple[Worksheet, Worksheet]) -> Message | None:
    """Worksheets of two groups of a class go together; two of the same students do not."""
    first, second = pair
    shared = next((row for key, row in first.rows.items() if key in second.rows), None)
    if shared is None:
        return None
    return message(
        "{first} and {second} both list {example}; expected one worksheet. Give the one that you downloaded last.",
        first=first.sheet.path, second=second.sheet.path, example=first.identifier(shared),
    )  # fmt: skip


def _of_others(worksheet: Worksheet, whose: Sequence[Whose]) -> Message:
    listed_there = [worksheet.identifier(row) for row in worksheet.rows.values()]
    handed_in = [" ".join(filter(None, (one.student.name, one.student.key))) for one in whose]
    return message(
        "{path} lists none of those who handed in: it has {listed}, the submissions are of {found}. Download the "
        "worksheet of the same assignment; the assignment's name is in the file's name.",
        path=worksheet.sheet.path, listed=join_list(listed_there, most=3), found=join_list(handed_in or ["–"], most=3),
    )  # fmt: skip


# ---------------------------------------------------------------- grades


def _write_worksheet(written: _Written, found: Match[Result], order: ExportRequest, ending: str) -> None:
    filling = fill(found, translation(order.language), order.missing)
    path = order.out / FILE.replace(".csv", f"{ending}.csv")
    write_bytes(path, filled(found.worksheet.sheet, filling.changes))
    written.files.append(path)
    written.notes += [*_form(found.worksheet, path), *_scaling(found), *notes(filling), *_comments(found, path)]


def _form(worksheet: Worksheet, path: Path) -> list[Message]:
    separators = {";": message("semicolon"), "\t": message("tab")}
    separator = separators.get(worksheet.sheet.delimiter)
    if separator is None:
        return []
    return [message("{path}: choose {separator} as separator on uploading.", path=path, separator=separator)]


def _scaling(found: Match[Result]) -> list[Message]:
    maximum = found.worksheet.maximum
    other = next((one.max for one in found.rows.values() if abs(one.max - maximum) > 0.005), None)
    if other is None:
        return []
    return [
        message(
            "Points were scaled: {points} here are {maximum} in Moodle, the assignment's maximum grade.",
            points=f"{other:g}", maximum=f"{maximum:g}",
        )
    ]  # fmt: skip


def _comments(found: Match[Result], path: Path) -> list[Message]:
    if found.worksheet.columns.comments is not None:
        return []
    return [
        message(
            "{path} has no column for comments, so none were filled in. In the assignment's settings tick the feedback "
            'type "Feedback comments" and download the worksheet again to have them.',
            path=path,
        )
    ]


def _write_without_worksheet(written: _Written, ours: Sequence[Result], maximum: float, order: ExportRequest) -> None:
    speech = translation(order.language)
    header = [
        column_names.ENGLISH_IDENTIFIER,
        "Full name",
        column_names.ENGLISH_GRADE,
        column_names.ENGLISH_MODIFIED,
        column_names.ENGLISH_COMMENTS,
    ]
    rows = [
        # Moodle goes by the number alone: the name is for people.
        [f"Participant {one.student.key}", escape_formula(one.student.name), number(one.total, decimal_comma=False),
         "-", comment(one, speech)]
        for one in ours if one.total is not None and one.student.key
    ]  # fmt: skip
    path = order.out / FILE
    write_text(path, csv_text([header, *rows]))
    written.files.append(path)
    written.notes.append(
        message(
            "{path} was made without a grading worksheet: Moodle takes it only where its language is English and the "
            "maximum grade is {maximum}, and never for submissions of groups. Download the assignment's grading "
            "worksheet and give it to have it filled in.",
            path=path, maximum=f"{maximum:g}",
        )
    )  # fmt: skip


# ---------------------------------------------------------------- who is left out


def _alone(ours: Sequence[Result]) -> list[Result]:
    """Those whose number no other result has: of two with one number, nobody knows whose grade it is."""
    keys = Counter(one.student.key for one in ours if one.student.key)
    return [one for one in ours if keys[one.student.key] < 2]


def _left_out(ours: Sequence[Result], matches: Sequence[Match[Result]]) -> list[Message]:
    found: list[Message] = []
    unfinished = [one.student.name for one in ours if one.total is None]
    if unfinished:
        found.append(
            message(
                "{names}: not graded to the end, so left as it is in Moodle. Judge what is open, then give back again.",
                names=join_list(unfinished),
            )
        )
    alone = _alone(ours)
    told_apart = set(map(id, alone))
    twice = [f"{one.student.name} ({one.student.key})" for one in ours if id(one) not in told_apart]
    if twice:
        found.append(
            message("{names}: share a participant's number; no grade was given back for them.", names=join_list(twice))
        )
    placed = {id(one) for each in matches for one in each.rows.values()}
    unlisted = [one.student.name for one in alone if id(one) not in placed and one.total is not None]
    if matches and unlisted:
        found.append(
            message("{names}: not in the worksheet; no grade was given back for them.", names=join_list(unlisted))
        )
    unnumbered = [one.student.name for one in ours if not one.student.key and one.total is not None]
    if not matches and unnumbered:
        found.append(
            message(
                "{names}: without a participant's number; no grade was given back for them.",
                names=join_list(unnumbered),
            )
        )
    return found


# ---------------------------------------------------------------- reports


def _write_feedback(written: _Written, ours: Sequence[Result], matches: Sequence[Match[Result]], out: Path) -> None:
    graded = [one for one in _alone(ours) if one.total is not None]
    teams = {id(one) for each in matches if each.teams for one in each.rows.values()}
    numbers = {key for each in matches for key in each.worksheet.rows}
    able = [
        one
        for one in graded
        if feedback.owner(one)
        and one.report.is_file()
        # A Moodle that knows no groups' ids would hand such a report to a stranger.
        and not (id(one) in teams and one.student.key in numbers)
    ]
    given = set(map(id, able))
    unable = [one.student.name for one in graded if id(one) not in given]
    if unable:
        written.notes.append(
            message(
                "{names}: the report is not in {file}; give it by hand.", names=join_list(unable), file=feedback.FILE
            )
        )
    if not able:
        return
    path = out / feedback.FILE
    feedback.write_feedback(able, path)
    written.files.append(path)
    if (megabytes := path.stat().st_size // 2**20) >= _LARGE_MB:
        written.notes.append(
            message("{file} has {size} MB: more than some sites let anybody upload.", file=path, size=megabytes)
        )
    if teams:
        written.notes.append(
            message("Only newer versions of Moodle give a group's report to its members; look at one of them.")
        )
    written.notes.append(
        message(
            "Upload {grades} first and {reports} after it: reports are newer than the worksheet, and Moodle would then "
            "skip the grades.",
            grades=FILE, reports=feedback.FILE,
        )
    )  # fmt: skip
