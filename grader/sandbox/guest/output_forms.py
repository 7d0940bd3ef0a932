"""How a model's raw output is read as answers. Pure NumPy; the host reads predictions by the same rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LARGEST_LABEL = 2.0**53  # up to here every integer is a float64


def one_column(raw: Array) -> Array | None:
    """``(n,)`` from ``(n,)`` or ``(n, 1)``; None for any other shape."""
    if raw.ndim == 1:
        return raw
    if raw.ndim == 2 and raw.shape[1] == 1:
        return raw[:, 0]
    return None


def is_whole(column: Array) -> bool:
    """Whether every value is an integer, whatever the dtype."""
    return column.dtype.kind in "biu" or bool(np.all(np.equal(np.mod(column.astype(np.float64), 1), 0)))


def as_labels(raw: Array) -> NDArray[np.int64] | None:
    column = one_column(raw)
    if column is None or not is_whole(column):
        return None
    # 1e300 is a whole number too: no class, whatever it is cut to, and no integer as it stands.
    return np.clip(column.astype(np.float64), -LARGEST_LABEL, LARGEST_LABEL).astype(np.int64)


def as_probability(raw: Array) -> NDArray[np.int64] | None:
    """Probabilities of class 1, in [0, 1], rounded at 0.5."""
    column = one_column(raw)
    if column is None or column.dtype.kind != "f" or np.any(column < 0) or np.any(column > 1):
        return None
    return (column >= 0.5).astype(np.int64)


def as_scores(raw: Array) -> NDArray[np.int64] | None:
    """One column per class: the class of the largest."""
    return np.argmax(raw, axis=1).astype(np.int64) if raw.ndim == 2 and raw.shape[1] > 1 else None


def as_rounded(raw: Array) -> NDArray[np.int64] | None:
    """The output of a model fitted to 0 and 1 by regression: cut at 0.5."""
    column = one_column(raw)
    return (column.astype(np.float64) >= 0.5).astype(np.int64) if column is not None else None


def as_logit(raw: Array) -> NDArray[np.int64] | None:
    """A logit of class 1: cut at 0."""
    column = one_column(raw)
    return (column.astype(np.float64) > 0).astype(np.int64) if column is not None else None


Form = Callable[[Array], NDArray[np.int64] | None]

# What ``predict(X)`` may return for classes; labels first, so that 0.0 and 1.0 are never "probabilities".
ANSWER_FORMS: dict[str, Form] = {"labels": as_labels, "probability": as_probability, "scores": as_scores}
# What a model's own output may be besides; only the public data can tell which.
MODEL_FORMS: dict[str, Form] = {**ANSWER_FORMS, "rounded": as_rounded, "logit": as_logit}
