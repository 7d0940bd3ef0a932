"""A whole class through the stages, in a sandbox that runs nothing: order, faults, files."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grader.data import hidden_sets
from grader.i18n.message import message
from grader.models.assignment import Assignment, Criterion
from grader.models.errors import DatasetError, SandboxError
from grader.models.grade import Graded
from grader.models.run import Outcome
from grader.models.submission import Student, Submission
from grader.pipeline import Settings, grade_class
from grader.sandbox.base import Job, Reply
from grader.sandbox.fake import FakeSandbox, finished
from grader.sandbox.guest.output_forms import Array
from tests.support.assignment_folders import coins
from tests.support.fake_runs import FITTED, SECRET, class_of, grades, names, reports, whose


@pytest.fixture
def assignment(tmp_path: Path) -> Assignment:
    return coins(tmp_path / "coins")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "out", SECRET)


# ---------------------------------------------------------------- a class


def test_results_keep_the_order_of_the_submissions(assignment: Assignment, settings: Settings, tmp_path: Path) -> None:
    second_done = threading.Event()

    def script(job: Job) -> Reply:
        if whose(job) == "ann":
            assert second_done.wait(20)
        return finished(job)

    seen: list[str] = []

    def progress(graded: Graded) -> None:
        seen.append(graded.submission.student.id)
        second_done.set()

    results = grade_class(
        assignment,
        class_of(tmp_path, "ann", "bob", "cai"),
        FakeSandbox(script),
        replace(settings, jobs=2),
        progress=progress,
    )
    assert [graded.submission.student.id for graded in results] == ["ann", "bob", "cai"]
    assert seen[0] == "bob"
    assert sorted(seen) == ["ann", "bob", "cai"]
    assert names(settings.out) == ["ann", "bob", "cai"]


def test_every_documented_file_is_written(assignment: Assignment, settings: Settings, tmp_path: Path) -> None:
    grade_class(assignment, class_of(tmp_path, "ann", "bob"), FakeSandbox(finished), settings)
    files = {str(path.relative_to(settings.out)) for path in settings.out.rglob("*") if path.is_file()}
    assert files == {
        "gradebook.sqlite",
        "grades.json",
        "grades.csv",
        "index.html",
        *(f"students/{name}/{file}" for name in ("ann", "bob") for file in ("report.html", "executed.ipynb")),
    }


def test_correct_predictions_earn_points(assignment: Assignment, settings: Settings, tmp_path: Path) -> None:
    """A notebook that knows every answer gets all points, another one none."""
    inputs, labels = (
        hidden_sets.hidden_inputs(assignment, SECRET),
        hidden_sets.open_hidden_set(assignment, SECRET).labels,
    )
    known = {tuple(row): label for row, label in zip(inputs, labels, strict=True)}

    def right(rows: Array) -> Array:
        return np.array([known[tuple(row)] for row in rows])

    def script(job: Job) -> Reply:
        return finished(
            job,
            answers=right if whose(job) == "ann" else lambda rows: 1 - right(rows),
            facts={"chosen": FITTED["chosen"]},
        )

    results = grade_class(assignment, class_of(tmp_path, "ann", "bob"), FakeSandbox(script), settings)
    scores = [{score.criterion: score.points for score in graded.grade.scores} for graded in results]
    assert [row["accuracy"] for row in scores] == [60, 0]
    assert [row["runs"] for row in scores] == [10, 10]
    assert [graded.grade.total for graded in results] == [70, 10]


def test_jobs_run_at_once(assignment: Assignment, settings: Settings, tmp_path: Path) -> None:
    together = threading.Barrier(3)

    def script(job: Job) -> Reply:
        together.wait(20)  # breaks, unless three are here
        return finished(job)

    students = class_of(tmp_path, *"abcdef")
    results = grade_class(assignment, students, FakeSandbox(script), replace(settings, jobs=3))
    assert [graded.run.outcome for graded in results] == [Outcome.OK] * 6


def test_no_more_notebooks_run_at_once_than_requested(
    assignment: Assignment, settings: Settings, tmp_path: Path
) -> None:
    running: list[str] = []
    most = 0

    def script(job: Job) -> Reply:
        nonlocal most
        running.append(whose(job))
        most = max(most, len(running))
        time.sleep(0.01)
        running.remove(whose(job))
        return finished(job)

    grade_class(assignment, class_of(tmp_path, *"abcdef"), FakeSandbox(script), replace(settings, jobs=2))
    assert most == 2


def test_an_empty_class_has_files_too(assignment: Assignment, settings: Settings) -> None:
    assert grade_class(assignment, [], FakeSandbox(finished), settings) == ()
    assert names(settings.out) == []
    assert (settings.out / "index.html").exists()


def test_pages_are_in_the_requested_language(assignment: Assignment, settings: Settings, tmp_path: Path) -> None:
    grade_class(assignment, class_of(tmp_path, "ann"), FakeSandbox(finished), replace(settings, language="zh-TW"))
    for page in (settings.out / "index.html", settings.out / "students" / "ann" / "report.html"):
        assert "硬幣" in page.read_text("utf-8")
        assert 'lang="zh-' in page.read_text("utf-8")


def test_grading_again_into_the_same_folder_replaces(
    assignment: Assignment, settings: Settings, tmp_path: Path
) -> None:
    grade_class(assignment, class_of(tmp_path, "ann", "bob"), FakeSandbox(finished), settings)
    grade_class(assignment, class_of(tmp_path, "bob"), FakeSandbox(finished), settings)
    assert names(settings.out) == ["bob"]


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(SandboxError(message("no process")), "no process", id="the sandbox's own"),
        pytest.param(OSError(28, "No space left on device"), "No space left", id="the machine's"),
        pytest.param(ValueError("a bug"), "ValueError: a bug (test_pipeline.py:", id="a bug of ours"),
        pytest.param(RecursionError("deep"), "RecursionError", id="a bug, deep down"),
    ],
)
def test_a_fault_with_one_submission_leaves_the_others_alone(
    assignment: Assignment, settings: Settings, tmp_path: Path, error: Exception, said: str
) -> None:
    def script(job: Job) -> Reply:
        if whose(job) == "bob":
            raise error
        return finished(job)

    results = grade_class(assignment, class_of(tmp_path, "ann", "bob", "cai"), FakeSandbox(script), settings)
    assert [graded.run.outcome for graded in results] == [Outcome.OK, Outcome.GRADER_FAULT, Outcome.OK]
    fault = results[1]
    assert said in str(fault.run.reason)
    assert fault.grade.total is None
    assert all(score.points is None for score in fault.grade.scores)
    assert fault.grade.needs_review
    assert grades(settings.out)["submissions"][1]["total"] is None
    assert reports(settings.out) == {"ann", "bob", "cai"}


def test_an_error_in_a_later_stage_is_a_fault_of_the_grader(
    assignment: Assignment, settings: Settings, tmp_path: Path
) -> None:
    strange = replace(assignment, rubric=(*assignment.rubric, Criterion("strange", 5)))
    (graded,) = grade_class(strange, class_of(tmp_path, "ann"), FakeSandbox(finished), settings)
    assert graded.run.outcome is Outcome.GRADER_FAULT
    assert "no judge for Criterion" in str(graded.run.reason)
    assert graded.grade.total is None


def test_a_missing_submission_is_graded_as_missing(assignment: Assignment, settings: Settings) -> None:
    sandbox = FakeSandbox(finished)
    refused = Submission(Student("eve", "Eve"), problem=message("No."), outcome=Outcome.FORBIDDEN)
    (graded,) = grade_class(assignment, [refused], sandbox, settings)
    assert (graded.run.outcome, graded.grade.total, graded.grade.needs_review) == (Outcome.FORBIDDEN, 0, True)
    assert sandbox.jobs == []
    assert reports(settings.out) == {"eve"}


def test_hidden_data_that_cannot_be_drawn_stops_the_class_before_anything_runs(
    settings: Settings, tmp_path: Path
) -> None:
    broken = coins(tmp_path / "broken", generator="def draw(rows, seed): return 1 / 0")
    sandbox = FakeSandbox(finished)
    with pytest.raises(DatasetError):
        grade_class(broken, class_of(tmp_path, "ann"), sandbox, settings)
    assert sandbox.jobs == []
