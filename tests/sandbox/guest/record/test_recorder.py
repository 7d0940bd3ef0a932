"""Summaries of the inputs of a training."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from grader.sandbox.guest.record.recorder import summarize_inputs
from tests.support.hostile_objects import Raises, WithAttributes


@pytest.mark.parametrize(
    "inputs",
    [None, [1, 2], iter([1]), Raises(), np.array(["a"]), np.zeros((0, 3)), np.array(5), WithAttributes(shape=(3, "x"))],
    ids=lambda inputs: type(inputs).__name__,
)
def test_inputs_that_are_no_numeric_array_have_no_summary(inputs: Any) -> None:
    assert summarize_inputs(inputs) is None


def test_summary_holds_shape_and_range() -> None:
    images = np.random.default_rng(4).integers(0, 256, (20, 8, 8), np.uint8)
    summary = summarize_inputs(images / 255)
    assert summary is not None
    assert summary.row == (8, 8)
    assert 0 <= summary.low < 0.1 and 0.9 < summary.high <= 1


def test_summary_of_a_huge_array_reads_few_rows() -> None:
    summary = summarize_inputs(np.broadcast_to(np.float32(1), (10**6, 2000, 2000)))
    assert summary is not None and math.prod(summary.row) == 4_000_000
