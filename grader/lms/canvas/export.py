"""Grades and feedback for Canvas: the teacher's gradebook filled in, notebooks for "Upload Submissions"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grader.files.atomic import write_bytes
from grader.files.csv_sheet import filled
from grader.grading.results import Result, Results
from grader.i18n.message import Message, join_list, message
from grader.lms import grades_table
from grader.lms.canvas import feedback
from grader.lms.canvas.archive import is_anonymous
from grader.lms.canvas.gradebook import posted_by_hand, read
from grader.lms.export_request import ExportedFiles, ExportRequest
from grader.lms.gradebook_csv import grade_entry, gradebook_table
from grader.lms.gradebook_csv.grade_column import chosen
from grader.lms.identity import fold_case

FILE = "canvas-gradebook.csv"
ANONYMOUS = "canvas-anonymous-grades.csv"
UPLOAD_HINTS = {
    "canvas-gradebook*": message("{file}: Canvas, Grades › Import."),
    "canvas-feedback*.zip": message("{file}: Canvas, Grades › the assignment's menu › Re-Upload Submissions."),
    "*-reports.zip": message("{file}: the reports, to look up or to hand out by yourself."),
}
_WANTED = message(
    "Canvas takes grades in its own gradebook: export it (Grades, Export, Export Entire Gradebook) and give it as a "
    "sheet to have it filled in."
)


def hand_back(results: Results, order: ExportRequest) -> ExportedFiles:
    """Writes ``canvas-gradebook.csv``, where there is a gradebook to fill in, and ``canvas-feedback.zip``.

    Raises ``IntakeError`` when the gradebook does not fit, ``OutputError`` when nothing can be written.
    """
    anonymous = [one for one in results.submissions if one.lms == "canvas" and is_anonymous(one.origin)]
    named = replace(results, submissions=tuple(one for one in results.submissions if one not in anonymous))
    done = []
    if named.submissions and order.sheets:
        done.append(_grades(named, order, len(anonymous)))
    elif named.submissions:
        done.append(replace(grades_table.hand_back(named, order), notes=(_WANTED,)))
    if anonymous:
        done.append(_anonymous(replace(results, submissions=tuple(anonymous)), order))
    done.append(_feedback(results.submissions, order))
    files = tuple(path for one in done for path in one.files)
    return ExportedFiles(files, tuple(note for one in done for note in one.notes))


def _grades(results: Results, order: ExportRequest, unknown: int) -> ExportedFiles:
    """``unknown`` students have handed in without a name."""
    book = read(gradebook_table.only_sheet(order.sheets))
    gradebook_table.check_somebody(book, results.submissions)
    column = chosen(book.columns, book.sheet, results, order)
    groups = _groups(book, results)
    done = grade_entry.fill(book, column, results, order, unsure=unknown + len(groups))
    write_bytes(order.out / FILE, filled(book.sheet, done.changes))
    notes = grade_entry.notes_on(done, results)
    if groups:
        notes.append(
            message(
                "These names differ, as a group's does from its member's: {pairs}. Canvas gives such a grade to the "
                "whole group, unless it is set to grade each member apart: then enter the others by hand.",
                pairs=join_list(groups),
            )
        )
    if posted_by_hand(book, column):
        notes.append(message("Students see these grades only once you post them: the column is posted by hand."))
    return ExportedFiles((order.out / FILE,), tuple(notes))


def _groups(book: gradebook_table.Gradebook, results: Results) -> list[str]:
    """Canvas names a group's files by the group, with the id of one of its members: the two names side by side."""
    rows = {row.index: row.name for row in book.rows}
    placed = grade_entry.place(book, [one for one in results.submissions if one.lms == "canvas"])
    pairs = [(one.student.name, rows[index]) for index, one in placed.by_row.items()]
    return [f"{one} ({other})" for one, other in pairs if _letters(one) != _letters(other)]


def _letters(name: str) -> str:
    return "".join(letter for letter in fold_case(name) if letter.isalnum())


def _anonymous(results: Results, order: ExportRequest) -> ExportedFiles:
    """A table by anonymous ids, and the reports: who is behind them, Canvas alone can tell."""
    note = message(
        "{count} submissions are anonymous: the gradebook does not know their ids. Enter their grades in SpeedGrader, "
        "by the ids in {file}, or turn anonymous grading off and download the submissions again.",
        count=len(results.submissions),
        file=ANONYMOUS,
    )
    made = grades_table.hand_back(results, order, file=ANONYMOUS)
    reports = feedback.write_reports(results.submissions, order)
    return ExportedFiles(made.files + ((reports,) if reports else ()), (note,))


def _feedback(results: Sequence[Result], order: ExportRequest) -> ExportedFiles:
    path, without = feedback.write_feedback(results, order)
    notes: list[Message] = []
    if path:
        notes.append(
            message(
                "Upload {file} once: each upload adds another comment to every submission. A student finds the "
                "notebook there under the name of the file handed in.",
                file=path.name,
            )
        )
    if without:
        names = join_list([one.student.name for one in without])
        notes.append(message("Canvas has no upload to hang feedback on; send the report to: {names}.", names=names))
    files: tuple[Path, ...] = (path,) if path else ()
    return ExportedFiles(files, tuple(notes))
