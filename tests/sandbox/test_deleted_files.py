from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import pytest

from grader.sandbox.deleted_files import DeletedFiles

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


def test_deleted_files_are_counted_once_and_apart_from_others(tmp_path: Path) -> None:
    me, before = os.getpid(), DeletedFiles().measure([os.getpid()], 60)
    with tempfile.TemporaryFile(dir=tmp_path) as file, (tmp_path / "listed").open("wb") as listed:
        for written in (file, listed):
            written.write(os.urandom(2 << 20))
            written.flush()
        copy = os.dup(file.fileno())
        memory = os.memfd_create("x")
        os.write(memory, os.urandom(1 << 20))
        found = DeletedFiles().measure([me], 60)
        os.close(copy)
        os.close(memory)
    assert found[0] - before[0] == pytest.approx(1, abs=0.1)
    assert found[1] - before[1] in (pytest.approx(2, abs=0.1), pytest.approx(0, abs=0.1))  # a folder in memory
    assert sum(found) - sum(before) == pytest.approx(3, abs=0.2)


def test_a_long_scan_goes_on_with_the_next_measurement() -> None:
    files = [tempfile.TemporaryFile() for _ in range(200)]  # noqa: SIM115  closed below
    try:
        for file in files:
            file.write(bytes(4096))
            file.flush()
        whole = sum(DeletedFiles().measure([os.getpid()], 60))
        stepwise = DeletedFiles()
        first = sum(stepwise.measure([os.getpid()], 0))
        for _ in range(2000):
            last = sum(stepwise.measure([os.getpid()], 0))
        assert first < whole
        assert last == pytest.approx(whole)
    finally:
        for file in files:
            file.close()


def test_many_descriptors_take_no_longer_than_one_measurement() -> None:
    descriptors = [os.open("/dev/null", os.O_RDONLY) for _ in range(900)]
    try:
        began = time.monotonic()
        DeletedFiles().measure([os.getpid()] * 1_000, 0.1)
        assert time.monotonic() - began < 1
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def test_no_process_holds_nothing() -> None:
    assert DeletedFiles().measure([2**22 + 1]) == (0, 0)
