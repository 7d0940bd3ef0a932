"""Grades for other programs: ``grades.json`` as its schema says, ``grades.csv`` for a spreadsheet."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from grader.files.atomic import write_text
from grader.files.csv_export import csv_text, escape_formula, points_cell
from grader.grading.handback import GRADES, message_entry, student_entry
from grader.models.assignment import Assignment
from grader.models.grade import Graded, Score
from grader.models.lateness import Lateness
from grader.models.submission import Student

SCHEMA = Path(__file__).with_name("grades.schema.json")

_COLUMNS = (
    "id", "name", "total", "max", "outcome", "late", "late_by_hours", "taken_off", "needs_review", "review_reasons",
)  # fmt: skip
ABSENT = "absent"  # no outcome: nothing came that could have one


def write_results(
    results: Sequence[Graded], assignment: Assignment, out: Path, made_at: datetime, *, absent: Sequence[Student] = ()
) -> None:
    """Write ``grades.json`` and ``grades.csv`` into ``out``, each in one step; raises ``OutputError``.

    ``absent`` students of the class list have a line without a total.
    """
    grades = {
        "assignment": assignment.id,
        "title": dict(assignment.title),
        "version": assignment.version,
        "made_at": made_at.isoformat(timespec="seconds"),
        "submissions": [_submission(graded) for graded in results],
        "absent": [student_entry(student) for student in absent],
    }
    write_text(out / GRADES, json.dumps(grades, ensure_ascii=False, allow_nan=False, indent=2) + "\n")
    write_text(out / "grades.csv", _table(results, assignment, absent))


def _submission(graded: Graded) -> dict[str, Any]:
    submission, run, grade = graded.submission, graded.run, graded.grade
    return {
        "student": student_entry(submission.student),
        "group": [student_entry(one) for one in submission.group],
        "lms": submission.lms,
        "origin": submission.origin,
        "entry": submission.entry,
        "submitted_at": submission.submitted_at.isoformat() if submission.submitted_at else None,
        "notebook": submission.notebook_name or None,
        "outcome": run.outcome.value,
        "total": _rounded(grade.total, 4),
        "max": _rounded(grade.max, 4),
        "late": grade.late,
        "lateness": None if grade.lateness is None else _lateness(grade.lateness),
        "needs_review": grade.needs_review,
        "review_reasons": [str(reason) for reason in grade.review_reasons],
        "seconds": _rounded(run.seconds, 2),
        "peak_memory_mb": _rounded(run.peak_memory_mb, 1),
        "device": run.facts.device or None,
        "criteria": [_criterion(score) for score in grade.scores],
    }


def _lateness(late: Lateness) -> dict[str, Any]:
    return {
        "due": late.due.isoformat(),
        "submitted": late.submitted.isoformat() if late.submitted else None,
        "late_by_hours": _hours(late),
        "policy": late.policy,
        "taken_off": _rounded(late.taken_off, 4),
        "days": late.days,
        "extended": late.extended,
        "reason": str(late.reason),
    }


def _hours(late: Lateness) -> float | None:
    return None if late.by is None else round(late.by.total_seconds() / 3600, 4)


def _criterion(score: Score) -> dict[str, Any]:
    return {
        "id": score.criterion,
        "points": _rounded(score.points, 4),
        "max": _rounded(score.max, 4),
        "passed": score.passed,
        "value": _rounded(score.value, 6),
        "low": _rounded(score.low, 6),
        "high": _rounded(score.high, 6),
        "n": score.n,
        "reason": str(score.reason),
        "title": dict(score.title),
        "said": message_entry(score.reason),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    """``value`` without the noise of its last bits; None for what is no number."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits)


def _table(results: Sequence[Graded], assignment: Assignment, absent: Sequence[Student]) -> str:
    criteria = [criterion.id for criterion in assignment.rubric]
    headings = [f"{name} (points)" if name in _COLUMNS else name for name in criteria]
    rows = [_row(graded, criteria) for graded in results]
    rows += [_absent(student, len(headings)) for student in absent]
    return csv_text([[*_COLUMNS, *map(escape_formula, headings)], *rows])


def _absent(student: Student, criteria: int) -> list[str]:
    known = [escape_formula(student.id), escape_formula(student.name), "", "", ABSENT]
    return [*known, *[""] * (len(_COLUMNS) - len(known) + criteria)]


def _row(graded: Graded, criteria: Sequence[str]) -> list[str]:
    student, grade = graded.submission.student, graded.grade
    points = {score.criterion: score.points for score in grade.scores}
    return [
        escape_formula(student.id),
        escape_formula(student.name),
        points_cell(grade.total),
        points_cell(grade.max),
        graded.run.outcome.value,
        "" if grade.late is None else str(grade.late).lower(),
        points_cell(_hours(grade.lateness) if grade.lateness else None),
        points_cell(grade.lateness.taken_off if grade.lateness else None),
        str(grade.needs_review).lower(),
        escape_formula("; ".join(str(reason) for reason in grade.review_reasons)),
        *(points_cell(points.get(criterion)) for criterion in criteria),
    ]
