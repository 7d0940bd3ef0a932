"""Metrics with 95 % intervals. Predictions that cannot be measured raise ``MetricError``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from grader.i18n.message import message
from grader.models.errors import MetricError
from grader.sandbox.guest.output_forms import ANSWER_FORMS, Array, one_column

Z95 = 1.959963984540054  # the normal distribution's 97.5 % quantile
RESAMPLES = 1000
BOOTSTRAP_SEED = 20260101
LARGEST_PREDICTION = 1e100
LARGEST = 1e12  # fits into reports and spreadsheets; larger errors need not be told apart


Values = NDArray[np.float64]
Measure = Callable[[Values, Values], float]  # (predictions, targets) -> value


@dataclass(frozen=True, slots=True)
class Measured:
    value: float
    low: float  # 95 % interval
    high: float
    n: int


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """Return the 95 % score interval for a proportion, within [0, 1].

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    """
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"wilson_interval: found {successes} of {n}, expected 0 <= successes <= n and n > 0")
    p, z2 = successes / n, Z95**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    # At 0 and n the formula gives the ends exactly, apart from rounding.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return low, high


def bootstrap_interval(measure: Measure, predictions: Values, targets: Values) -> tuple[float, float]:
    """Return the 95 % percentile interval of ``measure`` over resampled rows (Efron 1979); seeded, so repeatable.

    ``predictions`` and ``targets``: ``(n,)`` float64.
    """
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    n = len(targets)
    resamples = (rng.integers(0, n, n) for _ in range(RESAMPLES))
    values = [measure(predictions[rows], targets[rows]) for rows in resamples]
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def check_predictions(predictions: Array, n: int) -> Array:
    """Return ``predictions`` unchanged if they are finite numbers, ``(n,)`` or ``(n, k)``; raises ``MetricError``."""
    if predictions.dtype.kind not in "biuf":
        raise MetricError(
            message(
                "The predictions have the type {dtype}; expected numbers. Return one number per row.",
                dtype=str(predictions.dtype)[:40],
            )
        )
    if predictions.ndim not in (1, 2) or len(predictions) != n:
        raise MetricError(
            message(
                "The predictions have the shape {shape}; expected one prediction for each of {n} rows, shape ({n},).",
                shape=str(predictions.shape)[:60],
                n=n,
            )
        )
    bad = int(np.count_nonzero(~np.isfinite(predictions.astype(np.float64))))
    if bad:
        raise MetricError(
            message(
                "{bad} of {size} predictions are NaN or infinite; expected finite numbers.",
                bad=bad,
                size=predictions.size,
            )
        )
    return predictions


def read_classes(predictions: Array, n: int, classes: int) -> tuple[NDArray[np.int64], str]:
    """Return class numbers ``(n,)`` and the form in which they were given: labels, probability or scores.

    Raises ``MetricError`` if ``predictions`` have none of these forms.
    """
    raw = check_predictions(predictions, n)
    for name, form in ANSWER_FORMS.items():
        if name == "probability" and classes != 2:
            continue
        labels = form(raw)
        if labels is not None and not (name == "scores" and raw.shape[1] != classes):
            return labels, name
    if raw.ndim == 2:
        raise MetricError(
            message(
                "The predictions have the shape {shape}; expected ({n},), or one column for each of the {classes} "
                "classes.",
                shape=str(raw.shape),
                n=n,
                classes=classes,
            )
        )
    raise MetricError(
        message(
            "The predictions lie between {low:.4g} and {high:.4g} and are not whole numbers; expected the classes 0 to "
            "{last}, or with two classes probabilities between 0 and 1.",
            low=float(raw.min()),
            high=float(raw.max()),
            last=classes - 1,
        )
    )


def read_values(predictions: Array, n: int) -> NDArray[np.float64]:
    """Return ``predictions``, ``(n,)`` or ``(n, 1)``, as ``(n,)``; raises ``MetricError`` for any other shape."""
    column = one_column(check_predictions(predictions, n))
    if column is None:
        raise MetricError(
            message(
                "The predictions have the shape {shape}; expected ({n},): one number per row.",
                shape=str(predictions.shape),
                n=n,
            )
        )
    return column.astype(np.float64)


def accuracy_score(predictions: Array, targets: Array, classes: int = 0) -> Measured:
    """Return the share of correct rows, in [0, 1], with Wilson's interval.

    ``targets``: ``(n,)`` classes 0 .. k-1. ``predictions``: classes ``(n,)`` or ``(n, 1)``, probabilities of class 1
    (two classes only), or ``(n, k)`` with a column per class. A class that does not exist counts as wrong.
    ``classes``: k; needed if ``targets`` may lack the last classes.
    """
    n = len(targets)
    labels, _ = read_classes(predictions, n, max(classes, int(np.max(targets)) + 1, 2))
    right = int(np.count_nonzero(labels == targets))
    low, high = wilson_interval(right, n)
    return Measured(right / n, low, high, n)


def r2_score(predictions: Array, targets: Array) -> Measured:
    """Return the coefficient of determination, at most 1; always predicting the mean gives 0.

    Constant targets have no variance to explain: 1 for exact predictions, otherwise 0, as in scikit-learn.
    """

    def r2(predicted: Values, truth: Values) -> float:
        residual = float(np.sum((truth - predicted) ** 2))
        total = float(np.sum((truth - truth.mean()) ** 2))
        return 1.0 - residual / total if total > 0 else float(residual == 0)

    return _measure_regression(r2, predictions, targets)


def mean_squared_error(predictions: Array, targets: Array) -> Measured:
    return _measure_regression(lambda predicted, truth: float(np.mean((truth - predicted) ** 2)), predictions, targets)


def mean_absolute_error(predictions: Array, targets: Array) -> Measured:
    return _measure_regression(lambda predicted, truth: float(np.mean(np.abs(truth - predicted))), predictions, targets)


def _measure_regression(measure: Measure, predictions: Array, targets: Array) -> Measured:
    # Predictions of 1e300 are allowed and simply very wrong; their squares must stay finite.
    predicted = np.clip(read_values(predictions, len(targets)), -LARGEST_PREDICTION, LARGEST_PREDICTION)
    truth = targets.astype(np.float64)
    low, high = bootstrap_interval(measure, predicted, truth)
    value, low, high = (float(np.clip(number, -LARGEST, LARGEST)) for number in (measure(predicted, truth), low, high))
    return Measured(value, low, high, len(truth))


Metric = Callable[..., Measured]  # (predictions, targets), for classification also (classes=)

# As in scikit-learn: for a *_score more is better, for an *_error less is better.
METRICS: dict[str, dict[str, Metric]] = {
    "classification": {"accuracy_score": accuracy_score},
    "regression": {
        "r2_score": r2_score,
        "mean_squared_error": mean_squared_error,
        "mean_absolute_error": mean_absolute_error,
    },
}
