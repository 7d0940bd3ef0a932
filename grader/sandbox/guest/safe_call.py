"""One question to the notebook's own code: in bounded time, and the answer as numbers or an error in words."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from . import protocol
from .output_forms import Array

Found = TypeVar("Found")


class Patience:
    times = 1.0  # the usual bounds on time: an assignment on photos allows large models more


@contextmanager
def time_limit(seconds: float | None = None) -> Iterator[None]:
    """Ends Python code that does not answer, an object that pretends to be endless among it."""
    bound = (protocol.ATTEMPT_SECONDS if seconds is None else seconds) * Patience.times
    if not hasattr(signal, "setitimer"):
        yield
        return

    def give_up(_signal: int, _frame: Any) -> None:
        raise TimeoutError(f"no answer after {bound:.0f} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, bound)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def found_in_time(look: Callable[[], list[Found]]) -> list[Found]:
    """What ``look`` finds among the notebook's objects; nothing when one of them raises or does not end."""
    try:
        with time_limit():
            return look()
    except Exception:  # noqa: BLE001  the notebook's own objects: anything may come
        return []


def attribute(value: Any, name: str) -> Any:
    """None where there is none, or where it raises: properties of the notebook's objects are its own code."""
    try:
        return getattr(value, name, None)
    except Exception:  # noqa: BLE001
        return None


def is_a(value: Any, kind: Any) -> bool:
    """As ``isinstance``, by the type alone: an object's own word for its class may be a lie, or an error."""
    return issubclass(type(value), kind)


def as_array(value: Any) -> Array:
    """NumPy from lists, frames and tensors of any framework."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    return np.asarray(value)


def check(raw: Array, rows: int) -> None:
    """Raises TypeError or ValueError unless ``raw`` is numbers for each of ``rows`` rows, and finite ones: else
    FloatingPointError, as other inputs may give others."""
    if raw.dtype.kind not in "biuf":
        raise TypeError(f"the answers have the type {raw.dtype}, expected numbers")
    if raw.ndim not in (1, 2) or len(raw) != rows:
        raise ValueError(f"the answers have the shape {raw.shape}, expected one answer for each of {rows} rows")
    bad = int(np.count_nonzero(~np.isfinite(raw.astype(np.float64))))
    if bad:
        raise FloatingPointError(f"{bad} of {raw.size} answers are NaN or infinite")
