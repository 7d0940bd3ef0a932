"""Limits enforced by the kernel, where the machine permits it (Linux control groups, v2 or v1).

Version 2 limits memory, processes and processor time, version 1 memory only. A group counts every page of a job's
processes from the first one on, so a job cannot exceed the limit between two measurements of ``monitor``. Most laptops
have no writable group; there only ``monitor`` enforces the limit.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1 << 20
MOUNTS, OWN = Path("/proc/self/mountinfo"), Path("/proc/self/cgroup")
# The kernel also counts cached file pages, so its limit is a little higher than the one of the assignment.
SLACK = 1.1
SECONDS_TO_EMPTY = 5.0
CPU_PERIOD = 100_000  # µs


@dataclass(frozen=True, slots=True)
class _FileNames:
    """Names of a group's control files, which differ between the two versions."""

    limits: tuple[str, ...]  # the first is mandatory
    peak: str
    events: str  # has a line "oom_kill N"


V2 = _FileNames(("memory.max", "memory.swap.max"), "memory.peak", "memory.events")
V1 = _FileNames(
    ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"), "memory.max_usage_in_bytes", "memory.oom_control"
)


class MemoryGroup:
    """Control group of one job. A process joins by writing 0 to ``entrance``. Call ``close`` after all have ended."""

    def __init__(self, folder: Path, names: _FileNames, limit_mb: float, others: Mapping[str, str]) -> None:
        self._folder, self._names = folder, names
        _write_existing(folder, others)
        first, *swap = names.limits
        limit = str(int(limit_mb * MEGABYTE * SLACK))
        (folder / first).write_text(limit)
        _write_existing(folder, dict.fromkeys(swap, "0" if names is V2 else limit))

    @property
    def entrance(self) -> Path:
        return self._folder / "cgroup.procs"

    @property
    def peak_mb(self) -> float:
        with suppress(OSError, ValueError):
            return int((self._folder / self._names.peak).read_text()) / MEGABYTE
        return 0.0  # older kernels do not record it

    @property
    def limit_reached(self) -> bool:
        """True if the kernel killed a process of the group for its memory."""
        with suppress(OSError, ValueError):
            lines = dict(line.split() for line in (self._folder / self._names.events).read_text().splitlines())
            return int(lines.get("oom_kill", "0")) > 0
        return False

    def close(self) -> None:
        deadline = time.monotonic() + SECONDS_TO_EMPTY
        while time.monotonic() < deadline:
            try:
                self._folder.rmdir()
            except FileNotFoundError:
                return
            except OSError:  # a killed process has not been reaped yet
                time.sleep(0.02)
            else:
                return


def create_memory_group(
    limit_mb: float, *, processes: int | None = None, cores: int | None = None, mounts: Path = MOUNTS, own: Path = OWN
) -> MemoryGroup | None:
    """Create a group for one job, or return None if this machine permits none.

    ``processes`` (and threads) and processor time (of ``cores``) are limited where that is permitted too.
    """
    others = {} if processes is None else {"pids.max": str(processes)}
    if cores is not None:
        others["cpu.max"] = f"{cores * CPU_PERIOD} {CPU_PERIOD}"
    for parent, names in _parent_groups(mounts, own):
        if not os.access(parent, os.W_OK):
            continue
        folder = None
        try:
            folder = Path(tempfile.mkdtemp(prefix=f"grader-{os.getpid()}-", dir=parent))
            if (folder / names.limits[0]).exists():
                return MemoryGroup(folder, names, limit_mb, others)
        except OSError:
            pass
        if folder is not None:
            with suppress(OSError):
                folder.rmdir()
    return None


def _write_existing(folder: Path, values: Mapping[str, str]) -> None:
    """Write control files; those of controllers that the kernel or the group's owner has not enabled are missing."""
    for name, value in values.items():
        with suppress(OSError):
            if (folder / name).exists():
                (folder / name).write_text(value)


def _parent_groups(mounts: Path, own: Path) -> Iterator[tuple[Path, _FileNames]]:
    """Yield this process's own group and, in a v2 tree, its parent, since a v2 group with processes has no children."""
    try:
        lines, groups = mounts.read_text().splitlines(), own.read_text().splitlines()
    except OSError:
        return
    own_paths = {tuple(name.split(",")): path for _, name, path in (line.split(":", 2) for line in groups)}
    for line in lines:
        before, _, after = line.partition(" - ")
        root, mount_point = before.split()[3:5]
        kind, _, options = after.split(maxsplit=2)
        if kind == "cgroup2" and ("",) in own_paths:
            folder = _group_folder(mount_point, root, own_paths[("",)])
            yield from ((folder, V2), (folder.parent, V2)) if folder != Path(mount_point) else ((folder, V2),)
        elif kind == "cgroup" and "memory" in options.split(","):
            path = next((path for names, path in own_paths.items() if "memory" in names), "/")
            yield _group_folder(mount_point, root, path), V1


def _group_folder(mount_point: str, root: str, path: str) -> Path:
    """Return the folder of the group ``path``; ``root`` is the part of the tree mounted at ``mount_point``."""
    relative = path.removeprefix(root.rstrip("/")).lstrip("/")
    return Path(mount_point) / relative
