"""Kernel side of a job: starts the kernel, passes on the driver's interrupts, and ends when the driver ends.

It runs as process 1 wherever the level gives the kernel processes of its own, so that the notebook can neither kill nor
stop it. Its standard input brings the driver's settings, one JSON line, and then commands of one byte. The end of the
input ends everything; the end of its standard output tells the driver that the kernel has ended.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_client.connect import write_connection_file

from .. import protocol
from ..processes import close_own_memory, keep_visible, reap

KILLED = 137  # a shell's exit status for SIGKILL: 128 + 9
KILLED_FIRST = "500"  # from -1000 to 1000, see proc_pid_oom_score_adj(5); a process may only raise its own


def main(job_folder: str) -> None:
    """Run the kernel of the job in ``job_folder`` and exit with its status."""
    job = Path(job_folder)
    settings = json.loads(_read_line())
    set_limits(settings["rlimits"])
    _write_connection_file(job / protocol.RUN)
    interrupt, wait = _start(job, settings)
    threading.Thread(target=_obey, args=(interrupt,), daemon=True).start()
    os._exit(wait())


def set_limits(limits: dict[str, int]) -> None:
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


def _read_line() -> bytes:
    """Read one line from standard input, byte by byte: what follows it belongs to ``_obey``."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            os._exit(KILLED)  # the driver has ended before it began
        line += byte
    return line


def _write_connection_file(run: Path) -> None:
    """Write the file by which driver and kernel find each other, complete from the moment it exists."""
    partial = run / f".{protocol.CONNECTION_FILE}"
    if sys.platform == "win32":
        write_connection_file(str(partial))
    else:
        # Sockets in a folder: TCP ports can collide, and driver and kernel may have networks of their own.
        write_connection_file(str(partial), transport="ipc", ip=str(run / "k"))
    partial.chmod(0o640)  # the driver may be another user of the same group
    partial.replace(run / protocol.CONNECTION_FILE)


def _start(job: Path, settings: dict[str, Any]) -> tuple[Callable[[], None], Callable[[], int]]:
    """Start the kernel. Return a function that interrupts it and one that waits for its exit status."""
    if sys.platform == "win32":
        code = protocol.bootstrap("run.kernel", Path(__file__).parents[1], function="start")
        command = [sys.executable, *protocol.PYTHON_OPTIONS, "-c", code, str(job), json.dumps(settings)]
        started = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        return (lambda: None), started.wait
    pid = os.fork()
    if pid == 0:
        _become_kernel(job, settings)
    # After the fork, because a child inherits them. Otherwise the notebook could write into this process or end it.
    close_own_memory()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    return (lambda: os.killpg(pid, signal.SIGINT)), (lambda: reap(pid))


def _become_kernel(job: Path, settings: dict[str, Any]) -> None:
    """Run the kernel in the forked child; never return into the parent's code."""
    status = 1
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        keep_visible()
        with suppress(OSError):  # a machine without memory ends a notebook, not the grader or the teacher's programs
            Path("/proc/self/oom_score_adj").write_text(KILLED_FIRST)
        from .kernel import main as run_kernel

        run_kernel(job, settings)
        status = 0
    except BaseException:  # noqa: BLE001  a fault before the first cell: it goes to the log and into the status
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _obey(interrupt: Callable[[], None]) -> None:
    """Interrupt the kernel, with the processes it started in its session, at every command."""
    while command := os.read(0, 1):
        if command == protocol.INTERRUPT:
            with suppress(OSError):  # it has just ended
                interrupt()
    os._exit(KILLED)
