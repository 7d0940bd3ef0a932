"""Helpers for the first process of a job: exit statuses, reaping of orphans, protection of its own memory."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

PR_SET_DUMPABLE, PR_GET_SECCOMP, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 4, 21, 22, 2  # linux/prctl.h
PRCTL = {"x86_64": 157, "aarch64": 167}  # number of the system call


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


def keep_visible() -> None:
    """Let this process and its later children no longer do so, if they are under a system call filter already.

    The monitor could neither measure their memory nor find their deleted files.
    """
    number = PRCTL.get(platform.machine()) if sys.platform == "linux" else None
    libc = ctypes.CDLL(None) if number is not None else None
    if number is None or libc is None or libc.prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_FILTER:
        return
    load, equal, give = 0x20, 0x15, 0x06  # linux/filter.h; the program skips to its last step, which allows the call
    steps = [
        (load, 0, 0, 0),  # the number of the call
        (equal, 0, 5, number),
        (load, 0, 0, 16),  # its first argument
        (equal, 0, 3, PR_SET_DUMPABLE),
        (load, 0, 0, 24),  # its second argument
        (equal, 1, 0, 1),
        (give, 0, 0, 0x00050000 | errno.EPERM),
        (give, 0, 0, 0x7FFF0000),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))  # struct sock_fprog
    libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0)
