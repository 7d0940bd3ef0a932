"""The way back into Moodle: the teacher's grading worksheet filled in, and the reports as one zip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from grader.atomic import write_bytes, write_text
from grader.errors import IntakeError
from grader.handback import HandedBack, Missing, Order, Result, Results
from grader.language import translation
from grader.lms.moodle import feedback, words
from grader.lms.moodle.filling import Filling, Whose, claimed_rows, comment, fill, fill_zeros, listed, notes, own_rows
from grader.lms.moodle.worksheet import Worksheet, find_columns, read_worksheet, together
from grader.lms.sheet import Sheet, filled, number
from grader.records import Message, Submission, message
from grader.spreadsheet import csv_text, defused

FILE = "grades-for-moodle.csv"


@dataclass
class _Written:
    """What is uploaded, and what is said about it."""

    files: list[Path] = field(default_factory=list)
    notes: list[Message] = field(default_factory=list)


def recognises(sheet: Sheet) -> bool:
    """Whether ``sheet`` is a grading worksheet of Moodle's, whatever may be wrong with it."""
    return find_columns(sheet) is not None


def check(submissions: Sequence[Submission], sheets: Sequence[Path]) -> None:
    """Raises ``IntakeError`` with all that keeps the worksheets at ``sheets`` from taking these students' grades."""
    _worksheets(sheets, [one for one in submissions if one.lms == "moodle"])


def hand_back(results: Results, order: Order) -> HandedBack:
    """Writes ``grades-for-moodle.csv``, one per worksheet, and ``feedback.zip``; raises as ``check`` does."""
    ours = [one for one in results.students if one.lms == "moodle"]
    if not ours:
        raise IntakeError(
            message(
                "{folder} holds no results of submissions from Moodle. Grade the archive that Moodle made by "
                '"Download all submissions".',
                folder=results.folder,
            )
        )
    worksheets = _worksheets(order.sheets, ours)
    rows = [own_rows(worksheet, ours) for worksheet in worksheets]
    written = _Written()
    if worksheets:
        _write_worksheets(written, worksheets, rows, ours, order)
    else:
        _write_without_worksheet(written, _alone(ours), results.max, order)
    written.notes += _left_out(ours, rows)
    _write_feedback(written, ours, worksheets, rows, order.out)
    return HandedBack(tuple(written.files), tuple(written.notes))


# ---------------------------------------------------------------- worksheets that fit


def _worksheets(paths: Sequence[Path], whose: Sequence[Whose]) -> list[Worksheet]:
    problems: list[Message] = []
    worksheets: list[Worksheet] = []
    for path in paths:
        try:
            worksheets.append(read_worksheet(path))
        except IntakeError as error:
            problems.append(error.args[0])
    problems += [problem for problem in map(_overlap, combinations(worksheets, 2)) if problem is not None]
    problems += [_of_others(worksheet, whose) for worksheet in worksheets if not own_rows(worksheet, whose)]
    if problems:
        raise IntakeError(together(problems))
    return worksheets


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
    listed_there = [worksheet.identifier(row) for row in list(worksheet.rows.values())[:3]]
    handed_in = [" ".join(filter(None, (one.student.name, one.student.key))) for one in whose[:3]]
    return message(
        "{path} lists none of those who handed in: it has {listed}, the submissions are of {found}. Download the "
        "worksheet of the same assignment; the assignment's name is in the file's name.",
        path=worksheet.sheet.path, listed=", ".join(listed_there), found=", ".join(handed_in) or "–",
    )  # fmt: skip


# ---------------------------------------------------------------- grades


def _write_worksheets(
    written: _Written,
    worksheets: Sequence[Worksheet],
    rows: Sequence[Mapping[int, Result]],
    ours: Sequence[Result],
    order: Order,
) -> None:
    speech = translation(order.language)
    for count, (worksheet, own) in enumerate(zip(worksheets, rows, strict=True), 1):
        filling = fill(worksheet, own, speech)
        if order.missing is Missing.ZERO:
            fill_zeros(filling, claimed_rows(worksheet, ours))
        path = order.out / (FILE if count == 1 else FILE.replace(".csv", f"-{count}.csv"))
        write_bytes(path, filled(worksheet.sheet, filling.changes))
        written.files.append(path)
        written.notes += [*_form(worksheet, path), *_scaling(worksheet, own), *notes(filling)]
        written.notes += _comments(filling, path)


