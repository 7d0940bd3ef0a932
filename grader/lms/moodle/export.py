"""Export to Moodle: the teacher's grading worksheet filled in, and the reports as one zip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import TypeVar

from grader.files.atomic import write_bytes, write_text
from grader.files.csv_export import csv_text, escape_formula
from grader.files.csv_sheet import Sheet, fill_cells, format_number
from grader.grading.results import Result, Results
from grader.i18n.catalogue import Translation, translation
from grader.i18n.message import Message, join_lines, join_list, message
from grader.lms.export_request import ExportedFiles, ExportRequest, GradebookFile, Missing
from grader.lms.gradebook_csv.grade_entry import NO_ZEROS, SAME_GRADE, ColumnFill, Matches
from grader.lms.moodle import column_names, feedback
from grader.lms.moodle.worksheet import Worksheet, find_columns, parse_worksheet
from grader.lms.moodle.worksheet_matching import HasStudent, WorksheetMatch, match_worksheet
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
_LARGE_MB = 50  # PHP and Moodle have limits of their own, often 50 or 100
T = TypeVar("T", bound=HasStudent)


@dataclass
class _Written:
    """The files to upload and the notes about them."""

    files: list[Path] = field(default_factory=list)
    notes: list[Message] = field(default_factory=list)


def recognises(sheet: Sheet) -> bool:
    """Check whether ``sheet`` is a grading worksheet of Moodle, perhaps with faults."""
    return find_columns(sheet) is not None or not column_names.MODIFIED.isdisjoint(sheet.header)


def check(submissions: Sequence[Submission], gradebooks: Sequence[GradebookFile]) -> None:
    """Raise ``IntakeError`` with every reason why the worksheets do not fit the submissions."""
    _match_all(gradebooks, [submission for submission in submissions if submission.lms == "moodle"])


def export_grades(results: Results, request: ExportRequest) -> ExportedFiles:
    """Write a ``grades-for-moodle.csv`` for each worksheet, and ``feedback.zip``; raises as ``check`` does."""
    ours = [result for result in results.submissions if result.lms == "moodle"]
    if not ours:
        raise IntakeError(
            message(
                "{folder} holds no results of submissions from Moodle. Grade the archive that Moodle made by "
                '"Download all submissions".',
                folder=results.folder,
            )
        )
    matches = _match_all(request.gradebooks, ours)
    written = _Written()
    missing = request.missing
    unmatched = _count_unmatched(ours, matches)
    if unmatched and matches and missing is Missing.ZERO:
        missing = Missing.BLANK
        written.notes.append(Message(NO_ZEROS.template, {"names": str(unmatched)}))
    language = translation(request.language)
    for count, match in enumerate(matches, 1):
        path = request.out / (FILE if count == 1 else FILE.replace(".csv", f"-{count}.csv"))
        _write_worksheet(written, match, path, missing, language)
    if not matches:
        _write_without_worksheet(written, _unshared(ours), results.max, request)
    written.notes += _omissions(ours, matches)
    _write_feedback(written, ours, matches, request.out)
    return ExportedFiles(tuple(written.files), tuple(written.notes))


# ---------------------------------------------------------------- worksheets that fit


def _match_all(gradebooks: Sequence[GradebookFile], submissions: Sequence[T]) -> list[WorksheetMatch[T]]:
    """Match the submissions with every worksheet; raises ``IntakeError`` with all problems."""
    problems: list[Message] = []
    worksheets: list[Worksheet] = []
    for gradebook in gradebooks:
        try:
            worksheets.append(parse_worksheet(gradebook.sheet))
        except IntakeError as error:
            problems.append(error.message)
    matches = [match_worksheet(worksheet, submissions) for worksheet in worksheets]
    problems += [problem for problem in map(_overlap, combinations(worksheets, 2)) if problem is not None]
    problems += [_other_class(match.worksheet, submissions) for match in matches if not match.claimed]
    if problems:
        raise IntakeError(join_lines(problems))
    return matches


def _count_unmatched(ours: Sequence[Result], matches: Sequence[WorksheetMatch[Result]]) -> int:
    """Count the submissions that match no worksheet row."""
    placed = {id(result) for match in matches for result in match.rows.values()}
    numbers = {key for match in matches for key in match.worksheet.rows}
    return sum(id(result) not in placed and result.student.key not in numbers for result in ours)


def _overlap(pair: tuple[Worksheet, Worksheet]) -> Message | None:
    """Return the problem with two worksheets of the same students; worksheets of two groups fit together."""
    first, second = pair
    shared = next((row for key, row in first.rows.items() if key in second.rows), None)
    if shared is None:
        return None
    return message(
        "{first} and {second} both list {example}; expected one worksheet. Give the one that you downloaded last.",
        first=first.sheet.path, second=second.sheet.path, example=first.identifier(shared),
    )  # fmt: skip


def _other_class(worksheet: Worksheet, submissions: Sequence[HasStudent]) -> Message:
    rows = [worksheet.identifier(row) for row in worksheet.rows.values()]
    students = [" ".join(filter(None, (submission.student.name, submission.student.key))) for submission in submissions]
    return message(
        "{path} lists no student who submitted: it has {listed}, the submissions are of {found}. Download the "
        "worksheet of the same assignment; the assignment's name is in the file's name.",
        path=worksheet.sheet.path, listed=join_list(rows, most=3), found=join_list(students or ["–"], most=3),
    )  # fmt: skip


# ---------------------------------------------------------------- grades


def _write_worksheet(
    written: _Written, match: WorksheetMatch[Result], path: Path, missing: Missing, language: Translation
) -> None:
    worksheet = match.worksheet
    filled = ColumnFill(worksheet.book, worksheet.column, Matches(match.rows, match.claimed), _labels(match))
    filled.fill(missing)
    comments, kept = _comments(filled, worksheet, language)
    write_bytes(path, fill_cells(worksheet.sheet, filled.changes | comments))
    written.files.append(path)
    written.notes += [*_separator_note(worksheet, path), *_scaling_note(match)]
    written.notes += filled.notes(("replaced", "locked", "beyond", "zero"))
    if filled.names["replaced"]:
        written.notes.append(
            message(
                'On uploading, tick "Allow updating records that have been modified more recently in Moodle than in '
                'the spreadsheet".'
            )
        )
    if kept:
        written.notes.append(message("Existing feedback comments were kept: {names}.", names=join_list(kept)))
    if worksheet.columns.comments is None:
        written.notes.append(
            message(
                "{path} has no column for comments, so none were filled in. In the assignment's settings tick the "
                'feedback type "Feedback comments" and download the worksheet again to have them.',
                path=path,
            )
        )


def _labels(match: WorksheetMatch[Result]) -> dict[int, str]:
    """Return the students' names; with the row's identifier where a team has several rows."""
    return {
        row: f"{result.student.name} ({match.worksheet.identifier(row)})" if match.teams else result.student.name
        for row, result in match.rows.items()
    }


def _comments(
    filled: ColumnFill, worksheet: Worksheet, language: Translation
) -> tuple[dict[tuple[int, int], str], list[str]]:
    """Return the new comments by cell, and the names of students whose comment a person has written."""
    column = worksheet.columns.comments
    changes: dict[tuple[int, int], str] = {}
    kept: list[str] = []
    for row, result in filled.matches.by_row.items():
        points = result.out_of(worksheet.maximum)
        if column is None or points is None or filled.refuses(row, points):
            continue
        old, new = worksheet.sheet.cell(row, column).strip(), feedback.feedback_comment(result, language)
        if not old or (old != new and feedback.is_generated_comment(old)):
            changes[row, column] = new
        elif old != new:
            kept.append(filled.labels[row])
    return changes, kept


def _separator_note(worksheet: Worksheet, path: Path) -> list[Message]:
    separators = {";": message("semicolon"), "\t": message("tab")}
    separator = separators.get(worksheet.sheet.delimiter)
    if separator is None:
        return []
    return [message("{path}: choose {separator} as separator on uploading.", path=path, separator=separator)]


def _scaling_note(match: WorksheetMatch[Result]) -> list[Message]:
    maximum = match.worksheet.maximum
    other = next((result.max for result in match.rows.values() if abs(result.max - maximum) > SAME_GRADE), None)
    if other is None:
        return []
    return [
        message(
            "Points were scaled: {points} here are {maximum} in Moodle, the assignment's maximum grade.",
            points=f"{other:g}", maximum=f"{maximum:g}",
        )
    ]  # fmt: skip


def _write_without_worksheet(written: _Written, ours: Sequence[Result], maximum: float, request: ExportRequest) -> None:
    language = translation(request.language)
    header = [
        column_names.ENGLISH_IDENTIFIER,
        "Full name",
        column_names.ENGLISH_GRADE,
        column_names.ENGLISH_MODIFIED,
        column_names.ENGLISH_COMMENTS,
    ]
    rows = [
        # Moodle goes by the number only: the name is for people.
        [f"Participant {result.student.key}", escape_formula(result.student.name),
         format_number(result.total, decimal_comma=False), "-", feedback.feedback_comment(result, language)]
        for result in ours if result.total is not None and result.student.key
    ]  # fmt: skip
    path = request.out / FILE
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


# ---------------------------------------------------------------- results that are not exported


def _unshared(ours: Sequence[Result]) -> list[Result]:
    """Return the results whose participant's number no other result has."""
    keys = Counter(result.student.key for result in ours if result.student.key)
    return [result for result in ours if keys[result.student.key] < 2]


