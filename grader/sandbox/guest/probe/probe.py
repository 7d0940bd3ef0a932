"""Finds the notebook's model and how its inputs are prepared, on the public data; then predicts the hidden inputs.

It runs inside the notebook's process, after the last cell. It never sees a hidden label.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from .. import protocol
from ..compat import log
from ..output_forms import Array
from ..record import recorder, transform_ledger
from ..safe_call import Patience
from . import network_summary
from .plans import Plan, as_claim
from .public_rows import read_question
from .search import find_plan


class _State:
    job = Path()
    namespace: dict[str, Any] = {}  # noqa: RUF012  the notebook's own globals
    plan: Plan | None = None
    attempts: list[dict[str, Any]] = []  # noqa: RUF012
    network: dict[str, Any] | None = None


def start(job: Path, namespace: dict[str, Any], seconds: float) -> None:
    _State.job, _State.namespace = job, namespace
    Patience.times = seconds / protocol.PROBE_SECONDS


def report() -> None:
    """Writes ``facts.json``; with a question, looks for the answer on the public rows first."""
    _write_facts()  # already now: what is asked next is the notebook's own code, and may not come back
    _State.network = network_summary.described(_State.namespace, "")
    _write_facts()
    path = _State.job / protocol.PUBLIC
    if path.exists():
        _State.plan = find_plan(_State.namespace, read_question(path), _State.attempts)
        if _State.plan is not None:
            _State.network = network_summary.described(_State.namespace, _State.plan.source)
        _write_facts()


def _write_facts() -> None:
    facts = recorder.facts(_State.namespace)
    facts["adaptations"] = log.notes()
    facts["transforms"], facts["training_pictures"] = transform_ledger.facts(), transform_ledger.largest[0]
    facts["network"] = _State.network
    facts["attempts"] = _State.attempts
    plan = _State.plan
    facts["chosen"] = plan and as_claim(plan.source, plan.preparation, form=plan.form, value=plan.value)
    protocol.write_json(_State.job / "out" / protocol.FACTS, facts)


def answer() -> None:
    """Writes ``predictions.npy``, rows in the order asked. A row that cannot be answered alone is NaN."""
    if _State.plan is None:
        return
    inputs = np.load(_State.job / "hidden" / protocol.HIDDEN_INPUTS, allow_pickle=False)
    *again, rest = [_answers(_State.plan, inputs[rows]) for rows in protocol.batches(len(inputs))]
    if rest is None:
        return
    parts = [_like(part, rest, rows) for part, rows in zip(again, protocol.batches(len(inputs)), strict=False)]
    buffer = io.BytesIO()
    np.save(buffer, np.concatenate([*parts, rest]), allow_pickle=False)
    # Never into what lies there: a pipe would wait for a reader.
    protocol.write_atomically(_State.job / "out" / protocol.PREDICTIONS, buffer.getvalue())


def _answers(plan: Plan, inputs: Array) -> Array | None:
    try:
        return plan.answer(inputs)
    except Exception:  # noqa: BLE001  its text may hold hidden inputs: nothing of it is kept
        return None


def _like(part: Array | None, rest: Array, rows: slice) -> Array:
    size = rows.stop - rows.start
    if part is None or part.shape != (size, *rest.shape[1:]):
        return np.full((size, *rest.shape[1:]), np.nan)
    return part
