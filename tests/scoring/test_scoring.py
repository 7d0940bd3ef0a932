"""Scores for whole rubrics: missing notebooks, faults of the grader, hidden labels and baselines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from grader.data import hidden_sets
from grader.i18n.message import message
from grader.models.assignment import Assignment, Criterion
from grader.models.run import Outcome, Run
from grader.scoring.scoring import open_truth, score_run
from grader.spec.loader import load_assignment
from tests.support.assignment_folders import coins

SECRET = b"s" * 32
ASSIGNMENTS = Path(__file__).parents[2] / "assignments"


@pytest.fixture
def assignment(tmp_path: Path) -> Assignment:
    return coins(tmp_path / "coins")


def test_one_score_for_each_criterion_in_the_rubrics_order(assignment: Assignment) -> None:
    scores = score_run(Run(Outcome.OK), assignment, open_truth(assignment, SECRET))
    assert [(score.criterion, score.max) for score in scores] == [(line.id, line.points) for line in assignment.rubric]
    assert [score.title for score in scores] == [line.title for line in assignment.rubric]


@pytest.mark.parametrize("outcome", [Outcome.MISSING, Outcome.FORBIDDEN])
def test_a_missing_notebook_earns_nothing_with_its_reason(assignment: Assignment, outcome: Outcome) -> None:
    reason = message("The file is empty.")
    scores = score_run(Run(outcome, reason), assignment, open_truth(assignment, SECRET))
    assert [(score.points, score.passed, score.reason) for score in scores] == [(0, False, reason)] * len(scores)
    assert len(scores) == len(assignment.rubric)


def test_a_grader_fault_gives_no_points_and_no_zero(assignment: Assignment) -> None:
    scores = score_run(Run(Outcome.GRADER_FAULT), assignment, open_truth(assignment, SECRET))
    assert [(score.points, score.passed) for score in scores] == [(None, None)] * len(assignment.rubric)
    assert all("the grader itself failed" in str(score.reason) for score in scores)


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.TIMEOUT, Outcome.MEMORY, Outcome.DISK])
def test_predictions_count_whatever_the_outcome(assignment: Assignment, tmp_path: Path, outcome: Outcome) -> None:
    truth = open_truth(assignment, SECRET)
    assert truth is not None
    np.save(tmp_path / "predictions.npy", truth.labels)
    scores = score_run(Run(outcome, predictions=tmp_path / "predictions.npy"), assignment, truth)
    assert {score.criterion: score.points for score in scores}["accuracy"] == 60


def test_the_truth_has_the_labels_of_the_hidden_set(assignment: Assignment) -> None:
    truth = open_truth(assignment, SECRET)
    assert truth is not None
    np.testing.assert_array_equal(truth.labels, hidden_sets.open_hidden_set(assignment, SECRET).labels)
    assert truth.task == "classification"


def test_majority_is_the_best_constant_prediction(assignment: Assignment) -> None:
    truth = open_truth(assignment, SECRET)
    assert truth is not None
    assert truth.baselines["accuracy_score"]["majority"] == np.bincount(truth.labels).max() / len(truth.labels)


@pytest.mark.parametrize(
    ("name", "metric", "guess", "low", "high"),
    [
        ("disease", "accuracy_score", "majority", 0.65, 0.75),
        ("regression", "r2_score", "mean", -0.05, 0.1),
    ],
)
def test_baselines_of_the_bundled_assignments(name: str, metric: str, guess: str, low: float, high: float) -> None:
    assignment = load_assignment(ASSIGNMENTS / name)
    truth = open_truth(assignment, SECRET)
    assert truth is not None
    baselines = truth.baselines[metric]
    assert set(baselines) == {guess, "linear"}
    assert low < baselines["linear"] < high
    assert baselines[guess] <= baselines["linear"] + 0.05


def test_an_assignment_without_data_has_no_truth(assignment: Assignment) -> None:
    plain = Assignment("essay", "1", assignment.folder, {"en": "Essay"}, assignment.rubric[-1:])
    assert open_truth(plain, SECRET) is None
    assert score_run(Run(Outcome.OK), plain, None)[0].points == 0


def test_an_unregistered_criterion_raises_type_error(assignment: Assignment) -> None:
    strange = Assignment("strange", "1", assignment.folder, {"en": "?"}, (Criterion("strange", 1),))
    with pytest.raises(TypeError, match="no judge for Criterion"):
        score_run(Run(Outcome.OK), strange, None)
