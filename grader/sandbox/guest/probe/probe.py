"""Probe: finds the notebook's model and the preparation of its inputs on public data, then predicts hidden inputs.

It runs inside the notebook's process after the last cell. It never sees a hidden label.
"""

from __future__ import annotations

import io
import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from .. import protocol
from ..compat import notes
from ..output_forms import Array
from ..record import record_facts, trained, transform_ledger
from ..safe_call import TimeScale
from .candidates import REPORT_SHARE, Candidate, candidate_facts, read_public_data
from .network_summary import summarize_network
from .search import Choice, find_choice


class _State:
    exchange = Path()
    namespace: dict[str, Any] = {}  # noqa: RUF012  the notebook's globals
    choice = Choice()
    attempts: list[dict[str, Any]] = []  # noqa: RUF012
    network: dict[str, Any] | None = None


def start(exchange: Path, namespace: dict[str, Any], seconds: float) -> None:
    """Remember the folder shared with the host and the notebook's globals; ``seconds`` scales all time limits."""
    _State.exchange, _State.namespace = exchange, namespace
    TimeScale.factor = seconds / protocol.PROBE_SECONDS


def report() -> None:
    """Write ``facts.json``, after a search for the best candidate if there is public data."""
    trained.close()
    TimeScale.ends = time.monotonic() + REPORT_SHARE * protocol.PROBE_SECONDS * TimeScale.factor
    _write_facts()  # before the notebook's own code is called, which may never return
    _State.network = summarize_network(_State.namespace, "")
    _write_facts()
    path = _State.exchange / protocol.PUBLIC
    if path.exists():
        _State.choice = find_choice(_State.namespace, read_public_data(path), _State.attempts)
        if _State.choice.chosen is not None:
            _State.network = summarize_network(_State.namespace, _State.choice.chosen.source)
        _write_facts()
    TimeScale.ends = math.inf


def _write_facts() -> None:
    facts = record_facts.facts()
    facts["adaptations"] = notes.all_notes()
    facts["transforms"], facts["training_pictures"] = transform_ledger.facts(), transform_ledger.largest_training[0]
    facts["network"] = _State.network
    facts["attempts"] = _State.attempts
    chosen, rival = _State.choice.chosen, _State.choice.rival
    facts["chosen"], facts["rival"] = chosen and candidate_facts(chosen), rival and candidate_facts(rival)
    facts["trained_models"] = trained.count()
    protocol.write_json(_State.exchange / protocol.FACTS, facts)


def predict() -> None:
    """Write ``predictions.npy`` in the order of the hidden inputs. Rows that cannot be predicted alone are NaN."""
    chosen = _State.choice.chosen
    if chosen is None:
        return
    inputs = np.load(_State.exchange / protocol.HIDDEN_INPUTS, allow_pickle=False)
    *repeated, rest = [_predict(chosen, inputs[rows]) for rows in protocol.batches(len(inputs))]
    if rest is None:
        return
    parts = [_like(part, rest, rows) for part, rows in zip(repeated, protocol.batches(len(inputs)), strict=False)]
    buffer = io.BytesIO()
    np.save(buffer, np.concatenate([*parts, rest]), allow_pickle=False)
    # Never write into an existing file: it could be a pipe, which would wait for a reader.
    protocol.write_atomically(_State.exchange / protocol.PREDICTIONS, buffer.getvalue())


def _predict(candidate: Candidate, inputs: Array) -> Array | None:
    try:
        return candidate.predict(inputs)
    except Exception:  # noqa: BLE001  the text of the error may hold hidden inputs, so it is dropped
        return None


def _like(part: Array | None, rest: Array, rows: slice) -> Array:
    """Return ``part``, or NaN in its place if it is missing or has another shape than ``rest``."""
    size = rows.stop - rows.start
    if part is None or part.shape != (size, *rest.shape[1:]):
        return np.full((size, *rest.shape[1:]), np.nan)
    return part
