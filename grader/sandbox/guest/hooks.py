"""Hooks into Keras and matplotlib that fill ``record``; and the seeds that every run starts from.

Nothing is imported before the notebook does: the hooks are put in when ``keras`` or matplotlib has been imported.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.util
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np

from .record import (
    MAX_EPOCHS,
    MAX_FIGURES,
    MAX_LINES,
    MAX_POINTS,
    FigureRecord,
    FitRecord,
    current_count,
    evaluations,
    figures,
    fits,
    number,
    seeds,
)


def start(shell: Any, seed: int) -> None:
    """``shell`` is IPython's; ``seed`` is set in Keras too, as soon as the notebook imports it."""
    seeds.update(python=seed, numpy=seed)

    def cell_begins(info: Any) -> None:
        if current_count[0] == 0:
            # At the last moment: IPython's own start draws numbers too, and not always as many.
            random.seed(seed)
            np.random.seed(seed)  # the notebooks of the course draw from the global generator
        current_count[0] += bool(info.store_history)  # counted here: when IPython counts depends on its version

    shell.events.register("pre_run_cell", cell_begins)

    def keras_imported(keras: ModuleType) -> None:
        with _same_random_state():  # which the notebook may have seeded itself before this import
            keras.utils.set_random_seed(seed)
        seeds["keras"] = seed
        _hook_keras(keras)

    _after_import("tensorflow", lambda _module: None)  # for the random state alone: see _AfterImport
    _after_import("keras", keras_imported)
    _after_import("matplotlib.backend_bases", _hook_matplotlib)


@contextmanager
def _same_random_state() -> Iterator[None]:
    python, numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


class _AfterImport(importlib.abc.MetaPathFinder):
    """Calls ``action`` with a module as soon as it has been imported for the first time."""

    def __init__(self, name: str, action: Callable[[ModuleType], None]) -> None:
        self.name, self.action, self.busy = name, action, False

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.name or self.busy:
            return None
        self.busy = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self.busy = False
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            # A warm notebook imports nothing here, a cold one much: both must draw the same numbers afterwards.
            with _same_random_state():
                execute(module)
            sys.meta_path.remove(self)
            self.action(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _after_import(name: str, action: Callable[[ModuleType], None]) -> None:
    if name in sys.modules:
        action(sys.modules[name])
    else:
        sys.meta_path.insert(0, _AfterImport(name, action))


def _hook_keras(keras: ModuleType) -> None:
    model_class = keras.Model
    fit, evaluate = model_class.fit, model_class.evaluate

    class Curves(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        """Keeps what an epoch gave even when the training is interrupted."""

        def __init__(self, entry: FitRecord) -> None:
            super().__init__()
            self.entry = entry

        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
            for key, value in (logs or {}).items():
                curve = self.entry.curves.setdefault(str(key)[:60], [])
                if len(curve) < MAX_EPOCHS:
                    curve.append(number(value))

    @functools.wraps(fit)
    def recorded_fit(self: Any, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        batch_size = kwargs.get("batch_size", args[1] if len(args) > 1 else None)
        entry = FitRecord(self, str(self.name)[:80], batch_size, _rows(x))
        split = kwargs.get("validation_split") or 0.0
        entry.trained_on = int(entry.samples * (1 - split)) if entry.samples is not None else None
        fits.append(entry)
        callbacks = kwargs.get("callbacks")
        if hasattr(callbacks, "append"):
            kwargs["callbacks"] = [*callbacks, Curves(entry)] if isinstance(callbacks, list) else callbacks
        elif len(args) <= 4:  # x, y, batch_size, epochs, verbose, callbacks
            kwargs["callbacks"] = [*([callbacks] if callbacks else []), Curves(entry)]
        began = time.monotonic()
        try:
            return fit(self, x, *args, **kwargs)
        finally:
            entry.seconds = time.monotonic() - began

    @functools.wraps(evaluate)
    def recorded_evaluate(self: Any, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        # fit() itself evaluates on the validation data; that is no evaluation by the student.
        if sys._getframe(1).f_globals.get("__name__", "").partition(".")[0] != "keras":
            evaluations.append(_rows(x))
        return evaluate(self, x, *args, **kwargs)

    model_class.fit, model_class.evaluate = recorded_fit, recorded_evaluate


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


def _rows(x: Any) -> int | None:
    shape = getattr(x, "shape", None)
    try:
        return int(shape[0]) if shape is not None else len(x)
    except (TypeError, IndexError):
        return None
