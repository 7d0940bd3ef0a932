"""Grades for an LMS that has no format of its own here, and for spreadsheets: one CSV, a line per student."""

from __future__ import annotations

from grader.files.atomic import write_text
from grader.files.csv_export import csv_text, escape_formula, points_cell
from grader.grading.results import Result, Results
from grader.lms.export_request import ExportedFiles, ExportRequest, Missing
from grader.models.submission import Student

FILE = "grades-for-lms.csv"
_COLUMNS = ("Name", "ID", "Username", "Email", "Total", "Maximum", "Late", "Needs review")


def hand_back(results: Results, order: ExportRequest, *, file: str = FILE) -> ExportedFiles:
    """Writes ``file``: a group has a line for each of its members, absent students have one each."""
    criteria = list(dict.fromkeys(each.id for one in results.submissions for each in one.criteria))
    rows = [row for one in results.submissions for row in _rows(one, criteria)]
    rows += [[*_absent(student, results.max, order.missing), *[""] * len(criteria)] for student in results.absent]
    path = order.out / file
    write_text(path, csv_text([[*_COLUMNS, *map(escape_formula, criteria)], *rows]))
    return ExportedFiles((path,))


def _absent(student: Student, most: float, missing: Missing) -> list[str]:
    known = [
        escape_formula(text) for text in (student.name, student.key or student.id, student.username, student.email)
    ]
    return [*known, "0" if missing is Missing.ZERO else "", points_cell(most), "", "false"]


def _rows(one: Result, criteria: list[str]) -> list[list[str]]:
    points = {each.id: each.points for each in one.criteria}
    graded = [
        points_cell(one.total),
        points_cell(one.max),
        "" if one.late is None else str(one.late).lower(),
        str(one.needs_review).lower(),
        *(points_cell(points.get(criterion)) for criterion in criteria),
    ]
    return [
        [*map(escape_formula, (student.name, student.key or student.id, student.username, student.email)), *graded]
        for student in one.members
    ]
