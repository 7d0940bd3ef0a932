"""A sandbox that runs nothing and returns scripted replies, for tests of the code around it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import nbformat
import numpy as np
from numpy.typing import NDArray

from grader.sandbox.base import EndReason, Job, Reply

Script = Callable[[Job], Reply]


class FakeSandbox:
    """Replies to each job by calling ``script``, and keeps the jobs in order."""

    confinement = "fake"

    def __init__(self, script: Script) -> None:
        self.jobs: list[Job] = []
        self.closed = False
        self._script = script

    def run(self, job: Job) -> Reply:
        self.jobs.append(job)
        return self._script(job)

    def close(self) -> None:
        self.closed = True


def replies(reply: Reply) -> Script:
    """Return a script that gives ``reply`` to every job."""
    return lambda _job: reply


def finished(
    job: Job,
    *,
    answers: Callable[[NDArray[Any]], NDArray[Any]] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Reply:
    """Return the reply of a run without errors. ``answers`` is the model: it maps hidden inputs to predictions."""
    notebook = nbformat.reads(job.notebook.decode(), as_version=4)
    for count, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        cell.execution_count = count
    predictions = None
    if answers is not None and job.question is not None:
        predictions = npy(answers(job.question.hidden_inputs))
    return Reply(
        ended=EndReason.FINISHED,
        executed=nbformat.writes(notebook).encode(),
        facts=json.dumps(EMPTY_FACTS | dict(facts or {})).encode(),
        predictions=predictions,
        seconds=2.0,
        cell_seconds=1.0,
        peak_memory_mb=100.0,
    )


def npy(array: NDArray[Any]) -> bytes:
    """Return ``array`` as the bytes of an ``.npy`` file."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


EMPTY_FACTS: dict[str, Any] = {
    "fits": [],
    "figures": [],
    "held_out_evaluations": 0,
    "chosen": None,
    "rival": None,
    "trained_models": 0,
    "attempts": [],
    "adaptations": [],
    "transforms": [],
    "training_pictures": 0,
    "network": None,
    "seeds": {"python": 0},
    "versions": {"python": "3.11"},
    "device": "CPU",
}
