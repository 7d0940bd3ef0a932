"""Warm worker: imports the usual libraries once, and forks driver and kernel for every job.

Student code never runs in this process: its children leave it before they start any.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..processes import exit_status
from ..run import driver, kernel, kernel_host  # noqa: F401  kernel: imported now, so that it is not at every job

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


def serve(*words: str) -> None:
    """Read jobs as JSON lines from standard input, fork for each, and report each exit status on standard output.

    The word "preload" makes it import ``PRELOADED`` first.
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
    """Fork the keeper of a job, which starts its two sides and ends with the driver's status."""
    keeper = os.fork()
    if keeper:
        return keeper
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.closerange(3, 256)
        status = _keep_job(order)
    except BaseException as error:  # noqa: BLE001  the child must never return into the worker's loop
        print(f"isolation failed: {type(error).__name__}: {error}", file=sys.stderr, flush=True)  # noqa: T201
    finally:
        os._exit(status)


def _keep_job(order: dict[str, Any]) -> int:
    """Start driver and kernel, each input connected to the other's output. Return the driver's status at its end."""
    _replace_streams(order["driver"]["log"])
    to_kernel, to_driver = os.pipe(), os.pipe()
    sides = [
        _fork_side(order["kernel"], order["root"], (to_kernel[0], to_driver[1]), lambda: kernel_host.main(order["at"])),
        _fork_side(order["driver"], order["root"], (to_driver[0], to_kernel[1]), lambda: driver.main(order["at"])),
    ]
    for descriptor in (*to_kernel, *to_driver):
        os.close(descriptor)
    signal.signal(signal.SIGTERM, lambda *_: _stop(sides))
    kernel_side, driver_side = sides
    status = exit_status(os.waitpid(driver_side, 0)[1])
    _stop([kernel_side])
    os.waitpid(kernel_side, 0)
    return status


def _stop(sides: list[int]) -> None:
    for pid in sides:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def _fork_side(side: dict[str, Any], root: str, streams: tuple[int, int], run: Callable[[], None]) -> int:
    """Fork the keeper of one side, with ``streams`` as standard input and output."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        from . import isolate  # not importable on Windows

        _replace_streams(side["log"], *streams)
        if side["group"] is not None:
            _enter_cgroup(side["group"])
        if side["cores"]:
            os.sched_setaffinity(0, side["cores"])
        status = isolate.run_isolated(side["view"], root, side["processes"], run)
    except BaseException as error:  # noqa: BLE001  the same
        print(f"isolation failed: {type(error).__name__}: {error}", file=sys.stderr, flush=True)  # noqa: T201
    finally:
        os._exit(status)


def _replace_streams(log: str, *streams: int) -> None:
    """Give the process its own standard streams (input and output null by default): inherited ones lead elsewhere."""
    null = os.open(os.devnull, os.O_RDWR)
    for number, descriptor in enumerate(streams or (null, null)):
        os.dup2(descriptor, number)
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