def _form(worksheet: Worksheet, path: Path) -> list[Message]:
    separators = {";": message("semicolon"), "\t": message("tab")}
    separator = separators.get(worksheet.sheet.delimiter)
    if separator is None:
        return []
    return [message("{path}: choose {separator} as separator on uploading.", path=path, separator=separator)]


def _scaling(worksheet: Worksheet, own: Mapping[int, Result]) -> list[Message]:
    other = next((one.max for one in own.values() if abs(one.max - worksheet.maximum) > 0.005), None)
    if other is None:
        return []
    return [
        message(
            "Points were scaled: {points} here are {maximum} in Moodle, the assignment's maximum grade.",
            points=f"{other:g}", maximum=f"{worksheet.maximum:g}",
        )
    ]  # fmt: skip


def _comments(filling: Filling, path: Path) -> list[Message]:
    if filling.worksheet.columns.comments is not None:
        return []
    return [
        message(
            "{path} has no column for comments, so none were filled in. In the assignment's settings tick the feedback "
            'type "Feedback comments" and download the worksheet again to have them.',
            path=path,
        )
    ]


def _write_without_worksheet(written: _Written, ours: Sequence[Result], maximum: float, order: Order) -> None:
    speech = translation(order.language)
    header = [
        words.ENGLISH_IDENTIFIER,
        "Full name",
        words.ENGLISH_GRADE,
        words.ENGLISH_MODIFIED,
        words.ENGLISH_COMMENTS,
    ]
    rows = [
        # Moodle goes by the number alone: the name is for people.
        [f"Participant {one.student.key}", defused(one.student.name), number(one.total, decimal_comma=False), "-",
         comment(one, speech)]
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


def _left_out(ours: Sequence[Result], rows: Sequence[Mapping[int, Result]]) -> list[Message]:
    found: list[Message] = []
    unfinished = [one.student.name for one in ours if one.total is None]
    if unfinished:
        found.append(
            message("{names}: open, left as it is in Moodle. Judge it and give back again.", names=listed(unfinished))
        )
    alone = _alone(ours)
    twice = [f"{one.student.name} ({one.student.key})" for one in ours if one not in alone]
    if twice:
        found.append(
            message("{names}: share a participant's number; no grade was given back for them.", names=listed(twice))
        )
    placed = {id(one) for own in rows for one in own.values()}
    unlisted = [one.student.name for one in alone if id(one) not in placed and one.total is not None]
    if rows and unlisted:
        found.append(
            message("{names}: not in the worksheet; no grade was given back for them.", names=listed(unlisted))
        )
    unnumbered = [one.student.name for one in ours if not one.student.key and one.total is not None]
    if not rows and unnumbered:
        found.append(
            message(
                "{names}: without a participant's number; no grade was given back for them.", names=listed(unnumbered)
            )
        )
    return found


# ---------------------------------------------------------------- reports


def _write_feedback(
    written: _Written,
    ours: Sequence[Result],
    worksheets: Sequence[Worksheet],
    rows: Sequence[Mapping[int, Result]],
    out: Path,
) -> None:
    graded = [one for one in _alone(ours) if one.total is not None]
    teams = {
        id(one)
        for worksheet, own in zip(worksheets, rows, strict=True)
        for row, one in own.items()
        if worksheet.rows.get(one.student.key) != row
    }
    numbers = {key for worksheet in worksheets for key in worksheet.rows}
    able = [
        one
        for one in graded
        if feedback.owner(one)
        and one.report.is_file()
        # A Moodle that knows no groups' ids would hand such a report to a stranger.
        and not (id(one) in teams and one.student.key in numbers)
    ]
    unable = [one.student.name for one in graded if one not in able]
    if unable:
        written.notes.append(
            message("{names}: the report is not in {file}; give it by hand.", names=listed(unable), file=feedback.FILE)
        )
    if not able:
        return
    path = out / feedback.FILE
    feedback.write_feedback(able, path)
    written.files.append(path)
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
