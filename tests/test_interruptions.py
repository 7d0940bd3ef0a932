"""Tests of interrupted gradings, of concurrent readers, and of unwritable folders."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from grader.models.assignment import Assignment
from grader.models.errors import OutputError, Stopped
from grader.models.grade import Graded
from grader.pipeline import Settings, grade_class, make_writable
from grader.sandbox.base import Job, Reply
from grader.sandbox.fake import FakeSandbox, finished
from tests.support.assignment_folders import coins
from tests.support.fake_runs import SECRET, VALIDATOR, class_of, names, reports, whose


@pytest.fixture
def assignment(tmp_path: Path) -> Assignment:
    return coins(tmp_path / "coins")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "out", SECRET)


# ---------------------------------------------------------------- interruptions


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_interruption_keeps_finished_submissions(
    assignment: Assignment, settings: Settings, tmp_path: Path, error: type[BaseException]
) -> None:
    """Interrupt a class after two submissions, while others are running."""
    running = threading.Event()

    def script(job: Job) -> Reply:
        if whose(job) in ("ann", "bob"):
            return finished(job)
        running.set()
        deadline = time.monotonic() + 20
        while not sandbox.closed and time.monotonic() < deadline:
            time.sleep(0.005)
        raise Stopped

    done: list[str] = []

    def progress(graded: Graded) -> None:
        done.append(graded.submission.student.id)
        if len(done) == 2:
            assert running.wait(20)
            raise error

    sandbox = FakeSandbox(script)
    students = class_of(tmp_path, "ann", "bob", "cai", "dan")
    with pytest.raises(error):
        grade_class(assignment, students, sandbox, replace(settings, jobs=3), progress=progress)
    assert sandbox.closed
    assert names(settings.out) == ["ann", "bob"]
    assert reports(settings.out) == {"ann", "bob"}
    assert (settings.out / "index.html").exists()
    assert list(settings.out.rglob(".*")) == []


def test_interruption_with_one_job_at_a_time(assignment: Assignment, settings: Settings, tmp_path: Path) -> None:
    def progress(_graded: Graded) -> None:
        raise KeyboardInterrupt

    sandbox = FakeSandbox(finished)
    with pytest.raises(KeyboardInterrupt):
        grade_class(assignment, class_of(tmp_path, "ann", "bob", "cai"), sandbox, settings, progress=progress)
    assert sandbox.closed
    assert [whose(job) for job in sandbox.jobs] == ["ann"]
    assert names(settings.out) == ["ann"]
    assert reports(settings.out) == {"ann"}


# ---------------------------------------------------------------- files at every moment


@contextmanager
def watched(path: Path) -> Iterator[list[object]]:
    """Read ``path`` continuously and collect the results of validation."""
    found: list[object] = []
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            if path.exists():
                try:
                    VALIDATOR.validate(json.loads(path.read_bytes()))
                    found.append("valid")
                except Exception as error:  # noqa: BLE001
                    found.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    yield found
    ended.set()
    reader.join()


def test_grades_file_is_valid_at_every_moment(assignment: Assignment, settings: Settings, tmp_path: Path) -> None:
    with watched(settings.out / "grades.json") as found:
        for size in range(1, 8):
            grade_class(assignment, class_of(tmp_path, *"abcdefgh"[:size]), FakeSandbox(finished), settings)
    assert len(found) > 10
    assert set(map(str, found)) == {"valid"}


@pytest.mark.parametrize("place", ["out", "out/deep/down"])
def test_file_in_place_of_the_output_folder_is_reported_before_running(
    assignment: Assignment, settings: Settings, tmp_path: Path, place: str
) -> None:
    (tmp_path / "out").write_text("a file")
    sandbox = FakeSandbox(finished)
    with pytest.raises(OutputError, match=r"cannot be written: .*; choose another folder with --out"):
        grade_class(assignment, class_of(tmp_path, "ann"), sandbox, replace(settings, out=tmp_path / place))
    assert sandbox.jobs == []


def test_file_in_place_of_the_students_folder_raises_output_error(
    assignment: Assignment, settings: Settings, tmp_path: Path
) -> None:
    settings.out.mkdir()
    (settings.out / "students").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        grade_class(assignment, class_of(tmp_path, "ann"), FakeSandbox(finished), settings)
    assert names(settings.out) == []


def test_write_check_leaves_the_folder_empty(tmp_path: Path) -> None:
    make_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
