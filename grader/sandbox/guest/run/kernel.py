"""The notebook's process: IPython's kernel and the hooks inside it."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from ipykernel.kernelapp import IPKernelApp

from .. import protocol
from ..compat.install import install_environment, install_old_names
from ..probe import probe
from ..record import estimator_recorder, fit_recorder, loop_recorder, transform_hooks
from ..record.budget import Budget
from ..record.figure_recorder import record_figure
from ..record.import_hooks import after_import, same_random_state
from ..record.recorder import MAX_FIGURES, current_count, figures, seeds
from ..training import fit
from . import thread_limit
from .interrupts import interrupt_only_the_notebook

SEED = 0


def start(job_folder: str, settings: str) -> None:
    """Run the kernel with ``settings`` in JSON, for systems without ``os.fork`` (Windows)."""
    main(Path(job_folder), json.loads(settings))


def main(job: Path, settings: dict[str, Any]) -> None:
    """Start IPython's kernel in the job folder, with hooks, compatibility layer and probe installed."""
    os.chdir(job / "work")
    connection_file = str(job / protocol.RUN / protocol.CONNECTION_FILE)
    app: Any = IPKernelApp.instance()
    with _without_debugger(), _open_sockets():
        app.initialize(["-f", connection_file, "--HistoryManager.enabled=False", "--InteractiveShell.colors=nocolor"])
    interrupt_only_the_notebook(app.kernel, app.shell)
    install_hooks(app.shell, Budget.from_settings(settings))
    install_environment(app, job, settings, after_import)
    thread_limit.install(settings["processes"])
    probe.start(job / protocol.EXCHANGE, app.shell.user_ns, settings["predict_seconds"])
    app.start()


@contextmanager
def _open_sockets() -> Iterator[None]:
    """Let every user connect to the sockets made here: the driver may be another one. Their folder is private."""
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


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


def install_hooks(shell: Any, budget: Budget) -> None:
    """Install the hooks that record what the notebook does, and seed Python, NumPy and, once imported, Keras.

    Nothing is imported earlier than by the notebook: a hook is installed once the notebook has imported its library.
    """
    seeds.update(python=SEED, numpy=SEED)
    in_pieces = os.environ.get(fit.SWITCH) == "0"  # read here: a notebook could set it before it imports Keras

    def cell_begins(info: Any) -> None:
        if current_count[0] == 0:
            # As late as possible: IPython's own start draws random numbers too, and not always the same amount.
            random.seed(SEED)
            np.random.seed(SEED)  # the course's notebooks use the global generator
        budget.cell_begins(current_count[0])
        current_count[0] += bool(info.store_history)  # IPython's versions differ in when they increase their own count

    shell.events.register("pre_run_cell", cell_begins)

    def keras_imported(keras: ModuleType) -> None:
        with same_random_state():  # the notebook may have set its own seed before this import
            keras.utils.set_random_seed(SEED)
        seeds["keras"] = SEED
        if in_pieces:  # Keras trains by itself unless this is asked for
            with contextlib.suppress(AttributeError, ImportError):  # another version of Keras
                fit.hook(keras)
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
