"""A plain table of grades, for spreadsheets and for an LMS without a format of its own here."""

from __future__ import annotations

from grader.files.atomic import write_text
from grader.files.csv_export import csv_text, escape_formula, points_cell
from grader.grading.results import Result, Results
from grader.lms.export_request import ExportedFiles, ExportRequest, Missing
from grader.models.submission import Student

FILE = "grades-for-lms.csv"
_COLUMNS = ("Name", "ID", "Username", "Email", "Total", "Maximum", "Late", "Needs review")


def export_grades(results: Results, request: ExportRequest, *, file: str = FILE) -> ExportedFiles:
    """Write ``file``, a CSV with a row for each student, members of groups and absent students included."""
    criteria = list(dict.fromkeys(criterion.id for result in results.submissions for criterion in result.criteria))
    rows = [row for result in results.submissions for row in _rows(result, criteria)]
    rows += [[*_absent_row(student, results.max, request.missing), *[""] * len(criteria)] for student in results.absent]
    path = request.out / file
    write_text(path, csv_text([[*_COLUMNS, *map(escape_formula, criteria)], *rows]))
    return ExportedFiles((path,))


def _absent_row(student: Student, maximum: float, missing: Missing) -> list[str]:
    return [*_identity(student), "0" if missing is Missing.ZERO else "", points_cell(maximum), "", "false"]


def _rows(result: Result, criteria: list[str]) -> list[list[str]]:
    points = {criterion.id: criterion.points for criterion in result.criteria}
    grades = [
        points_cell(result.total),
        points_cell(result.max),
        "" if result.late is None else str(result.late).lower(),
        str(result.needs_review).lower(),
        *(points_cell(points.get(criterion)) for criterion in criteria),
    ]
    return [[*_identity(student), *grades] for student in result.members]


def _identity(student: Student) -> list[str]:
    return [*map(escape_formula, (student.name, student.key or student.id, student.username, student.email))]
