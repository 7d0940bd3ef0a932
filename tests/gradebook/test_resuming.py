"""The same command again runs only what is new or has changed; points and pages are always made anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from grader.execution.runner import PreparedAssignment
from grader.execution.work_key import class_key
from grader.i18n.message import Message
from grader.models.assignment import Assignment, Pictures
from grader.models.grade import Graded
from grader.models.run import Outcome
from grader.models.submission import Submission
from grader.pipeline import EVERYBODY, Settings, grade_class
from grader.sandbox.base import EndReason, Job, Reply
from grader.sandbox.fake import FakeSandbox, finished
from grader.sandbox.memory import memory_for_each
from tests.support.assignment_folders import coins
from tests.support.fake_runs import FITTED, SECRET, class_of, grades, heavier, whose
from tests.support.notebooks import submission


@pytest.fixture
def assignment(tmp_path: Path) -> Assignment:
    return coins(tmp_path / "coins")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "out", SECRET)


def script(job: Job) -> Reply:
    return finished(job, answers=heavier, facts=FITTED)


def graded(
    assignment: Assignment, submissions: Sequence[Submission], settings: Settings
) -> tuple[list[str], tuple[Graded, ...]]:
    """Grade a class; return whose notebooks were run, and the results."""
    sandbox = FakeSandbox(script)
    results = grade_class(assignment, submissions, sandbox, settings)
    return [whose(job) for job in sandbox.jobs], results


def totals(results: Sequence[Graded]) -> list[float | None]:
    return [each.grade.total for each in results]


def test_unchanged_work_is_not_run_again(assignment: Assignment, settings: Settings, tmp_path: Path) -> None:
    announced: list[Message] = []
    submissions = class_of(tmp_path, "ann", "bob")
    ran, first = graded(assignment, submissions, settings)
    written = (settings.out / "grades.json").read_text()
    again, second = graded(assignment, submissions, replace(settings, announce=announced.append))
    assert (ran, again) == (["ann", "bob"], [])
    assert [each.run for each in first] == [each.run for each in second]
    assert totals(first) == totals(second)
    assert grades(settings.out)["submissions"] and len(written) == len((settings.out / "grades.json").read_text())
    assert str(announced[-1]).startswith("2 of 2 submissions were graded before")


def test_only_what_is_new_or_changed_runs(assignment: Assignment, settings: Settings, tmp_path: Path) -> None:
    graded(assignment, class_of(tmp_path, "ann", "bob"), settings)
    (tmp_path / "later").mkdir()
    changed = submission(tmp_path / "later", "bob", "print('bob')\nmodel.fit(X, y, epochs=9)")
    ran, results = graded(assignment, [*class_of(tmp_path, "ann"), changed, *class_of(tmp_path, "cai")], settings)
    assert ran == ["bob", "cai"]
    assert [each.submission.student.id for each in results] == ["ann", "bob", "cai"]


def test_outputs_of_a_notebook_are_no_work(assignment: Assignment, settings: Settings, tmp_path: Path) -> None:
    (ann,) = class_of(tmp_path, "ann")
    graded(assignment, [ann], settings)
    assert ann.notebook is not None
    notebook = json.loads(ann.notebook.read_text())
    notebook["cells"][0] |= {
        "execution_count": 7,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}],
    }
    ann.notebook.write_text(json.dumps(notebook))
    assert graded(assignment, [ann], settings)[0] == []


def test_other_points_need_no_run_and_other_limits_do(
    assignment: Assignment, settings: Settings, tmp_path: Path
) -> None:
    submissions = class_of(tmp_path, "ann")
    _ran, first = graded(assignment, submissions, settings)
    doubled = replace(assignment, rubric=tuple(replace(each, points=2 * each.points) for each in assignment.rubric))
    ran, second = graded(doubled, submissions, settings)
    assert ran == [] and totals(first)[0]
    assert totals(second) == [2 * (totals(first)[0] or 0)]
    assert graded(assignment.with_time_limit(7), submissions, settings)[0] == ["ann"]
    assert graded(assignment, submissions, replace(settings, secret=b"t" * 32))[0] == ["ann"]


def test_the_secret_and_what_is_asked_of_photos_are_part_of_the_work(assignment: Assignment) -> None:
    exam, limits = PreparedAssignment(assignment, SECRET), assignment.limits
    photos = replace(exam, assignment=replace(assignment, pictures=Pictures((24, 24))))
    smaller = replace(exam, assignment=replace(assignment, pictures=Pictures((24, 24), hold_out=0.1)))
    keys = {class_key(each, limits) for each in (exam, replace(exam, secret=b"t" * 32), photos, smaller)}
    assert len(keys) == 4


def test_asked_for_by_name_work_is_run_again(assignment: Assignment, settings: Settings, tmp_path: Path) -> None:
    submissions = class_of(tmp_path, "ann", "bob")
    graded(assignment, submissions, settings)
    assert graded(assignment, submissions, replace(settings, regrade=frozenset({"bob"})))[0] == ["bob"]
    assert graded(assignment, submissions, replace(settings, regrade=frozenset({EVERYBODY})))[0] == ["ann", "bob"]


def test_work_runs_again_if_its_files_are_gone_or_the_grader_failed(
    assignment: Assignment, settings: Settings, tmp_path: Path
) -> None:
    submissions = class_of(tmp_path, "ann")
    sandbox = FakeSandbox(lambda _job: Reply(EndReason.FAULT, started=False, log="worker died"))
    (failed,) = grade_class(assignment, submissions, sandbox, settings)
    assert failed.run.outcome is Outcome.GRADER_FAULT
    ran, (result,) = graded(assignment, submissions, settings)
    assert ran == ["ann"] and result.run.executed is not None
    result.run.executed.unlink()
    assert graded(assignment, submissions, settings)[0] == ["ann"]


def test_a_run_that_broke_off_is_repeated(assignment: Assignment, settings: Settings, tmp_path: Path) -> None:
    submissions = class_of(tmp_path, "ann", "bob")

    def broken(job: Job) -> Reply:
        return replace(script(job), ended=EndReason.DIED) if whose(job) == "bob" else script(job)

    results = grade_class(assignment, submissions, FakeSandbox(broken), settings)
    assert [bool(each.run.reviews) for each in results] == [False, True]
    assert graded(assignment, submissions, settings)[0] == ["bob"]


def test_a_run_without_confinement_is_repeated_with_it(
    assignment: Assignment, settings: Settings, tmp_path: Path
) -> None:
    submissions = class_of(tmp_path, "ann")
    unconfined = FakeSandbox(script)
    unconfined.confinement = "process"
    grade_class(assignment, submissions, unconfined, settings)
    assert graded(assignment, submissions, settings)[0] == ["ann"]


def test_after_an_interruption_only_the_rest_runs(assignment: Assignment, settings: Settings, tmp_path: Path) -> None:
    def interrupted(job: Job) -> Reply:
        if whose(job) == "bob":
            raise KeyboardInterrupt
        return script(job)

    submissions = class_of(tmp_path, "ann", "bob", "cai")
    with pytest.raises(KeyboardInterrupt):
        grade_class(assignment, submissions, FakeSandbox(interrupted), settings)
    ran, results = graded(assignment, submissions, settings)
    assert ran == ["bob", "cai"]
    assert len(results) == 3


def test_a_notebook_out_of_memory_runs_again_on_a_larger_machine(
    assignment: Assignment, settings: Settings, tmp_path: Path
) -> None:
    def full(job: Job) -> Reply:
        return replace(finished(job), ended=EndReason.MEMORY, used=9.0)

    submissions = class_of(tmp_path, "ann")
    small = replace(assignment, limits=replace(assignment.limits, memory_mb=None))
    beside_others = replace(settings, jobs=4)
    (result,) = grade_class(small, submissions, FakeSandbox(full), beside_others)
    assert result.run.outcome is Outcome.MEMORY
    assert graded(small, submissions, beside_others)[0] == [], "as much memory as before"
    has_more = memory_for_each(1) > memory_for_each(4)
    assert graded(small, submissions, settings)[0] == (["ann"] if has_more else [])
