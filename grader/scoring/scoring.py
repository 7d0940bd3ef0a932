"""A run and the hidden labels to scores. The only module that opens hidden labels; no student code runs here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.data import hidden_sets
from grader.i18n.message import Message, message
from grader.models.assignment import Assignment, Criterion, Data
from grader.models.grade import Score
from grader.models.run import Outcome, Run
from grader.sandbox.guest.output_forms import Array
from grader.scoring.metrics import METRICS
from grader.scoring.rubric import (
    architecture,
    augmentation,
    course_test,
    dataset,
    document,
    executes,
    figure,
    manual,
    metric,
    training,
)
from grader.scoring.rubric.metric import Truth

LINEAR_ROWS, LINEAR_COLUMNS = 2000, 1024  # what the linear baseline is trained on at most
WIDE = 100  # columns
NOTHING_HANDED_IN = (Outcome.MISSING, Outcome.FORBIDDEN)

_JUDGES: Mapping[type[Criterion], Callable[[Any, Run], Score]] = {
    architecture.Architecture: architecture.score,
    augmentation.Augmentation: augmentation.score,
    dataset.DatasetCollected: dataset.score,
    document.DocumentHandedIn: document.score,
    executes.Executes: executes.score,
    figure.FigureDrawn: figure.score,
    manual.Manual: manual.score,
    course_test.Tested: course_test.score,
    training.Training: training.score,
}


def open_truth(assignment: Assignment, secret: bytes) -> Truth | None:
    """The hidden labels with their baselines, opened once for a whole class; None when nothing is predicted."""
    if assignment.data is None:
        return None
    hidden = hidden_sets.open_hidden_set(assignment, secret)
    labels = hidden.labels
    public = hidden_sets.public_table(assignment.data)
    guess, name = _guess(labels, public.targets, assignment.data.task)
    answers = {name: guess, "linear": _linear_answers(assignment.data, hidden.inputs)}
    baselines = {
        name: {baseline: measure(predictions, labels).value for baseline, predictions in answers.items()}
        for name, measure in METRICS[assignment.data.task].items()
    }
    classes = int(max(labels.max(), public.targets.max())) + 1 if assignment.data.task == "classification" else 0
    return Truth(assignment.data.task, labels, baselines, classes)


def _guess(labels: Array, public_targets: Array, task: str) -> tuple[Array, str]:
    """The same answer for every hidden row, and its name."""
    if task == "classification":
        # The hidden set's own majority: what the best constant answer would reach, so the fair zero.
        return np.full(len(labels), np.bincount(labels.astype(np.int64)).argmax()), "majority"
    return np.full(len(labels), public_targets.astype(np.float64).mean()), "mean"


def _linear_answers(data: Data, hidden: Array) -> Array:
    """What a linear model answers for the hidden rows, trained on public ones: in seconds, whatever the data is."""
    # Two seconds to import: not for those who only list assignments or ask for help.
    from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    public = hidden_sets.public_table(data)
    some = public.rows(np.random.default_rng(0).permutation(len(public.inputs))[:LINEAR_ROWS])
    inputs = _thinned(some.inputs)
    if data.task == "classification":
        # Of pictures the closed form: the other would take minutes, and does not always arrive.
        model = LogisticRegression(max_iter=1000) if inputs.shape[1] < WIDE else RidgeClassifier(alpha=inputs.shape[1])
    else:
        model = LinearRegression() if inputs.shape[1] < WIDE else Ridge(alpha=inputs.shape[1])
    fitted = make_pipeline(StandardScaler(), model).fit(inputs, some.targets)
    answers: Array = fitted.predict(_thinned(hidden))
    return answers


def _thinned(inputs: Array) -> NDArray[np.float64]:
    """``(n, columns)``: of large pictures every so-manieth number, which a line through them hardly misses."""
    flat = inputs.reshape(len(inputs), -1)
    columns = np.linspace(0, flat.shape[1] - 1, min(flat.shape[1], LINEAR_COLUMNS)).astype(np.intp)
    return flat[:, columns].astype(np.float64)


def score_run(run: Run, assignment: Assignment, truth: Truth | None) -> tuple[Score, ...]:
    """One score per criterion, in the rubric's order."""
    if run.outcome is Outcome.GRADER_FAULT:
        reason = message("Not judged: the grader itself failed.")
        return tuple(_unjudged(criterion, reason, points=None) for criterion in assignment.rubric)
    if run.outcome in NOTHING_HANDED_IN:
        reason = run.reason or message("There was nothing to grade.")
        return tuple(
            # A report needs no notebook to be read.
            _score(criterion, run, truth)
            if isinstance(criterion, document.DocumentHandedIn) and run.document is not None
            else _unjudged(criterion, reason, points=0.0)
            for criterion in assignment.rubric
        )
    return tuple(_score(criterion, run, truth) for criterion in assignment.rubric)


def _unjudged(criterion: Criterion, reason: Message, *, points: float | None) -> Score:
    return Score(
        criterion=criterion.id,
        title=criterion.title,
        points=points,
        max=criterion.points,
        passed=None if points is None else False,
        reason=reason,
    )


def _unasked(criterion: Criterion, run: Run) -> Score:
    """Spec asks for data wherever a metric is; a group's own pictures may not be enough to hold some out."""
    reason = run.photo_survey.unmeasured if run.photo_survey is not None else None
    return _unjudged(criterion, reason or message("There was nothing to grade."), points=0.0 if reason else None)


def _score(criterion: Criterion, run: Run, truth: Truth | None) -> Score:
    if isinstance(criterion, metric.MetricReached):
        return metric.score(criterion, run, truth) if truth is not None else _unasked(criterion, run)
    judge = _JUDGES.get(type(criterion))
    if judge is None:
        raise TypeError(f"no judge for {type(criterion).__name__}")
    return judge(criterion, run)
