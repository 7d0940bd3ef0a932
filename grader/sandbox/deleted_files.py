"""Files that processes hold open and that no folder names any more: they take up memory or disk all the same."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

IN_MEMORY = ("/memfd:", "/dev/shm/", "/SYSV", "/dev/zero")  # noqa: S108  what the system calls files without a disk
BLOCK = 512  # the unit of st_blocks
MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Unnamed:
    memory_mb: float
    disk_mb: float


def unnamed_files(pids: Iterable[int]) -> Unnamed:
    """What the unnamed files of these processes occupy, each counted once (Linux; nothing elsewhere)."""
    memory: dict[tuple[int, int], int] = {}
    disk: dict[tuple[int, int], int] = {}
    for pid in pids:
        try:
            descriptors = list(Path(f"/proc/{pid}/fd").iterdir())
        except OSError:
            continue  # it has ended, or this is no Linux
        for descriptor in descriptors:
            try:
                state = descriptor.stat()
                if stat.S_ISREG(state.st_mode) and state.st_nlink == 0:
                    kind = memory if str(descriptor.readlink()).startswith(IN_MEMORY) else disk
                    kind[state.st_dev, state.st_ino] = state.st_blocks * BLOCK
            except OSError:
                continue
    return Unnamed(sum(memory.values()) / MEGABYTE, sum(disk.values()) / MEGABYTE)
