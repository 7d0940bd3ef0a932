"""Grades for Blackboard: the teacher's own download of the gradebook filled in, in the form it came in."""

from __future__ import annotations

from dataclasses import replace

from grader.files.atomic import write_bytes
from grader.files.csv_sheet import filled
from grader.grading.results import Results
from grader.i18n.message import message
from grader.lms import grades_table
from grader.lms.blackboard.gradebook import read
from grader.lms.export_request import ExportedFiles, ExportRequest
from grader.lms.feedback_notebook import in_one_line
from grader.lms.gradebook_csv import grade_entry, gradebook_table
from grader.lms.gradebook_csv.grade_column import chosen

_COMMENT = "Feedback to Learner"
UPLOAD_HINTS = {"blackboard-gradebook*": message("{file}: Blackboard, Grade Center › Work Offline › Upload.")}
_WANTED = message(
    "Blackboard takes grades in its own gradebook: download it (Grade Center, Work Offline, Download) and give it as a "
    "sheet to have it filled in."
)


def hand_back(results: Results, order: ExportRequest) -> ExportedFiles:
    """Writes ``blackboard-gradebook`` with the ending of the teacher's file; where there is none, a plain table.

    Raises ``IntakeError`` when the gradebook does not fit, ``OutputError`` when nothing can be written.
    """
    if not order.sheets:
        return replace(grades_table.hand_back(results, order), notes=(_WANTED,))
    book = read(gradebook_table.only_sheet(order.sheets))
    gradebook_table.check_somebody(book, results.submissions)
    column = chosen(book.columns, book.sheet, results, order)
    done = grade_entry.fill(book, column, results, order)
    path = order.out / f"blackboard-gradebook{book.sheet.path.suffix or '.csv'}"
    write_bytes(path, filled(book.sheet, done.changes | _comments(done, order)))
    return ExportedFiles((path,), tuple(grade_entry.notes_on(done, results)))


def _comments(done: grade_entry.Filling, order: ExportRequest) -> dict[tuple[int, int], str]:
    """What each criterion says, where one column was downloaded with its comments; a teacher's own words stay."""
    book = done.book
    if _COMMENT not in book.sheet.header or len(book.columns) > 1:
        return {}
    place = book.sheet.header.index(_COMMENT)
    return {
        (index, place): in_one_line(result, order.language)
        for index, result in done.placed.by_row.items()
        if result.total is not None and not book.sheet.cell(index, place).strip()
    }
