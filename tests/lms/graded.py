"""Graded classes for tests of export: a folder as ``grader grade`` writes it, built from submissions and totals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from grader.grading.results import Results, read_results, write_results
from grader.i18n.message import message
from grader.models.assignment import Assignment, Criterion
from grader.models.grade import Grade, Graded, Score
from grader.models.run import Outcome, Run
from grader.models.submission import Student, Submission

TITLE = {"en": "Who is ill?", "zh-TW": "疾病預測"}
CRITERION = {"en": "Accuracy", "zh-TW": "準確率"}


def graded_folder(
    folder: Path,
    submissions: Iterable[Submission],
    totals: Mapping[str, float | None],
    *,
    full: float = 100.0,
    executed: bytes | None = None,
) -> Results:
    """Write and return a graded class. ``totals`` are by the student's id, 0 if absent; None is an open total.

    ``executed`` is the executed notebook of every submission that has a notebook.
    """
    results = []
    for submission in submissions:
        total = totals.get(submission.student.id, 0.0)
        score = Score("accuracy", CRITERION, total, full, None, message("Reached {value:.2f}.", value=0.8))
        outcome = submission.outcome or (Outcome.GRADER_FAULT if total is None else Outcome.OK)
        results.append(Graded(submission, Run(outcome), Grade((score,), total, full)))
        room = folder / "students" / submission.student.id
        room.mkdir(parents=True, exist_ok=True)
        (room / "report.html").write_text(f"<p>{submission.student.id}</p>", "utf-8")
        if executed is not None and submission.notebook is not None:
            (room / "executed.ipynb").write_bytes(executed)
    assignment = Assignment("disease", "1", Path(), TITLE, (Criterion("accuracy", full),))
    write_results(results, assignment, folder, datetime(2026, 3, 1, tzinfo=UTC))
    return read_results(folder)


def handed_in(key: str, name: str = "", *, lms: str = "folder", entry: str = "", username: str = "") -> Submission:
    student = Student(key, name or key, "" if lms == "folder" else key, username=username)
    return Submission(student, lms=lms, origin=entry, entry=entry, notebook=Path("hw.ipynb") if entry else None)
