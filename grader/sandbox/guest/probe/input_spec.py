"""Input that a model reports to take. A model is an object of the notebook, so everything it reports is checked."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..record.recorder import MAX_INPUTS, InputSummary
from ..safe_call import safe_getattr
from .model_discovery import is_estimator, is_keras, is_torch, network_of
from .reshaping import InputShape, fits

MAX_ROW_NUMBERS = 1 << 22  # a photo of 1,000 by 1,000 pixels is below
MAX_AXES = 4
MAX_NAMES = 10_000
FIRST_LAYERS = 3


@dataclass(frozen=True)
class InputSpec:
    """Rows that a model takes."""

    shape: InputShape | None = None  # of one row; None if the model does not report it
    names: tuple[str, ...] = ()  # columns it was fitted with
    tokens: bool = False  # integers that an embedding looks up
    floats: bool = False  # a network, which takes integers only as tokens
    rescales: bool = False  # has a layer that rescales its inputs
    parts: tuple[int, ...] = ()  # columns of each input of a model with several, which are cut from a table
    input_names: tuple[str, ...] = ()  # of a model whose inputs are a dictionary
    samples: tuple[NDArray[np.float64], ...] = field(default=(), compare=False)  # rows it was fitted with


def read_input_spec(model: Any, fitted: tuple[InputSummary, ...] = ()) -> InputSpec:
    """Return the input that ``model`` takes. Raises ValueError for several inputs of images and impossible shapes.

    ``fitted`` summarizes the inputs of its training, if that was recorded.
    """
    if is_keras(model):
        spec = _keras_spec(model)
    elif is_torch(model):
        spec = _torch_spec(model)
    else:
        network = network_of(model)
        spec = _estimator_spec(model) if network is model else _keras_spec(network)
    samples = tuple(part.sample for part in fitted if part.sample is not None)
    if len(samples) == len(fitted) == max(1, len(spec.parts)):
        spec = replace(spec, samples=samples)
    if len(fitted) != 1 or spec.parts or not (spec.shape is None or fits(fitted[0].row, spec.shape)):
        return spec
    return replace(spec, shape=_checked(fitted[0].row), names=spec.names or fitted[0].names)


def _keras_spec(model: Any) -> InputSpec:
    shape = safe_getattr(model, "input_shape")
    inputs = safe_getattr(model, "_inputs_struct")
    names = tuple(sorted(map(str, inputs))) if type(inputs) is dict else ()  # in the order of ``input_shape``
    if isinstance(shape, dict):
        shape = [shape[name] for name in sorted(shape)]
    if isinstance(shape, list):
        if len(shape) != 1:
            return InputSpec(floats=True, parts=_widths(shape), input_names=names)
        shape = shape[0]
    first = [type(layer).__name__ for layer in islice(safe_getattr(model, "layers") or (), FIRST_LAYERS)]
    row = _checked(shape[1:]) if isinstance(shape, tuple) else None
    return InputSpec(row, tokens="Embedding" in first, floats=True, rescales="Rescaling" in first)


def _widths(shapes: list[Any]) -> tuple[int, ...]:
    """Return the columns of each input. Raises ValueError unless every input is a row of a table."""
    checked = [_checked(shape[1:]) for shape in shapes[:MAX_INPUTS] if isinstance(shape, tuple) and len(shape) == 2]
    widths = [shape[0] for shape in checked if shape[0] is not None]
    if len(widths) != len(shapes):
        raise ValueError(f"the model takes {len(shapes)} inputs; define predict(X) to prepare them")
    return tuple(widths)


def _torch_spec(model: Any) -> InputSpec:
    """Read the first layer of a known kind that has weights."""
    for layer in model.modules():
        width = safe_getattr(layer, "in_features")
        channels = safe_getattr(layer, "in_channels")
        kind = type(layer).__name__
        if kind == "Embedding":
            return InputSpec(tokens=True, floats=True)
        if kind in ("RNN", "LSTM", "GRU"):
            return InputSpec(_checked((None, safe_getattr(layer, "input_size"))), floats=True)
        if isinstance(width, int):
            return InputSpec(_checked((width,)), floats=True)
        if isinstance(channels, int):
            return InputSpec(_checked((channels, *[None] * (2 if kind == "Conv2d" else 1))), floats=True)
    return InputSpec(floats=True)


def _estimator_spec(model: Any) -> InputSpec:
    """Return a table for estimators of scikit-learn, and an empty spec for other objects."""
    if not is_estimator(model):
        return InputSpec()
    width = safe_getattr(model, "n_features_in_")
    shape = (int(width),) if isinstance(width, (int, np.integer)) else (None,)
    return InputSpec(_checked(shape), column_names(model))


def column_names(estimator: Any) -> tuple[str, ...]:
    """Return the column names that the estimator was fitted with, or ()."""
    names = safe_getattr(estimator, "feature_names_in_")
    if not isinstance(names, np.ndarray) or names.ndim != 1 or len(names) > MAX_NAMES:
        return ()
    return tuple(map(str, names))


def _checked(shape: tuple[Any, ...]) -> InputShape:
    """Return ``shape``. Raises ValueError if it is no shape, or too large for a model of a homework."""
    lengths = [1 if length is None else length for length in shape[: MAX_AXES + 1]]
    plain = all(type(length) in (int, np.int64) and 0 < length <= MAX_ROW_NUMBERS for length in lengths)
    if not 0 < len(lengths) <= MAX_AXES or not plain or math.prod(map(int, lengths)) > MAX_ROW_NUMBERS:
        raise ValueError("the model reports an impossible input shape")
    return tuple(None if length is None else int(length) for length in shape)
