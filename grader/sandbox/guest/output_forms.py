"""Rules that turn the raw output of a model into class numbers. Pure NumPy; guest and host use the same rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LARGEST_LABEL = 2.0**53  # float64 represents every integer up to here


def one_column(raw: Array) -> Array | None:
    """Return ``(n,)`` from ``(n,)`` or ``(n, 1)``, or None for any other shape."""
    if raw.ndim == 1:
        return raw
    if raw.ndim == 2 and raw.shape[1] == 1:
        return raw[:, 0]
    return None


def is_whole(column: Array) -> bool:
    """Return True if every value is an integer, whatever the dtype."""
    return column.dtype.kind in "biu" or bool(np.all(np.equal(np.mod(column.astype(np.float64), 1), 0)))


def as_labels(raw: Array) -> NDArray[np.int64] | None:
    """Return class numbers ``(n,)`` from one column of integers of any dtype, or None."""
    column = one_column(raw)
    if column is None or not is_whole(column):
        return None
    # 1e300 is an integer too but overflows int64. The clipped value is not the number of any class.
    return np.clip(column.astype(np.float64), -LARGEST_LABEL, LARGEST_LABEL).astype(np.int64)


def as_probability(raw: Array) -> NDArray[np.int64] | None:
    """Return classes 0 and 1 ``(n,)`` from one float column of probabilities in [0, 1], cut at 0.5, or None."""
    column = one_column(raw)
    if column is None or column.dtype.kind != "f" or np.any(column < 0) or np.any(column > 1):
        return None
    return (column >= 0.5).astype(np.int64)


def as_scores(raw: Array) -> NDArray[np.int64] | None:
    """Return the class ``(n,)`` with the largest of the scores ``(n, classes)``, or None for fewer than two columns."""
    return np.argmax(raw, axis=1).astype(np.int64) if raw.ndim == 2 and raw.shape[1] > 1 else None


def as_rounded(raw: Array) -> NDArray[np.int64] | None:
    """Return classes 0 and 1 ``(n,)`` from one column of a regression on 0 and 1, cut at 0.5, or None."""
    column = one_column(raw)
    return (column.astype(np.float64) >= 0.5).astype(np.int64) if column is not None else None


def as_logit(raw: Array) -> NDArray[np.int64] | None:
    """Return classes 0 and 1 ``(n,)`` from one column of logits of class 1, cut at 0, or None."""
    column = one_column(raw)
    return (column.astype(np.float64) > 0).astype(np.int64) if column is not None else None


Form = Callable[[Array], NDArray[np.int64] | None]

# Forms that ``predict(X)`` may return for classes. Labels come first, so that 0.0 and 1.0 never count as probabilities.
ANSWER_FORMS: dict[str, Form] = {"labels": as_labels, "probability": as_probability, "scores": as_scores}
# Further forms of a model's own output. Only the public data can tell which of them applies.
MODEL_FORMS: dict[str, Form] = {**ANSWER_FORMS, "rounded": as_rounded, "logit": as_logit}
