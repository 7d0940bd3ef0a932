"""Turn a run and the hidden labels into scores. Only this module opens hidden labels; no student code runs here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from grader.data import hidden_sets
from grader.i18n.message import Message, message
from grader.models.assignment import Assignment, Criterion, Data
from grader.models.grade import Score, scored
from grader.models.run import Outcome, Run
from grader.sandbox.guest.output_forms import Array
from grader.scoring.metrics import METRICS
from grader.scoring.rubric.kinds import kind_of
from grader.scoring.rubric.metric import Truth

LINEAR_ROWS, LINEAR_COLUMNS = 2000, 1024  # the linear baseline is trained on at most this much
MANY_COLUMNS = 100
NOTHING_TO_RUN = (Outcome.MISSING, Outcome.FORBIDDEN)


def open_truth(assignment: Assignment, secret: bytes) -> Truth | None:
    """Return the hidden labels and their baselines, once for a whole class; None if nothing is predicted."""
    if assignment.data is None:
        return None
    hidden = hidden_sets.open_hidden_set(assignment, secret)
    labels = hidden.labels
    public = hidden_sets.public_table(assignment.data)
    guess, name = _constant_predictions(labels, public.targets, assignment.data.task)
    by_baseline = {name: guess, "linear": _linear_predictions(assignment.data, hidden.inputs)}
    baselines = {
        metric: {baseline: measure(predictions, labels).value for baseline, predictions in by_baseline.items()}
        for metric, measure in METRICS[assignment.data.task].items()
    }
    classes = int(max(labels.max(), public.targets.max())) + 1 if assignment.data.task == "classification" else 0
    return Truth(assignment.data.task, labels, baselines, classes)


def _constant_predictions(labels: Array, public_targets: Array, task: str) -> tuple[Array, str]:
    """Return the same prediction for every hidden row, ``(n,)``, and the name of this baseline."""
    if task == "classification":
        # The majority class of the hidden set itself: no constant prediction does better, so zero points are fair.
        return np.full(len(labels), np.bincount(labels.astype(np.int64)).argmax()), "majority"
    return np.full(len(labels), public_targets.astype(np.float64).mean()), "mean"


def _linear_predictions(data: Data, hidden_inputs: Array) -> Array:
    """Return the predictions of a linear model for the hidden rows, ``(n,)``. Fits on public rows within seconds."""
    # scikit-learn takes two seconds to import; listing assignments or asking for help must not pay for it.
    from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    public = hidden_sets.public_table(data)
    sample = public.rows(np.random.default_rng(0).permutation(len(public.inputs))[:LINEAR_ROWS])
    inputs = _subsample_columns(sample.inputs)
    columns = inputs.shape[1]
    if data.task == "classification":
        # For pictures the closed form: logistic regression takes minutes there and does not always converge.
        model = LogisticRegression(max_iter=1000) if columns < MANY_COLUMNS else RidgeClassifier(alpha=columns)
    else:
        model = LinearRegression() if columns < MANY_COLUMNS else Ridge(alpha=columns)
    fitted = make_pipeline(StandardScaler(), model).fit(inputs, sample.targets)
    predictions: Array = fitted.predict(_subsample_columns(hidden_inputs))
    return predictions


def _subsample_columns(inputs: Array) -> NDArray[np.float64]:
    """Flatten ``(n, ...)`` to ``(n, columns)`` with at most 1,024 columns; the linear baseline barely changes."""
    flat = inputs.reshape(len(inputs), -1)
    columns = np.linspace(0, flat.shape[1] - 1, min(flat.shape[1], LINEAR_COLUMNS)).astype(np.intp)
    return flat[:, columns].astype(np.float64)


def score_run(run: Run, assignment: Assignment, truth: Truth | None) -> tuple[Score, ...]:
    """Return one score per criterion, in the rubric's order."""
    if run.outcome is Outcome.GRADER_FAULT:
        reason = message("Not scored: the grader itself failed.")
        return tuple(scored(criterion, None, reason, passed=None) for criterion in assignment.rubric)
    reason = run.reason or message("There was nothing to grade.")
    return tuple(_score(criterion, run, truth, reason) for criterion in assignment.rubric)


def _score(criterion: Criterion, run: Run, truth: Truth | None, nothing_to_run: Message) -> Score:
    kind = kind_of(criterion)
    if run.outcome in NOTHING_TO_RUN and kind.needs_notebook:
        return scored(criterion, 0.0, nothing_to_run, passed=False)
    judged = kind.judge(criterion, run, truth)
    if run.lacking is not None and judged.points == 0 and kind.needs_notebook:
        # A library or a file of the class was not there: nothing tells what the notebook would have earned with it.
        return replace(judged, points=None, passed=None, review=run.lacking)
    return judged
