"""The job folder with a hostile notebook in it: nothing is followed, nothing is waited for, nothing is left."""

from __future__ import annotations

import json
import os
import shutil
import socket
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
from grader.sandbox.job import JobFolder, disk_used_mb

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


# ---------------------------------------------------------------- what is written


def test_a_job_is_written_as_the_protocol_says(tmp_path: Path) -> None:
    (tmp_path / "coins.csv").write_text("a,b\n")
    files = {"coins.csv": tmp_path / "coins.csv", "pictures/one.csv": tmp_path / "coins.csv"}
    limits = Limits(seconds=10, cell_seconds=3, memory_mb=500, file_mb=7, output_mb=0.5)
    folder = JobFolder(Job(b"{}", files, limits, threads=2, question=QUESTION))
    try:
        request = json.loads((folder.path / protocol.REQUEST).read_bytes())
        assert (request["seconds"], request["cell_seconds"], request["predict"]) == (10, 3, True)
        assert request["output_bytes"] == 2**19
        assert request["rlimits"]["RLIMIT_FSIZE"] == 7 * 2**20
        assert request["rlimits"]["RLIMIT_CORE"] == 0
        assert (folder.path / protocol.NOTEBOOK).read_bytes() == b"{}"
        assert (folder.path / "work" / "pictures" / "one.csv").read_text() == "a,b\n"
        with np.load(folder.path / protocol.PUBLIC, allow_pickle=False) as public:
            assert set(public.files) == {"inputs", "targets", "task", "columns"}
            np.testing.assert_array_equal(public["inputs"], QUESTION.public_inputs)
    finally:
        folder.close()


def test_what_was_given_is_not_the_notebooks_to_answer_for(tmp_path: Path) -> None:
    (tmp_path / "big.npz").write_bytes(bytes(3 << 20))
    many = replace(QUESTION, hidden_inputs=np.ones((80, 128, 128)))
    folder = JobFolder(Job(b"{}", {"big.npz": tmp_path / "big.npz"}, Limits(), question=many))
    try:
        folder.put_hidden_inputs(many)
        assert folder.given_mb > 13
        assert abs(disk_used_mb(folder.path) - folder.given_mb) < 0.5
    finally:
        folder.close()


def test_nothing_hidden_is_there_before_it_is_put_in(folder: JobFolder) -> None:
    assert list((folder.path / "hidden").iterdir()) == []
    folder.put_hidden_inputs(QUESTION)
    inputs = np.load(folder.path / "hidden" / protocol.HIDDEN_INPUTS, allow_pickle=False)
    np.testing.assert_array_equal(inputs, QUESTION.hidden_inputs)
    assert (folder.path / "hidden" / protocol.HIDDEN_COMPLETE).exists()


def test_nobody_else_on_the_machine_can_look_in(folder: JobFolder) -> None:
    assert folder.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["/etc/x", "../x", "a/../../x"])
def test_a_name_that_leads_out_is_refused_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(SandboxError, match="not a relative path") as refused:
        JobFolder(Job(b"{}", {name: tmp_path / "x"}, Limits()))
    assert name in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_gone_is_a_fault_of_ours(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="the job folder cannot be written: No such file") as refused:
        JobFolder(Job(b"{}", {"x": tmp_path / "gone"}, Limits()))
    assert not Path(str(refused.value).split(":")[0]).exists()


# ---------------------------------------------------------------- what is read


def put(folder: JobFolder, content: bytes) -> Path:
    path = folder.path / "out" / protocol.FACTS
    path.write_bytes(content)
    return path


def test_a_plain_file_is_read(folder: JobFolder) -> None:
    put(folder, b"{}")
    assert folder.read(protocol.FACTS, 100) == b"{}"
    assert folder.exists(protocol.FACTS)


@pytest.mark.parametrize(("size", "read"), [(10, True), (11, False), (10**6, False)])
def test_no_more_is_read_than_the_limit(folder: JobFolder, size: int, read: bool) -> None:
    put(folder, b"x" * size)
    assert (folder.read(protocol.FACTS, 10) is not None) == read


def test_a_sparse_file_of_a_terabyte_costs_nothing(folder: JobFolder) -> None:
    with put(folder, b"").open("r+b") as file:
        file.truncate(2**40)
    assert folder.read(protocol.FACTS, 1000) is None


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
def test_what_is_no_plain_file_is_not_read_and_not_waited_for(
    folder: JobFolder, outside: Path, trick: Callable[[Path, Path], None]
) -> None:
    trick(folder.path / "out" / protocol.FACTS, outside)
    assert folder.read(protocol.FACTS, 1000) is None


def test_what_is_not_there_is_not_read(folder: JobFolder) -> None:
    assert folder.read(protocol.FACTS, 1000) is None
    assert not folder.exists(protocol.FACTS)


def test_a_link_in_place_of_the_folder_leads_nowhere(folder: JobFolder, outside: Path) -> None:
    out = folder.path / "out"
    out.rename(folder.path / "elsewhere")
    out.symlink_to(outside)
    assert (out / protocol.FACTS).read_bytes() == SECRET_WORDS  # the trick itself works
    assert folder.read(protocol.FACTS, 1000) is None
    assert not folder.exists(protocol.FACTS)


def test_a_folder_that_was_removed_is_empty(folder: JobFolder) -> None:
    shutil.rmtree(folder.path / "out")
    assert folder.read(protocol.FACTS, 1000) is None
    assert not folder.exists(protocol.STARTED)


# ---------------------------------------------------------------- what is put in


@EACH_TRICK
@pytest.mark.parametrize("name", [protocol.HIDDEN_INPUTS, protocol.HIDDEN_COMPLETE])
def test_what_stands_in_the_way_is_neither_followed_nor_written_over(
    folder: JobFolder, outside: Path, trick: Callable[[Path, Path], None], name: str
) -> None:
    trick(folder.path / "hidden" / name, outside)
    with pytest.raises(OSError, match="File exists"):
        folder.put_hidden_inputs(QUESTION)
    assert {path.name: path.read_bytes() for path in outside.iterdir()} == {protocol.FACTS: SECRET_WORDS}


def test_a_file_that_waits_there_is_not_written_over(folder: JobFolder) -> None:
    (folder.path / "hidden" / protocol.HIDDEN_INPUTS).write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        folder.put_hidden_inputs(QUESTION)
    assert (folder.path / "hidden" / protocol.HIDDEN_INPUTS).read_bytes() == b"mine"


def test_hidden_inputs_go_nowhere_else_when_their_folder_is_replaced(folder: JobFolder, outside: Path) -> None:
    (folder.path / "hidden").rename(folder.path / "elsewhere")
    (folder.path / "hidden").symlink_to(outside)
    folder.put_hidden_inputs(QUESTION)
    assert [path.name for path in outside.iterdir()] == [protocol.FACTS]
    assert (folder.path / "elsewhere" / protocol.HIDDEN_INPUTS).exists()


def test_a_removed_folder_is_said(folder: JobFolder) -> None:
    (folder.path / "hidden").rmdir()
    with pytest.raises(FileNotFoundError):
        folder.put_hidden_inputs(QUESTION)
