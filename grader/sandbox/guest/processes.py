"""Helpers for the first process of a job: exit statuses, reaping of orphans, protection of its own memory."""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_DUMPABLE = 4  # linux/prctl.h


def exit_status(status: int) -> int:
    """Convert a status of ``waitpid`` to a shell's exit status: a signal is 128 + its number."""
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def reap(driver: int) -> int:
    """Wait for all child processes until ``driver`` ends, and return the exit status of ``driver``."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == driver:
            return exit_status(status)


def close_own_memory() -> None:
    """Deny other processes of the same user access to this process's memory (Linux).

    The notebook runs as the same user; it could otherwise write into this process through /proc.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
