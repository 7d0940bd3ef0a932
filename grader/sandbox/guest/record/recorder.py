"""What Keras and matplotlib did: fits, epochs, curves, evaluations, figures. Claims, for the report and the student.

``hooks`` fills the lists; ``facts`` makes plain values of them.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..safe_call import attribute, is_a

MAX_FITS, MAX_FIGURES, MAX_LINES, MAX_POINTS, MAX_EPOCHS = 50, 200, 20, 5000, 5000
SKLEARN_CURVES = {"loss_curve_": "loss", "train_score_": "loss", "validation_scores_": "val_accuracy"}
MIN_MATCH = 2  # points of a curve that a drawn line must share
GLIMPSE_ROWS, GLIMPSE_NUMBERS = 256, 1 << 22


@dataclass(frozen=True)
class Glimpse:
    """What the first inputs of a training were like."""

    row: tuple[int, ...]  # the shape of one
    low: float
    high: float
    names: tuple[str, ...] = ()  # of a data frame's columns


@dataclass
class FitRecord:
    model: Any
    name: str
    batch_size: int | None
    samples: int | None
    curves: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    trained_on: int | None = None
    planned_epochs: int | None = None
    cut_short: bool = False  # by us, because its time was up
    seen: Glimpse | None = None  # None where the inputs were no array


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


def number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def glimpse(inputs: Any) -> Glimpse | None:
    """Of an array, a tensor or a data frame; nothing else is touched, as it may be used up by looking."""
    try:
        row = tuple(int(length) for length in inputs.shape[1:])
        rows = inputs[: max(1, min(GLIMPSE_ROWS, GLIMPSE_NUMBERS // max(1, math.prod(row))))]
        values = np.asarray(rows)
        if values.dtype.kind not in "biuf" or values.shape[1:] != row:
            return None
        return Glimpse(row, float(values.min()), float(values.max()), tuple(map(str, getattr(rows, "columns", ()))))
    except Exception:  # noqa: BLE001  the notebook's own object; its training must not fail because we looked
        return None


def seen(model: Any) -> Glimpse | None:
    """The inputs of the model's last training."""
    return next((entry.seen for entry in reversed(fits) if entry.model is model), None)


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
        "planned_epochs": entry.planned_epochs,
        "cut_short": entry.cut_short,
        "curves": curves,
    }


def _loss_curves(namespace: dict[str, Any]) -> list[FitRecord]:
    """What scikit-learn's networks and boosted trees keep of their training; a pipeline's last step is looked at."""
    found = []
    for name, value in list(namespace.items()):
        if name.startswith("_") or is_a(value, type):
            continue
        steps = attribute(value, "steps") if type(value).__name__ == "Pipeline" else None
        model = steps[-1][1] if type(steps) is list and steps and type(steps[-1]) is tuple else value
        curves = {key: _curve(attribute(model, kept)) for kept, key in SKLEARN_CURVES.items()}
        curves = {key: curve for key, curve in curves.items() if curve}
        if curves:
            found.append(FitRecord(model, name[:80], None, None, curves))
    return found


def _curve(values: Any) -> list[float]:
    """A list, or a vector, of numbers; empty for anything else."""
    if not (isinstance(values, list) or (isinstance(values, np.ndarray) and values.ndim == 1)):
        return []
    return [number(value) for value in values[:MAX_EPOCHS]]


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
