"""Grades for other programs: ``grades.json`` as its schema says, ``grades.csv`` for a spreadsheet."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from grader.atomic import write_text
from grader.handback import GRADES, message_entry, student_entry
from grader.records import Assignment, Graded, Score
from grader.spreadsheet import csv_text, defused, points_cell

SCHEMA = Path(__file__).with_name("grades.schema.json")

_COLUMNS = ("id", "name", "total", "max", "outcome", "late", "needs_review", "review_reasons")


def write_results(results: Sequence[Graded], assignment: Assignment, out: Path, made_at: datetime) -> None:
    """Write ``grades.json`` and ``grades.csv`` into ``out``, each in one step; raises ``OutputError``."""
    grades = {
        "assignment": assignment.id,
        "title": dict(assignment.title),
        "version": assignment.version,
        "made_at": made_at.isoformat(timespec="seconds"),
        "submissions": [_submission(graded) for graded in results],
    }
    write_text(out / GRADES, json.dumps(grades, ensure_ascii=False, allow_nan=False, indent=2) + "\n")
    write_text(out / "grades.csv", _table(results, assignment))


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
        "needs_review": grade.needs_review,
        "review_reasons": [str(reason) for reason in grade.review_reasons],
        "seconds": _rounded(run.seconds, 2),
        "peak_memory_mb": _rounded(run.peak_memory_mb, 1),
        "device": run.facts.device or None,
        "criteria": [_criterion(score) for score in grade.scores],
    }


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


def _table(results: Sequence[Graded], assignment: Assignment) -> str:
    criteria = [criterion.id for criterion in assignment.rubric]
    headings = [f"{name} (points)" if name in _COLUMNS else name for name in criteria]
    rows = [_row(graded, criteria) for graded in results]
    return csv_text([[*_COLUMNS, *map(defused, headings)], *rows])


def _row(graded: Graded, criteria: Sequence[str]) -> list[str]:
    student, grade = graded.submission.student, graded.grade
    points = {score.criterion: score.points for score in grade.scores}
    return [
        defused(student.id),
        defused(student.name),
        points_cell(grade.total),
        points_cell(grade.max),
        graded.run.outcome.value,
        "" if grade.late is None else str(grade.late).lower(),
        str(grade.needs_review).lower(),
        defused("; ".join(str(reason) for reason in grade.review_reasons)),
        *(points_cell(points.get(criterion)) for criterion in criteria),
    ]
