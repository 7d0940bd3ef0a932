"""Preparations of the raw inputs for a model, derived from what the model reports and the notebook holds.

First the numbers are transformed, then the rows are reshaped. All parameters come from the public rows or from
objects that the notebook fitted, so that a single row is prepared exactly like many.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..output_forms import Array
from ..record import trained
from ..safe_call import as_array, safe_getattr
from .column_cuts import Cut, cut_in_order, find_cut
from .input_spec import InputSpec, column_names
from .model_discovery import is_fitted
from .reshaping import CHANNELS, Reshaping, Row, reshapings, with_channels

MAX_PREPARATIONS = 40
MAX_FITTED = 4
MAX_TEXT = 1 << 20  # characters of one cell that are searched
MIN_PIXELS = 64  # columns of a table that may be the pixels of an image
BRIGHTEST = 255
RAW = "raw"
# Constants of networks trained on ImageNet, as in ``preprocess_input`` of keras.applications.
IMAGENET_BGR = np.array([103.939, 116.779, 123.68], np.float32)
IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
IMAGENET_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)

Prepare = Callable[[Array], Any]


@dataclass(frozen=True)
class Preparation:
    """A way to prepare inputs: ``apply`` takes raw rows and returns rows of shape ``row`` for the model."""

    steps: tuple[str, ...]
    row: Row
    apply: Prepare
    guess: bool = False

    @property
    def name(self) -> str:
        """Name in the report."""
        return ", ".join(self.steps) or RAW

    def then(self, step: str, row: Row, function: Prepare, *, guess: bool = False) -> Preparation:
        """Return this preparation followed by another function, named ``step`` unless that is empty."""
        before = self.apply
        steps = (*self.steps, step) if step else self.steps
        return Preparation(steps, row, lambda X: function(before(X)), self.guess or guess)


@dataclass(frozen=True)
class NotebookHints:
    """Hints of the notebook about its preparation of inputs."""

    columns: tuple[str, ...]  # of the public data
    fitted: tuple[tuple[str, Any], ...] = ()  # fitted scalers, encoders and decompositions
    imagenet: bool = False  # it uses a network trained on ImageNet
    mentions_255: bool = False


def read_hints(variables: list[tuple[str, Any]], sources: Any, columns: tuple[str, ...]) -> NotebookHints:
    """Collect the hints; ``sources`` is IPython's list of the cells that ran."""
    fitted = [
        (name[:80], value)
        for name, value in variables
        if isinstance(safe_getattr(value, "n_features_in_"), (int, np.integer))
        and callable(safe_getattr(value, "transform"))
        and safe_getattr(value, "predict") is None
        and is_fitted(value)
    ]
    texts = [text[:MAX_TEXT] for text in sources[:1000] if type(text) is str] if type(sources) is list else []
    imagenet = any("preprocess_input" in text or "0.485" in text for text in texts)
    return NotebookHints(columns, tuple(fitted[-MAX_FITTED:]), imagenet, any("255" in text for text in texts))


def preparations(public: Array, spec: InputSpec, hints: NotebookHints) -> list[Preparation]:
    """Return ways to prepare raw rows ``(n, ...)`` like ``public`` for a model, the simplest first."""
    raw = Preparation((), public.shape[1:], lambda X: X)
    found = []
    if spec.rescales:
        hints = replace(hints, mentions_255=False)  # a layer of the model divides
    for transformed in [raw] if spec.tokens else _transform(raw, public, hints):
        if not (spec.names and set(spec.names) <= set(hints.columns)):
            found += list(_cut(transformed, public, spec))
        if not spec.parts:
            found += list(_shape(transformed, spec, hints))
    return found[:MAX_PREPARATIONS]


# ------------------------------------------------------------------ transforms of the numbers


def _transform(raw: Preparation, public: Array, hints: NotebookHints) -> Iterator[Preparation]:
    pixels = _are_pixels(public)
    by_255 = raw.then("X / 255", raw.row, lambda X: X / np.float32(BRIGHTEST))
    basic = ([by_255, raw] if hints.mentions_255 else [raw, by_255]) if pixels else [raw]
    yield from basic
    for start in basic:
        yield from _through_fitted(start, public, hints)
    if hints.imagenet and pixels and len(raw.row) >= 2:
        yield from _as_imagenet(raw)
    yield from _by_formula(raw, public, hints, pixels=pixels)


