"""Protection of a process's memory, and the filter that keeps a notebook's processes visible to the monitor."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from grader.sandbox.guest import processes

CODE = """
import ctypes
from grader.sandbox.guest import processes
from grader.sandbox.guest.boot import seccomp
libc = ctypes.CDLL(None)
def hide(): return libc.prctl(4, 0, 0, 0, 0), libc.prctl(3, 0, 0, 0, 0), libc.prctl(4, 1, 0, 0, 0)
processes.keep_visible()
print(hide())
seccomp.install()
print(hide())
processes.keep_visible()
print(hide())
"""


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in processes.PRCTL, reason="no filter is known for this machine"
)
def test_process_under_a_filter_can_no_longer_hide_its_memory() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["(0, 0, 0)", "(0, 0, 0)", "(-1, 1, 0)"]
