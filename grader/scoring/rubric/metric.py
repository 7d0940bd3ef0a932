"""Kind ``metric``: the quality of the predictions on hidden data.

What it checks: a metric on rows that no student has seen, computed where no student code runs.
Why it matters: good predictions are the purpose of the model.
Example: ``kind = "metric"``, ``metric = "accuracy_score"``, ``full_at = 0.80``, ``zero_at = "majority"``,
``points = 60``: full points from 0.80 on, none at the majority class's rate, linear between.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from grader.i18n.message import Message, message
from grader.models.assignment import Criterion
from grader.models.errors import MetricError
from grader.models.grade import Scale, Score, scored
from grader.models.run import USES_WHOLE_BATCH, Run
from grader.sandbox.guest.output_forms import Array
from grader.scoring.metrics import METRICS, Measured

_ALL_NAN = re.compile(r"FloatingPointError: (\d+) of \1 predictions are NaN")  # as the guest notes it
METRIC_NAMES = {
    "accuracy_score": message("Accuracy"),
    "r2_score": message("R²"),
    "mean_squared_error": message("Mean squared error"),
    "mean_absolute_error": message("Mean absolute error"),
}


@dataclass(frozen=True, kw_only=True)
class MetricReached(Criterion):
    metric: str
    full_at: float
    zero_at: float | Literal["majority"]
    kind: Literal["metric"] = "metric"


@dataclass(frozen=True, slots=True)
class Truth:
    """The hidden labels, and the results of baselines that learn little: "majority" or "mean", and "linear"."""

    task: str
    labels: Array  # (n,)
    baselines: Mapping[str, Mapping[str, float]]  # metric -> baseline -> value
    classes: int = 0  # number of classes, including those without a hidden row; 0 for a regression


def share_of_points(value: float, *, full_at: float, zero_at: float) -> float:
    """Return 0 at ``zero_at``, 1 at ``full_at`` and linear between, clipped to [0, 1]. Either end may be larger."""
    return float(np.clip((value - zero_at) / (full_at - zero_at), 0.0, 1.0))


def score(criterion: MetricReached, run: Run, truth: Truth | None) -> Score:
    """Score the predictions; predictions that cannot be measured earn nothing.

    A person decides where a model was trained but gave no predictions, and where the run's points are withheld.
    ``truth`` is None if a group's own pictures were too few to hold some out: 0 points with that reason. Without such
    a reason the criterion is left to a person.
    """
    if truth is None:
        reason = run.photo_survey.unmeasured if run.photo_survey is not None else None
        if reason is None:
            return scored(criterion, None, message("There was nothing to grade."), passed=None)
        return scored(criterion, 0.0, reason, passed=False)
    scale = _scale(criterion, truth)
    try:
        measured = _measure(criterion, run, truth)
    except MetricError as error:
        if run.predictions is None and run.facts.trained_models and not _answers_nan(run):
            return scored(
                criterion, None, error.message, passed=None, n=len(truth.labels), scale=scale, review=_not_read()
            )
        return scored(criterion, 0.0, error.message, passed=False, n=len(truth.labels), scale=scale)
    share = share_of_points(measured.value, full_at=scale.full_at, zero_at=scale.zero_at)
    withheld = run.withheld if share > 0 else None  # without points there is nothing to decide
    return scored(
        criterion,
        None if withheld is not None else round(criterion.points * share, 2),
        _reason(criterion, measured, scale),
        passed=None if withheld is not None else share >= 1.0,
        value=measured.value,
        low=measured.low,
        high=measured.high,
        n=measured.n,
        scale=scale,
        review=withheld or _review(run, measured, scale),
    )


def _answers_nan(run: Run) -> bool:
    """Return whether a model was asked and answered with NaN for every row: its training has diverged."""
    return any(_ALL_NAN.match(attempt.problem) for attempt in run.facts.attempts)


def _not_read() -> Message:
    return message(
        "A model was trained, but no predictions could be got from it: look at the notebook and decide on the points."
    )


def _scale(criterion: MetricReached, truth: Truth) -> Scale:
    baselines = truth.baselines[criterion.metric]
    zero_at = baselines["majority"] if criterion.zero_at == "majority" else criterion.zero_at
    # In a very unbalanced hidden set guessing may reach full_at, which would reverse the scale: then only full_at
    # counts.
    if criterion.zero_at == "majority" and zero_at >= criterion.full_at:
        zero_at = criterion.full_at - 1e-9
    return Scale(full_at=criterion.full_at, zero_at=zero_at, baselines=baselines)


def _measure(criterion: MetricReached, run: Run, truth: Truth) -> Measured:
    if run.predictions is None:
        raise MetricError(run.no_predictions or message("There are no predictions."))
    predictions = np.load(run.predictions, allow_pickle=False)
    options = {"classes": truth.classes} if truth.task == "classification" else {}
    return METRICS[truth.task][criterion.metric](predictions, truth.labels, **options)


def _reason(criterion: MetricReached, measured: Measured, scale: Scale) -> Message:
    return message(
        "{metric} on {n} hidden rows: {value:.3f}, 95 % interval {low:.3f} to {high:.3f}; "
        "full points at {full:g}, none at {zero:.3g}.",
        metric=METRIC_NAMES.get(criterion.metric, criterion.metric),
        n=measured.n,
        value=measured.value,
        low=measured.low,
        high=measured.high,
        full=scale.full_at,
        zero=scale.zero_at,
    )


def _review(run: Run, measured: Measured, scale: Scale) -> Message | None:
    if run.depends_on_neighbours:
        return USES_WHOLE_BATCH
    if measured.low < scale.full_at <= measured.high:
        return message(
            "Too close to call: the interval {low:.3f} to {high:.3f} holds the threshold {full:g}.",
            low=measured.low,
            high=measured.high,
            full=scale.full_at,
        )
    return None
