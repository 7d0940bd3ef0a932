"""Columns of inputs, found from rows that a model was fitted with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from grader.sandbox.guest.output_forms import Array
from grader.sandbox.guest.probe.column_cuts import cut_in_order, find_cut

RNG = np.random.default_rng(2)
PUBLIC = np.column_stack([RNG.integers(0, 60, 500), RNG.normal(50, 9, 500), RNG.integers(0, 2, 500), RNG.random(500)])
FITTED = PUBLIC[RNG.permutation(500)[:256]]


@pytest.mark.parametrize(
    ("made", "step"),
    [
        pytest.param(lambda X: [X], "columns 1, 2, 3, 4", id="whole"),
        pytest.param(lambda X: [X[:, :2], X[:, 2:]], "columns 1, 2 and 3, 4", id="two inputs"),
        pytest.param(lambda X: [X[:, [3, 1]]], "columns 4, 2", id="another order"),
        pytest.param(lambda X: [np.c_[X, X[:, 1] / X[:, 3]]], "columns 1, 2, 3, 4, 2 / 4", id="ratio"),
        pytest.param(lambda X: [np.c_[X.sum(axis=1), X]], "columns sum of all, 1, 2, 3, 4", id="sum in front"),
        pytest.param(lambda X: [np.c_[X[:, 1], X[:, 1] ** 2]], "columns 2, 2²", id="square"),
        pytest.param(lambda X: [X.astype(np.float32)], "columns 1, 2, 3, 4", id="single precision"),
    ],
)
def test_cut_is_found_and_makes_the_same_inputs(made: Callable[[Array], list[Array]], step: str) -> None:
    cut = find_cut([part.astype(np.float64) for part in made(FITTED)], PUBLIC)
    assert cut is not None and cut.step == step
    assert cut.is_whole(4) == (step == "columns 1, 2, 3, 4")
    for part, expected in zip(cut.apply(PUBLIC), made(PUBLIC), strict=True):
        np.testing.assert_allclose(part, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "sample",
    [
        pytest.param(RNG.normal(size=(256, 2)), id="other rows"),
        pytest.param(np.c_[FITTED, np.tanh(FITTED @ RNG.normal(size=4) / 50)], id="unknown formula"),
        pytest.param(np.c_[FITTED, np.sign(FITTED @ RNG.normal(size=4))], id="two values of an unknown formula"),
        pytest.param(FITTED[:5], id="few rows"),
        pytest.param(np.zeros((0, 2)), id="no rows"),
    ],
)
def test_nothing_is_guessed(sample: Array) -> None:
    assert find_cut([sample], PUBLIC) is None
    assert find_cut([], PUBLIC) is None


def test_widths_give_a_cut_in_order() -> None:
    assert cut_in_order((1, 3), 4) is not None
    same = cut_in_order((4, 4), 4)
    assert same is not None and [part.shape for part in same.apply(PUBLIC)] == [(500, 4), (500, 4)]
    assert cut_in_order((1, 2), 4) is None
