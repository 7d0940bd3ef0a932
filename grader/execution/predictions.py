"""The hidden rows, in which order a notebook is asked them, and its answers as its process wrote them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from grader.data import hidden_sets
from grader.files.atomic import write_bytes
from grader.sandbox.guest import protocol

MAX_NEIGHBOUR_CHANGES = 1  # rows: one may sit exactly on the threshold


@dataclass(frozen=True, slots=True)
class Asked:
    """In which order this submission is asked the hidden rows: neither order nor place helps from run to run."""

    again: NDArray[np.intp]  # rows asked once more, alone or in other company
    order: NDArray[np.intp]  # all rows, shuffled

    @property
    def rows(self) -> NDArray[np.intp]:
        return np.concatenate([self.again, self.order])


def order_of(rows: int, secret: bytes, digest: str) -> Asked:
    """``digest`` is the submission's: each is asked in an order of its own, the same from run to run."""
    rng = np.random.default_rng(hidden_sets.derive_seed(secret, "order", digest))
    return Asked(rng.integers(0, rows, protocol.SINGLE_ROWS + protocol.BATCH_ROWS), rng.permutation(rows))


def answers_in(data: bytes | None, asked: Asked | None) -> tuple[NDArray[np.generic] | None, bool]:
    """The answers in the hidden set's own order, and whether they changed with the rows around them."""
    raw = array_in(data)
    if raw is None or asked is None:
        return None, False
    repeated = len(asked.again)
    if raw.ndim not in (1, 2) or len(raw) != repeated + len(asked.order):
        return raw, False  # for the metric to refuse, with the shape found
    answers = np.empty_like(raw[repeated:])
    answers[asked.order] = raw[repeated:]
    same = np.isclose(raw[:repeated].astype(np.float64), answers[asked.again].astype(np.float64), rtol=1e-3, atol=1e-4)
    changed = np.count_nonzero(~same.reshape(repeated, -1).all(axis=1))
    return answers, bool(changed > MAX_NEIGHBOUR_CHANGES)


def array_in(data: bytes | None) -> NDArray[np.generic] | None:
    """Numbers only: an ``.npy`` that would need pickle, or that lies about its size, is none."""
    if data is None:
        return None
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except Exception:  # noqa: BLE001  a header made by hand can fail in many ways; each is the student's, none is ours
        return None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        return None
    if array.dtype.itemsize <= 8:
        return array
    with np.errstate(over="ignore"):  # a long double beyond float64 becomes infinite, which the metric refuses
        return array.astype(np.float64)


def keep_answers(predictions: NDArray[np.generic] | None, path: Path) -> Path | None:
    if predictions is None:
        return None
    buffer = io.BytesIO()
    np.save(buffer, predictions, allow_pickle=False)
    write_bytes(path, buffer.getvalue())
    return path
