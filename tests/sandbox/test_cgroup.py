"""Tests of memory limits enforced by the kernel."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.models.assignment import Limits
from grader.sandbox.base import EndReason, Job, Sandbox
from grader.sandbox.cgroup import SLACK, MemoryGroup, create_memory_group
from grader.sandbox.namespaces import NamespaceSandbox
from grader.sandbox.process import ProcessSandbox
from tests.support.notebooks import notebook_bytes

MEGABYTE = 1 << 20


class Machine:
    """A folder that imitates /sys/fs/cgroup."""

    def __init__(self, folder: Path, *, version: int, own: str) -> None:
        self.tree = folder / "tree"
        (self.tree / own.strip("/")).mkdir(parents=True)
        kind, options = ("cgroup2", "rw") if version == 2 else ("cgroup", "rw,memory")
        self.mounts, self.own = folder / "mountinfo", folder / "own"
        self.mounts.write_text(
            f"31 23 0:28 / /sys rw - tmpfs tmpfs rw\n35 31 0:32 / {self.tree} rw,relatime - {kind} x {options}\n"
        )
        self.own.write_text(f"0::{own}\n" if version == 2 else f"4:memory:{own}\n1:cpu:/\n")

    def group(self, limit_mb: float) -> MemoryGroup | None:
        return create_memory_group(limit_mb, processes=200, cores=2, mounts=self.mounts, own=self.own)


def test_folder_that_is_not_a_group_is_left_unchanged(tmp_path: Path) -> None:
    machine = Machine(tmp_path, version=2, own="/user/session")
    assert machine.group(100) is None
    assert [path.name for path in machine.tree.rglob("*")] == ["user", "session"]


def test_machine_without_groups_returns_none(tmp_path: Path) -> None:
    assert create_memory_group(100, mounts=tmp_path / "missing", own=tmp_path / "missing") is None


def fill_new_groups(machine: Machine, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Create the control files of a new group, as the kernel does."""

    def make_group(prefix: str, dir: Path) -> str:  # noqa: A002
        folder = Path(dir) / f"{prefix}job"
        folder.mkdir()
        for name in names:
            (folder / name).write_text("max")
        return str(folder)

    monkeypatch.setattr("tempfile.mkdtemp", make_group)


@pytest.mark.parametrize("version", [1, 2])
def test_limit_is_set_and_kill_by_the_kernel_is_detected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    machine = Machine(tmp_path, version=version, own="/user/session")
    limits = ("memory.max", "memory.swap.max") if version == 2 else ("memory.limit_in_bytes",)
    events = "memory.events" if version == 2 else "memory.oom_control"
    fill_new_groups(machine, monkeypatch, *limits, events, "memory.peak", "memory.max_usage_in_bytes")
    group = machine.group(100)
    assert group is not None
    folder = group.entrance.parent
    assert folder.parent == machine.tree / "user" / "session"
    assert (folder / limits[0]).read_text() == str(int(100 * MEGABYTE * SLACK))
    (folder / events).write_text("low 0\noom_kill 0\n")
    assert not group.limit_reached
    (folder / events).write_text("low 0\noom_kill 1\n")
    assert group.limit_reached
    (folder / "memory.peak").write_text(str(104 * MEGABYTE))
    (folder / "memory.max_usage_in_bytes").write_text(str(104 * MEGABYTE))
    assert group.peak_mb == 104


def test_processes_and_processor_time_are_limited_where_the_controllers_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(tmp_path, version=2, own="/user/session")
    fill_new_groups(machine, monkeypatch, "memory.max", "pids.max", "cpu.max")
    group = machine.group(100)
    assert group is not None
    folder = group.entrance.parent
    assert (folder / "pids.max").read_text() == "200"
    assert (folder / "cpu.max").read_text() == "200000 100000"


def test_group_without_the_other_controllers_limits_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(tmp_path, version=2, own="/user/session")
    fill_new_groups(machine, monkeypatch, "memory.max")
    group = machine.group(100)
    assert group is not None
    assert [path.name for path in group.entrance.parent.iterdir()] == ["memory.max"]


@pytest.fixture(scope="module", params=["process", "namespaces"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    opened: Sandbox
    opened = ProcessSandbox(os.environ) if request.param == "process" else NamespaceSandbox(os.environ, preload=False)
    yield opened
    opened.close()


BURST = """
import mmap
held = []
for _ in range(40):
    held.append(mmap.mmap(-1, 100 << 20)); held[-1].write(b"x" * (100 << 20))
"""


def test_shared_memory_is_limited(sandbox: Sandbox) -> None:
    """Write 4 GB of shared pages at full speed under a limit of 500 MB."""
    reply = sandbox.run(Job(notebook_bytes("print('before')", BURST), {}, Limits(seconds=60, memory_mb=500)))
    assert reply.ended is EndReason.MEMORY
    assert reply.used >= 500
    assert b"before" in (reply.executed or b"")


def test_a_job_ends_when_the_kernel_kills_one_of_its_processes(sandbox: Sandbox) -> None:
    waiting = (
        f"import os, time\nif os.fork() == 0:\n    {BURST.strip().replace(chr(10), chr(10) + '    ')}\ntime.sleep(60)"
    )
    reply = sandbox.run(Job(notebook_bytes("print('before')", waiting), {}, Limits(seconds=60, memory_mb=500)))
    assert reply.ended is EndReason.MEMORY
    assert reply.seconds < 30


def test_group_is_removed_after_the_job(sandbox: Sandbox) -> None:
    probe = create_memory_group(100)
    if probe is not None:
        parent = probe.entrance.parent.parent
        probe.close()
        assert not probe.entrance.exists()
        before = set(parent.glob(f"grader-{os.getpid()}-*"))
        sandbox.run(Job(notebook_bytes("print(1)"), {}, Limits(seconds=60)))
        assert set(parent.glob(f"grader-{os.getpid()}-*")) <= before
