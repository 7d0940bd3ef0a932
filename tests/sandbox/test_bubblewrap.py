"""Tests of the level ``bubblewrap`` with a real ``bwrap``."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import psutil
import pytest

from grader.models.assignment import Limits
from grader.models.errors import SandboxError
from grader.sandbox.base import EndReason, Job
from grader.sandbox.bubblewrap import NAME, bubblewrap_command, find_problem
from grader.sandbox.process import ProcessSandbox
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
