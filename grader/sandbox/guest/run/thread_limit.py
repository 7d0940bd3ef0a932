"""Limit on the threads of the notebook's own process, below the limit at which the whole notebook is ended.

A cell that starts too many threads fails, as on a machine that has no more, and the cells after it run.
"""

from __future__ import annotations

import functools
import os
import threading

RESERVE = 40  # processes and threads of the job beside the notebook's own


def install(processes: int) -> None:
    """Let no thread start beyond the limit on ``processes`` and threads of the whole job."""
    limit = max(processes // 2, processes - RESERVE)
    start = threading.Thread.start

    @functools.wraps(start)
    def limited(self: threading.Thread) -> None:
        if _running_threads() >= limit:
            raise RuntimeError("can't start new thread")
        start(self)

    threading.Thread.start = limited  # type: ignore[method-assign]


def _running_threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208  also the threads of libraries
    except OSError:
        return threading.active_count()
