"""Rules that decode raw output as classes; guest and host share them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from grader.sandbox.guest.output_forms import (
    ANSWER_FORMS,
    MODEL_FORMS,
    Array,
    as_labels,
    as_logit,
    as_probability,
    as_rounded,
    as_scores,
    one_column,
)

COLUMNS = arrays.arrays(
    st.sampled_from([np.float16, np.float32, np.float64, np.int8, np.uint8, np.int64, np.uint64, np.bool_]),
    st.tuples(st.integers(1, 6)) | st.tuples(st.integers(1, 6), st.integers(0, 4)),
).filter(lambda array: array.dtype.kind != "f" or bool(np.isfinite(array).all()))


@pytest.mark.parametrize(
    ("raw", "forms"),
    [
        pytest.param(np.array([0, 1, 1]), {"labels", "rounded", "logit"}, id="integers"),
        pytest.param(np.array([0.0, 1.0, 1.0]), {"labels", "probability", "rounded", "logit"}, id="whole floats"),
        pytest.param(np.array([0.2, 0.9, 0.5]), {"probability", "rounded", "logit"}, id="fractions"),
        pytest.param(np.array([[0.2], [0.9], [0.5]]), {"probability", "rounded", "logit"}, id="(n, 1)"),
        pytest.param(np.array([False, True, True]), {"labels", "rounded", "logit"}, id="booleans"),
        pytest.param(np.array([-0.5, 0.9, 1.5]), {"rounded", "logit"}, id="outside 0 to 1"),
        pytest.param(np.array([[1, 0], [0, 1], [0, 1]]), {"scores"}, id="one-hot"),
        pytest.param(np.array([[0.7, 0.3], [0.1, 0.9], [0.5, 0.5]]), {"scores"}, id="softmax"),
        pytest.param(np.zeros((3, 0)), set(), id="no columns"),
        pytest.param(np.zeros((3, 1, 1)), set(), id="three axes"),
    ],
)
def test_forms_that_accept_an_array(raw: Array, forms: set[str]) -> None:
    assert {name for name, form in MODEL_FORMS.items() if form(raw) is not None} == forms


@pytest.mark.parametrize(
    ("form", "raw", "expected"),
    [
        pytest.param(as_labels, [0.0, 2.0, -1.0], [0, 2, -1], id="labels"),
        pytest.param(as_probability, [0.0, 0.4999, 0.5, 1.0], [0, 0, 1, 1], id="probability, cut at 0.5"),
        pytest.param(as_rounded, [-3.0, 0.49, 0.5, 7.0], [0, 0, 1, 1], id="rounded, cut at 0.5"),
        pytest.param(as_logit, [-0.1, 0.0, 0.1], [0, 0, 1], id="logit, cut at 0"),
        pytest.param(as_scores, [[-5.0, -9.0], [0.1, 0.2]], [0, 1], id="scores, the largest"),
        pytest.param(as_scores, [[1.0, 1.0], [2.0, 2.0]], [0, 0], id="scores, the first of equals"),
    ],
)
def test_form_decodes_to_classes(form: object, raw: list[object], expected: list[int]) -> None:
    assert callable(form)
    found = form(np.array(raw))
    assert found.tolist() == expected
    assert found.dtype == np.int64


def test_labels_come_before_probabilities() -> None:
    assert next(iter(ANSWER_FORMS)) == "labels"
    assert list(MODEL_FORMS)[: len(ANSWER_FORMS)] == list(ANSWER_FORMS)


@pytest.mark.parametrize("huge", [1e300, -1e300, 2.0**63, -(2.0**63)])
def test_huge_integer_is_a_label_of_no_class(huge: float) -> None:
    labels = as_labels(np.array([huge, 1.0]))
    assert labels is not None
    assert abs(int(labels[0])) >= 2**53
    assert (labels[0] > 0) == (huge > 0)


@given(COLUMNS)
def test_every_form_gives_one_class_per_row_or_none(raw: Array) -> None:
    for name, form in MODEL_FORMS.items():
        classes = form(raw)
        if classes is not None:
            assert classes.shape == (len(raw),)
            assert classes.dtype == np.int64
            if name not in ("labels", "scores"):
                assert set(classes.tolist()) <= {0, 1}


@given(COLUMNS)
def test_single_column_decodes_like_a_vector(raw: Array) -> None:
    column = one_column(raw)
    if column is None:
        assert raw.ndim == 2 and raw.shape[1] != 1
        return
    for form in MODEL_FORMS.values():
        flat, stacked = form(column), form(column[:, np.newaxis])
        assert (flat is None) == (stacked is None)
        if flat is not None:
            np.testing.assert_array_equal(flat, stacked)
