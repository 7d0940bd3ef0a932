"""A limit on memory that the kernel itself keeps, where this machine lets us set one (Linux control groups, v2 or v1).

It counts every page of a job's processes, from the first on: nothing outruns it between two looks of the watch. Most
teachers' laptops give no group that can be written; there the watch alone looks.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1 << 20
MOUNTS, OWN = Path("/proc/self/mountinfo"), Path("/proc/self/cgroup")
# A notebook that stays within its limit must not meet the kernel's: what is cached of its files counts here as well.
SLACK = 1.1
SECONDS_TO_EMPTY = 5.0


@dataclass(frozen=True, slots=True)
class _Names:
    """How the two versions call the same things."""

    limits: tuple[str, ...]  # the first must be there
    peak: str
    events: str  # has a line "oom_kill N"


V2 = _Names(("memory.max", "memory.swap.max"), "memory.peak", "memory.events")
V1 = _Names(("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"), "memory.max_usage_in_bytes", "memory.oom_control")


class MemoryGroup:
    """One job's processes; they enter by writing 0 into ``entrance``. ``close`` when all have ended."""

    def __init__(self, folder: Path, names: _Names, limit_mb: float) -> None:
        self._folder, self._names = folder, names
        first, *others = names.limits
        (folder / first).write_text(str(int(limit_mb * MEGABYTE * SLACK)))
        swap = "0" if names is V2 else str(int(limit_mb * MEGABYTE * SLACK))
        for name in others:
            with suppress(OSError):  # where swap is not counted there is nothing to set
                (folder / name).write_text(swap)

    @property
    def entrance(self) -> Path:
        return self._folder / "cgroup.procs"

    @property
    def peak_mb(self) -> float:
        with suppress(OSError, ValueError):
            return int((self._folder / self._names.peak).read_text()) / MEGABYTE
        return 0.0  # older kernels do not keep it

    @property
    def met(self) -> bool:
        """Whether the kernel has killed a process for its memory."""
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
            except OSError:  # a process that was killed has not quite gone
                time.sleep(0.02)
            else:
                return


def memory_group(limit_mb: float, *, mounts: Path = MOUNTS, own: Path = OWN) -> MemoryGroup | None:
    """A fresh group for one job, or None where none can be made."""
    for parent, names in _parents(mounts, own):
        if not os.access(parent, os.W_OK):
            continue
        folder = None
        try:
            folder = Path(tempfile.mkdtemp(prefix=f"grader-{os.getpid()}-", dir=parent))
            if (folder / names.limits[0]).exists():
                return MemoryGroup(folder, names, limit_mb)
        except OSError:
            pass
        if folder is not None:
            with suppress(OSError):
                folder.rmdir()
    return None


def _parents(mounts: Path, own: Path) -> Iterator[tuple[Path, _Names]]:
    """Where this process's own group lies, and in a v2 tree the one above: a group with processes has no children."""
    try:
        lines, groups = mounts.read_text().splitlines(), own.read_text().splitlines()
    except OSError:
        return
    ours = {tuple(name.split(",")): path for _, name, path in (line.split(":", 2) for line in groups)}
    for line in lines:
        before, _, after = line.partition(" - ")
        root, place = before.split()[3:5]
        kind, _, options = after.split(maxsplit=2)
        if kind == "cgroup2" and ("",) in ours:
            folder = _below(place, root, ours[("",)])
            yield from ((folder, V2), (folder.parent, V2)) if folder != Path(place) else ((folder, V2),)
        elif kind == "cgroup" and "memory" in options.split(","):
            path = next((path for names, path in ours.items() if "memory" in names), "/")
            yield _below(place, root, path), V1


def _below(place: str, root: str, path: str) -> Path:
    """A group's folder; ``root`` is the part of the tree that is mounted at ``place``."""
    relative = path.removeprefix(root.rstrip("/")).lstrip("/")
    return Path(place) / relative
