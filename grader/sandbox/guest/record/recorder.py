"""Records of the notebook's trainings, evaluations and figures. They appear in reports and are never trusted.

``fit_recorder`` and ``run.kernel`` fill the lists; ``facts`` converts them to plain values.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..safe_call import has_type, safe_getattr

MAX_FITS, MAX_FIGURES, MAX_LINES, MAX_POINTS, MAX_EPOCHS = 50, 200, 20, 5000, 5000
SKLEARN_CURVES = {"loss_curve_": "loss", "train_score_": "loss", "validation_scores_": "val_accuracy"}
MIN_MATCH = 2  # points that a drawn line and a curve must have in common
SAMPLE_ROWS, SAMPLE_NUMBERS = 256, 1 << 22


@dataclass(frozen=True)
class InputSummary:
    """Shape and range of the first inputs of a training."""

    row: tuple[int, ...]  # shape of one row
    low: float
    high: float
    names: tuple[str, ...] = ()  # columns of a data frame


@dataclass
class FitRecord:
    """Record of a call of ``fit``, or of the curves that a scikit-learn model keeps of its training."""

    model: Any
    name: str
    batch_size: int | None
    samples: int | None
    curves: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    trained_on: int | None = None  # samples less the validation split
    planned_epochs: int | None = None
    cut_short: bool = False  # ended by the grader because its time was up
    inputs: InputSummary | None = None  # None if the inputs were no array


@dataclass
class FigureRecord:
    """Record of a figure that the notebook showed, in the cell ``In [count]``."""

    count: int
    caption: str
    lines: list[list[float]]


fits: list[FitRecord] = []
figures: list[FigureRecord] = []
evaluations: list[int | None] = []  # number of rows of each evaluate()
seeds: dict[str, int] = {}
current_count = [0]  # In [count] of the running cell


def number(value: Any) -> float:
    """Convert ``value`` to a float; return NaN if it is no number."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def row_count(x: Any) -> int | None:
    """Return the number of rows of an array or another sized object."""
    shape = getattr(x, "shape", None)
    try:
        return int(shape[0]) if shape is not None else len(x)
    except (TypeError, IndexError):
        return None


def summarize_inputs(inputs: Any) -> InputSummary | None:
    """Summarize an array, a tensor or a data frame; return None for other objects, which reading could consume."""
    try:
        row = tuple(int(length) for length in inputs.shape[1:])
        rows = inputs[: max(1, min(SAMPLE_ROWS, SAMPLE_NUMBERS // max(1, math.prod(row))))]
        values = np.asarray(rows)
        if values.dtype.kind not in "biuf" or values.shape[1:] != row:
            return None
        names = tuple(map(str, getattr(rows, "columns", ())))
        return InputSummary(row, float(values.min()), float(values.max()), names)
    except Exception:  # noqa: BLE001  an object of the notebook: its training must not fail because of the record
        return None


def last_inputs(model: Any) -> InputSummary | None:
    """Return the inputs of the last recorded training of ``model``."""
    return next((entry.inputs for entry in reversed(fits) if entry.model is model), None)


def facts(namespace: dict[str, Any]) -> dict[str, Any]:
    """Return all records as plain values for ``facts.json``."""
    entries = [*fits, *_sklearn_fits(namespace)][-MAX_FITS:]
    return {
        "fits": [_fit_facts(entry) for entry in entries],
        "figures": [
            {
                "count": figure.count,
                "shows": _matching_curves(figure, entries),
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


def _fit_facts(entry: FitRecord) -> dict[str, Any]:
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


def _sklearn_fits(namespace: dict[str, Any]) -> list[FitRecord]:
    """Return the curves that scikit-learn's networks and boosted trees keep, also as the last step of a pipeline."""
    found = []
    for name, value in list(namespace.items()):
        if name.startswith("_") or has_type(value, type):
            continue
        steps = safe_getattr(value, "steps") if type(value).__name__ == "Pipeline" else None
        model = steps[-1][1] if type(steps) is list and steps and type(steps[-1]) is tuple else value
        curves = {key: _curve(safe_getattr(model, attribute)) for attribute, key in SKLEARN_CURVES.items()}
        curves = {key: curve for key, curve in curves.items() if curve}
        if curves:
            found.append(FitRecord(model, name[:80], None, None, curves))
    return found


def _curve(values: Any) -> list[float]:
    """Return the numbers of a list or a vector, or [] for anything else."""
    if not (isinstance(values, list) or (isinstance(values, np.ndarray) and values.ndim == 1)):
        return []
    return [number(value) for value in values[:MAX_EPOCHS]]


def _matching_curves(figure: FigureRecord, entries: list[FitRecord]) -> list[str]:
    """Return the names of the recorded curves whose numbers a line of the figure shows, whatever its caption says."""
    names = {
        key
        for entry in entries
        for key, curve in entry.curves.items()
        for line in figure.lines
        if len(curve) >= MIN_MATCH and _contains(line, curve)
    }
    return sorted(names)


def _contains(line: list[float], curve: list[float]) -> bool:
    """Return True if one is a contiguous part of the other.

    A line may start at the fifth epoch, or show the curves of two fits in a row.
    """
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
