"""Memory that each notebook may use where the assignment sets no limit."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

from grader.models.assignment import LEAST_MEMORY_MB

RESERVE_MB = 2048  # for the grader itself and the system
GROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def machine_memory_mb(files: tuple[str, ...] = GROUP_LIMITS) -> int:
    """Return the memory of this machine, or of the container in which the grader runs."""
    sizes = [psutil.virtual_memory().total]
    for file in files:
        try:
            sizes.append(int(Path(file).read_text()))
        except (OSError, ValueError):  # no such tree of groups, or "max": no limit
            continue
    return min(sizes) >> 20


def memory_for_each(jobs: int, *, total_mb: int | None = None) -> int:
    """Return the memory (MB) of each of ``jobs`` notebooks that run at once, never under ``LEAST_MEMORY_MB``.

    Only Linux gives more: elsewhere notebooks run in a virtual machine whose memory the host does not know.
    """
    if total_mb is None:
        total_mb = machine_memory_mb() if sys.platform == "linux" else 0
    return max(LEAST_MEMORY_MB, (total_mb - RESERVE_MB) // max(1, jobs))
