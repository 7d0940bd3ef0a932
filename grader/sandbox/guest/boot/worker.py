"""The guest's first process. Cold, it runs one job; warm, it imports once and forks for every job.

It is ours until the first cell starts.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import sys
from pathlib import Path
from typing import Any

from .. import protocol
from ..processes import exit_status
from ..run import driver

# What notebooks of a deep-learning course import. matplotlib_inline is not among them: it must meet its kernel.
PRELOADED = (
    "numpy",
    "pandas",
    "matplotlib.pyplot",
    "sklearn.linear_model",
    "sklearn.metrics",
    "sklearn.model_selection",
    "sklearn.neural_network",
    "sklearn.pipeline",
    "sklearn.preprocessing",
    "tensorflow",
    "keras",
)


def main(job_folder: str) -> None:
    """One job, from here to the end."""
    job = Path(job_folder)
    request = json.loads((job / protocol.REQUEST).read_bytes())
    set_limits(request["rlimits"])
    driver.run_job(job, request)


def set_limits(limits: dict[str, Any]) -> None:
    """``{"RLIMIT_FSIZE": bytes, ...}``; inherited by all that follows, and not to be raised again."""
    if sys.platform == "win32":
        return
    import resource

    for name, value in limits.items():
        number = getattr(resource, name, None)
        if number is not None:
            _, hard = resource.getrlimit(number)
            bounded = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(number, (bounded, bounded))


# ------------------------------------------------------------------ warm


def serve(*words: str) -> None:
    """Takes jobs as JSON lines on standard input, forks for each, says on standard output how each ended.

    With the word "preload" it first imports what notebooks import.

    No student code ever runs in this process: its children leave it before they see any.
    """
    for name in PRELOADED if "preload" in words else ():
        try:
            importlib.import_module(name)
        except ImportError:
            continue  # what is not installed is not preloaded; a notebook that needs it will say so
    say(ready=True, rss_mb=_rss_mb())
    children: dict[int, tuple[int, str]] = {}  # by a descriptor that can be read when the process has ended
    pending = b""
    while True:
        readable, _, _ = select.select([0, *children], [], [])
        for descriptor in children.keys() & set(readable):
            pid, name = children.pop(descriptor)
            os.close(descriptor)
            say(job=name, status=exit_status(os.waitpid(pid, 0)[1]))
        if 0 in readable:
            piece = os.read(0, 1 << 16)
            if not piece:
                os._exit(0)  # the grader is gone; the jobs' processes go with this one
            *lines, pending = (pending + piece).split(b"\n")
            for line in lines:
                order = json.loads(line)
                pid = _forked(order)
                children[os.pidfd_open(pid)] = (pid, order["job"])
                say(job=order["job"], pid=pid)


def say(**words: Any) -> None:
    os.write(1, json.dumps(words).encode() + b"\n")


def _forked(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        from . import isolate  # not on Windows

        _leave_the_worker(order["log"])
        if order["group"] is not None:
            _enter(order["group"])
        status = isolate.run_isolated(order["view"], order["root"], order["processes"], lambda: main(order["at"]))
    except BaseException as error:  # noqa: BLE001  nothing may return into the worker's own loop
        print(f"isolation failed: {type(error).__name__}: {error}", file=sys.stderr, flush=True)  # noqa: T201
    finally:
        os._exit(status)


def _leave_the_worker(log: str) -> None:
    """Standard streams of its own: what this process had is the grader's ear."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND), 2)
    os.closerange(3, 256)


def _enter(group: str) -> None:
    """From here on the kernel counts the memory of this process and of all below it."""
    try:
        Path(group).write_text("0")
    except OSError:
        return  # not ours to enter after all; the watch looks on


def _rss_mb() -> float:
    import psutil

    return float(psutil.Process().memory_info().rss / (1 << 20))
