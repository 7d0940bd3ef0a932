"""A run and the hidden labels to scores. The only module that opens hidden labels; no student code runs here."""

from __future__ import annotations

import numpy as np

from grader import datasets
from grader.metrics import METRICS
from grader.records import Assignment, Criterion, Message, Outcome, Run, Score, message
from grader.rubric import executes, figure, manual, metric, training
from grader.rubric.metric import Truth
from grader.sandbox.guest.forms import Array

NOTHING_HANDED_IN = (Outcome.MISSING, Outcome.FORBIDDEN)


def open_truth(assignment: Assignment, secret: bytes) -> Truth | None:
    """The hidden labels with their baselines, opened once for a whole class; None when nothing is predicted."""
    if assignment.data is None:
        return None
    labels = datasets.hidden_labels(assignment, secret)
    answers = _baseline_answers(assignment, secret)
    baselines = {
        name: {baseline: measure(predictions, labels).value for baseline, predictions in answers.items()}
        for name, measure in METRICS[assignment.data.task].items()
    }
    return Truth(assignment.data.task, labels, baselines)


def _baseline_answers(assignment: Assignment, secret: bytes) -> dict[str, Array]:
    """What the hidden rows are answered by guessing, and by a linear model trained on the public rows."""
    # Two seconds to import: not for those who only list assignments or ask for help.
    from sklearn.linear_model import LinearRegression, LogisticRegression  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    assert assignment.data is not None
    public = datasets.public_table(assignment.data)
    inputs = datasets.hidden_inputs(assignment, secret)
    labels = datasets.hidden_labels(assignment, secret)
    if assignment.data.task == "classification":
        # The hidden set's own majority: what the best constant answer would reach, so the fair zero.
        guess = np.full(len(labels), np.bincount(labels.astype(np.int64)).argmax())
        linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(public.inputs, public.targets)
        return {"majority": guess, "linear": linear.predict(inputs)}
    mean = np.full(len(labels), public.targets.astype(np.float64).mean())
    return {"mean": mean, "linear": LinearRegression().fit(public.inputs, public.targets).predict(inputs)}


def score_run(run: Run, assignment: Assignment, truth: Truth | None) -> tuple[Score, ...]:
    """One score per criterion, in the rubric's order."""
    if run.outcome is Outcome.GRADER_FAULT:
        reason = message("Not judged: the grader itself failed.")
        return tuple(_unjudged(criterion, reason, points=None) for criterion in assignment.rubric)
    if run.outcome in NOTHING_HANDED_IN:
        reason = run.reason or message("There was nothing to grade.")
        return tuple(_unjudged(criterion, reason, points=0.0) for criterion in assignment.rubric)
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


def _score(criterion: Criterion, run: Run, truth: Truth | None) -> Score:
    match criterion:
        case executes.Executes():
            return executes.score(criterion, run)
        case figure.FigureDrawn():
            return figure.score(criterion, run)
        case training.Training():
            return training.score(criterion, run)
        case manual.Manual():
            return manual.score(criterion, run)
        case metric.MetricReached():
            assert truth is not None  # spec asks for [data] wherever a metric is
            return metric.score(criterion, run, truth)
    raise TypeError(f"no judge for {type(criterion).__name__}")
