"""Kernel process of the notebook, forked from the driver, its client, and the hooks inside it."""

from __future__ import annotations

import functools
import json
import os
import queue
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from ipykernel.kernelapp import IPKernelApp
from jupyter_client.asynchronous.client import AsyncKernelClient

from .. import protocol
from ..compat.install import install_environment, install_old_names
from ..probe import probe
from ..record import estimator_recorder, fit_recorder, loop_recorder, transform_hooks
from ..record.figure_recorder import record_figure
from ..record.import_hooks import after_import, same_random_state
from ..record.recorder import MAX_FIGURES, current_count, figures, seeds

SEED = 0


class KernelProcess:
    """The kernel, seen from its parent. Without ``os.fork`` (Windows) it is started as a new process."""

    def __init__(self, connection_file: str, job: Path) -> None:
        self._started: subprocess.Popen[bytes] | None = None
        self._ended = False
        if hasattr(os, "fork"):
            self.pid = os.fork()
            if self.pid == 0:
                _run_child(connection_file, str(job))
        else:
            code = protocol.bootstrap("run.kernel", Path(__file__).parents[1])
            command = [sys.executable, *protocol.PYTHON_OPTIONS, "-c", code, connection_file, str(job)]
            self._started = subprocess.Popen(command, stdin=subprocess.DEVNULL)
            self.pid = self._started.pid

    async def is_alive(self) -> bool:
        """Return True while the process runs."""
        if self._started is not None:
            return self._started.poll() is None
        if not self._ended:
            try:
                self._ended = os.waitpid(self.pid, os.WNOHANG)[0] == self.pid
            except ChildProcessError:
                self._ended = True
        return not self._ended

    async def interrupt_kernel(self) -> None:
        """Send SIGINT, like Ctrl-C in a terminal, to the kernel and the processes it started in its session."""
        if hasattr(os, "killpg") and await self.is_alive():
            os.killpg(self.pid, signal.SIGINT)


class KernelClient(AsyncKernelClient):  # type: ignore[misc]
    """Client that asks the process itself if it is alive: a heartbeat may be late on a busy machine."""

    kernel: KernelProcess

    async def _async_is_alive(self) -> bool:
        return await self.kernel.is_alive()

    is_alive = _async_is_alive

    async def wait_until_answering(self, seconds: float) -> None:
        """Wait until the kernel has answered on both channels. Raises RuntimeError if it dies or takes too long.

        jupyter_client's ``wait_for_ready`` would listen for another fifth of a second after the last message.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and await self.kernel.is_alive():
            request = self.kernel_info()
            try:
                await self._reply_to(request, self.shell_channel, "kernel_info_reply")
                while (await self._reply_to(request, self.iopub_channel, "status"))["execution_state"] != "idle":
                    pass
            except queue.Empty:
                continue  # sent before iopub was connected: those messages are lost
            return
        raise RuntimeError(f"the kernel did not answer within {seconds:.0f} s")

    @staticmethod
    async def _reply_to(request: str, channel: Any, kind: str) -> dict[str, Any]:
        """Return the content of the next reply of that kind. Raises queue.Empty after a second without messages."""
        while True:
            reply = await channel.get_msg(timeout=1)
            if reply["msg_type"] == kind and reply["parent_header"].get("msg_id") == request:
                content: dict[str, Any] = reply["content"]
                return content


def _run_child(connection_file: str, job: str) -> None:
    """Run the kernel in the forked child; never return into the parent's code."""
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
    """Start IPython's kernel in the job folder, with hooks, compatibility layer and probe installed."""
    job = Path(job_folder)
    os.chdir(job / "work")
    app: Any = IPKernelApp.instance()
    with _without_debugger():
        app.initialize(["-f", connection_file, "--HistoryManager.enabled=False", "--InteractiveShell.colors=nocolor"])
    request = json.loads((job / protocol.REQUEST).read_bytes())
    install_hooks(app.shell, fit_recorder.Budget(request["seconds"], request["cell_seconds"]))
    install_environment(app, job, request, after_import)
    probe.start(job, app.shell.user_ns, request["predict_seconds"])
    app.start()


@contextmanager
def _without_debugger() -> Iterator[None]:
    """Block the import of debugpy, which takes half of a kernel's start time and is not used here."""
    loaded = "debugpy" in sys.modules
    sys.modules.setdefault("debugpy", None)  # type: ignore[arg-type] # makes its import fail
    try:
        yield
    finally:
        if not loaded:
            del sys.modules["debugpy"]


# ------------------------------------------------------------------ hooks


def install_hooks(shell: Any, budget: fit_recorder.Budget) -> None:
    """Install the hooks that record what the notebook does, and seed Python, NumPy and, once imported, Keras.

    Nothing is imported earlier than by the notebook: a hook is installed once the notebook has imported its library.
    """
    seeds.update(python=SEED, numpy=SEED)

    def cell_begins(info: Any) -> None:
        if current_count[0] == 0:
            # As late as possible: IPython's own start draws random numbers too, and not always the same amount.
            random.seed(SEED)
            np.random.seed(SEED)  # the course's notebooks use the global generator
        budget.cell_begins()
        current_count[0] += bool(info.store_history)  # IPython's versions differ in when they increase their own count

    shell.events.register("pre_run_cell", cell_begins)

    def keras_imported(keras: ModuleType) -> None:
        with same_random_state():  # the notebook may have set its own seed before this import
            keras.utils.set_random_seed(SEED)
        seeds["keras"] = SEED
        fit_recorder.hook(keras, budget)
        loop_recorder.hook_keras(keras)

    after_import("tensorflow", loop_recorder.hook_tensorflow)
    after_import("torch", loop_recorder.hook_torch)
    after_import("sklearn.base", estimator_recorder.hook)
    after_import("keras", keras_imported)
    after_import("matplotlib.backend_bases", _hook_matplotlib)
    transform_hooks.start()
    install_old_names(after_import)  # last, so that old names are translated before the other hooks see them


def _hook_matplotlib(backend_bases: ModuleType) -> None:
    canvas = backend_bases.FigureCanvasBase
    print_figure = canvas.print_figure

    @functools.wraps(print_figure)
    def recorded(self: Any, *args: Any, **kwargs: Any) -> Any:
        if len(figures) < MAX_FIGURES:
            figures.append(record_figure(self.figure, saved=bool(args) and isinstance(args[0], (str, os.PathLike))))
        return print_figure(self, *args, **kwargs)

    canvas.print_figure = recorded