def _omissions(ours: Sequence[Result], matches: Sequence[WorksheetMatch[Result]]) -> list[Message]:
    notes: list[Message] = []
    unfinished = [result.student.name for result in ours if result.total is None]
    if unfinished:
        notes.append(
            message(
                "Not graded to the end, left unchanged in Moodle: {names}. Judge the open criteria, then export again.",
                names=join_list(unfinished),
            )
        )
    unshared = _unshared(ours)
    ids = set(map(id, unshared))
    shared = [f"{result.student.name} ({result.student.key})" for result in ours if id(result) not in ids]
    if shared:
        notes.append(message("Skipped, because they share a participant's number: {names}.", names=join_list(shared)))
    placed = {id(result) for match in matches for result in match.rows.values()}
    unlisted = [result.student.name for result in unshared if id(result) not in placed and result.total is not None]
    if matches and unlisted:
        notes.append(message("Skipped, because they are not in the worksheet: {names}.", names=join_list(unlisted)))
    unnumbered = [result.student.name for result in ours if not result.student.key and result.total is not None]
    if not matches and unnumbered:
        notes.append(
            message("Skipped, because they have no participant's number: {names}.", names=join_list(unnumbered))
        )
    return notes


# ---------------------------------------------------------------- reports


def _write_feedback(
    written: _Written, ours: Sequence[Result], matches: Sequence[WorksheetMatch[Result]], out: Path
) -> None:
    graded = [result for result in _unshared(ours) if result.total is not None]
    teams = {id(result) for match in matches if match.teams for result in match.rows.values()}
    numbers = {key for match in matches for key in match.worksheet.rows}
    returned = [
        result
        for result in graded
        if feedback.archive_owner(result)
        and result.report.is_file()
        # A Moodle without groups' ids would give such a report to another student.
        and not (id(result) in teams and result.student.key in numbers)
    ]
    ids = set(map(id, returned))
    others = [result.student.name for result in graded if id(result) not in ids]
    if others:
        written.notes.append(
            message(
                "The report is not in {file}, return it by hand: {names}.", names=join_list(others), file=feedback.FILE
            )
        )
    if not returned:
        return
    path = out / feedback.FILE
    feedback.write_feedback(returned, path)
    written.files.append(path)
    if (megabytes := path.stat().st_size // 2**20) >= _LARGE_MB:
        written.notes.append(
            message("{file} has {size} MB, more than some sites allow for an upload.", file=path, size=megabytes)
        )
    if teams:
        written.notes.append(
            message("Only newer versions of Moodle give a group's report to its members; check one of them.")
        )
    written.notes.append(
        message(
            "Upload {grades} first and {reports} after it: otherwise the reports are newer than the worksheet, and "
            "Moodle skips the grades.",
            grades=FILE, reports=feedback.FILE,
        )
    )  # fmt: skip
