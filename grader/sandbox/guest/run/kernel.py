"""The notebook's own process: forked from the driver, which has imported everything; seeds, hooks, then IPython."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ipykernel.kernelapp import IPKernelApp

from .. import protocol
from ..compat import environment
from ..probe import probe
from ..record.fit_recorder import Budget
from . import instrumentation

SEED = 0


class KernelProcess:
    """The kernel, as its parent sees it. Where a process cannot be forked (Windows) it is started anew."""

    def __init__(self, connection_file: str, job: Path) -> None:
        self._started: subprocess.Popen[bytes] | None = None
        self._ended = False
        if hasattr(os, "fork"):
            self.pid = os.fork()
            if self.pid == 0:
                _live(connection_file, str(job))
        else:
            code = protocol.bootstrap("run.kernel", Path(__file__).parents[1])
            command = [sys.executable, *protocol.PYTHON_OPTIONS, "-c", code, connection_file, str(job)]
            self._started = subprocess.Popen(command, stdin=subprocess.DEVNULL)
            self.pid = self._started.pid

    async def is_alive(self) -> bool:
        if self._started is not None:
            return self._started.poll() is None
        if not self._ended:
            try:
                self._ended = os.waitpid(self.pid, os.WNOHANG)[0] == self.pid
            except ChildProcessError:
                self._ended = True
        return not self._ended

    async def interrupt_kernel(self) -> None:
        """As Ctrl-C in a terminal: the kernel and what it has started in its session."""
        if hasattr(os, "killpg") and await self.is_alive():
            os.killpg(self.pid, signal.SIGINT)


def _live(connection_file: str, job: str) -> None:
    """The child's life; it never returns to what its parent was doing."""
    status = 1
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        main(connection_file, job)
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)


def main(connection_file: str, job_folder: str) -> None:
    job = Path(job_folder)
    os.chdir(job / "work")
    app: Any = IPKernelApp.instance()
    with _without_debugger():
        app.initialize(["-f", connection_file, "--HistoryManager.enabled=False", "--InteractiveShell.colors=nocolor"])
    request = json.loads((job / protocol.REQUEST).read_bytes())
    instrumentation.start(app.shell, SEED, Budget(request["seconds"], request["cell_seconds"]))
    environment.start(app, job, request, instrumentation._after_import)
    probe.start(job, app.shell.user_ns, request["predict_seconds"])
    app.start()


@contextmanager
def _without_debugger() -> Iterator[None]:
    """Nobody steps through a notebook here, and importing the debugger is half of a kernel's start."""
    loaded = "debugpy" in sys.modules
    sys.modules.setdefault("debugpy", None)  # type: ignore[arg-type] # an import of it fails
    try:
        yield
    finally:
        if not loaded:
            del sys.modules["debugpy"]
