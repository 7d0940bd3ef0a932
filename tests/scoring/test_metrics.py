"""Metrics against scikit-learn and the literature, and predictions that cannot be measured."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.models.errors import MetricError
from grader.sandbox.guest.output_forms import Array
from grader.scoring.metrics import (
    LARGEST,
    METRICS,
    Z95,
    Measured,
    accuracy_score,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    wilson_interval,
)

# ---------------------------------------------------------------- Wilson's interval

TRIALS = st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [  # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        pytest.param(81, 263, 0.2553, 0.3662, id="81 of 263"),
        pytest.param(15, 148, 0.0624, 0.1605, id="15 of 148"),
        pytest.param(0, 20, 0.0, 0.1611, id="none of 20"),
        pytest.param(1, 29, 0.0061, 0.1718, id="1 of 29"),
    ],
)
def test_wilson_gives_published_intervals(successes: int, n: int, low: float, high: float) -> None:
    assert wilson_interval(successes, n) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(TRIALS)
def test_wilson_contains_the_proportion_within_0_and_1(trials: tuple[int, int]) -> None:
    successes, n = trials
    low, high = wilson_interval(successes, n)
    assert 0 <= low <= successes / n <= high <= 1


@given(TRIALS)
def test_wilson_is_symmetric_for_failures(trials: tuple[int, int]) -> None:
    successes, n = trials
    low, high = wilson_interval(successes, n)
    assert wilson_interval(n - successes, n) == (pytest.approx(1 - high, abs=1e-12), pytest.approx(1 - low, abs=1e-12))


@given(TRIALS.filter(lambda trials: trials[0] < trials[1]))
def test_wilson_grows_with_successes(trials: tuple[int, int]) -> None:
    successes, n = trials
    fewer, more = wilson_interval(successes, n), wilson_interval(successes + 1, n)
    assert fewer[0] < more[0]
    assert fewer[1] < more[1]


@given(TRIALS)
def test_wilson_ends_satisfy_the_definition(trials: tuple[int, int]) -> None:
    """The interval has all probabilities b for which the observed p is within 1.96 standard errors of b."""
    successes, n = trials
    for end in wilson_interval(successes, n):
        if 0 < end < 1:
            errors = abs(successes / n - end) / sqrt(end * (1 - end) / n)
            assert errors == pytest.approx(Z95, rel=1e-4)


@pytest.mark.parametrize(("successes", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_wilson_refuses_invalid_counts(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match=f"found {successes} of {n}"):
        wilson_interval(successes, n)


# ---------------------------------------------------------------- accuracy


@given(st.integers(0, 2**32), st.integers(2, 6), st.integers(1, 200))
def test_accuracy_equals_scikit_learn(seed: int, classes: int, n: int) -> None:
    random = np.random.default_rng(seed)
    targets, answers = random.integers(0, classes, n), random.integers(-1, classes + 1, n)
    expected = sklearn.metrics.accuracy_score(targets, answers)
    for form in (answers, answers.astype(np.float32), answers[:, np.newaxis], answers.astype(np.int8)):
        measured = accuracy_score(form, targets)
        assert measured.value == expected
        assert measured.n == n
        assert (measured.low, measured.high) == wilson_interval(round(expected * n), n)


TARGETS = np.array([0, 1, 1, 0])


@pytest.mark.parametrize(
    ("answers", "value"),
    [
        pytest.param(np.array([0, 1, 1, 0]), 1.0, id="labels"),
        pytest.param(np.array([0, 1, 1, 0], dtype=np.uint8), 1.0, id="bytes"),
        pytest.param(np.array([[0], [1], [1], [1]]), 0.75, id="labels (n, 1)"),
        pytest.param(np.array([False, True, True, False]), 1.0, id="booleans"),
        pytest.param(np.array([0.1, 0.9, 0.5, 0.49]), 1.0, id="probabilities"),
        pytest.param(np.array([[0.1], [0.9], [0.3], [0.4]]), 0.75, id="probabilities (n, 1)"),
        pytest.param(np.array([0.1, 0.9, 0.5, 0.49], dtype=np.float16), 1.0, id="half precision"),
        pytest.param(np.array([[1, 0], [0, 1], [0, 1], [1, 0]]), 1.0, id="one-hot"),
        pytest.param(np.array([[-1.5, -2.0], [0.1, 9.0], [3.0, 4.0], [0.0, 1.0]]), 0.75, id="scores"),
        pytest.param(np.array([-1, 1, 1, -1]), 0.5, id="-1 for the other class counts as wrong"),
        pytest.param(np.array([7, 1, 1, 0]), 0.75, id="a class that does not exist is wrong"),
        pytest.param(np.array([1e300, 1, 1, 0]), 0.75, id="a huge number is wrong"),
        pytest.param(np.array([2**64 - 1, 1, 1, 0], dtype=np.uint64), 0.75, id="a huge integer is wrong"),
    ],
)
def test_accuracy_of_each_form_of_predictions(answers: Array, value: float) -> None:
    assert accuracy_score(answers, TARGETS).value == value


UNREADABLE = [
    pytest.param(np.array([0, 1, np.nan, 0]), ["1 of 4", "NaN", "expected finite"], id="NaN"),
    pytest.param(np.array([[np.inf, 0], [-np.inf, 0], [0, 1], [1, 0]]), ["2 of 8", "infinite"], id="infinite"),
    pytest.param(np.array([0, 1, 1]), ["(3,)", "4 rows", "(4,)"], id="too few"),
    pytest.param(np.array([0, 1, 1, 0, 0]), ["(5,)", "4 rows"], id="too many"),
    pytest.param(np.array([], dtype=np.float64), ["(0,)", "4 rows"], id="empty"),
    pytest.param(np.array(1.0), ["()", "4 rows"], id="a single number"),
    pytest.param(np.zeros((1, 4)), ["(1, 4)", "4 rows"], id="lying"),
    pytest.param(np.zeros((4, 1, 1)), ["(4, 1, 1)", "(4,)"], id="three axes"),
    pytest.param(np.array([0, 1, None, 0]), ["object", "expected numbers"], id="objects"),
    pytest.param(np.array(["0", "1", "1", "0"]), ["<U1", "expected numbers"], id="strings"),
    pytest.param(np.array([0, 1j, 1, 0]), ["complex128", "expected numbers"], id="complex"),
    pytest.param(np.zeros(4, "datetime64[s]"), ["datetime64", "expected numbers"], id="times"),
    pytest.param(np.zeros(4, [("a", "f8"), ("b" * 99, "f8")]), ["expected numbers"], id="records"),
]


@pytest.mark.parametrize("metric", [metric for kind in METRICS.values() for metric in kind.values()])
@pytest.mark.parametrize(("answers", "expected"), UNREADABLE)
def test_invalid_predictions_are_refused_with_found_and_expected(
    metric: Callable[[Array, Array], Measured], answers: Array, expected: list[str]
) -> None:
    with pytest.raises(MetricError) as refused:
        metric(answers, TARGETS)
    assert [part for part in expected if part not in str(refused.value.message)] == []
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("answers", "targets", "expected"),
    [
        pytest.param(np.zeros((4, 3)), TARGETS, ["(4, 3)", "(4,)", "2 classes"], id="a column too many"),
        pytest.param(np.zeros((4, 0)), TARGETS, ["(4, 0)", "2 classes"], id="no column"),
        pytest.param(np.zeros((4, 2)), np.array([0, 1, 2, 0]), ["(4, 2)", "3 classes"], id="a column too few"),
        pytest.param(np.array([-3, 0.5, 1, 2.25]), TARGETS, ["-3", "2.25", "0 to 1", "between 0 and 1"], id="logits"),
        pytest.param(np.array([0.1, 0.9, 0.5, 0]), np.array([0, 1, 2, 0]), ["0.9", "0 to 2"], id="three classes"),
    ],
)
def test_numbers_that_are_not_classes_are_refused(answers: Array, targets: Array, expected: list[str]) -> None:
    with pytest.raises(MetricError) as refused:
        accuracy_score(answers, targets)
    assert [part for part in expected if part not in str(refused.value.message)] == []


def test_a_hidden_set_with_one_class_still_has_two_classes() -> None:
    assert accuracy_score(np.array([0.1, 0.6, 0.2]), np.zeros(3, np.int64)).value == pytest.approx(2 / 3)


def test_scores_may_have_a_column_for_a_class_without_hidden_rows() -> None:
    one_hot = np.eye(4)[[0, 1, 2]]
    assert accuracy_score(one_hot, np.arange(3), classes=4).value == 1
    with pytest.raises(MetricError, match="each of the 3 classes"):
        accuracy_score(one_hot, np.arange(3))


# ---------------------------------------------------------------- regression

REGRESSION = [(r2_score, sklearn.metrics.r2_score)]
REGRESSION += [(mean_squared_error, sklearn.metrics.mean_squared_error)]
REGRESSION += [(mean_absolute_error, sklearn.metrics.mean_absolute_error)]
EACH = pytest.mark.parametrize(("metric", "reference"), REGRESSION, ids=["r2", "mse", "mae"])


@EACH
@settings(max_examples=15, deadline=None)  # each draws a thousand resamples
@given(st.integers(0, 2**32), st.integers(2, 60), st.floats(0.01, 100))
def test_regression_metrics_equal_scikit_learn(
    metric: Callable[[Array, Array], Measured], reference: Callable[..., float], seed: int, n: int, noise: float
) -> None:
    random = np.random.default_rng(seed)
    targets = random.normal(size=n)
    answers = targets + random.normal(scale=noise, size=n)
    measured = metric(answers, targets)
    assert measured.value == pytest.approx(reference(targets, answers), rel=1e-9)
    assert measured.low <= measured.high
    assert measured.n == n
    assert metric(answers[:, np.newaxis], targets) == measured


@EACH
def test_the_bootstrap_interval_contains_the_value_and_is_repeatable(
    metric: Callable[[Array, Array], Measured], reference: Callable[..., float]
) -> None:
    random = np.random.default_rng(4)
    targets = random.normal(size=500)
    measured = metric(targets + random.normal(scale=0.3, size=500), targets)
    assert measured.low < measured.value < measured.high
    assert measured.high - measured.low < 0.1
    random = np.random.default_rng(4)
    targets = random.normal(size=500)
    assert metric(targets + random.normal(scale=0.3, size=500), targets) == measured


@pytest.mark.parametrize(
    ("answers", "value"), [pytest.param([2.0, 2.0, 2.0], 1.0, id="exact"), pytest.param([2.0, 2.0, 3.0], 0.0, id="not")]
)
def test_r2_of_constant_targets(answers: list[float], value: float) -> None:
    assert r2_score(np.array(answers), np.full(3, 2.0)).value == value


@EACH
@pytest.mark.parametrize("huge", [1e300, -1e300])
def test_huge_predictions_give_finite_values(
    metric: Callable[[Array, Array], Measured], reference: Callable[..., float], huge: float
) -> None:
    measured = metric(np.array([huge, 0.0, 1.0]), np.array([0.0, 0.0, 1.0]))
    assert abs(measured.value) == LARGEST
    assert np.isfinite([measured.low, measured.high]).all()


@pytest.mark.parametrize("columns", [0, 2])
def test_regression_needs_one_number_per_row(columns: int) -> None:
    with pytest.raises(MetricError, match=rf"\(4, {columns}\); expected \(4,\)"):
        r2_score(np.zeros((4, columns)), TARGETS)
