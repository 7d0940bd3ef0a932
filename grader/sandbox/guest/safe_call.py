"""Calls into the notebook's own code: limited in time, with checked results."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from . import protocol
from .output_forms import Array

T = TypeVar("T")
LEAST_SECONDS = 0.2  # a limit of 0 would be none


class TimeScale:
    """Factor on all time limits here, and the time when every call must have ended.

    An assignment on photos allows large models more time.
    """

    factor = 1.0
    ends = math.inf  # as of ``time.monotonic()``


@contextmanager
def time_limit(seconds: float | None = None) -> Iterator[None]:
    """Raise TimeoutError in Python code that runs longer than ``seconds`` (default ``ATTEMPT_SECONDS``).

    The limit also ends an iteration over an object that never stops. Without ``setitimer`` (Windows) there is no limit.
    """
    limit = (protocol.ATTEMPT_SECONDS if seconds is None else seconds) * TimeScale.factor
    limit = min(limit, max(LEAST_SECONDS, TimeScale.ends - time.monotonic()))
    if not hasattr(signal, "setitimer"):
        yield
        return

    def give_up(_signal: int, _frame: Any) -> None:
        raise TimeoutError(f"no result after {limit:.0f} s")

    previous = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def collect_in_time(collect: Callable[[], list[T]]) -> list[T]:
    """Return what ``collect`` finds among the notebook's objects, or [] if one of them raises or does not end."""
    try:
        with time_limit():
            return collect()
    except Exception:  # noqa: BLE001  objects of the notebook may raise anything
        return []


def safe_getattr(value: Any, name: str) -> Any:
    """Return the attribute, or None if it is missing or raises: a property of a notebook's object is student code."""
    try:
        return getattr(value, name, None)
    except Exception:  # noqa: BLE001
        return None


def has_type(value: Any, kind: Any) -> bool:
    """Check the type like ``isinstance``, but ignore ``__class__``, which an object may define to lie or to raise."""
    return issubclass(type(value), kind)


def as_array(value: Any) -> Array:
    """Convert lists, frames and tensors of any framework to a NumPy array. Masked numbers become NaN."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    if has_type(value, np.ma.MaskedArray) and value.mask.any():
        return np.ma.filled(value.astype(np.float64), np.nan)  # what lies behind a mask may be any leftover of memory
    return np.asarray(value)


def check_predictions(raw: Array, rows: int) -> None:
    """Check that ``raw`` is finite numbers of shape ``(rows,)`` or ``(rows, columns)``.

    Raises TypeError for another dtype and ValueError for another shape. Raises FloatingPointError for NaN and
    infinity, because other inputs may give finite numbers.
    """
    if raw.dtype.kind not in "biuf":
        raise TypeError(f"the predictions have dtype {raw.dtype}; expected numbers")
    if raw.ndim not in (1, 2) or len(raw) != rows:
        raise ValueError(f"the predictions have shape {raw.shape}; expected one prediction for each of {rows} rows")
    bad = int(np.count_nonzero(~np.isfinite(raw.astype(np.float64))))
    if bad:
        raise FloatingPointError(f"{bad} of {raw.size} predictions are NaN or infinite")
