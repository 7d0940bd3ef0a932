"""What a job is given of the machine, and that nothing of it is left."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from grader.models.assignment import Limits
from grader.sandbox.base import Job, Question
from grader.sandbox.guest import protocol
from grader.sandbox.job import JobFolder, disk_used_mb, max_prediction_bytes, notebook_environment

QUESTION = Question("classification", ("a", "b"), np.zeros((4, 2)), np.array([0, 1, 0, 1]), np.ones((80, 2)))
SECRET_WORDS = b"the teacher's own\n"

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs what POSIX has")


@pytest.fixture
def folder() -> Iterator[JobFolder]:
    made = JobFolder(Job(b"{}", {}, Limits(), question=QUESTION))
    yield made
    if made.path.exists():
        made.close()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Something of the teacher's that a notebook may point at."""
    path = tmp_path / "outside"
    path.mkdir()
    (path / protocol.FACTS).write_bytes(SECRET_WORDS)
    return path


# ---------------------------------------------------------------- what is left


def test_closing_leaves_nothing(folder: JobFolder) -> None:
    folder.close()
    assert not folder.path.exists()


@pytest.fixture
def nobody() -> Iterator[None]:
    """Whom file modes bind; they do not bind root."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


def test_closing_removes_what_was_made_unreadable(nobody: None) -> None:
    folder = JobFolder(Job(b"{}", {}, Limits()))
    deep = folder.path / "work" / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "c").write_text("")
    for path in (deep / "c", deep, deep.parent, folder.path / "work", folder.path / "out", folder.path):
        path.chmod(0)
    folder.close()
    assert not folder.path.exists()


def test_folders_nested_deeper_than_python_follows_are_counted_and_removed(folder: JobFolder) -> None:
    place = os.open(folder.path / "work", os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=place)
        place, above = os.open("d", os.O_RDONLY, dir_fd=place), place
        os.close(above)
    os.close(place)
    assert disk_used_mb(folder.path) >= 0
    folder.close()
    assert not folder.path.exists()


def test_closing_does_not_follow_links(folder: JobFolder, outside: Path) -> None:
    (folder.path / "work" / "link").symlink_to(outside)
    shutil.rmtree(folder.path / "home")
    (folder.path / "home").symlink_to(outside)
    folder.close()
    assert (outside / protocol.FACTS).read_bytes() == SECRET_WORDS


# ---------------------------------------------------------------- disk, sizes, environment


def test_disk_is_counted_as_it_is_stored(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "full").write_bytes(b"x" * (3 << 20))
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    (tmp_path / "link").symlink_to("/")
    assert 3 <= disk_used_mb(tmp_path) < 4


@pytest.mark.parametrize(("task", "columns"), [("classification", 1000), ("regression", 1)])
def test_honest_predictions_fit_the_limit(task: str, columns: int) -> None:
    question = Question(task, ("a",), np.zeros((1, 1)), np.zeros(1), np.zeros((2072, 1)))
    honest = 2072 * columns * 8
    assert honest + 128 < max_prediction_bytes(question) < 3 * honest + 10_000


TEACHERS = {
    "PATH": "/home/teacher/bin:/usr/bin",
    "KERAS_BACKEND": "jax",
    "CUDA_VISIBLE_DEVICES": "1",
    "TZ": "Asia/Taipei",
    "HOME": "/home/teacher",
    "USER": "teacher",
    "TMPDIR": "/home/teacher/tmp",
    "LMS_TOKEN": "secret",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "PYTHONPATH": "/home/teacher/lib",
    "PYTHONSTARTUP": "/home/teacher/start.py",
    "LD_PRELOAD": "/home/teacher/x.so",
    "JUPYTER_CONFIG_DIR": "/home/teacher/.jupyter",
    "http_proxy": "http://teacher:secret@proxy",
    "TF_NUM_INTRAOP_THREADS": "64",
}


def test_a_notebook_inherits_nothing_of_the_teachers(tmp_path: Path) -> None:
    given = notebook_environment(tmp_path, 2, TEACHERS)
    inherited = {name for name, value in given.items() if TEACHERS.get(name) == value}
    assert inherited == {"KERAS_BACKEND", "TZ"}
    assert not any("secret" in value or "/home/teacher" in value for value in given.values())
    for name in ("HOME", "TMPDIR", "MPLCONFIGDIR", "IPYTHONDIR"):
        assert Path(given[name]).is_relative_to(tmp_path)
    assert given["OMP_NUM_THREADS"] == given["TF_NUM_INTRAOP_THREADS"] == "2"
