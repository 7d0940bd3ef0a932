"""Hidden rows in a secret order for each submission, and the predictions that its process wrote for them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from grader.data import generators
from grader.files.atomic import write_bytes
from grader.sandbox.guest import protocol

MAX_CHANGED_ROWS = 1  # one row may lie exactly on the threshold


@dataclass(frozen=True, slots=True)
class HiddenOrder:
    """Order in which one submission predicts the hidden rows, so that no row can be known by its place."""

    repeated: NDArray[np.intp]  # rows predicted a second time, alone or in a small batch
    order: NDArray[np.intp]  # all rows, shuffled

    @property
    def rows(self) -> NDArray[np.intp]:
        return np.concatenate([self.repeated, self.order])


def hidden_order(rows: int, secret: bytes, digest: str) -> HiddenOrder:
    """Return the order for the submission with this ``digest``. It is the same in every run."""
    rng = np.random.default_rng(generators.derive_seed(secret, "order", digest))
    return HiddenOrder(rng.integers(0, rows, protocol.SINGLE_ROWS + protocol.BATCH_ROWS), rng.permutation(rows))


def parse_predictions(data: bytes | None, order: HiddenOrder | None) -> tuple[NDArray[np.generic] | None, bool]:
    """Return the predictions in the order of the hidden set, and whether they depend on the other rows of a batch.

    Predictions of a wrong shape are returned as they are, for the metric to reject with the shape found.
    """
    raw = parse_array(data)
    if raw is None or order is None:
        return None, False
    repeated = len(order.repeated)
    if raw.ndim not in (1, 2) or len(raw) != repeated + len(order.order):
        return raw, False
    predictions = np.empty_like(raw[repeated:])
    predictions[order.order] = raw[repeated:]
    first, again = predictions[order.repeated].astype(np.float64), raw[:repeated].astype(np.float64)
    same = np.isclose(again, first, rtol=1e-3, atol=1e-4)
    changed = np.count_nonzero(~same.reshape(repeated, -1).all(axis=1))
    return predictions, bool(changed > MAX_CHANGED_ROWS)


def parse_array(data: bytes | None) -> NDArray[np.generic] | None:
    """Return the array in an ``.npy`` file, or None unless it holds booleans or real numbers.

    Nothing is unpickled. Wider floats are converted to float64.
    """
    if data is None:
        return None
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except Exception:  # noqa: BLE001  a forged header can fail in many ways, all of them the student's fault
        return None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        return None
    if array.dtype.itemsize <= 8:
        return array
    with np.errstate(over="ignore"):  # a long double beyond float64 becomes infinite, which the metric rejects
        return array.astype(np.float64)


def save_predictions(predictions: NDArray[np.generic] | None, path: Path) -> Path | None:
    """Write predictions to ``path`` and return it; return None without predictions."""
    if predictions is None:
        return None
    buffer = io.BytesIO()
    np.save(buffer, predictions, allow_pickle=False)
    write_bytes(path, buffer.getvalue())
    return path
