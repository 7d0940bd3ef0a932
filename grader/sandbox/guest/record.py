"""What Keras and matplotlib did: fits, epochs, curves, evaluations, figures. Claims, for the report and the student.

Nothing is imported before the notebook does: the hooks are put in when ``keras`` or matplotlib has been imported.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.util
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np

MAX_FITS, MAX_FIGURES, MAX_LINES, MAX_POINTS, MAX_EPOCHS = 50, 200, 20, 5000, 5000
SKLEARN_CURVES = {"loss_curve_": "loss", "train_score_": "loss", "validation_scores_": "val_accuracy"}
MIN_MATCH = 2  # points of a curve that a drawn line must share


@dataclass
class FitRecord:
    model: Any
    name: str
    batch_size: int | None
    samples: int | None
    curves: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    trained_on: int | None = None


@dataclass
class FigureRecord:
    count: int  # In [count]
    caption: str
    lines: list[list[float]]


fits: list[FitRecord] = []
figures: list[FigureRecord] = []
evaluations: list[int | None] = []  # rows of each evaluate()
seeds: dict[str, int] = {}
current_count = [0]  # In [count] of the cell that runs


def start(shell: Any, seed: int) -> None:
    """``shell`` is IPython's; ``seed`` is set in Keras too, as soon as the notebook imports it."""
    seeds.update(python=seed, numpy=seed)

    def cell_begins(info: Any) -> None:
        current_count[0] += bool(info.store_history)  # counted here: when IPython counts depends on its version

    shell.events.register("pre_run_cell", cell_begins)

    def keras_imported(keras: ModuleType) -> None:
        keras.utils.set_random_seed(seed)
        seeds["keras"] = seed
        _hook_keras(keras)

    _after_import("keras", keras_imported)
    _after_import("matplotlib.backend_bases", _hook_matplotlib)


# ------------------------------------------------------------------ hooks


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
                    curve.append(_number(value))

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
            lines.append([_number(value) for value in np.ravel(line.get_ydata())[:MAX_POINTS]])
    caption = " · ".join(word for word in words if word and not word.startswith("_child"))
    return FigureRecord(current_count[0], caption[:300], lines[:MAX_LINES])


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _rows(x: Any) -> int | None:
    shape = getattr(x, "shape", None)
    try:
        return int(shape[0]) if shape is not None else len(x)
    except (TypeError, IndexError):
        return None


# ------------------------------------------------------------------ facts


def facts(namespace: dict[str, Any]) -> dict[str, Any]:
    """Everything recorded, as plain values that JSON can carry."""
    entries = [*fits, *_loss_curves(namespace)][-MAX_FITS:]
    return {
        "fits": [_fit_fact(entry) for entry in entries],
        "figures": [
            {
                "count": figure.count,
                "shows": _shown(figure, entries),
                "lines": len(figure.lines),
                "caption": figure.caption,
            }
            for figure in figures
        ],
        "held_out_evaluations": sum(_is_held_out(rows, entries) for rows in evaluations),
        "seeds": dict(seeds),
        "versions": {
            name: str(getattr(sys.modules.get(name), "__version__", ""))[:40]
            for name in ("keras", "tensorflow", "jax", "torch", "sklearn", "numpy", "pandas", "matplotlib")
            if name in sys.modules
        }
        | {"python": sys.version.split()[0]},
        "device": _device(),
    }


def _fit_fact(entry: FitRecord) -> dict[str, Any]:
    curves = {key: [value for value in curve if math.isfinite(value)] for key, curve in entry.curves.items()}
    return {
        "model": entry.name,
        "epochs": max((len(curve) for curve in entry.curves.values()), default=0),
        "batch_size": entry.batch_size if isinstance(entry.batch_size, int) else None,
        "samples": entry.samples,
        "validated": any(key.startswith("val_") for key in entry.curves),
        "seconds": round(entry.seconds, 3),
        "curves": curves,
    }


def _loss_curves(namespace: dict[str, Any]) -> list[FitRecord]:
    """What scikit-learn's networks and boosted trees keep of their training; a pipeline's last step is looked at."""
    found = []
    for name, value in list(namespace.items()):
        model = value.steps[-1][1] if type(value).__name__ == "Pipeline" else value
        if name.startswith("_") or isinstance(model, type):
            continue
        curves = {key: _curve(getattr(model, attribute, None)) for attribute, key in SKLEARN_CURVES.items()}
        curves = {key: curve for key, curve in curves.items() if curve}
        if curves:
            found.append(FitRecord(model, name[:80], None, None, curves))
    return found


def _curve(values: Any) -> list[float]:
    """A list, or a vector, of numbers; empty for anything else."""
    if not (isinstance(values, list) or (isinstance(values, np.ndarray) and values.ndim == 1)):
        return []
    return [_number(value) for value in values[:MAX_EPOCHS]]


def _shown(figure: FigureRecord, entries: list[FitRecord]) -> list[str]:
    """The recorded curves whose numbers a line of the figure has, whatever its caption says."""
    names = {
        key
        for entry in entries
        for key, curve in entry.curves.items()
        for line in figure.lines
        if len(curve) >= MIN_MATCH and _contains(line, curve)
    }
    return sorted(names)


def _contains(line: list[float], curve: list[float]) -> bool:
    """Whether one is a contiguous part of the other: drawn from the fifth epoch on, or one fit after the other."""
    short, long = sorted((np.asarray(line), np.asarray(curve)), key=len)
    if len(short) < max(MIN_MATCH, len(curve) // 4):
        return False
    windows = np.lib.stride_tricks.sliding_window_view(long, len(short))
    return bool(np.any(np.all(np.isclose(windows, short, rtol=1e-3, atol=1e-9), axis=1)))


def _is_held_out(rows: int | None, entries: list[FitRecord]) -> bool:
    trained = {entry.samples for entry in entries} | {entry.trained_on for entry in entries}
    return rows is not None and rows not in trained


def _device() -> str:
    keras = sys.modules.get("keras")
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None and keras is not None:
        gpus = tensorflow.config.list_physical_devices("GPU")
        return f"GPU x {len(gpus)}" if gpus else "CPU"
    return "CPU"
