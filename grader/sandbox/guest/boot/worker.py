"""First process of the guest: runs one job (``main``), or stays warm and forks for every job (``serve``).

No student code has run in the process until the driver starts the first cell.
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

# Modules that most notebooks import. matplotlib_inline is missing: it must be imported inside a kernel.
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
    """Run one job from start to end."""
    job = Path(job_folder)
    request = json.loads((job / protocol.REQUEST).read_bytes())
    set_limits(request["rlimits"])
    driver.run_job(job, request)


def set_limits(limits: dict[str, Any]) -> None:
    """Set resource limits, ``{"RLIMIT_FSIZE": bytes, ...}``; child processes inherit them and cannot raise them."""
    if sys.platform == "win32":
        return
    import resource

    for name, value in limits.items():
        number = getattr(resource, name, None)
        if number is not None:
            _, hard = resource.getrlimit(number)
            limit = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(number, (limit, limit))


# ------------------------------------------------------------------ warm worker


def serve(*words: str) -> None:
    """Read jobs as JSON lines from standard input, fork for each, and report each exit status on standard output.

    The word "preload" makes it import ``PRELOADED`` first. Student code never runs in this process: the children
    leave it before they start any.
    """
    for name in PRELOADED if "preload" in words else ():
        try:
            importlib.import_module(name)
        except ImportError:
            continue  # not installed: a notebook that needs it will report that
    send(ready=True, rss_mb=_rss_mb())
    children: dict[int, tuple[int, str]] = {}  # by a descriptor that becomes readable when the process has ended
    pending = b""
    while True:
        readable, _, _ = select.select([0, *children], [], [])
        for descriptor in children.keys() & set(readable):
            pid, name = children.pop(descriptor)
            os.close(descriptor)
            send(job=name, status=exit_status(os.waitpid(pid, 0)[1]))
        if 0 in readable:
            piece = os.read(0, 1 << 16)
            if not piece:
                os._exit(0)  # the grader has ended; the jobs' processes end with this one
            *lines, pending = (pending + piece).split(b"\n")
            for line in lines:
                order = json.loads(line)
                pid = _fork_job(order)
                children[os.pidfd_open(pid)] = (pid, order["job"])
                send(job=order["job"], pid=pid)


def send(**message: Any) -> None:
    """Write one JSON line to standard output."""
    os.write(1, json.dumps(message).encode() + b"\n")


def _fork_job(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        from . import isolate  # not importable on Windows

        _replace_streams(order["log"])
        if order["group"] is not None:
            _enter_cgroup(order["group"])
        status = isolate.run_isolated(order["view"], order["root"], order["processes"], lambda: main(order["at"]))
    except BaseException as error:  # noqa: BLE001  the child must never return into the worker's loop
        print(f"isolation failed: {type(error).__name__}: {error}", file=sys.stderr, flush=True)  # noqa: T201
    finally:
        os._exit(status)


def _replace_streams(log: str) -> None:
    """Give the child its own standard streams: the inherited ones lead to the grader."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND), 2)
    os.closerange(3, 256)


def _enter_cgroup(group: str) -> None:
    """Join the cgroup with the process file ``group``, which counts the memory of this process and its children."""
    try:
        Path(group).write_text("0")
    except OSError:
        return  # no permission after all; the host's monitor still measures the memory


def _rss_mb() -> float:
    import psutil

    return float(psutil.Process().memory_info().rss / (1 << 20))