def _are_pixels(public: Array) -> bool:
    if public.ndim == 2 and public.shape[1] < MIN_PIXELS:
        return False
    return bool(public.dtype == np.uint8 or (public.min() >= 0 and BRIGHTEST / 2 < public.max() <= BRIGHTEST))


def _by_formula(raw: Preparation, public: Array, hints: NotebookHints, *, pixels: bool) -> Iterator[Preparation]:
    """Standardize or scale each column of a table; images and sequences over all numbers, then by position."""
    if pixels:  # the minimum and maximum are 0 and 255, or nearly so
        yield raw.then("X / 127.5 - 1", raw.row, lambda X: X / np.float32(127.5) - 1, guess=not hints.imagenet)
    axes: list[int | None] = [0] if public.ndim == 2 and not pixels else [None, 0]
    for axis in axes:
        suffix = ", of all together" if axis is None else ""
        low, high = public.min(axis).astype(np.float64), public.max(axis).astype(np.float64)
        mean, deviation = public.mean(axis, dtype=np.float64), public.std(axis, dtype=np.float64)
        formulas = {"(X - mean) / std": (mean, deviation)}
        if not pixels and (axis is None or len(axes) == 1):
            formulas |= {"(X - min) / (max - min)": (low, high - low), "X / max": (np.zeros_like(high), high)}
        for formula, (offset, divisor) in formulas.items():
            yield raw.then(formula + suffix, raw.row, functools.partial(_scale, offset, divisor), guess=True)


def _scale(offset: Any, divisor: Any, X: Array) -> Array:
    scaled: Array = (X - offset) / np.where(divisor != 0, divisor, 1.0)
    return scaled


def _as_imagenet(raw: Preparation) -> Iterator[Preparation]:
    sides = raw.row[:2]
    channels = raw.row[2] if len(raw.row) == 3 else 1
    if len(raw.row) > 3 or channels not in CHANNELS:
        return
    rgb = raw
    if channels != 3:
        rgb = raw.then("RGB", (*sides, 3), lambda X: with_channels(np.reshape(X, (len(X), *sides, channels)), 3))
    yield rgb.then("BGR - mean of ImageNet", rgb.row, subtract_imagenet_mean)
    yield rgb.then("(X / 255 - mean) / std of ImageNet", rgb.row, standardize_imagenet)


def subtract_imagenet_mean(images: Array) -> Array:
    """Convert RGB 0 to 255 ``(n, h, w, 3)`` to BGR minus ImageNet's mean, float32, as for VGG and ResNet."""
    return images[..., ::-1].astype(np.float32) - IMAGENET_BGR


def standardize_imagenet(images: Array) -> Array:
    """Standardize RGB 0 to 255 ``(n, h, w, 3)`` by ImageNet's mean and deviation, float32, as for DenseNet."""
    return (images.astype(np.float32) / 255 - IMAGENET_MEAN) / IMAGENET_DEVIATION


def _through_fitted(start: Preparation, public: Array, hints: NotebookHints) -> Iterator[Preparation]:
    """Apply an object that the notebook fitted, or two in a row if their widths match."""
    single = [
        (name, done)
        for name, fitted in hints.fitted
        if (done := _apply_fitted(start, name, fitted, public, hints)) is not None
    ]
    yield from (done for _name, done in single)
    for name, done in single:
        for other, fitted in hints.fitted:
            double = _apply_fitted(done, other, fitted, public, hints) if other != name else None
            if double is not None:
                yield double


def _apply_fitted(
    start: Preparation, name: str, fitted: Any, public: Array, hints: NotebookHints
) -> Preparation | None:
    names, width = column_names(fitted), safe_getattr(fitted, "n_features_in_")
    is_table = len(start.row) == 1
    cut = _cut_of_fitted(start, fitted, public) if is_table else None
    if names and is_table and set(names) <= set(hints.columns) and start.row == (len(hints.columns),):
        ready = start.then("", (len(names),), functools.partial(_frame, hints.columns, names))
    elif cut is not None:
        ready = start.then(cut.step, (int(width),), functools.partial(_columns_of, cut, names))
    elif width == math.prod(start.row):
        ready = start if is_table else start.then("", (int(width),), lambda X: np.reshape(X, (len(X), -1)))
    else:
        return None

    def transform(X: Any) -> Any:
        made = fitted.transform(X)
        return made.toarray() if hasattr(made, "toarray") else made

    try:
        row = tuple(int(length) for length in np.shape(transform(ready.apply(public[:2])))[1:])
    except Exception:  # noqa: BLE001  an object of the notebook that cannot transform these inputs
        return None
    restore = not is_table and row == (math.prod(start.row),)
    done = ready.then(name, row, transform)
    return done.then("", start.row, lambda X: np.reshape(as_array(X), (len(X), *start.row))) if restore else done


