"""Processor cores of the notebooks that run at the same time: each keeps to its own.

Without this, a notebook with many processes takes nearly all of the machine's time, and its neighbours reach their
limits. The system call filter keeps a notebook from changing its cores.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager


def usable_cores() -> tuple[int, ...]:
    """Return the cores that this process may use; none on systems where processes are not kept to cores."""
    return tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()


class Cores:
    """The cores that a sandbox lends to its jobs."""

    def __init__(self, cores: Collection[int] | None = None) -> None:
        self._jobs = dict.fromkeys(usable_cores() if cores is None else cores, 0)  # number of jobs on each core
        self._lock = threading.Lock()

    @contextmanager
    def lend(self, count: int) -> Iterator[tuple[int, ...]]:
        """Lend the ``count`` cores that the fewest jobs use, or all if there are not as many."""
        with self._lock:
            lent = tuple(sorted(self._jobs, key=lambda core: (self._jobs[core], core))[:count])
            for core in lent:
                self._jobs[core] += 1
        try:
            yield lent
        finally:
            with self._lock:
                for core in lent:
                    self._jobs[core] -= 1
