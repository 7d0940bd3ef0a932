"""Rows converted to the shape a model takes, and images resized."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.report.pages import _WORDS
from grader.sandbox.guest.probe.reshaping import fits, reshapings, resize, with_channels

SIDES = st.integers(1, 12)
ROWS = st.lists(st.integers(1, 6), min_size=1, max_size=3).map(tuple)
TARGETS = st.none() | st.lists(st.none() | st.integers(1, 40), min_size=1, max_size=4).map(tuple)


@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from([1, 3]))
def test_resized_image_stays_within_its_extremes(h: int, w: int, new_h: int, new_w: int, channels: int) -> None:
    images = np.random.default_rng(h * w).integers(0, 256, (2, h, w, channels)).astype(np.uint8)
    found = resize(images, new_h, new_w)
    assert found.shape == (2, new_h, new_w, channels)
    assert found.min() >= images.min() - 1e-3 and found.max() <= images.max() + 1e-3
    np.testing.assert_array_equal(resize(images, h, w), images)


def test_resizing_is_bilinear_between_pixel_centres() -> None:
    row = np.array([0, 10, 30], np.uint8).reshape(1, 1, 3, 1)
    np.testing.assert_allclose(resize(row, 1, 6).ravel(), [0, 2.5, 7.5, 15, 25, 30])
    np.testing.assert_allclose(resize(np.repeat(row, 3, 1), 2, 3)[0, :, :, 0], [[0, 10, 30]] * 2)


def test_channels_are_repeated_weighed_or_dropped() -> None:
    colour = np.array([[[[100, 50, 200, 7]]]], np.uint8)
    assert with_channels(colour, 3).ravel().tolist() == [100, 50, 200]
    np.testing.assert_allclose(with_channels(colour, 1).ravel(), [0.299 * 100 + 0.587 * 50 + 0.114 * 200])
    assert with_channels(colour[..., :1], 3).ravel().tolist() == [100, 100, 100]


@given(ROWS, TARGETS, st.booleans())
def test_every_reshaping_has_the_shape_it_reports_for_one_row_and_for_many(row: Any, target: Any, tokens: bool) -> None:
    rows = np.random.default_rng(2).integers(0, 256, (3, *row)).astype(np.uint8)
    for reshaping in reshapings(row, target, tokens=tokens):
        found = reshaping.apply(rows)
        assert found.shape == (3, *reshaping.row)
        assert target is None or fits(reshaping.row, target)
        np.testing.assert_array_equal(reshaping.apply(rows[1:2]), found[1:2])
        assert all(step in _WORDS for step in reshaping.steps), "the report has words for every step"


@pytest.mark.parametrize(
    ("given_row", "target", "steps", "row"),
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
def test_steps_and_shape_of_reshapings(given_row: Any, target: Any, steps: list[tuple[str, ...]], row: Any) -> None:
    found = reshapings(given_row, target)
    assert [reshaping.steps for reshaping in found] == steps
    assert row is None or {reshaping.row for reshaping in found} == {row}


def test_channels_first_moves_channels_without_mixing_them() -> None:
    image = np.arange(12).reshape(1, 2, 2, 3)
    (reshaping,) = reshapings((2, 2, 3), (3, 2, 2))
    np.testing.assert_array_equal(reshaping.apply(image)[0, 1], image[0, :, :, 1])


@pytest.mark.parametrize(
    ("length", "expected"), [(4, [[[0, 1, 2, 3]], [[1, 2, 3, 0]]]), (2, [[[2, 3]], [[1, 2]]])], ids=["pad", "cut"]
)
def test_tokens_are_padded_and_cut_like_keras_does(length: int, expected: list[Any]) -> None:
    found = reshapings((3,), (length,), tokens=True)
    assert [reshaping.apply(np.array([[1, 2, 3]])).tolist() for reshaping in found] == expected
