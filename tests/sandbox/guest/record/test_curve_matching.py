"""Recorded curves in drawn lines, as they are drawn by honest notebooks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from grader.sandbox.guest.output_forms import Array
from grader.sandbox.guest.record.curve_matching import joined, matching_curves, shortened, trends
from grader.sandbox.guest.record.recorder import FigureRecord, FitRecord

RNG = np.random.default_rng(7)
LOSS = np.exp(-np.arange(60) / 20) + 0.02 * RNG.random(60)
MODEL, OTHER = object(), object()


def record(curve: Array, *, model: object = MODEL, steps: int = 0) -> FitRecord:
    return FitRecord(model, "net", None, None, {"loss": curve.tolist()}, planned_epochs=len(curve), steps=steps)


def shows(line: Array, *entries: FitRecord) -> list[str]:
    return matching_curves(FigureRecord(1, "", [line.tolist()]), list(entries or [record(LOSS)]))


@pytest.mark.parametrize(
    "draw",
    [
        pytest.param(lambda loss: loss, id="as recorded"),
        pytest.param(lambda loss: loss[5:], id="from the sixth epoch"),
        pytest.param(lambda loss: np.append(loss, loss), id="twice in a row"),
        pytest.param(np.log, id="logarithm"),
        pytest.param(np.log10, id="logarithm of base 10"),
        pytest.param(lambda loss: np.convolve(loss, np.ones(5) / 5, "valid"), id="moving average"),
        pytest.param(lambda loss: np.convolve(np.pad(loss, 4, "edge"), np.ones(9) / 9, "valid"), id="padded average"),
        pytest.param(lambda loss: loss.reshape(-1, 6).mean(axis=1), id="means of epochs"),
        pytest.param(lambda loss: loss[::6], id="every sixth batch"),
    ],
)
def test_curve_is_recognised(draw: Callable[[Array], Array]) -> None:
    assert shows(draw(LOSS)) == ["loss"]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(np.linspace(9, 5, 60), id="another range"),
        pytest.param(LOSS[::-1], id="reversed"),
        pytest.param(RNG.random(60), id="noise"),
        pytest.param(np.full(60, 0.5), id="constant"),
        pytest.param(np.array([1.0]), id="one point"),
        pytest.param(np.array([np.nan] * 60), id="missing values"),
    ],
)
def test_other_lines_are_no_curve(line: Array) -> None:
    assert shows(line) == []


def test_fits_of_single_epochs_are_joined_by_model() -> None:
    singles = [record(LOSS[place : place + 1], model=(MODEL, OTHER)[place % 2]) for place in range(60)]
    entries = joined(singles)
    assert [len(entry.curves["loss"]) for entry in entries] == [30, 30]
    assert [entry.planned_epochs for entry in entries] == [30, 30]
    assert shows(LOSS[1::2], *entries) == ["loss"]
    assert len(joined([record(LOSS), record(LOSS)])) == 2, "longer trainings stay apart"


def test_facts_keep_the_last_records_with_curves_and_few_points_of_loops() -> None:
    empty = FitRecord(None, "tree", None, None)
    kept = shortened([record(LOSS), *[empty] * 60, record(np.arange(5000.0), steps=5000)], 50)
    assert len(kept) == 50 and kept[0].curves["loss"] == LOSS.tolist()
    assert len(kept[-1].curves["loss"]) == 200


@pytest.mark.parametrize(
    ("line", "expected"), [(LOSS, ["falls"]), (-LOSS, ["rises"]), (RNG.random(200), []), (LOSS[:1], [])]
)
def test_trend_of_a_line(line: Array, expected: list[str]) -> None:
    assert trends(FigureRecord(1, "", [line.tolist()])) == expected
