"""Arrays in; a value, its 95 % interval and its sample size out. What cannot be measured is a ``MetricError``."""

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
LARGEST_ANSWER = 1e100
LARGEST = 1e12  # a report and a spreadsheet can carry it; nobody needs to tell worse from worse


Values = NDArray[np.float64]
Measure = Callable[[Values, Values], float]  # (answers, truth) -> value


@dataclass(frozen=True, slots=True)
class Measured:
    value: float
    low: float  # 95 % interval
    high: float
    n: int


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """The 95 % score interval for a proportion, within [0, 1].

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    """
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"wilson_interval: found {successes} of {n}, expected 0 <= successes <= n and n > 0")
    p, z2 = successes / n, Z95**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    # At 0 and n the formula gives the ends exactly but for rounding.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return low, high


def bootstrap_interval(measure: Measure, predictions: Values, targets: Values) -> tuple[float, float]:
    """The 95 % percentile interval of ``measure`` over resampled rows (Efron 1979); seeded, so repeatable."""
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    n = len(targets)
    resamples = (rng.integers(0, n, n) for _ in range(RESAMPLES))
    values = [measure(predictions[rows], targets[rows]) for rows in resamples]
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def checked(predictions: Array, n: int) -> Array:
    """``predictions`` itself when it has ``n`` rows of finite numbers; otherwise a MetricError that names both."""
    if predictions.dtype.kind not in "biuf":
        raise MetricError(
            message(
                "The answers have the type {dtype}; expected numbers. Return one number per row.",
                dtype=str(predictions.dtype)[:40],
            )
        )
    if predictions.ndim not in (1, 2) or len(predictions) != n:
        raise MetricError(
            message(
                "The answers have the shape {shape}; expected one answer for each of {n} rows, shape ({n},).",
                shape=str(predictions.shape)[:60],
                n=n,
            )
        )
    bad = int(np.count_nonzero(~np.isfinite(predictions.astype(np.float64))))
    if bad:
        raise MetricError(
            message(
                "{bad} of {size} answers are NaN or infinite; expected finite numbers.", bad=bad, size=predictions.size
            )
        )
    return predictions


def read_classes(predictions: Array, n: int, classes: int) -> tuple[NDArray[np.int64], str]:
    """Class numbers ``(n,)`` and the form they were given in: labels, probability or scores."""
    raw = checked(predictions, n)
    for name, form in ANSWER_FORMS.items():
        if name == "probability" and classes != 2:
            continue
        answers = form(raw)
        if answers is not None and not (name == "scores" and raw.shape[1] != classes):
            return answers, name
    if raw.ndim == 2:
        raise MetricError(
            message(
                "The answers have the shape {shape}; expected ({n},), or one column for each of the {classes} classes.",
                shape=str(raw.shape),
                n=n,
                classes=classes,
            )
        )
    raise MetricError(
        message(
            "The answers lie between {low:.4g} and {high:.4g} and are not whole numbers; expected the classes 0 to "
            "{last}, or with two classes probabilities between 0 and 1.",
            low=float(raw.min()),
            high=float(raw.max()),
            last=classes - 1,
        )
    )


def read_values(predictions: Array, n: int) -> NDArray[np.float64]:
    """Real numbers ``(n,)`` from ``(n,)`` or ``(n, 1)``."""
    column = one_column(checked(predictions, n))
    if column is None:
        raise MetricError(
            message(
                "The answers have the shape {shape}; expected ({n},): one number per row.",
                shape=str(predictions.shape),
                n=n,
            )
        )
    return column.astype(np.float64)


def accuracy_score(predictions: Array, targets: Array, classes: int = 0) -> Measured:
    """The share of rows whose class is right, in [0, 1], with Wilson's interval.

    ``targets``: ``(n,)`` classes 0 .. k-1. ``predictions``: classes ``(n,)`` or ``(n, 1)``, probabilities of class 1
    (two classes only), or ``(n, k)`` with a column per class. A class that does not exist counts as wrong.
    ``classes``: k, where a few rows may lack the last ones.
    """
    n = len(targets)
    answers, _ = read_classes(predictions, n, max(classes, int(np.max(targets)) + 1, 2))
    right = int(np.count_nonzero(answers == targets))
    low, high = wilson_interval(right, n)
    return Measured(right / n, low, high, n)


def r2_score(predictions: Array, targets: Array) -> Measured:
    """The coefficient of determination, at most 1; 0 is as good as always answering the mean.

    Targets that are all the same have no spread to explain: 1 for exact answers, otherwise 0, as scikit-learn has it.
    """

    def r2(answers: Values, truth: Values) -> float:
        missed = float(np.sum((truth - answers) ** 2))
        spread = float(np.sum((truth - truth.mean()) ** 2))
        return 1.0 - missed / spread if spread > 0 else float(missed == 0)

    return _measured(r2, predictions, targets)


def mean_squared_error(predictions: Array, targets: Array) -> Measured:
    return _measured(lambda answers, truth: float(np.mean((truth - answers) ** 2)), predictions, targets)


def mean_absolute_error(predictions: Array, targets: Array) -> Measured:
    return _measured(lambda answers, truth: float(np.mean(np.abs(truth - answers))), predictions, targets)


def _measured(measure: Measure, predictions: Array, targets: Array) -> Measured:
    # Answers of 1e300 are allowed, and as wrong as they look; their squares must stay numbers.
    answers = np.clip(read_values(predictions, len(targets)), -LARGEST_ANSWER, LARGEST_ANSWER)
    truth = targets.astype(np.float64)
    low, high = bootstrap_interval(measure, answers, truth)
    value, low, high = (float(np.clip(number, -LARGEST, LARGEST)) for number in (measure(answers, truth), low, high))
    return Measured(value, low, high, len(truth))


Metric = Callable[..., Measured]  # (predictions, targets), for classes also how many there are

# scikit-learn's law: *_score is better up, *_error better down.
METRICS: dict[str, dict[str, Metric]] = {
    "classification": {"accuracy_score": accuracy_score},
    "regression": {
        "r2_score": r2_score,
        "mean_squared_error": mean_squared_error,
        "mean_absolute_error": mean_absolute_error,
    },
}
