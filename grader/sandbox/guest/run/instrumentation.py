"""Hooks that record what the notebook does in Keras and matplotlib, and the random seeds of every run.

Nothing is imported earlier than by the notebook: a hook is installed once the notebook has imported its library.
"""

from __future__ import annotations

import functools
import random
from types import ModuleType
from typing import Any

import numpy as np

from ..compat.install import install_old_names
from ..record import fit_recorder, transform_hooks
from ..record.import_hooks import after_import, same_random_state
from ..record.recorder import MAX_FIGURES, MAX_LINES, MAX_POINTS, FigureRecord, current_count, figures, number, seeds


def start(shell: Any, seed: int, budget: fit_recorder.Budget) -> None:
    """Install all hooks in IPython's ``shell``; set ``seed`` in Python, NumPy and, once it is imported, Keras."""
    seeds.update(python=seed, numpy=seed)

    def cell_begins(info: Any) -> None:
        if current_count[0] == 0:
            # As late as possible: IPython's own start draws random numbers too, and not always the same amount.
            random.seed(seed)
            np.random.seed(seed)  # the course's notebooks use the global generator
        budget.cell_begins()
        current_count[0] += bool(info.store_history)  # IPython's versions differ in when they increase their own count

    shell.events.register("pre_run_cell", cell_begins)

    def keras_imported(keras: ModuleType) -> None:
        with same_random_state():  # the notebook may have set its own seed before this import
            keras.utils.set_random_seed(seed)
        seeds["keras"] = seed
        fit_recorder.hook(keras, budget)

    after_import("tensorflow", lambda _module: None)  # only to keep the random state, see ``after_import``
    after_import("keras", keras_imported)
    after_import("matplotlib.backend_bases", _hook_matplotlib)
    transform_hooks.start(after_import)
    install_old_names(after_import)  # last, so that old names are translated before the other hooks see them


def _hook_matplotlib(backend_bases: ModuleType) -> None:
    canvas = backend_bases.FigureCanvasBase
    print_figure = canvas.print_figure

    @functools.wraps(print_figure)
    def recorded(self: Any, *args: Any, **kwargs: Any) -> Any:
        if len(figures) < MAX_FIGURES:
            figures.append(_record_figure(self.figure))
        return print_figure(self, *args, **kwargs)

    canvas.print_figure = recorded


def _record_figure(figure: Any) -> FigureRecord:
    lines, labels = [], []
    for axes in figure.axes:
        labels += [axes.get_title(), axes.get_xlabel(), axes.get_ylabel()]
        for line in axes.get_lines()[:MAX_LINES]:
            labels.append(str(line.get_label()))
            lines.append([number(value) for value in np.ravel(line.get_ydata())[:MAX_POINTS]])
    caption = " · ".join(label for label in labels if label and not label.startswith("_child"))
    return FigureRecord(current_count[0], caption[:300], lines[:MAX_LINES])
