"""Tests of the level ``bubblewrap`` with a real ``bwrap``."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from grader.models.assignment import Limits
from grader.models.errors import SandboxError
from grader.sandbox import bubblewrap
from grader.sandbox.base import EndReason, Job
from grader.sandbox.bubblewrap import NAME, bubblewrap_command, find_problem
from grader.sandbox.mounts import Kind, Mount, machine_mounts
from grader.sandbox.process import ProcessSandbox
from grader.sandbox.programs import find_program
from tests.support import confined
from tests.support.notebooks import notebook_bytes

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap exists only on Linux"),
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bwrap is not installed"),
]


@pytest.fixture(scope="module")
def sandbox() -> ProcessSandbox:
    return ProcessSandbox(confined.INHERITED, confinement=NAME, command=bubblewrap_command)


def test_bubblewrap_works_on_this_machine() -> None:
    assert find_problem(os.environ) is None


def test_missing_bwrap_is_reported_with_install_commands() -> None:
    assert "apt install bubblewrap" in str(find_problem({"PATH": "/nowhere"}))
    without = ProcessSandbox({"PATH": "/nowhere"}, confinement=NAME, command=bubblewrap_command)
    with pytest.raises(SandboxError, match="bubblewrap"):
        without.run(Job(notebook_bytes("1"), {}, Limits()))


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        pytest.param("bwrap: setting up uid map: Permission denied", "AppArmor", id="Ubuntu forbids it"),
        pytest.param("bwrap: No permissions to create new namespace", "AppArmor", id="the kernel forbids it"),
        pytest.param("bwrap: Unknown option --size", "0.7", id="an old version"),
    ],
)
def test_broken_bwrap_is_reported_with_a_remedy(tmp_path: Path, says: str, expected: str) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit 1\n")
    broken.chmod(0o755)
    answer = str(find_problem({"PATH": str(tmp_path)}))
    assert says in answer
    assert expected in answer


def test_notebook_cannot_see_or_change_the_machine(sandbox: ProcessSandbox, tmp_path: Path) -> None:
    secret = tmp_path / "labels.npy"
    secret.write_text("secret")
    confined.assert_saw_nothing(confined.look_around(sandbox, secret))


@pytest.mark.parametrize("code", [confined.SCIKIT_LEARN, confined.KERAS], ids=["scikit-learn", "keras"])
def test_honest_notebook_is_predicted(sandbox: ProcessSandbox, code: str) -> None:
    assert confined.hidden_accuracy(sandbox, code) > 0.9


SCRATCH = """
for name in "ab":
    open(f"/dev/shm/{name}", "wb").write(bytes(60 << 20))
"""
FILES = """
import time
for n in range(100):
    open(f"{n}", "wb").write(bytes(8 << 20))
    time.sleep(0.05)
"""
FORKS = """
import os, time
for _ in range(3):
    if os.fork() == 0:
        block = bytearray(500 << 20)
        for place in range(0, len(block), 4096):
            block[place] = 1
        time.sleep(60)
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("cell", "ended"),
    [pytest.param(FILES, EndReason.DISK, id="disk"), pytest.param(FORKS, EndReason.MEMORY, id="memory")],
)
def test_limits_are_enforced(sandbox: ProcessSandbox, cell: str, ended: EndReason) -> None:
    limits = Limits(seconds=60, disk_mb=64, file_mb=16, memory_mb=1000)
    assert sandbox.run(Job(notebook_bytes(cell), {}, limits)).ended is ended


def test_scratch_memory_is_limited(sandbox: ProcessSandbox) -> None:
    reply = sandbox.run(Job(notebook_bytes(SCRATCH), {}, Limits(seconds=60)))
    assert confined.errors(reply) == ["OSError"]


def test_no_process_survives(sandbox: ProcessSandbox) -> None:
    daemon = "import subprocess\nsubprocess.Popen(['sh', '-c', '(setsid sleep 27182 &)'])\nimport time; time.sleep(0.2)"
    sandbox.run(Job(notebook_bytes(daemon, "import os; os.kill(os.getppid(), 9)"), {}, Limits(seconds=60)))
    commands = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    assert not [command for command in commands if "sleep 27182" in command]


@pytest.mark.parametrize(
    ("mount", "options"),
    [
        pytest.param(
            Mount(Kind.READ_ONLY, Path("/lib"), Path("/usr")),
            ["--overlay-src", "/empty", "--overlay-src", "/usr", "--ro-overlay", "/lib"],
            id="a folder of the machine",
        ),
        pytest.param(
            Mount(Kind.READ_ONLY, Path("/etc/x"), Path("/etc/passwd")),
            ["--ro-bind", "/etc/passwd", "/etc/x"],
            id="a file",
        ),
        pytest.param(
            Mount(Kind.OWN, Path("/job/run"), Path("/usr")), ["--ro-bind", "/usr", "/job/run"], id="of the job"
        ),
        pytest.param(
            Mount(Kind.READ_ONLY, Path("/sys/devices/system/cpu"), Path("/sys/devices/system/cpu")),
            ["--ro-bind", "/sys/devices/system/cpu", "/sys/devices/system/cpu"],
            id="of the kernel",
        ),
    ],
)
def test_shared_folders_are_overlays_where_bwrap_can(mount: Mount, options: list[str], tmp_path: Path) -> None:
    assert bubblewrap._mount_options(mount, tmp_path, Path("/empty")) == options
    assert "--ro-overlay" not in bubblewrap._mount_options(mount, tmp_path, None)


def test_a_bwrap_that_cannot_overlay_is_recognised(tmp_path: Path) -> None:
    """The old one does not know the option; the new one may be refused by the file system."""
    mount = Mount(Kind.READ_ONLY, Path("/lib"), Path("/usr"))
    for name, script in {
        "old": "echo --ro-bind",
        "refused": 'case "$1" in --help) echo --ro-overlay;; *) exit 1;; esac',
    }.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        assert not bubblewrap._can_overlay(str(program), (mount,))
    assert not bubblewrap._can_overlay(str(tmp_path / "missing"), (mount,))


LOCK = "import fcntl, numpy\nfcntl.flock(open(numpy.__file__), fcntl.LOCK_EX | fcntl.LOCK_NB)"


def test_locks_on_libraries_are_the_notebook_s_own_where_bwrap_can(sandbox: ProcessSandbox) -> None:
    bwrap = find_program("bwrap", confined.INHERITED)
    assert bwrap is not None
    shared = tuple(filter(bubblewrap._is_shared_folder, machine_mounts()))
    with open(np.__file__) as held:  # noqa: PTH123  a plain descriptor
        fcntl.flock(held, fcntl.LOCK_EX)
        reply = sandbox.run(Job(notebook_bytes(LOCK), {}, Limits(seconds=60)))
    assert reply.ended is EndReason.FINISHED
    assert (b"BlockingIOError" not in (reply.executed or b"")) == bubblewrap._can_overlay(bwrap, shared)
