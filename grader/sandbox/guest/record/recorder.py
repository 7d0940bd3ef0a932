"""Records of the notebook's trainings, evaluations and figures. They appear in reports and are never trusted.

``fit_recorder`` and ``run.kernel`` fill the lists; ``facts`` converts them to plain values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_FITS, MAX_FIGURES, MAX_LINES, MAX_POINTS, MAX_EPOCHS = 50, 200, 20, 5000, 5000
SAMPLE_ROWS, SAMPLE_NUMBERS, SAMPLE_COLUMNS = 256, 1 << 22, 64
MAX_INPUTS = 20  # of one model
MAX_KEYED, KEYED_AT_ONCE = 1 << 26, 1 << 22  # numbers of the inputs


@dataclass(frozen=True)
class InputSummary:
    """Shape and range of the first inputs of a training."""

    row: tuple[int, ...]  # shape of one row
    low: float
    high: float
    names: tuple[str, ...] = ()  # columns of a data frame
    sample: NDArray[np.float64] | None = field(default=None, compare=False)  # (rows, columns) of a narrow table
    keys: NDArray[np.float64] | None = field(default=None, compare=False)  # of all rows, sorted: see ``row_keys``


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
    cut_short: bool = False  # ended by the grader because its time was up, or its samples
    samples_reached: bool = False  # ended because of its samples
    inputs: tuple[InputSummary, ...] = ()  # one for each input of the model; empty if they were no arrays
    grouped: bool = False  # several steps of Keras ran in one graph call, with the same result
    steps: int = 0  # of a training loop that the notebook wrote itself: batches instead of epochs
    owner: int = 0  # identity of the estimator or the optimizer, to recognise the next call


@dataclass
class FigureRecord:
    """Record of a figure that the notebook showed, in the cell ``In [count]``."""

    count: int
    caption: str
    lines: list[list[float]]  # the heights of lines, points and bars
    saved: bool = False  # into a file, which another cell may show


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
    """Return the number of rows of an array, of a model's inputs, or of another sized object."""
    if type(x) in (dict, list, tuple) and 0 < len(x) <= MAX_INPUTS:
        first = next(iter(x.values())) if type(x) is dict else x[0]
        x = first if len(getattr(first, "shape", ())) > 1 else x
    shape = getattr(x, "shape", None)
    try:
        return int(shape[0]) if shape is not None else len(x)
    except (TypeError, IndexError):
        return None


def row_keys(rows: Any) -> NDArray[np.float64] | None:
    """Return a number for each row, by which equal rows are found, or None for large inputs."""
    width = math.prod(rows.shape[1:])
    if not 0 < width * len(rows) <= MAX_KEYED:
        return None
    direction = np.random.default_rng(0).normal(size=width)
    size = max(1, KEYED_AT_ONCE // width)
    starts = range(0, len(rows), size)
    keys: NDArray[np.float64] = np.concatenate(
        [np.asarray(rows[at : at + size], np.float64).reshape(-1, width) @ direction for at in starts]
    )
    return keys


def summarize_inputs(inputs: Any, *, trained_share: float = 0.0) -> InputSummary | None:
    """Summarize an array, a tensor or a data frame; return None for other objects, which reading could consume.

    ``trained_share`` is the share of the rows, from the first, that the model learns from; 0 if that is unknown.
    """
    try:
        row = tuple(int(length) for length in inputs.shape[1:])
        rows = inputs[: max(1, min(SAMPLE_ROWS, SAMPLE_NUMBERS // max(1, math.prod(row))))]
        values = np.asarray(rows)
        if values.dtype.kind not in "biuf" or values.shape[1:] != row:
            return None
        names = tuple(map(str, getattr(rows, "columns", ())))
        sample = None
        if len(row) < 2 and math.prod(row) <= SAMPLE_COLUMNS:
            sample = values.reshape(len(values), -1).astype(np.float64)
        keys = row_keys(inputs[: int(len(inputs) * trained_share)]) if trained_share else None
        keys = None if keys is None else np.sort(keys)
        return InputSummary(row, float(values.min()), float(values.max()), names, sample, keys)
    except Exception:  # noqa: BLE001  an object of the notebook: its training must not fail because of the record
        return None


def summarize_all_inputs(x: Any, *, trained_share: float = 0.0) -> tuple[InputSummary, ...]:
    """Summarize the inputs of a training, one for each input of the model; return () if one of them is no array."""
    parts = [x[name] for name in sorted(x)] if type(x) is dict else x
    several = type(parts) in (list, tuple) and 0 < len(parts) <= MAX_INPUTS
    if not several or not all(len(getattr(part, "shape", ())) for part in parts):
        parts = [x]
    found = [summarize_inputs(part, trained_share=trained_share) for part in parts]
    return tuple(part for part in found if part is not None) if None not in found else ()