# ------------------------------------------------------------------ columns of a table


def _cut_of_fitted(start: Preparation, fitted: Any, public: Array) -> Cut | None:
    """Return the columns that a transformer was fitted with, unless they are all public columns in their order."""
    samples = [part.sample for part in trained.inputs_of(fitted) if part.sample is not None]
    if len(samples) != 1 or len(samples[0]) == 0:
        return None
    cut = find_cut(samples, as_array(start.apply(public)))
    return None if cut is None or cut.is_whole(start.row[0]) else cut


def _cut(start: Preparation, public: Array, spec: InputSpec) -> Iterator[Preparation]:
    """Yield the cut that the rows of the training show; for several inputs also the cut in order, a guess."""
    if len(start.row) != 1 or not (spec.parts or spec.samples):
        return
    try:
        cut = find_cut(spec.samples, as_array(start.apply(public))) if spec.samples else None
    except Exception:  # noqa: BLE001  a transformer of the notebook
        return
    if cut is not None and not cut.is_whole(start.row[0]):
        yield start.then(cut.step, (sum(map(len, cut.parts)),), functools.partial(_inputs_of, cut, spec))
    elif spec.parts and (ordered := cut_in_order(spec.parts, start.row[0])) is not None:
        yield start.then(ordered.step, (sum(spec.parts),), functools.partial(_inputs_of, ordered, spec), guess=True)


def _inputs_of(cut: Cut, spec: InputSpec, X: Any) -> Any:
    parts = cut.apply(as_array(X))
    if spec.floats:
        parts = [part.astype(np.float32) for part in parts]
    if spec.input_names:
        return dict(zip(spec.input_names, parts, strict=True))
    if spec.parts:
        return parts
    return _named_frame(parts[0], spec.names) if spec.names and not spec.floats else parts[0]


def _columns_of(cut: Cut, names: tuple[str, ...], X: Any) -> Any:
    (columns,) = cut.apply(as_array(X))
    return _named_frame(columns, names) if names else columns


def _named_frame(columns: Array, names: tuple[str, ...]) -> Any:
    import pandas

    return pandas.DataFrame(columns, columns=list(names))


# ------------------------------------------------------------------ shape of a row


def _shape(start: Preparation, spec: InputSpec, hints: NotebookHints) -> Iterator[Preparation]:
    if spec.names and start.row == (len(hints.columns),) and set(spec.names) <= set(hints.columns):
        yield _by_column_names(start, spec, hints)
        return
    for reshaping in reshapings(start.row, spec.shape, tokens=spec.tokens):
        yield _reshape(start, reshaping, spec)
    if start.row == (1,) and spec.shape is None:
        yield start.then("vector", (), lambda X: as_array(X)[:, 0])


def _by_column_names(start: Preparation, spec: InputSpec, hints: NotebookHints) -> Preparation:
    """Select the columns that the model was fitted with: a data frame, or for a network only their numbers."""
    row = (len(spec.names),)
    if spec.floats:
        positions = [hints.columns.index(name) for name in spec.names]
        step = "" if spec.names == hints.columns else "columns by their names"
        return start.then(step, row, lambda X: as_array(X)[:, positions])
    return start.then("data frame", row, functools.partial(_frame, hints.columns, spec.names))


def _frame(columns: tuple[str, ...], names: tuple[str, ...], X: Any) -> Any:
    import pandas

    frame = X if isinstance(X, pandas.DataFrame) else pandas.DataFrame(X, columns=list(columns))
    return frame[list(names)]


def _reshape(start: Preparation, reshaping: Reshaping, spec: InputSpec) -> Preparation:
    def reshape(X: Any) -> Any:
        if not reshaping.steps and not spec.floats:
            return X  # a data frame stays one
        rows = reshaping.apply(as_array(X))
        return rows.astype(np.float32) if spec.floats and not spec.tokens and rows.dtype.kind in "biu" else rows

    done = start.then("", reshaping.row, reshape, guess=reshaping.guess)
    return replace(done, steps=(*start.steps, *reshaping.steps))


def to_data_frame(columns: tuple[str, ...]) -> Prepare:
    """Return a function that converts rows ``(n, columns)`` to a data frame."""
    return functools.partial(_frame, columns, columns)
