"""Tests of the job folder with a hostile notebook in it."""

from __future__ import annotations

import json
import math
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grader.models.assignment import Limits
from grader.models.errors import SandboxError
from grader.sandbox.base import Job, Question
from grader.sandbox.guest import protocol
from grader.sandbox.job import (
    JobFolder,
    disk_used_mb,
    list_folder,
    log_tail,
    max_prediction_bytes,
    notebook_environment,
)
from grader.sandbox.mounts import kernel_mounts

QUESTION = Question("classification", ("a", "b"), np.zeros((4, 2)), np.array([0, 1, 0, 1]), np.ones((80, 2)))
SECRET_WORDS = b"the teacher's own\n"

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")


@pytest.fixture
def folder() -> Iterator[JobFolder]:
    made = JobFolder(Job(b"{}", {}, Limits(), question=QUESTION))
    yield made
    if made.path.exists():
        made.close()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Folder of the teacher that a notebook may link to."""
    path = tmp_path / "outside"
    path.mkdir()
    (path / protocol.FACTS).write_bytes(SECRET_WORDS)
    return path


# ---------------------------------------------------------------- what is written


@pytest.mark.parametrize("kind", ["link", "link to a folder", "loop", "pipe"])
def test_a_submitted_file_that_became_a_link_or_a_pipe_is_left_out(kind: str, tmp_path: Path, outside: Path) -> None:
    path = tmp_path / "data.csv"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to({"link": outside / protocol.FACTS, "link to a folder": outside, "loop": path}[kind])
    (tmp_path / "other.csv").write_text("1")
    folder = JobFolder(Job(b"{}", {"data.csv": path, "other.csv": tmp_path / "other.csv"}, Limits()))
    try:
        assert sorted(file.name for file in (folder.path / "work").iterdir()) == ["other.csv"]
    finally:
        folder.close()


def test_the_end_of_a_log_is_read_without_following_a_link(folder: JobFolder, outside: Path) -> None:
    folder.log.write_bytes(b"x" * 50_000 + b"end")
    assert len(log_tail(folder.log)) == 20_000 and log_tail(folder.log).endswith("end")
    folder.log.unlink()
    assert log_tail(folder.log) == ""
    folder.log.symlink_to(outside / protocol.FACTS)
    assert log_tail(folder.log) == ""
    folder.log.unlink()
    os.mkfifo(folder.log)
    assert log_tail(folder.log) == ""


def test_job_is_written_in_the_form_of_the_protocol(tmp_path: Path) -> None:
    (tmp_path / "coins.csv").write_text("a,b\n")
    files = {"coins.csv": tmp_path / "coins.csv", "pictures/one.csv": tmp_path / "coins.csv"}
    limits = Limits(seconds=10, cell_seconds=3, memory_mb=500, file_mb=7, output_mb=0.5)
    folder = JobFolder(Job(b"{}", files, limits, threads=2, question=QUESTION))
    try:
        request = json.loads((folder.path / protocol.REQUEST).read_bytes())
        assert (request["seconds"], request["cell_seconds"], request["predict"]) == (10, 3, True)
        assert request["output_bytes"] == 2**19
        assert request["kernel"]["rlimits"]["RLIMIT_FSIZE"] == 7 * 2**20
        assert request["kernel"]["rlimits"]["RLIMIT_CORE"] == 0
        assert (folder.path / protocol.NOTEBOOK).read_bytes() == b"{}"
        assert (folder.path / "work" / "pictures" / "one.csv").read_text() == "a,b\n"
        with np.load(folder.path / protocol.EXCHANGE / protocol.PUBLIC, allow_pickle=False) as public:
            assert set(public.files) == {"inputs", "targets", "task", "columns"}
            np.testing.assert_array_equal(public["inputs"], QUESTION.public_inputs)
    finally:
        folder.close()


def test_given_files_do_not_count_towards_the_disk_limit(tmp_path: Path) -> None:
    (tmp_path / "big.npz").write_bytes(bytes(3 << 20))
    many = replace(QUESTION, hidden_inputs=np.ones((80, 128, 128)))
    folder = JobFolder(Job(b"{}", {"big.npz": tmp_path / "big.npz"}, Limits(), question=many))
    try:
        folder.put_hidden_inputs(many)
        assert folder.given_mb > 13
        assert abs(disk_used_mb(folder.path) - folder.given_mb) < 0.5
    finally:
        folder.close()


def test_exchange_holds_no_hidden_inputs_until_they_are_put_in(folder: JobFolder) -> None:
    assert [path.name for path in (folder.path / protocol.EXCHANGE).iterdir()] == [protocol.PUBLIC]
    folder.put_hidden_inputs(QUESTION)
    inputs = np.load(folder.path / protocol.EXCHANGE / protocol.HIDDEN_INPUTS, allow_pickle=False)
    np.testing.assert_array_equal(inputs, QUESTION.hidden_inputs)
    assert not folder.exists(protocol.ASKED)
    folder.mark_asked()
    assert folder.exists(protocol.ASKED)


def test_no_part_of_the_driver_is_in_a_folder_of_the_notebook(folder: JobFolder) -> None:
    seen = {mount.source for mount in kernel_mounts(folder.path, Job(b"{}", {}, Limits()))}
    assert not seen & {folder.path, *(folder.path / part for part in protocol.DRIVER_PARTS)}


def test_job_folder_is_private(folder: JobFolder) -> None:
    assert folder.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["/etc/x", "../x", "a/../../x"])
def test_path_outside_the_folder_is_refused_without_leftovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(SandboxError, match="not a relative path") as refused:
        JobFolder(Job(b"{}", {name: tmp_path / "x"}, Limits()))
    assert name in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_missing_file_raises_sandbox_error(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="the job folder cannot be written: No such file") as refused:
        JobFolder(Job(b"{}", {"x": tmp_path / "gone"}, Limits()))
    assert not Path(str(refused.value).split(":")[0]).exists()


# ---------------------------------------------------------------- what is read


def put(folder: JobFolder, content: bytes) -> Path:
    path = folder.path / protocol.EXCHANGE / protocol.FACTS
    path.write_bytes(content)
    return path


def test_regular_file_is_read(folder: JobFolder) -> None:
    put(folder, b"{}")
    assert folder.read(protocol.EXCHANGE, protocol.FACTS, 100) == b"{}"


@pytest.mark.parametrize(("size", "read"), [(10, True), (11, False), (10**6, False)])
def test_file_over_the_limit_is_not_read(folder: JobFolder, size: int, read: bool) -> None:
    put(folder, b"x" * size)
    assert (folder.read(protocol.EXCHANGE, protocol.FACTS, 10) is not None) == read


def test_sparse_file_of_a_terabyte_is_not_read(folder: JobFolder) -> None:
    with put(folder, b"").open("r+b") as file:
        file.truncate(2**40)
    assert folder.read(protocol.EXCHANGE, protocol.FACTS, 1000) is None


def as_link(path: Path, outside: Path) -> None:
    path.symlink_to(outside / protocol.FACTS)


def as_broken_link(path: Path, outside: Path) -> None:
    path.symlink_to(outside / "gone")


def as_link_to_a_device(path: Path, outside: Path) -> None:
    path.symlink_to("/dev/zero")


def as_link_to_itself(path: Path, outside: Path) -> None:
    path.symlink_to(path)


def as_pipe(path: Path, outside: Path) -> None:
    os.mkfifo(path)


def as_folder(path: Path, outside: Path) -> None:
    path.mkdir()


def as_socket(path: Path, outside: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


TRICKS = [as_link, as_broken_link, as_link_to_a_device, as_link_to_itself, as_pipe, as_folder, as_socket]
EACH_TRICK = pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.__name__)


@EACH_TRICK
def test_irregular_file_is_neither_read_nor_waited_for(
    folder: JobFolder, outside: Path, trick: Callable[[Path, Path], None]
) -> None:
    trick(folder.path / protocol.EXCHANGE / protocol.FACTS, outside)
    assert folder.read(protocol.EXCHANGE, protocol.FACTS, 1000) is None


def test_missing_file_is_not_read(folder: JobFolder) -> None:
    assert folder.read(protocol.EXCHANGE, protocol.FACTS, 1000) is None
    assert not folder.exists(protocol.STARTED)


def test_link_in_place_of_the_folder_is_not_followed(folder: JobFolder, outside: Path) -> None:
    exchange = folder.path / protocol.EXCHANGE
    exchange.rename(folder.path / "elsewhere")
    exchange.symlink_to(outside)
    assert (exchange / protocol.FACTS).read_bytes() == SECRET_WORDS  # the trick itself works
    assert folder.read(protocol.EXCHANGE, protocol.FACTS, 1000) is None


def test_removed_folder_reads_as_empty(folder: JobFolder) -> None:
    shutil.rmtree(folder.path / protocol.EXCHANGE)
    shutil.rmtree(folder.path / protocol.OUT)
    assert folder.read(protocol.EXCHANGE, protocol.FACTS, 1000) is None
    assert not folder.exists(protocol.STARTED)


# ---------------------------------------------------------------- what is put in


@EACH_TRICK
def test_blocked_hidden_input_is_neither_followed_nor_overwritten(
    folder: JobFolder, outside: Path, trick: Callable[[Path, Path], None]
) -> None:
    trick(folder.path / protocol.EXCHANGE / protocol.HIDDEN_INPUTS, outside)
    with pytest.raises(OSError, match="File exists"):
        folder.put_hidden_inputs(QUESTION)
    assert {path.name: path.read_bytes() for path in outside.iterdir()} == {protocol.FACTS: SECRET_WORDS}


def test_existing_hidden_input_is_not_overwritten(folder: JobFolder) -> None:
    (folder.path / protocol.EXCHANGE / protocol.HIDDEN_INPUTS).write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        folder.put_hidden_inputs(QUESTION)
    assert (folder.path / protocol.EXCHANGE / protocol.HIDDEN_INPUTS).read_bytes() == b"mine"


def test_hidden_inputs_stay_in_their_folder_when_it_is_replaced(folder: JobFolder, outside: Path) -> None:
    (folder.path / protocol.EXCHANGE).rename(folder.path / "elsewhere")
    (folder.path / protocol.EXCHANGE).symlink_to(outside)
    folder.put_hidden_inputs(QUESTION)
    assert [path.name for path in outside.iterdir()] == [protocol.FACTS]
    assert (folder.path / "elsewhere" / protocol.HIDDEN_INPUTS).exists()


def test_removed_hidden_folder_raises_an_error(folder: JobFolder) -> None:
    shutil.rmtree(folder.path / protocol.EXCHANGE)
    with pytest.raises(FileNotFoundError):
        folder.put_hidden_inputs(QUESTION)


# ---------------------------------------------------------------- what is left


def test_close_removes_the_folder(folder: JobFolder) -> None:
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


def test_close_removes_unreadable_files(nobody: None) -> None:
    folder = JobFolder(Job(b"{}", {}, Limits()))
    deep = folder.path / "work" / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "c").write_text("")
    for path in (deep / "c", deep, deep.parent, folder.path / "work", folder.path / "out", folder.path):
        path.chmod(0)
    folder.close()
    assert not folder.path.exists()


def test_very_deep_folders_are_measured_and_removed(folder: JobFolder) -> None:
    place = os.open(folder.path / "work", os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=place)
        place, above = os.open("d", os.O_RDONLY, dir_fd=place), place
        os.close(above)
    os.close(place)
    assert disk_used_mb(folder.path) >= 0
    folder.close()
    assert not folder.path.exists()


def test_close_does_not_follow_links(folder: JobFolder, outside: Path) -> None:
    (folder.path / "work" / "link").symlink_to(outside)
    shutil.rmtree(folder.path / "home")
    (folder.path / "home").symlink_to(outside)
    folder.close()
    assert (outside / protocol.FACTS).read_bytes() == SECRET_WORDS


# ---------------------------------------------------------------- disk, sizes, environment


def test_disk_usage_counts_stored_blocks(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "full").write_bytes(b"x" * (3 << 20))
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    (tmp_path / "link").symlink_to("/")
    assert 3 <= disk_used_mb(tmp_path) < 4


def test_folders_deeper_than_a_path_can_name_are_not_measured_as_empty(folder: JobFolder) -> None:
    place = os.open(folder.path / "work", os.O_RDONLY)
    for _ in range(2100):
        os.mkdir("d", dir_fd=place)
        place, above = os.open("d", os.O_RDONLY, dir_fd=place), place
        os.close(above)
    os.close(place)
    assert math.isinf(disk_used_mb(folder.path))


@pytest.mark.skipif(os.scandir not in os.supports_fd, reason="needs folders by descriptor")
def test_folder_replaced_while_it_is_measured_is_not_listed(folder: JobFolder, outside: Path) -> None:
    place = folder.path / "work" / "place"
    (place / "below").mkdir(parents=True)
    (outside / "below").mkdir()
    (outside / "below" / "file").touch()
    state = (place / "below").stat()
    place.rename(place.with_name("moved"))
    place.symlink_to(outside)
    assert list_folder(str(place / "below"), (state.st_dev, state.st_ino)) == []


AS_A_USER = """
import os, sys
from pathlib import Path
from grader.sandbox.job import disk_used_mb
if os.geteuid() == 0:
    os.seteuid(65534)  # root may list everything
print(disk_used_mb(Path(sys.argv[1])))
"""


def test_folders_that_nobody_may_list_are_not_measured_as_empty() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as place:  # others may not enter pytest's
        Path(place).chmod(0o755)
        (Path(place) / "hidden").mkdir(mode=0o300)
        command = [sys.executable, "-c", AS_A_USER, place]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert done.stdout.strip() == "inf"


@pytest.mark.parametrize(("task", "columns"), [("classification", 1000), ("regression", 1)])
def test_valid_predictions_fit_the_size_limit(task: str, columns: int) -> None:
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


def test_notebook_inherits_no_variables_of_the_teacher(tmp_path: Path) -> None:
    given = notebook_environment(tmp_path, 2, TEACHERS)
    inherited = {name for name, value in given.items() if TEACHERS.get(name) == value}
    assert inherited == {"KERAS_BACKEND", "TZ"}
    assert not any("secret" in value or "/home/teacher" in value for value in given.values())
    for name in ("HOME", "TMPDIR", "MPLCONFIGDIR", "IPYTHONDIR"):
        assert Path(given[name]).is_relative_to(tmp_path)
    assert given["OMP_NUM_THREADS"] == given["TF_NUM_INTRAOP_THREADS"] == "2"
