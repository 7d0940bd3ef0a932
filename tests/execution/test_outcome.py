"""Tests of the outcome and reason of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat import NotebookNode

from grader.execution.outcome import describe_cut_training, determine_outcome, slow_cell_notes
from grader.models.assignment import Limits
from grader.models.facts import Facts, Fit
from grader.models.run import Cell, CellError, Outcome
from grader.sandbox.base import EndReason, Reply

LIMITS = Limits(seconds=60, cell_seconds=10, memory_mb=2048, disk_mb=100, processes=50)
FINE = Cell(0, "code", 5, ran=True)


def executed(**notes: Any) -> NotebookNode:
    return nbformat.v4.new_notebook(metadata={"grader": notes})


def failed(index: int, name: str = "ValueError", text: str = "no") -> Cell:
    return Cell(index, "code", 5, ran=True, error=CellError(name, text))


@pytest.mark.parametrize(
    ("reply", "notes", "cells", "outcome", "expected"),
    [
        pytest.param(Reply(EndReason.FINISHED), {}, [FINE], Outcome.OK, None, id="fine"),
        pytest.param(
            Reply(EndReason.FINISHED),
            {},
            [FINE, failed(1)],
            Outcome.ERROR,
            "Cell 2 failed: ValueError: no",
            id="an error",
        ),
        pytest.param(
            Reply(EndReason.FINISHED),
            {},
            [failed(0), FINE, failed(4)],
            Outcome.ERROR,
            "2 cells failed; the first",
            id="two",
        ),
        pytest.param(
            Reply(EndReason.FINISHED),
            {},
            [failed(0, "MemoryError")],
            Outcome.MEMORY,
            "Cell 1 failed: MemoryError: no Up to then the notebook had used 0.0 GB of memory; the limit is 2.0 GB.",
            id="Python's memory",
        ),
        pytest.param(
            Reply(EndReason.FINISHED),
            {},
            [failed(0, "ResourceExhaustedError")],
            Outcome.MEMORY,
            "ResourceExhausted",
            id="TensorFlow's memory",
        ),
        pytest.param(
            Reply(EndReason.FINISHED),
            {},
            [failed(0, "OSError", "[Errno 27] File too large")],
            Outcome.DISK,
            "too large",
            id="a file's limit",
        ),
        pytest.param(
            Reply(EndReason.MEMORY, used=3072),
            {},
            [],
            Outcome.MEMORY,
            "3.0 GB of memory, the limit is 2.0 GB",
            id="memory",
        ),
        pytest.param(
            Reply(EndReason.MEMORY, by_kernel=True, used=3072),
            {},
            [],
            Outcome.MEMORY,
            "by the operating system",
            id="memory, by the kernel",
        ),
        pytest.param(Reply(EndReason.DISK, used=140.2), {}, [], Outcome.DISK, "140 MB, the limit is 100 MB", id="disk"),
        pytest.param(
            Reply(EndReason.PROCESSES, used=51), {}, [], Outcome.FORBIDDEN, "51 processes and threads", id="processes"
        ),
        pytest.param(Reply(EndReason.TIMEOUT), {}, [FINE], Outcome.TIMEOUT, "limit of 60 s", id="killed at the limit"),
        pytest.param(
            Reply(EndReason.FINISHED),
            {"timeout_cell": 2},
            [FINE],
            Outcome.TIMEOUT,
            "Stopped in cell 3",
            id="interrupted",
        ),
        pytest.param(
            Reply(EndReason.FINISHED, cell_seconds=61), {}, [FINE], Outcome.TIMEOUT, "limit of 60 s", id="over its time"
        ),
        pytest.param(
            Reply(EndReason.FINISHED),
            {"died_cell": 1},
            [FINE],
            Outcome.ERROR,
            "ended in cell 2",
            id="its process ended",
        ),
        pytest.param(Reply(EndReason.DIED), {}, [FINE], Outcome.ERROR, "broke off", id="its driver died"),
        pytest.param(
            Reply(EndReason.MEMORY, used=1),
            {"timeout_cell": 1},
            [failed(0)],
            Outcome.MEMORY,
            "memory",
            id="limits first",
        ),
        pytest.param(
            Reply(EndReason.FINISHED),
            {"timeout_cell": 1},
            [failed(0)],
            Outcome.TIMEOUT,
            "cell 2",
            id="time before errors",
        ),
    ],
)
def test_outcome_and_reason(
    reply: Reply, notes: dict[str, Any], cells: list[Cell], outcome: Outcome, expected: str | None
) -> None:
    found, reason = determine_outcome(reply, executed(**notes), tuple(cells), LIMITS)
    assert found is outcome
    assert (reason is None) if expected is None else (expected in str(reason))


@pytest.mark.parametrize("ended", [ended for ended in EndReason if ended is not EndReason.FINISHED])
def test_ended_job_without_a_notebook_is_never_ok(ended: EndReason) -> None:
    if ended is not EndReason.FAULT:  # that one is the grader's, and told apart before
        outcome, reason = determine_outcome(Reply(ended), None, (), LIMITS)
        assert outcome is not Outcome.OK
        assert reason is not None


NOTES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.lists(st.integers())


@given(NOTES, NOTES, NOTES, NOTES)
def test_forged_driver_notes_raise_nothing(complete: Any, timeout: Any, died: Any, slow: Any) -> None:
    notes = {"timeout_cell": timeout, "died_cell": died, "slow_cells": slow}
    for notebook in (executed(**notes), nbformat.v4.new_notebook(metadata={"grader": complete})):
        outcome, _ = determine_outcome(Reply(EndReason.FINISHED), notebook, (FINE,), LIMITS)
        assert outcome in (Outcome.OK, Outcome.ERROR, Outcome.TIMEOUT)
        assert all(str(note) for note in slow_cell_notes(notebook, LIMITS))


def test_long_error_is_cut() -> None:
    _, reason = determine_outcome(Reply(EndReason.FINISHED), executed(), (failed(0, text="x" * 500),), LIMITS)
    assert len(str(reason)) < 250


def test_cells_over_the_limit_for_one_cell_are_listed() -> None:
    (note,) = slow_cell_notes(executed(slow_cells=[0, 4, "x", True, -1]), LIMITS)
    assert str(note) == "Stopped at the limit of 10 s for one cell, and continued with the next cell: cell 1, 5."


@pytest.mark.parametrize(
    ("notebook", "limits"),
    [
        pytest.param(executed(slow_cells=[]), LIMITS, id="none slow"),
        pytest.param(executed(slow_cells=[1]), Limits(), id="no such limit"),
        pytest.param(None, LIMITS, id="no notebook"),
    ],
)
def test_no_note_without_slow_cells(notebook: NotebookNode | None, limits: Limits) -> None:
    assert slow_cell_notes(notebook, limits) == ()


def test_a_cell_stopped_for_the_cells_after_it_ran_out_of_time() -> None:
    cells = (FINE, failed(1, "KeyboardInterrupt", ""), Cell(2, "code", 5, ran=True))
    found = determine_outcome(Reply(EndReason.FINISHED), executed(shared_cells=[1]), cells, LIMITS)
    assert found[0] is Outcome.TIMEOUT and str(found[1]).startswith("Stopped in cell 2, so that")


def test_training_cut_short_is_described() -> None:
    complete = Fit("sequential", 5, 32, 100, validated=True, seconds=1.0, curves={})
    cut = Fit("sequential", 7, 32, 100, validated=True, seconds=9.0, curves={}, planned_epochs=900, cut_short=True)
    assert describe_cut_training(Facts(fits=(complete, complete))) is None
    assert str(describe_cut_training(Facts(fits=(complete, cut)))).startswith("Training 2 was cut short after 7 epochs")
    reached = replace(cut, samples_reached=True)
    assert "the limit of training samples was reached" in str(describe_cut_training(Facts(fits=(reached,))))
