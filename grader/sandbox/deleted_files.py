"""Space occupied by files that a notebook's processes hold open after deleting them: no folder lists them."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator

from grader.sandbox.job import BLOCK, MEGABYTE

IN_MEMORY = ("/memfd:", "/dev/shm/", "/SYSV", "/dev/zero")  # noqa: S108  names that Linux gives to files in memory
SECONDS = 0.1  # for one measurement; a notebook may hold a million descriptors
Found = tuple[tuple[int, int], bool, int]  # device and inode, whether it is in memory, bytes


class DeletedFiles:
    """Measures in short steps: a scan that takes longer goes on with the next measurement."""

    def __init__(self) -> None:
        self._scan: Iterator[Found | None] | None = None
        self._memory: dict[tuple[int, int], int] = {}
        self._disk: dict[tuple[int, int], int] = {}
        self._last = (0.0, 0.0)

    def measure(self, pids: Iterable[int], seconds: float = SECONDS) -> tuple[float, float]:
        """Return the memory and the disk space (MB), each file counted once. Always (0, 0) except on Linux.

        While a long scan is not complete, the result is that of the last one, or that of the present one if larger.
        """
        end = time.monotonic() + seconds
        if self._scan is None:
            self._scan, self._memory, self._disk = _open_deleted_files(list(pids)), {}, {}
        for found in self._scan:
            if found is not None:
                file, in_memory, size = found
                (self._memory if in_memory else self._disk)[file] = size
            if time.monotonic() > end:
                memory, disk = self._totals()
                return max(memory, self._last[0]), max(disk, self._last[1])
        self._scan = None
        self._last = self._totals()
        return self._last

    def _totals(self) -> tuple[float, float]:
        return sum(self._memory.values()) / MEGABYTE, sum(self._disk.values()) / MEGABYTE


def _open_deleted_files(pids: Iterable[int]) -> Iterator[Found | None]:
    """Yield a result for every descriptor: the deleted file behind it, or None."""
    for pid in pids:
        try:
            descriptors = os.scandir(f"/proc/{pid}/fd")
        except OSError:
            continue  # the process has ended, or this is not Linux
        with descriptors:
            yield from map(_deleted_file, _entries(descriptors))


def _entries(descriptors: Iterator[os.DirEntry[str]]) -> Iterator[str]:
    try:
        for descriptor in descriptors:
            yield descriptor.path
    except OSError:
        return  # the process has ended in the meantime


def _deleted_file(path: str) -> Found | None:
    try:
        state = os.stat(path)  # noqa: PTH116  a Path for each of a million descriptors takes seconds
        if not stat.S_ISREG(state.st_mode) or state.st_nlink != 0:
            return None
        in_memory = os.readlink(path).startswith(IN_MEMORY)  # noqa: PTH115
    except OSError:
        return None
    return (state.st_dev, state.st_ino), in_memory, state.st_blocks * BLOCK
