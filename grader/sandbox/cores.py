"""Processor cores of the notebooks that run at the same time: each keeps to its own.

Without this, a notebook with many processes takes nearly all of the machine's time, and its neighbours reach their
limits. The system call filter keeps a notebook from changing its cores.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

import psutil


def usable_cores() -> tuple[int, ...]:
    """Return the cores that this process may use; none on systems where processes are not kept to cores."""
    return tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()


def measure_load() -> list[float]:
    """Return how busy each core of the machine was since the last call (percent)."""
    return psutil.cpu_percent(percpu=True)


class Cores:
    """The cores that a sandbox lends to its jobs.

    ``load`` measures how busy the cores are: another grader on the machine does not know what this one lends.
    """

    def __init__(
        self, cores: Collection[int] | None = None, *, load: Callable[[], Sequence[float]] = measure_load
    ) -> None:
        self._jobs = dict.fromkeys(usable_cores() if cores is None else cores, 0)  # number of jobs on each core
        self._load = load
        self._lock = threading.Lock()

    @contextmanager
    def lend(self, count: int) -> Iterator[tuple[int, ...]]:
        """Lend the ``count`` cores that the fewest jobs use and that are least busy, or all if there are fewer."""
        with self._lock:
            load = dict(enumerate(self._load()))
            ranks = {core: (jobs, load.get(core, 0.0), core) for core, jobs in self._jobs.items()}
            lent = tuple(sorted(self._jobs, key=ranks.__getitem__)[:count])
            for core in lent:
                self._jobs[core] += 1
        try:
            yield lent
        finally:
            with self._lock:
                for core in lent:
                    self._jobs[core] -= 1
