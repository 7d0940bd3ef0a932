"""Hooks into Keras and matplotlib that fill ``record``; and the seeds that every run starts from.

Nothing is imported before the notebook does: the hooks are put in when ``keras`` or matplotlib has been imported.
"""

from __future__ import annotations

import functools
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from ..compat import install
from ..record import fit_recorder, transform_layers
from ..record.import_hooks import AfterImport
from ..record.recorder import MAX_FIGURES, MAX_LINES, MAX_POINTS, FigureRecord, current_count, figures, number, seeds


def start(shell: Any, seed: int, budget: fit_recorder.Budget) -> None:
    """``shell`` is IPython's; ``seed`` is set in Keras too, as soon as the notebook imports it."""
    seeds.update(python=seed, numpy=seed)

    def cell_begins(info: Any) -> None:
        if current_count[0] == 0:
            # At the last moment: IPython's own start draws numbers too, and not always as many.
            random.seed(seed)
            np.random.seed(seed)  # the notebooks of the course draw from the global generator
        budget.cell_begins()
        current_count[0] += bool(info.store_history)  # counted here: when IPython counts depends on its version

    shell.events.register("pre_run_cell", cell_begins)

    def keras_imported(keras: ModuleType) -> None:
        with _same_random_state():  # which the notebook may have seeded itself before this import
            keras.utils.set_random_seed(seed)
        seeds["keras"] = seed
        fit_recorder.hook(keras, budget)

    _after_import("tensorflow", lambda _module: None)  # for the random state alone: see _Once
    _after_import("keras", keras_imported)
    _after_import("matplotlib.backend_bases", _hook_matplotlib)
    transform_layers.start(_after_import)
    install.start(_after_import)  # the last, so that old words are today's before anything else sees them


@contextmanager
def _same_random_state() -> Iterator[None]:
    python, numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


class _Once(AfterImport):
    """Calls ``action`` with a module as soon as it has been imported for the first time."""

    def __init__(self, name: str, action: Callable[[ModuleType], None]) -> None:
        self.name, self.action = name, action

    def wants(self, name: str) -> bool:
        return name == self.name

    def execute(self, module: ModuleType, executed: Callable[[ModuleType], None]) -> None:
        # A warm notebook imports nothing here, a cold one much: both must draw the same numbers afterwards.
        with _same_random_state():
            executed(module)

    def loaded(self, module: ModuleType) -> None:
        self.stop()
        self.action(module)


def _after_import(name: str, action: Callable[[ModuleType], None]) -> None:
    if name in sys.modules:
        action(sys.modules[name])
    else:
        sys.meta_path.insert(0, _Once(name, action))


def _hook_matplotlib(backend_bases: ModuleType) -> None:
    canvas = backend_bases.FigureCanvasBase
    print_figure = canvas.print_figure

    @functools.wraps(print_figure)
    def recorded(self: Any, *args: Any, **kwargs: Any) -> Any:
        if len(figures) < MAX_FIGURES:
            figures.append(_figure(self.figure))
        return print_figure(self, *args, **kwargs)

    canvas.print_figure = recorded


def _figure(figure: Any) -> FigureRecord:
    lines, words = [], []
    for axes in figure.axes:
        words += [axes.get_title(), axes.get_xlabel(), axes.get_ylabel()]
        for line in axes.get_lines()[:MAX_LINES]:
            words.append(str(line.get_label()))
            lines.append([number(value) for value in np.ravel(line.get_ydata())[:MAX_POINTS]])
    caption = " · ".join(word for word in words if word and not word.startswith("_child"))
    return FigureRecord(current_count[0], caption[:300], lines[:MAX_LINES])
