"""Tests of untrusted predictions: their order, their dependence on other rows, and malformed files."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.execution.runner import PreparedAssignment
from grader.models.run import Outcome
from grader.sandbox.fake import finished, npy
from grader.sandbox.guest import protocol
from grader.sandbox.guest.output_forms import Array
from tests.support.fake_runs import answering, heavier, run

ASKED = protocol.SINGLE_ROWS + protocol.BATCH_ROWS + 100  # predictions of a class with 100 hidden rows


def asked_in_batches(model: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Return the model called in batches, as the guest calls it."""
    return lambda inputs: np.concatenate([model(inputs[rows]) for rows in protocol.batches(len(inputs))])


# ---------------------------------------------------------------- what is kept


@pytest.mark.parametrize("digest", ["", "a" * 64, "b" * 64])
def test_predictions_are_saved_in_the_order_of_the_hidden_set(
    prepared: PreparedAssignment, hidden: Array, tmp_path: Path, digest: str
) -> None:
    done = run(prepared, tmp_path, lambda job: finished(job, answers=heavier), digest=digest)
    assert done.predictions == tmp_path / "out" / "predictions" / "ann.npy"
    np.testing.assert_array_equal(np.load(done.predictions, allow_pickle=False), heavier(hidden))
    assert done.no_predictions is None
    assert not done.depends_on_neighbours


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_columns_stay_together(prepared: PreparedAssignment, hidden: Array, tmp_path: Path, columns: int) -> None:
    def model(inputs: Array) -> Array:
        return np.cumsum(np.repeat(inputs[:, :1], columns, axis=1), axis=1, dtype=np.float32)

    done = run(prepared, tmp_path, lambda job: finished(job, answers=model))
    assert done.predictions is not None
    kept = np.load(done.predictions)
    np.testing.assert_array_equal(kept, model(hidden))
    assert kept.dtype == np.float32


def over_the_batch(inputs: Array) -> Array:
    return (inputs[:, 0] > inputs[:, 0].mean()).astype(np.int64)


def standardised_over_the_batch(inputs: Array) -> Array:
    spread = inputs[:, 0].std()
    return (inputs[:, 0] - inputs[:, 0].mean()) / (spread if spread > 0 else 1.0)


def by_place(inputs: Array) -> Array:
    return np.arange(len(inputs)) % 2


@pytest.mark.parametrize(
    ("model", "flagged"),
    [
        pytest.param(heavier, False, id="honest labels"),
        pytest.param(lambda inputs: inputs[:, 0] / 10, False, id="honest numbers"),
        pytest.param(lambda inputs: np.float32(inputs[:, 0]) * (1 + 1e-6 * (len(inputs) > 8)), False, id="rounding"),
        pytest.param(over_the_batch, True, id="cut at the batch's mean"),
        pytest.param(standardised_over_the_batch, True, id="standardised over the batch"),
        pytest.param(by_place, True, id="answers by place"),
        pytest.param(lambda inputs: np.full(len(inputs), np.nan if len(inputs) == 1 else 0), True, id="none alone"),
    ],
)
def test_dependence_on_other_rows_is_flagged(
    prepared: PreparedAssignment, tmp_path: Path, model: Callable[[Array], Array], flagged: bool
) -> None:
    done = run(prepared, tmp_path, lambda job: finished(job, answers=asked_in_batches(model)), digest="a" * 64)
    assert done.predictions is not None
    assert done.depends_on_neighbours is flagged


def test_one_row_on_the_threshold_may_change(prepared: PreparedAssignment, tmp_path: Path) -> None:
    def answers(inputs: Array) -> Array:
        found = heavier(inputs)
        found[0] = 1 - found[0]
        return found

    assert not run(prepared, tmp_path, lambda job: finished(job, answers=answers)).depends_on_neighbours


# ---------------------------------------------------------------- hostile predictions


