"""Export to Canvas: the teacher's gradebook filled in, and notebooks with feedback for "Upload Submissions"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grader.files.atomic import write_bytes
from grader.files.csv_sheet import fill_cells
from grader.grading.results import Result, Results
from grader.i18n.message import Message, join_list, message
from grader.lms import grades_table
from grader.lms.canvas import feedback
from grader.lms.canvas.archive import is_anonymous
from grader.lms.canvas.gradebook import parse_gradebook, posted_by_hand
from grader.lms.export_request import ExportedFiles, ExportRequest
from grader.lms.gradebook_csv import grade_entry, gradebook_table
from grader.lms.gradebook_csv.grade_column import choose_column
from grader.lms.identity import fold_case

FILE = "canvas-gradebook.csv"
ANONYMOUS = "canvas-anonymous-grades.csv"
UPLOAD_HINTS = {
    "canvas-gradebook*": message("{file}: Canvas, Grades › Import."),
    "canvas-feedback*.zip": message("{file}: Canvas, Grades › the assignment's menu › Re-Upload Submissions."),
    "*-reports.zip": message("{file}: the reports, to look up or to hand out by yourself."),
}
_NO_GRADEBOOK = message(
    "Canvas takes grades in its own gradebook only: export it (Grades, Export, Export Entire Gradebook) and give it as "
    "a sheet to have it filled in."
)


def export_grades(results: Results, request: ExportRequest) -> ExportedFiles:
    """Write ``canvas-gradebook.csv``, if there is a gradebook to fill in, and ``canvas-feedback.zip``.

    Raises ``IntakeError`` if the gradebook does not fit, ``OutputError`` if a file cannot be written.
    """
    anonymous = [result for result in results.submissions if result.lms == "canvas" and is_anonymous(result.origin)]
    named = replace(results, submissions=tuple(result for result in results.submissions if result not in anonymous))
    exported = []
    if named.submissions and request.gradebooks:
        exported.append(_grades(named, request, len(anonymous)))
    elif named.submissions:
        exported.append(replace(grades_table.export_grades(named, request), notes=(_NO_GRADEBOOK,)))
    if anonymous:
        exported.append(_anonymous(replace(results, submissions=tuple(anonymous)), request))
    exported.append(_feedback(results.submissions, request))
    files = tuple(path for part in exported for path in part.files)
    return ExportedFiles(files, tuple(note for part in exported for note in part.notes))


def _grades(results: Results, request: ExportRequest, anonymous: int) -> ExportedFiles:
    """Fill in the gradebook; ``anonymous`` further submissions may be of any student in it."""
    book = parse_gradebook(gradebook_table.only_gradebook(request.gradebooks).sheet)
    gradebook_table.check_students(book, results.submissions)
    column = choose_column(book.columns, book.sheet, results, request)
    groups = _groups(book, results)
    filled = grade_entry.fill_column(book, column, results, request, unsure=anonymous + len(groups))
    write_bytes(request.out / FILE, fill_cells(book.sheet, filled.changes))
    notes = grade_entry.notes_on(filled, results)
    if groups:
        notes.append(
            message(
                "These names differ, as a group's does from its member's: {pairs}. Canvas gives such a grade to the "
                "whole group, unless it is set to grade each member separately: then enter the others by hand.",
                pairs=join_list(groups),
            )
        )
    if posted_by_hand(book, column):
        notes.append(message("Students see these grades only once you post them: the column is posted by hand."))
    return ExportedFiles((request.out / FILE,), tuple(notes))


def _groups(book: gradebook_table.Gradebook, results: Results) -> list[str]:
    """Return "submission's name (row's name)" where these differ.

    Canvas names the files of a group by the group, with the id of one of its members.
    """
    rows = {row.index: row.name for row in book.rows}
    matches = grade_entry.match_rows(book, [result for result in results.submissions if result.lms == "canvas"])
    pairs = [(result.student.name, rows[index]) for index, result in matches.by_row.items()]
    return [f"{submitted} ({listed})" for submitted, listed in pairs if _letters(submitted) != _letters(listed)]


def _letters(name: str) -> str:
    return "".join(letter for letter in fold_case(name) if letter.isalnum())


def _anonymous(results: Results, request: ExportRequest) -> ExportedFiles:
    """Write a table by anonymous ids, and the reports: only Canvas knows the students behind the ids."""
    note = message(
        "{count} submissions are anonymous: the gradebook does not know their ids. Enter their grades in SpeedGrader, "
        "by the ids in {file}, or turn anonymous grading off and download the submissions again.",
        count=len(results.submissions),
        file=ANONYMOUS,
    )
    table = grades_table.export_grades(results, request, file=ANONYMOUS)
    reports = feedback.write_reports(results.submissions, request)
    return ExportedFiles(table.files + ((reports,) if reports else ()), (note,))


def _feedback(results: Sequence[Result], request: ExportRequest) -> ExportedFiles:
    path, without = feedback.write_feedback(results, request)
    notes: list[Message] = []
    if path:
        notes.append(
            message(
                "Upload {file} once: each upload adds another comment to every submission. A student finds the "
                "notebook there under the name of the submitted file.",
                file=path.name,
            )
        )
    if without:
        names = join_list([result.student.name for result in without])
        notes.append(message("Canvas has no upload to attach feedback to; send the report to: {names}.", names=names))
    files: tuple[Path, ...] = (path,) if path else ()
    return ExportedFiles(files, tuple(notes))
