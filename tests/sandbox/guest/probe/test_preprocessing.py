"""Inputs brought into the form a model wants, and outputs into classes, whatever the notebook's objects say."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.report.pages import _WORDS
from grader.sandbox.guest.output_forms import Array
from grader.sandbox.guest.probe import class_order
from grader.sandbox.guest.probe.image_arrays import by_imagenets_spread, resized, with_channels, without_imagenets_mean
from grader.sandbox.guest.probe.input_spec import Wish, wish_of
from grader.sandbox.guest.probe.model_discovery import models
from grader.sandbox.guest.probe.output_decoding import readings
from grader.sandbox.guest.probe.preprocessing import Known, known_from, preparations
from grader.sandbox.guest.probe.public_rows import Question
from grader.sandbox.guest.probe.reshaping import fits, layouts
from grader.sandbox.guest.record.recorder import glimpse
from grader.sandbox.guest.safe_call import attribute, found_in_time, is_a

SIDES = st.integers(1, 12)

# ---------------------------------------------------------------- pictures


@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from([1, 3]))
def test_a_resized_picture_lies_between_its_own_extremes(h: int, w: int, new_h: int, new_w: int, channels: int) -> None:
    pictures = np.random.default_rng(h * w).integers(0, 256, (2, h, w, channels)).astype(np.uint8)
    found = resized(pictures, new_h, new_w)
    assert found.shape == (2, new_h, new_w, channels)
    assert found.min() >= pictures.min() - 1e-3 and found.max() <= pictures.max() + 1e-3
    np.testing.assert_array_equal(resized(pictures, h, w), pictures)


def test_resizing_is_bilinear_between_the_centres_of_pixels() -> None:
    row = np.array([0, 10, 30], np.uint8).reshape(1, 1, 3, 1)
    np.testing.assert_allclose(resized(row, 1, 6).ravel(), [0, 2.5, 7.5, 15, 25, 30])
    np.testing.assert_allclose(resized(np.repeat(row, 3, 1), 2, 3)[0, :, :, 0], [[0, 10, 30]] * 2)


def test_channels() -> None:
    colour = np.array([[[[100, 50, 200, 7]]]], np.uint8)
    assert with_channels(colour, 3).ravel().tolist() == [100, 50, 200]
    np.testing.assert_allclose(with_channels(colour, 1).ravel(), [0.299 * 100 + 0.587 * 50 + 0.114 * 200])
    assert with_channels(colour[..., :1], 3).ravel().tolist() == [100, 100, 100]


def test_imagenets_two_ways() -> None:
    white = np.full((1, 1, 1, 3), 255, np.uint8)
    np.testing.assert_allclose(without_imagenets_mean(white).ravel(), [151.061, 138.221, 131.32], rtol=1e-4)
    np.testing.assert_allclose(by_imagenets_spread(white).ravel(), [2.2489, 2.4286, 2.64], rtol=1e-4)


# ---------------------------------------------------------------- layouts

ROWS = st.lists(st.integers(1, 6), min_size=1, max_size=3).map(tuple)
WANTED = st.none() | st.lists(st.none() | st.integers(1, 40), min_size=1, max_size=4).map(tuple)


@given(ROWS, WANTED, st.booleans())
def test_a_layout_gives_what_it_says_and_one_row_as_it_gives_many(row: Any, wanted: Any, tokens: bool) -> None:
    rows = np.random.default_rng(2).integers(0, 256, (3, *row)).astype(np.uint8)
    for layout in layouts(row, wanted, tokens=tokens):
        found = layout.apply(rows)
        assert found.shape == (3, *layout.row)
        assert wanted is None or fits(layout.row, wanted)
        np.testing.assert_array_equal(layout.apply(rows[1:2]), found[1:2])
        assert all(word in _WORDS for word in layout.words), "the report can say it"


@pytest.mark.parametrize(
    ("given_row", "wanted", "words", "row"),
    [
        ((28, 28), (28, 28), [()], (28, 28)),
        ((28, 28), (784,), [("flattened",)], (784,)),
        ((28, 28), (None,), [("flattened",)], (784,)),
        ((28, 28), (28, 28, 1), [("with a channel",)], (28, 28, 1)),
        ((28, 28), (None, None, 1), [("reshaped",)], (28, 28, 1)),
        ((28, 28), (1, None, None), [("channels first",)], (1, 28, 28)),
        ((28, 28), (32, 32, 3), [("resized", "RGB")], (32, 32, 3)),
        ((28, 28), (3072,), [("resized", "RGB", "flattened")], (3072,)),
        ((32, 32, 3), (3, 32, 32), [("channels first",)], (3, 32, 32)),
        ((32, 32, 3), (None, None, 3), [()], (32, 32, 3)),
        ((32, 32, 3), (28, 28, 1), [("resized", "grey")], (28, 28, 1)),
        ((32, 32, 3), (1, None, None), [("grey", "channels first")], (1, 32, 32)),
        ((32, 32, 3), (96, None, 3), [("resized",)], (96, 32, 3)),
        ((8,), (3,), [("the first columns",)], (3,)),
        ((8,), (8, 1), [("with a channel",)], (8, 1)),
        ((8,), (1, 8), [("reshaped",)], (1, 8)),
        ((8,), (12,), [], None),
        ((20, 4), (30, 4), [("padded at the front",), ("padded at the end",)], (30, 4)),
        ((28, 28), (5, 5, 5, 2), [], None),
        ((28, 28), (28, 28, 5), [], None),
    ],
)
def test_layouts(given_row: Any, wanted: Any, words: list[tuple[str, ...]], row: Any) -> None:
    found = layouts(given_row, wanted)
    assert [layout.words for layout in found] == words
    assert row is None or {layout.row for layout in found} == {row}


def test_channels_move_and_do_not_mix() -> None:
    picture = np.arange(12).reshape(1, 2, 2, 3)
    (layout,) = layouts((2, 2, 3), (3, 2, 2))
    np.testing.assert_array_equal(layout.apply(picture)[0, 1], picture[0, :, :, 1])


def test_words_by_number_are_padded_and_cut_as_keras_does() -> None:
    rows = np.array([[1, 2, 3]])
    assert [one.apply(rows).tolist() for one in layouts((3,), (4,), tokens=True)] == [[[0, 1, 2, 3]], [[1, 2, 3, 0]]]
    assert [one.apply(rows).tolist() for one in layouts((3,), (2,), tokens=True)] == [[[2, 3]], [[1, 2]]]


# ---------------------------------------------------------------- preparations

TABLE = np.random.default_rng(3).normal(100, 20, (50, 3))
PICTURES = np.random.default_rng(4).integers(0, 256, (20, 8, 8), np.uint8)
NOTHING = Known(("a", "b", "c"))


@pytest.mark.parametrize(
    "inputs", [TABLE, PICTURES, PICTURES[:, :, 0].astype(np.float64)], ids=["table", "bytes", "series"]
)
@pytest.mark.parametrize("shape", [None, (None,), (8, 8, 1), (3,)])
def test_one_row_is_prepared_as_many_are(inputs: Array, shape: Any) -> None:
    for way in preparations(inputs, Wish(shape, floats=True), NOTHING):
        many = np.asarray(way.apply(inputs))
        assert many.shape == (len(inputs), *way.row)
        np.testing.assert_allclose(way.apply(inputs[3:4]), many[3:4], rtol=1e-5, atol=1e-6)


def test_the_plainest_comes_first_and_formulas_are_guesses() -> None:
    found = preparations(TABLE, Wish((3,)), NOTHING)
    assert [(way.name, way.guess) for way in found] == [
        ("raw", False),
        ("(X - mean) / std", True),
        ("(X - min) / (max - min)", True),
        ("X / max", True),
    ]
    np.testing.assert_allclose(np.asarray(found[1].apply(TABLE)).mean(0), 0, atol=1e-9)


def test_a_network_gets_columns_by_their_names_and_a_model_a_data_frame() -> None:
    wanted = ("c", "a")
    (numbers, *_), (frame, *_) = (
        preparations(TABLE, Wish((2,), wanted, floats=floats), NOTHING) for floats in (True, False)
    )
    np.testing.assert_array_equal(numbers.apply(TABLE), TABLE[:, [2, 0]])
    assert list(frame.apply(TABLE).columns) == ["c", "a"]
    assert (numbers.name, frame.name) == ("columns by their names", "data frame")


def test_imagenet_is_thought_of_only_where_the_notebook_speaks_of_it() -> None:
    names = [way.name for way in preparations(PICTURES, Wish((8, 8, 3)), Known(("x",), imagenet=True))]
    assert "RGB, BGR - mean of ImageNet" in names
    assert not any("ImageNet" in way.name for way in preparations(PICTURES, Wish((8, 8, 3)), Known(("x",))))
    assert known_from([], ["x = preprocess_input(x)"], ("x",)).imagenet
    for sources in (None, [1, None], "preprocess_input", ["x = 1"]):
        assert not known_from([], sources, ("x",)).imagenet


def test_a_notebook_that_speaks_of_255_is_likely_to_divide_by_it() -> None:
    told = known_from([], ["x = x / 255"], ("x",))
    for wish, known, first in [
        (Wish((8, 8)), told, "X / 255"),
        (Wish((8, 8), rescales=True), told, "raw"),
        (Wish((8, 8)), NOTHING, "raw"),
    ]:
        assert preparations(PICTURES, wish, known)[0].name == first


def test_pictures_of_bytes_are_never_divided_as_bytes() -> None:
    for way in preparations(PICTURES, Wish((8, 8)), NOTHING):
        found = np.asarray(way.apply(PICTURES))
        assert way.name == "raw" or found.dtype.kind == "f", way.name


# ---------------------------------------------------------------- what models say


class Says:
    def __init__(self, **words: Any) -> None:
        self.__dict__.update(words)


class Raises:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


class Nobody:
    @property
    def __class__(self) -> Any:
        raise RuntimeError


def test_an_object_is_not_asked_what_it_is() -> None:
    assert not is_a(Nobody(), int) and is_a(Nobody(), Nobody)
    assert orders(Nobody()) == []
    assert [name for name, _model in models({"nobody": Nobody(), "model": Nobody()})] == []


def test_a_property_that_raises_is_none() -> None:
    assert attribute(Raises(), "classes_") is None
    assert found_in_time(lambda: [Raises().classes_]) == []
    assert wish_of(Raises(), None) == Wish()


@pytest.mark.parametrize(
    "inputs",
    [None, [1, 2], iter([1]), Raises(), np.array(["a"]), np.zeros((0, 3)), np.array(5), Says(shape=(3, "x"))],
    ids=lambda inputs: type(inputs).__name__,
)
def test_a_glimpse_of_what_is_no_array_of_numbers_is_none(inputs: Any) -> None:
    assert glimpse(inputs) is None


def test_a_glimpse() -> None:
    seen = glimpse(PICTURES / 255)
    assert seen is not None and seen.row == (8, 8) and 0 <= seen.low < 0.1 and 0.9 < seen.high <= 1
    big = glimpse(np.broadcast_to(np.float32(1), (10**6, 2000, 2000)))
    assert big is not None and math.prod(big.row) == 4_000_000


# ---------------------------------------------------------------- classes

LABELS = np.repeat(np.arange(4), 25)


def orders(*values: Any) -> list[tuple[str, dict[int, int]]]:
    return [
        (name, dict(order)) for name, order in class_order.named_orders([(f"v{n}", v) for n, v in enumerate(values)])
    ]


def test_folders_are_in_the_order_of_their_names() -> None:
    indices = {name: place for place, name in enumerate(sorted(map(str, range(11))))}
    by_name = dict(enumerate([0, 1, 10, 2, 3, 4, 5, 6, 7, 8, 9]))
    assert orders(Says(class_indices=indices)) == [("v0.class_indices", by_name)]
    assert orders(indices) == [("v0", by_name)]
    assert orders(sorted(indices)) == [("v0", by_name)]
    assert orders(Says(class_names=sorted(indices))) == [("v0.class_names", by_name)]


@pytest.mark.parametrize(
    "value",
    [
        Raises(),
        int,
        np,
        Says(classes_=np.arange(10**6)[::-1]),
        Says(classes_=np.arange(5)),
        Says(classes_=[3, 3]),
        Says(classes_=np.array([[1, 0]])),
        Says(class_indices={"1": 0, "0": 2}),
        Says(class_indices={"1": 10**30, "0": 0}),
        Says(class_indices={"cat": 0, "dog": 1}),
        Says(class_names=["-1", "0"]),
        Says(class_names=["10000000000", "0"]),
        Says(classes_=np.array([1.5, 0.5])),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_order_is_none(value: Any) -> None:
    assert orders(value) == []


@given(st.permutations(range(4)))
def test_public_rows_that_leave_no_doubt_show_the_order(order: list[int]) -> None:
    codes = np.array([order.index(label) for label in LABELS])
    found = class_order.unmistakable_order(codes, LABELS)
    assert found == dict(enumerate(order))
    assert found is not None
    np.testing.assert_array_equal(class_order.reordered(codes, found), LABELS)


@given(st.integers(0, 10**6))
def test_noise_shows_no_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert class_order.unmistakable_order(rng.integers(0, 4, 100), LABELS) is None
    assert class_order.unmistakable_order(LABELS[::4], LABELS[::4]) is None, "too few rows to tell"
    assert class_order.unmistakable_order(np.where(LABELS == 3, 2, LABELS), LABELS) is None, "two of one"


@given(st.lists(st.integers(-(2**53), 2**53), min_size=1, max_size=20))
def test_outputs_without_a_class_are_no_class(codes: list[int]) -> None:
    found = class_order.reordered(np.array(codes), {0: 5, 7: 2})
    assert found.tolist() == [{0: 5, 7: 2}.get(code, class_order.NO_CLASS) for code in codes]


def read(raw: Array, *variables: tuple[str, Any]) -> dict[str, float]:
    question = Question("classification", ("x",), np.zeros((len(LABELS), 1)), LABELS)
    return {one.name: question.value(one.read(raw)) for one in readings(raw, question, list(variables))}


def test_readings_of_many_classes() -> None:
    assert read(LABELS) == {"labels": 1.0}
    assert read(np.eye(4)[LABELS]) == {"scores": 1.0}
    assert read(LABELS + 1)["labels, counted from 1"] == 1.0
    assert read(3 - LABELS)["labels, as the public data shows"] == 1.0
    assert read(LABELS.astype(str)) == {"labels": 1.0}
    words = np.array(["d", "c", "b", "a"])
    assert read(words[LABELS]) == {"labels, as the public data shows": 1.0}
    found = read(words[LABELS], ("encoder", Says(classes_=words)))
    assert found["labels, in the order of encoder.classes_"] == 1.0
    assert read(LABELS / 3) == {}, "no probabilities of four classes in one number"


@given(st.floats(-50, 50), st.floats(0.5, 50))
def test_targets_that_were_scaled_by_hand_are_taken_back(mean: float, spread: float) -> None:
    targets = np.random.default_rng(1).normal(mean, spread, 60)
    question = Question("regression", ("x",), np.zeros((60, 1)), targets)
    scaled = (targets - targets.mean()) / targets.std()
    found = {one.name: question.value(one.read(scaled)) for one in readings(scaled, question, [])}
    assert found["values, y * std + mean"] == pytest.approx(1)
    assert all(one.guess for one in readings(scaled, question, []) if one.name != "values")


def test_a_reading_refuses_an_output_that_has_changed_its_form() -> None:
    question = Question("classification", ("x",), np.zeros((100, 1)), LABELS)
    (reading,) = readings(np.eye(4)[LABELS], question, [])
    with pytest.raises(ValueError, match="changed its form"):
        reading.read(LABELS)
