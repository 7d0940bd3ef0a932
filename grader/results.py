"""Grades for other programs: ``grades.json`` as its schema says, ``grades.csv`` for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from grader.atomic import write_text
from grader.records import Assignment, Graded, Score

SCHEMA = Path(__file__).with_name("grades.schema.json")

_COLUMNS = ("id", "name", "total", "max", "outcome", "late", "needs_review", "review_reasons")
# A spreadsheet takes a cell that starts so for a formula; the wide forms count where Chinese is typed.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write_results(results: Sequence[Graded], assignment: Assignment, out: Path, made_at: datetime) -> None:
    """Write ``grades.json`` and ``grades.csv`` into ``out``, each in one step; raises ``OutputError``."""
    grades = {
        "assignment": assignment.id,
        "version": assignment.version,
        "made_at": made_at.isoformat(timespec="seconds"),
        "submissions": [_submission(graded) for graded in results],
    }
    write_text(out / "grades.json", json.dumps(grades, ensure_ascii=False, allow_nan=False, indent=2) + "\n")
    write_text(out / "grades.csv", "\ufeff" + _table(results, assignment))  # Excel reads UTF-8 only with the mark


def _submission(graded: Graded) -> dict[str, Any]:
    submission, run, grade = graded.submission, graded.run, graded.grade
    return {
        "student": {"id": submission.student.id, "name": submission.student.name},
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
    }


def _rounded(value: float | None, digits: int) -> float | None:
    """``value`` without the noise of its last bits; None for what is no number."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits)


def _table(results: Sequence[Graded], assignment: Assignment) -> str:
    criteria = [criterion.id for criterion in assignment.rubric]
    headings = [f"{name} (points)" if name in _COLUMNS else name for name in criteria]
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow([*_COLUMNS, *map(_defused, headings)])
    writer.writerows(_row(graded, criteria) for graded in results)
    return target.getvalue()


def _row(graded: Graded, criteria: Sequence[str]) -> list[str]:
    student, grade = graded.submission.student, graded.grade
    points = {score.criterion: score.points for score in grade.scores}
    return [
        _defused(student.id),
        _defused(student.name),
        _cell(grade.total),
        _cell(grade.max),
        graded.run.outcome.value,
        "" if grade.late is None else str(grade.late).lower(),
        str(grade.needs_review).lower(),
        _defused("; ".join(str(reason) for reason in grade.review_reasons)),
        *(_cell(points.get(criterion)) for criterion in criteria),
    ]


def _cell(points: float | None) -> str:
    rounded = _rounded(points, 4)
    return "" if rounded is None else f"{rounded:.12g}"


def _defused(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
