"""What a model says of the rows it takes. It is the notebook's own object: whatever it says is checked."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from ..record import recorder
from ..safe_call import attribute
from .model_discovery import is_estimator, is_keras, is_torch, network_of
from .reshaping import Wanted, fits

MAX_ROW_NUMBERS = 1 << 22  # a photo of 1,000 by 1,000 pixels is below
MAX_AXES = 4
MAX_NAMES = 10_000
FIRST_LAYERS = 3


@dataclass(frozen=True)
class Wish:
    shape: Wanted | None = None  # of one row; None where the model does not say
    names: tuple[str, ...] = ()  # of the columns it was fitted with
    tokens: bool = False  # whole numbers that it looks up
    floats: bool = False  # a network: no integers but tokens
    rescales: bool = False  # by a layer of its own


def wish_of(model: Any, seen: recorder.Glimpse | None) -> Wish:
    """Raises ValueError for what cannot be served. ``seen``: the inputs it was fitted with, where that was seen."""
    if is_keras(model):
        wish = _of_keras(model)
    elif is_torch(model):
        wish = _of_torch(model)
    else:
        network = network_of(model)
        wish = _of_estimator(model) if network is model else _of_keras(network)
    if seen is None or not (wish.shape is None or fits(seen.row, wish.shape)):
        return wish
    return replace(wish, shape=_checked(seen.row), names=wish.names or seen.names)


def _of_keras(model: Any) -> Wish:
    shape = attribute(model, "input_shape")
    if isinstance(shape, dict):
        shape = list(shape.values())
    if isinstance(shape, list):
        if len(shape) != 1:
            raise ValueError(f"the model takes {len(shape)} inputs; only predict(X) can say what they are")
        shape = shape[0]
    first = [type(layer).__name__ for layer in islice(attribute(model, "layers") or (), FIRST_LAYERS)]
    row = _checked(shape[1:]) if isinstance(shape, tuple) else None
    return Wish(row, tokens="Embedding" in first, floats=True, rescales="Rescaling" in first)


def _of_torch(model: Any) -> Wish:
    """By its first layer that has weights of a known kind."""
    for layer in model.modules():
        width = attribute(layer, "in_features")
        channels = attribute(layer, "in_channels")
        kind = type(layer).__name__
        if kind == "Embedding":
            return Wish(tokens=True, floats=True)
        if kind in ("RNN", "LSTM", "GRU"):
            return Wish(_checked((None, attribute(layer, "input_size"))), floats=True)
        if isinstance(width, int):
            return Wish(_checked((width,)), floats=True)
        if isinstance(channels, int):
            return Wish(_checked((channels, *[None] * (2 if kind == "Conv2d" else 1))), floats=True)
    return Wish(floats=True)


def _of_estimator(model: Any) -> Wish:
    """scikit-learn's, all of which take tables; an object of another kind says nothing."""
    if not is_estimator(model):
        return Wish()
    width = attribute(model, "n_features_in_")
    shape = (int(width),) if isinstance(width, (int, np.integer)) else (None,)
    return Wish(_checked(shape), names_of(model))


def names_of(estimator: Any) -> tuple[str, ...]:
    """The column names that it was fitted with, if any."""
    names = attribute(estimator, "feature_names_in_")
    if not isinstance(names, np.ndarray) or names.ndim != 1 or len(names) > MAX_NAMES:
        return ()
    return tuple(map(str, names))


def _checked(shape: tuple[Any, ...]) -> Wanted:
    """``shape`` itself, unless it is no shape, or one of a size that nobody trains a homework with."""
    lengths = [1 if length is None else length for length in shape[: MAX_AXES + 1]]
    plain = all(type(length) in (int, np.int64) and 0 < length <= MAX_ROW_NUMBERS for length in lengths)
    if not 0 < len(lengths) <= MAX_AXES or not plain or math.prod(map(int, lengths)) > MAX_ROW_NUMBERS:
        raise ValueError("what the model says of its input shape cannot be")
    return tuple(None if length is None else int(length) for length in shape)
