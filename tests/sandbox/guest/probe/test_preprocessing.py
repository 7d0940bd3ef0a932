"""Preparations of raw inputs, by the model's input and by hints of the notebook."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grader.sandbox.guest.output_forms import Array
from grader.sandbox.guest.probe.input_spec import InputSpec
from grader.sandbox.guest.probe.preprocessing import (
    NotebookHints,
    preparations,
    read_hints,
    standardize_imagenet,
    subtract_imagenet_mean,
)

TABLE = np.random.default_rng(3).normal(100, 20, (50, 3))
IMAGES = np.random.default_rng(4).integers(0, 256, (20, 8, 8), np.uint8)
NO_HINTS = NotebookHints(("a", "b", "c"))


def names(inputs: Array, spec: InputSpec, hints: NotebookHints = NO_HINTS) -> list[str]:
    return [preparation.name for preparation in preparations(inputs, spec, hints)]


@pytest.mark.parametrize(
    "inputs", [TABLE, IMAGES, IMAGES[:, :, 0].astype(np.float64)], ids=["table", "bytes", "series"]
)
@pytest.mark.parametrize("shape", [None, (None,), (8, 8, 1), (3,)])
def test_single_row_is_prepared_like_many(inputs: Array, shape: Any) -> None:
    for preparation in preparations(inputs, InputSpec(shape, floats=True), NO_HINTS):
        many = np.asarray(preparation.apply(inputs))
        assert many.shape == (len(inputs), *preparation.row)
        np.testing.assert_allclose(preparation.apply(inputs[3:4]), many[3:4], rtol=1e-5, atol=1e-6)


def test_raw_comes_first_and_formulas_are_guesses() -> None:
    found = preparations(TABLE, InputSpec((3,)), NO_HINTS)
    assert [(preparation.name, preparation.guess) for preparation in found] == [
        ("raw", False),
        ("(X - mean) / std", True),
        ("(X - min) / (max - min)", True),
        ("X / max", True),
    ]
    np.testing.assert_allclose(np.asarray(found[1].apply(TABLE)).mean(0), 0, atol=1e-9)


def test_network_gets_columns_by_name_and_estimator_a_data_frame() -> None:
    fitted_with = ("c", "a")
    (numbers, *_), (frame, *_) = (
        preparations(TABLE, InputSpec((2,), fitted_with, floats=floats), NO_HINTS) for floats in (True, False)
    )
    np.testing.assert_array_equal(numbers.apply(TABLE), TABLE[:, [2, 0]])
    assert list(frame.apply(TABLE).columns) == ["c", "a"]
    assert (numbers.name, frame.name) == ("columns by their names", "data frame")


def test_imagenet_is_tried_only_if_the_notebook_mentions_it() -> None:
    spec = InputSpec((8, 8, 3))
    assert "RGB, BGR - mean of ImageNet" in names(IMAGES, spec, NotebookHints(("x",), imagenet=True))
    assert not any("ImageNet" in name for name in names(IMAGES, spec, NotebookHints(("x",))))


def test_preprocess_input_in_a_cell_hints_at_imagenet() -> None:
    assert read_hints([], ["x = preprocess_input(x)"], ("x",)).imagenet
    for sources in (None, [1, None], "preprocess_input", ["x = 1"]):
        assert not read_hints([], sources, ("x",)).imagenet


@pytest.mark.parametrize(
    ("spec", "source", "first"),
    [
        pytest.param(InputSpec((8, 8)), "x = x / 255", "X / 255", id="mentions 255"),
        pytest.param(InputSpec((8, 8), rescales=True), "x = x / 255", "raw", id="a layer rescales"),
        pytest.param(InputSpec((8, 8)), "x = x", "raw", id="no hint"),
    ],
)
def test_division_by_255_comes_first_if_the_notebook_mentions_255(spec: InputSpec, source: str, first: str) -> None:
    assert names(IMAGES, spec, read_hints([], [source], ("x",)))[0] == first


def test_images_of_bytes_are_divided_as_floats() -> None:
    for preparation in preparations(IMAGES, InputSpec((8, 8)), NO_HINTS):
        found = np.asarray(preparation.apply(IMAGES))
        assert preparation.name == "raw" or found.dtype.kind == "f", preparation.name


def test_imagenet_constants_match_keras() -> None:
    white = np.full((1, 1, 1, 3), 255, np.uint8)
    np.testing.assert_allclose(subtract_imagenet_mean(white).ravel(), [151.061, 138.221, 131.32], rtol=1e-4)
    np.testing.assert_allclose(standardize_imagenet(white).ravel(), [2.2489, 2.4286, 2.64], rtol=1e-4)
