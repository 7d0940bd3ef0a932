"""Calls into objects that raise, lie about their class or never end."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from grader.sandbox.guest.output_forms import Array
from grader.sandbox.guest.safe_call import (
    as_array,
    check_predictions,
    collect_in_time,
    has_type,
    safe_getattr,
    time_limit,
)
from tests.support.hostile_objects import LiesAboutClass, Raises


def test_class_attribute_that_raises_is_not_used() -> None:
    assert not has_type(LiesAboutClass(), int)
    assert has_type(LiesAboutClass(), LiesAboutClass)


def test_property_that_raises_reads_as_none() -> None:
    assert safe_getattr(Raises(), "classes_") is None


def test_search_among_objects_that_raise_finds_nothing() -> None:
    assert collect_in_time(lambda: [Raises().classes_]) == []


@pytest.mark.parametrize(
    ("given", "read"),
    [
        pytest.param(np.ma.masked_all(2, dtype=int), [np.nan, np.nan], id="all masked"),
        pytest.param(np.ma.masked_array([1, 2], mask=[False, True]), [1.0, np.nan], id="partly masked"),
        pytest.param(np.ma.masked_array([1, 2]), [1, 2], id="nothing masked"),
        pytest.param([1, 0], [1, 0], id="a list"),
    ],
)
def test_masked_numbers_are_no_predictions(given: object, read: list[float]) -> None:
    np.testing.assert_array_equal(as_array(given), read)
    assert type(as_array(given)) is np.ndarray


def test_endless_python_code_times_out() -> None:
    with pytest.raises(TimeoutError, match=r"no result after 0 s"), time_limit(0.1):
        for _number in itertools.count():
            pass


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        pytest.param(np.array(["a", "b"]), TypeError, id="text"),
        pytest.param(np.zeros(3), ValueError, id="too many rows"),
        pytest.param(np.zeros((2, 1, 1)), ValueError, id="three axes"),
        pytest.param(np.array([0.0, np.nan]), FloatingPointError, id="NaN"),
        pytest.param(np.array([0.0, np.inf]), FloatingPointError, id="infinite"),
    ],
)
def test_invalid_predictions_are_refused(raw: Array, error: type[Exception]) -> None:
    with pytest.raises(error):
        check_predictions(raw, 2)


@pytest.mark.parametrize("raw", [np.zeros(2), np.zeros((2, 1)), np.zeros((2, 5), np.uint8), np.array([True, False])])
def test_finite_numbers_for_every_row_are_accepted(raw: Array) -> None:
    check_predictions(raw, 2)
