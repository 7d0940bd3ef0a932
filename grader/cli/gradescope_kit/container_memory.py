"""How much memory the container has that the grader finds itself in."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

MEGABYTE = 1 << 20
# Control groups, version 2 and 1, as a container sees its own.
GROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def container_mb(groups: Sequence[Path] = GROUPS) -> int:
    """What all its processes together may use: the machine's, where nothing sets a limit."""
    sizes = [int(psutil.virtual_memory().total)]
    for path in groups:
        with suppress(OSError, ValueError):  # not there, or "max"
            sizes.append(int(path.read_text()))
    return min(sizes) // MEGABYTE
