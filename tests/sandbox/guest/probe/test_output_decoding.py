"""Raw outputs decoded as predictions: forms, orders of the classes, scales."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.sandbox.guest.output_forms import Array
from grader.sandbox.guest.probe.candidates import PublicData
from grader.sandbox.guest.probe.output_decoding import NO_CLASS, decodings, named_orders, order_from_rows, reorder
from tests.support.hostile_objects import LiesAboutClass, Raises, WithAttributes

LABELS = np.repeat(np.arange(4), 25)
CLASSES = PublicData("classification", ("x",), np.zeros((len(LABELS), 1)), LABELS)


def orders(*values: Any) -> list[tuple[str, dict[int, int]]]:
    named = [(f"v{number}", value) for number, value in enumerate(values)]
    return [(name, dict(order)) for name, order in named_orders(named)]


def scores(raw: Array, *variables: tuple[str, Any]) -> dict[str, float]:
    """Return the score of each decoding of ``raw``."""
    found = decodings(raw, CLASSES, list(variables))
    return {decoding.name: CLASSES.score(decoding.decode(raw)) for decoding in found}


def test_folders_are_ordered_by_name() -> None:
    indices = {name: position for position, name in enumerate(sorted(map(str, range(11))))}
    by_name = dict(enumerate([0, 1, 10, 2, 3, 4, 5, 6, 7, 8, 9]))
    assert orders(WithAttributes(class_indices=indices)) == [("v0.class_indices", by_name)]
    assert orders(indices) == [("v0", by_name)]
    assert orders(sorted(indices)) == [("v0", by_name)]
    assert orders(WithAttributes(class_names=sorted(indices))) == [("v0.class_names", by_name)]


@pytest.mark.parametrize(
    "value",
    [
        Raises(),
        int,
        np,
        WithAttributes(classes_=np.arange(10**6)[::-1]),
        WithAttributes(classes_=np.arange(5)),
        WithAttributes(classes_=[3, 3]),
        WithAttributes(classes_=np.array([[1, 0]])),
        WithAttributes(class_indices={"1": 0, "0": 2}),
        WithAttributes(class_indices={"1": 10**30, "0": 0}),
        WithAttributes(class_indices={"cat": 0, "dog": 1}),
        WithAttributes(class_names=["-1", "0"]),
        WithAttributes(class_names=["10000000000", "0"]),
        WithAttributes(classes_=np.array([1.5, 0.5])),
    ],
    ids=lambda value: type(value).__name__,
)
def test_objects_without_a_valid_order_give_none(value: Any) -> None:
    assert orders(value) == []


def test_object_that_lies_about_its_class_gives_no_order() -> None:
    assert orders(LiesAboutClass()) == []


@given(st.permutations(range(4)))
def test_clear_public_rows_show_the_order(order: list[int]) -> None:
    codes = np.array([order.index(int(label)) for label in LABELS])
    found = order_from_rows(codes, LABELS)
    assert found == dict(enumerate(order))
    assert found is not None
    np.testing.assert_array_equal(reorder(codes, found), LABELS)


@given(st.integers(0, 10**6))
def test_noise_shows_no_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert order_from_rows(rng.integers(0, 4, 100), LABELS) is None
    assert order_from_rows(LABELS[::4], LABELS[::4]) is None, "too few rows"
    assert order_from_rows(np.where(LABELS == 3, 2, LABELS), LABELS) is None, "two classes share an output"


@given(st.lists(st.integers(-(2**53), 2**53), min_size=1, max_size=20))
def test_outputs_outside_the_order_have_no_class(codes: list[int]) -> None:
    found = reorder(np.array(codes), {0: 5, 7: 2})
    assert found.tolist() == [{0: 5, 7: 2}.get(code, NO_CLASS) for code in codes]


WORDS = np.array(["d", "c", "b", "a"])[LABELS]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(LABELS, {"labels": 1.0}, id="labels"),
        pytest.param(np.eye(4)[LABELS], {"scores": 1.0}, id="one-hot"),
        pytest.param(LABELS.astype(str), {"labels": 1.0}, id="numbers as text"),
        pytest.param(WORDS, {"labels, as the public data shows": 1.0}, id="words"),
        pytest.param(LABELS / 3, {}, id="fractions are no probabilities of four classes"),
    ],
)
def test_decodings_of_four_classes(raw: Array, expected: dict[str, float]) -> None:
    assert scores(raw) == expected


@pytest.mark.parametrize(
    ("raw", "variables", "name"),
    [
        pytest.param(LABELS + 1, [], "labels, counted from 1", id="counted from 1"),
        pytest.param(3 - LABELS, [], "labels, as the public data shows", id="reversed"),
        pytest.param(
            WORDS,
            [("encoder", WithAttributes(classes_=np.array(["d", "c", "b", "a"])))],
            "labels, ordered",
            id="words of an encoder",
        ),
    ],
)
def test_other_order_of_the_classes_is_decoded(raw: Array, variables: list[tuple[str, Any]], name: str) -> None:
    assert scores(raw, *variables)[name] == 1.0


@given(st.floats(-50, 50), st.floats(0.5, 50))
def test_scaling_of_targets_by_hand_is_undone(mean: float, spread: float) -> None:
    targets = np.random.default_rng(1).normal(mean, spread, 60)
    public = PublicData("regression", ("x",), np.zeros((60, 1)), targets)
    scaled = (targets - targets.mean()) / targets.std()
    found = {decoding.name: decoding for decoding in decodings(scaled, public, [])}
    assert public.score(found["values, y * std + mean"].decode(scaled)) == pytest.approx(1)
    assert all(decoding.guess for name, decoding in found.items() if name != "values")


def test_decoding_refuses_an_output_of_another_form() -> None:
    (decoding,) = decodings(np.eye(4)[LABELS], CLASSES, [])
    with pytest.raises(ValueError, match="changed its form"):
        decoding.decode(LABELS)
