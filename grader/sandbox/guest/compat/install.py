"""Installation of everything that makes a notebook written for Keras 1 and 2, Colab or Kaggle run here.

Nothing here draws a random number, creates a layer or changes a default: a notebook of today runs as without it.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from . import (
    arguments,
    colab,
    commands,
    data_arguments,
    downloads,
    file_access,
    graph_code,
    history,
    ipython_shell,
    layer_arguments,
    layer_attributes,
    mnist_tutorial,
    model_drawing,
    model_methods,
    notes,
    old_keras,
    old_libraries,
    optimizers,
    otter_tests,
    saving,
    tensorboard,
    wandb_stub,
)
from .file_access import AfterImport
from .handout import FileFinder, Handout

# ------------------------------------------------------------------ old libraries


def install_old_names(after_import: AfterImport) -> None:
    """Add old names to libraries; ``after_import(name, action)`` calls ``action`` once a module has been imported."""
    after_import("keras", _extend_keras)
    after_import("tensorflow", old_keras.install_tensorflow_names)
    for name in ("tensorflow._api.v2.summary", "tensorflow.summary"):  # Keras imports it again, by the short name
        after_import(name, tensorboard.install_summaries)
    mnist_tutorial.install()
    old_libraries.install(after_import)


def _extend_keras(keras: ModuleType) -> None:
    replacements: dict[str, Any] = {}
    for part in (
        arguments,
        layer_arguments,
        data_arguments,
        optimizers,
        model_methods,
        layer_attributes,
        history,
        saving,
        graph_code,
        tensorboard,
        model_drawing,
    ):
        # Keras moves its internal parts: a notebook then loses one adaptation, but not its kernel.
        with contextlib.suppress(AttributeError, ImportError):
            replacements |= part.install(keras) or {}
    old_keras.install(replacements)


# ------------------------------------------------------------------ other places


def install_environment(app: Any, job: Path, request: Mapping[str, Any], after_import: AfterImport) -> None:
    """Replace what a notebook expects of Colab, Kaggle or a student's own computer, before the first cell.

    ``app`` is IPython's kernel application. Everything acts in the notebook's own process on the files that were
    handed out with the homework, so that it knows no more than the notebook may.
    """
    handout = Handout.from_request(job, request)
    finder = FileFinder(job, handout)
    downloads.install(handout, job / "home", after_import)
    file_access.install(finder, after_import)
    colab.install(handout, finder)
    wandb_stub.install()
    otter_tests.install()
    if not request["sessions"]:
        graph_code.keep_eager(after_import)
    # Keras looks for this module to know that it is in a notebook, where a missing Graphviz is a message and no error;
    # newer versions of IPython import it late.
    importlib.import_module("IPython.core.magics.namespace")
    ipython_shell.install(app.shell, app.kernel)
    commands.install(job, request)
    _import_from_current_folder()

    def before_cell(_info: Any) -> None:
        finder.forget()

    def after_cell(_result: Any) -> None:
        commands.take_notes(job, notes.note)

    app.shell.events.register("pre_run_cell", before_cell)
    app.shell.events.register("post_run_cell", after_cell)


def _import_from_current_folder() -> None:
    """Let the notebook import modules beside it: after Python's own modules and before installed packages.

    The process was started with -P, which forbids this, for the code that ran before.
    """
    packages = (index for index, path in enumerate(sys.path) if Path(path).name in ("site-packages", "dist-packages"))
    if "" not in sys.path:
        sys.path.insert(next(packages, 0), "")