class Bomb:
    """An object that creates a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def header(text: str, content: bytes = b"\0" * 64) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + content


def shaped(shape: str, kind: str = "<f8") -> bytes:
    return header(f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}}}\n")


def test_predictions_are_never_unpickled(prepared: PreparedAssignment, tmp_path: Path) -> None:
    bomb, buffer = Bomb(tmp_path / "exploded"), io.BytesIO()
    np.save(buffer, np.array([bomb] * ASKED, dtype=object), allow_pickle=True)
    for data in (buffer.getvalue(), pickle.dumps(bomb)):
        done = run(prepared, tmp_path, answering(data))
        assert (done.outcome, done.predictions) == (Outcome.OK, None)
        assert "returned no predictions for the hidden rows" in str(done.no_predictions)
    assert not (tmp_path / "exploded").exists()


def zipped() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, predictions=np.zeros(ASKED))
    return buffer.getvalue()


NO_ARRAYS = {
    "none": None,
    "empty": b"",
    "text": b"0,1,1,0\n",
    "zip": zipped(),
    "strings": npy(np.array(["0", "1"])),
    "complex": npy(np.zeros(ASKED, complex)),
    "times": npy(np.zeros(ASKED, "datetime64[s]")),
    "records": npy(np.zeros(ASKED, [("a", "f8")])),
    "cut off": npy(np.zeros(ASKED))[:-1],
    "claims to be long": shaped("(1000000000000,)"),
    "claims to be endless": shaped(f"({10**30},)"),
    "claims to be negative": shaped("(-1,)"),
    "claims many axes": shaped("(" + "1," * 70 + ")"),
    "is true": shaped("(True,)"),
    "nested": header("(" * 5000),
    "open text": header("'''\n"),
    "unsorted": header("{1: 2, 'a': 3}\n"),
    "unhashable": header("{[]: 1}\n"),
    "of no version": b"\x93NUMPY\x09\x09",
}


@pytest.mark.parametrize("data", NO_ARRAYS.values(), ids=NO_ARRAYS)
def test_malformed_predictions_count_as_missing(
    prepared: PreparedAssignment, tmp_path: Path, data: bytes | None
) -> None:
    done = run(prepared, tmp_path, answering(data))
    assert (done.outcome, done.predictions, done.depends_on_neighbours) == (Outcome.OK, None, False)
    assert "model worked on the public data, but returned no predictions" in str(done.no_predictions)


@given(st.binary(max_size=60), st.binary(max_size=20))
def test_forged_header_never_raises(
    prepared: PreparedAssignment, tmp_path_factory: Any, start: bytes, rest: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp()
    data = b"\x93NUMPY\x01\x00" + len(start).to_bytes(2, "little") + start + rest
    assert run(prepared, folder, answering(data)).predictions is None


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(np.zeros(171), id="one too few"),
        pytest.param(np.zeros(100), id="without the repeated rows"),
        pytest.param(np.zeros(0), id="none"),
        pytest.param(np.array(1.0), id="a single number"),
        pytest.param(np.zeros((ASKED, 1, 1)), id="three axes"),
        pytest.param(np.zeros((1, ASKED)), id="lying"),
    ],
)
def test_predictions_of_a_wrong_shape_are_saved_for_the_metric(
    prepared: PreparedAssignment, tmp_path: Path, answers: Array
) -> None:
    done = run(prepared, tmp_path, answering(npy(answers)))
    assert done.predictions is not None
    assert np.load(done.predictions).shape == answers.shape


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(np.full(ASKED, np.nan), id="NaN"),
        pytest.param(np.full(ASKED, np.inf), id="infinite"),
        pytest.param(np.full(ASKED, np.longdouble("1e4000")), id="beyond a float64"),
        pytest.param(np.zeros((ASKED, 0)), id="no column"),
        pytest.param(np.zeros(ASKED, bool), id="booleans"),
    ],
)
def test_unusual_numbers_are_saved_for_the_metric(prepared: PreparedAssignment, tmp_path: Path, answers: Array) -> None:
    done = run(prepared, tmp_path, answering(npy(answers)))
    assert done.outcome is Outcome.OK
    assert done.predictions is not None
    assert len(np.load(done.predictions)) == 100
