"""What a first process does for those below it, and how it shuts itself against them."""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_DUMPABLE = 4  # linux/prctl.h


def exit_status(status: int) -> int:
    """What ``waitpid`` gave, as a shell says it: a signal is 128 + its number."""
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def reap(driver: int) -> int:
    """Waits for every orphan, until the driver ends; its exit status."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == driver:
            return exit_status(status)


def close_own_memory() -> None:
    """The notebook is of the same user: without this it could write into this process through /proc (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
