"""Export to Blackboard: the teacher's own download of the gradebook, filled in."""

from __future__ import annotations

from dataclasses import replace

from grader.files.atomic import write_bytes
from grader.files.csv_sheet import fill_cells
from grader.grading.results import Results
from grader.i18n.message import message
from grader.lms import grades_table
from grader.lms.blackboard.gradebook import parse_gradebook
from grader.lms.export_request import ExportedFiles, ExportRequest
from grader.lms.feedback_notebook import summary_line
from grader.lms.gradebook_csv import grade_entry, gradebook_table
from grader.lms.gradebook_csv.grade_column import choose_column

UPLOAD_HINTS = {"blackboard-gradebook*": message("{file}: Blackboard, Grade Center › Work Offline › Upload.")}
_COMMENT = "Feedback to Learner"
_NO_GRADEBOOK = message(
    "Blackboard takes grades in its own gradebook only: download it (Grade Center, Work Offline, Download) and give it "
    "as a sheet to have it filled in."
)


def export_grades(results: Results, request: ExportRequest) -> ExportedFiles:
    """Write ``blackboard-gradebook`` with the suffix of the teacher's file; without a gradebook, a plain table.

    Raises ``IntakeError`` if the gradebook does not fit, ``OutputError`` if a file cannot be written.
    """
    if not request.gradebooks:
        return replace(grades_table.export_grades(results, request), notes=(_NO_GRADEBOOK,))
    book = parse_gradebook(gradebook_table.only_gradebook(request.gradebooks).sheet)
    gradebook_table.check_students(book, results.submissions)
    column = choose_column(book.columns, book.sheet, results, request)
    filled = grade_entry.fill_column(book, column, results, request)
    path = request.out / f"blackboard-gradebook{book.sheet.path.suffix or '.csv'}"
    write_bytes(path, fill_cells(book.sheet, filled.changes | _comments(filled, request)))
    return ExportedFiles((path,), tuple(grade_entry.notes_on(filled, results)))


def _comments(filled: grade_entry.ColumnFill, request: ExportRequest) -> dict[tuple[int, int], str]:
    """Return comments by cell, if the one column was downloaded with its comments; a teacher's comments stay."""
    book = filled.book
    if _COMMENT not in book.sheet.header or len(book.columns) > 1:
        return {}
    place = book.sheet.header.index(_COMMENT)
    return {
        (index, place): summary_line(result, request.language)
        for index, result in filled.matches.by_row.items()
        if result.total is not None and not book.sheet.cell(index, place).strip()
    }
