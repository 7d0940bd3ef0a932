"""Points, reasons and review of each kind of criterion."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.i18n.message import message
from grader.models.facts import Attempt, Facts, Figure, Fit
from grader.models.grade import Score
from grader.models.run import Cell, CellError, Outcome, Run
from grader.scoring.metrics import METRICS, wilson_interval
from grader.scoring.rubric import executes, figure, manual, metric, training
from grader.scoring.rubric.metric import MetricReached, Truth, share_of_points

FAILED = CellError("ValueError", "no")
LOSS = Fit("model", 2, 32, 100, validated=False, seconds=1.0, curves={"loss": (0.5, 0.4)})


def code(index: int, *, ran: bool = True, error: CellError | None = None, images: int = 0) -> Cell:
    return Cell(index, "code", 10, ran=ran, error=error, images=images, count=index if ran else None)


# ---------------------------------------------------------------- executes


@pytest.mark.parametrize(
    ("cells", "points", "passed", "expected"),
    [
        pytest.param([code(0), code(1)], 10, True, "All 2 code cells ran", id="all"),
        pytest.param([code(0), code(1, error=FAILED)], 5, False, "these did not: cell 2.", id="one failed"),
        pytest.param([code(0), code(1, ran=False)], 5, False, "1 of 2 code cells ran; the rest", id="not reached"),
        pytest.param([code(n, ran=n > 0) for n in range(3)], 6.67, False, "2 of 3", id="rounded"),
        pytest.param([code(0), Cell(1, "markdown", 50)], 10, True, "All 1", id="text is not counted"),
        pytest.param([code(0), Cell(1, "code", 0)], 10, True, "All 1", id="an empty cell is not counted"),
        pytest.param([Cell(0, "markdown", 50)], 0, False, "There is no code", id="no code"),
        pytest.param([], 0, False, "There is no code", id="no cells"),
    ],
)
def test_executes_gives_the_share_of_the_cells_that_ran(
    cells: list[Cell], points: float, passed: bool, expected: str
) -> None:
    score = executes.score(executes.Executes("runs", 10), Run(Outcome.OK, cells=tuple(cells)))
    assert (score.points, score.max, score.passed) == (points, 10, passed)
    assert expected in str(score.reason)


# ---------------------------------------------------------------- figure

DRAWN = Figure(cell=0, shows=("loss", "val_loss"), lines=2)
CAPTIONED = Figure(cell=0, lines=1, caption="Training loss per epoch")


def drawn(*figures: Figure, images: int = 1, shows: str = "loss") -> Score:
    run = Run(Outcome.OK, cells=(code(0, images=images),), facts=Facts(figures=figures))
    return figure.score(figure.FigureDrawn("curve", 15, shows=shows), run)  # type: ignore[arg-type]


def test_a_recorded_curve_earns_all_points_without_review() -> None:
    score = drawn(DRAWN)
    assert (score.points, score.passed, score.review) == (15, True, None)
    assert "Cell 1 draws the curve of a recorded training: loss, val_loss" in str(score.reason)


@pytest.mark.parametrize(
    "caption", ["Loss", "MSE", "val_loss", "mean absolute error", "損失函數", "訓練誤差"], ids=lambda text: text
)
def test_a_curve_known_only_by_its_caption_needs_review(caption: str) -> None:
    score = drawn(replace(CAPTIONED, caption=caption))
    assert (score.points, score.passed) == (15, True)
    assert "check the picture" in str(score.review)


def test_a_recorded_curve_is_preferred_to_a_caption() -> None:
    assert drawn(CAPTIONED, DRAWN).review is None


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        pytest.param(drawn(), "No picture was drawn", id="none"),
        pytest.param(drawn(DRAWN, images=0), "No picture was drawn", id="claimed, but not in the notebook"),
        pytest.param(drawn(replace(DRAWN, cell=-1)), "No picture was drawn", id="claimed for no cell"),
        pytest.param(drawn(replace(DRAWN, cell=7)), "No picture was drawn", id="claimed for a cell that is not there"),
        pytest.param(drawn(Figure(0, lines=1, caption="My cat")), "1 pictures were drawn, but none", id="another"),
        pytest.param(drawn(Figure(0, caption="loss")), "1 pictures were drawn", id="captioned, without a line"),
        pytest.param(drawn(Figure(0, lines=1, caption="the smse of it")), "1 pictures", id="a word within a word"),
        pytest.param(drawn(DRAWN, shows="accuracy"), "history.history['accuracy']", id="the other curve"),
        pytest.param(drawn(CAPTIONED, shows="accuracy"), "none shows the accuracy", id="no caption for accuracy"),
    ],
)
def test_no_curve_earns_nothing_and_the_reason_says_what_to_do(score: Score, expected: str) -> None:
    assert (score.points, score.passed, score.review) == (0, False, None)
    assert expected in str(score.reason)


def trained_run(*figures: Figure, images: tuple[int, ...] = (1,), contradicted: bool = False) -> Run:
    cells = tuple(code(index, images=count) for index, count in enumerate(images))
    why = message("No cell trains.") if contradicted else None
    return Run(Outcome.OK, cells=cells, facts=Facts(fits=(LOSS,), figures=figures), contradicted=why)


FALLING = Figure(cell=0, lines=1, trends=("falls",))


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        pytest.param(trained_run(FALLING), "Cell 1 shows a picture that may be the loss", id="falling line"),
        pytest.param(trained_run(), "Cell 1 shows a picture", id="picture that nobody drew here"),
        pytest.param(trained_run(replace(DRAWN, saved=True), images=(0,)), "no cell shows it", id="saved, not shown"),
        pytest.param(trained_run(DRAWN, contradicted=True), "No cell trains.", id="training contradicted"),
    ],
)
def test_picture_that_may_be_the_curve_is_left_to_a_person(run: Run, expected: str) -> None:
    score = figure.score(figure.FigureDrawn("curve", 15), run)
    assert (score.points, score.passed) == (None, None)
    assert expected in str(score.review)


@pytest.mark.parametrize(
    ("run", "points"),
    [
        pytest.param(trained_run(replace(FALLING, trends=("rises",))), 0, id="a rising line is no loss"),
        pytest.param(trained_run(replace(FALLING, trends=())), 0, id="a line without a trend"),
        pytest.param(trained_run(images=(0,)), 0, id="no picture"),
        pytest.param(trained_run(replace(DRAWN, saved=True), images=(0, 1)), 15, id="saved, shown by a later cell"),
        pytest.param(trained_run(replace(DRAWN, cell=1, saved=True), images=(1, 0)), None, id="shown before"),
    ],
)
def test_other_pictures_beside_a_training(run: Run, points: float | None) -> None:
    assert figure.score(figure.FigureDrawn("curve", 15), run).points == points


# ---------------------------------------------------------------- training


def test_contradicted_training_is_left_to_a_person() -> None:
    facts = Facts(fits=(replace(LOSS, validated=True),))
    run = Run(Outcome.OK, facts=facts, contradicted=message("No cell trains."))
    score = training.score(training.Training("validation", 10), run)
    assert (score.points, str(score.review)) == (None, "No cell trains.")


@pytest.mark.parametrize(
    ("facts", "passed", "expected"),
    [
        pytest.param(Facts(fits=(LOSS, replace(LOSS, validated=True))), True, "validation data", id="validated"),
        pytest.param(Facts(fits=(LOSS,), held_out_evaluations=1), True, "not trained on", id="evaluated"),
        pytest.param(Facts(fits=(LOSS, LOSS)), False, "2 trainings were recorded, none with", id="neither"),
        pytest.param(Facts(), False, "No training was recorded", id="no training"),
        pytest.param(Facts(held_out_evaluations=3), False, "No training was recorded", id="evaluated, never trained"),
    ],
)
def test_training_needs_validation_data(facts: Facts, passed: bool, expected: str) -> None:
    score = training.score(training.Training("validation", 10), Run(Outcome.OK, facts=facts))
    assert (score.points, score.passed) == (10 if passed else 0, passed)
    assert expected in str(score.reason)


# ---------------------------------------------------------------- manual


@pytest.mark.parametrize(("characters", "points"), [(0, 0), (300, 7.5), (599, 15), (600, 15), (9000, 15)])
def test_manual_proposes_points_by_length_for_review(characters: int, points: float) -> None:
    cells = (Cell(0, "markdown", characters), replace(code(1), characters=5000), Cell(2, "raw", 5000))
    score = manual.score(manual.Manual("story", 15), Run(Outcome.OK, cells=cells))
    assert (score.points, score.passed, score.value) == (points, None, characters)
    assert f"{points:g} of 15 proposed" in str(score.reason)
    assert "read it and decide" in str(score.review)


def test_text_of_the_starter_notebook_does_not_count() -> None:
    cells = (Cell(0, "markdown", 500, given=True), Cell(1, "markdown", 300))
    assert manual.score(manual.Manual("story", 15), Run(Outcome.OK, cells=cells)).points == 7.5


# ---------------------------------------------------------------- metric

ENDS = st.tuples(*(st.floats(-1e6, 1e6) for _ in range(2))).filter(lambda ends: abs(ends[0] - ends[1]) > 1e-6)
VALUES = st.floats(-1e9, 1e9)


@given(VALUES, ENDS)
def test_share_of_points_is_between_0_and_1(value: float, ends: tuple[float, float]) -> None:
    assert 0 <= share_of_points(value, full_at=ends[0], zero_at=ends[1]) <= 1


@given(ENDS)
def test_share_of_points_is_exact_at_both_ends(ends: tuple[float, float]) -> None:
    assert share_of_points(ends[0], full_at=ends[0], zero_at=ends[1]) == 1
    assert share_of_points(ends[1], full_at=ends[0], zero_at=ends[1]) == 0


@given(VALUES, VALUES, ENDS)
def test_share_of_points_is_monotonic(first: float, second: float, ends: tuple[float, float]) -> None:
    full, zero = ends
    worse, better = sorted((first, second), reverse=full < zero)
    assert share_of_points(worse, full_at=full, zero_at=zero) <= share_of_points(better, full_at=full, zero_at=zero)


@given(VALUES, ENDS)
def test_share_of_points_is_symmetric_for_errors_and_scores(value: float, ends: tuple[float, float]) -> None:
    mirrored = share_of_points(-value, full_at=-ends[0], zero_at=-ends[1])
    assert share_of_points(value, full_at=ends[0], zero_at=ends[1]) == mirrored


CRITERION = MetricReached("accuracy", 60, metric="accuracy_score", full_at=0.8, zero_at="majority")
N = 2000
LABELS = np.arange(N) % 5 // 3  # 60 % are 0
TRUTH = Truth("classification", LABELS, {"accuracy_score": {"majority": 0.6, "linear": 0.7}})


def with_right(folder: Path, right: int, **changes: object) -> Run:
    """Return a run with ``right`` correct predictions."""
    answers = np.where(np.arange(N) < right, LABELS, 1 - LABELS)
    np.save(folder / "predictions.npy", answers)
    return replace(Run(Outcome.OK, predictions=folder / "predictions.npy"), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("right", "points", "passed"),
    [
        pytest.param(2000, 60, True, id="all right"),
        pytest.param(1600, 60, True, id="at the threshold"),
        pytest.param(1599, 59.85, False, id="one under it"),
        pytest.param(1400, 30, False, id="half way"),
        pytest.param(1200, 0, False, id="at the majority"),
        pytest.param(0, 0, False, id="all wrong"),
    ],
)
def test_metric_points_grow_from_the_majority_to_the_threshold(
    tmp_path: Path, right: int, points: float, passed: bool
) -> None:
    score = metric.score(CRITERION, with_right(tmp_path, right), TRUTH)
    assert (score.points, score.passed, score.value, score.n) == (points, passed, right / N, N)
    assert (score.low, score.high) == wilson_interval(right, N)
    assert score.scale is not None
    assert (score.scale.full_at, score.scale.zero_at) == (0.8, 0.6)
    assert score.scale.baselines == {"majority": 0.6, "linear": 0.7}


def test_metric_reason_names_value_interval_and_scale(tmp_path: Path) -> None:
    score = metric.score(CRITERION, with_right(tmp_path, 1500), TRUTH)
    assert str(score.reason) == (
        "Accuracy on 2000 hidden rows: 0.750, 95 % interval 0.731 to 0.768; full points at 0.8, none at 0.6."
    )


@pytest.mark.parametrize(
    ("right", "close"),
    [
        pytest.param(1500, False, id="clearly under"),
        pytest.param(1570, True, id="a little under"),
        pytest.param(1600, True, id="exactly at"),
        pytest.param(1630, True, id="a little over"),
        pytest.param(1700, False, id="clearly over"),
    ],
)
def test_an_interval_around_the_threshold_needs_review(tmp_path: Path, right: int, close: bool) -> None:
    score = metric.score(CRITERION, with_right(tmp_path, right), TRUTH)
    low, high = wilson_interval(right, N)
    assert (low < 0.8 < high) == close
    assert (score.review is not None) == close
    if close:
        assert f"{low:.3f} to {high:.3f} holds the threshold 0.8" in str(score.review)


def test_predictions_that_depend_on_other_rows_need_review(tmp_path: Path) -> None:
    score = metric.score(CRITERION, with_right(tmp_path, 1900, depends_on_neighbours=True), TRUTH)
    assert score.points == 60
    assert "rows around it" in str(score.review)


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        pytest.param(Run(Outcome.OK), "There are no predictions.", id="none"),
        pytest.param(Run(Outcome.OK, no_predictions=message("No model.")), "No model.", id="none, and why"),
    ],
)
def test_missing_predictions_earn_nothing_and_keep_the_scale(run: Run, expected: str) -> None:
    score = metric.score(CRITERION, run, TRUTH)
    assert (score.points, score.passed, score.value, score.review) == (0, False, None, None)
    assert str(score.reason) == expected
    assert score.scale is not None
    assert score.scale.baselines["linear"] == 0.7


def test_trained_model_without_predictions_is_left_to_a_person() -> None:
    score = metric.score(CRITERION, Run(Outcome.OK, facts=Facts(trained_models=1)), TRUTH)
    assert (score.points, score.passed) == (None, None)
    assert "A model was trained" in str(score.review)


def test_trained_model_that_answers_nan_earns_nothing() -> None:
    asked = Attempt("model", "raw", problem="FloatingPointError: 300 of 300 predictions are NaN or infinite")
    run = Run(Outcome.OK, facts=Facts(trained_models=1, attempts=(asked,)))
    assert metric.score(CRITERION, run, TRUTH).points == 0
    some = replace(asked, problem="FloatingPointError: 3 of 300 predictions are NaN or infinite")
    assert metric.score(CRITERION, replace(run, facts=replace(run.facts, attempts=(some,))), TRUTH).points is None


@pytest.mark.parametrize(("right", "points"), [(1900, None), (1300, None), (1200, 0)])
def test_withheld_points_are_left_to_a_person_if_there_are_any(
    tmp_path: Path, right: int, points: float | None
) -> None:
    score = metric.score(CRITERION, with_right(tmp_path, right, withheld=message("Decide.")), TRUTH)
    assert (score.points, score.value) == (points, right / N)
    assert (str(score.review) == "Decide.") == (points is None)


@pytest.mark.parametrize("answers", [np.full(N, np.nan), np.zeros(N - 1), np.zeros((N, 5))], ids=["NaN", "n", "shape"])
def test_predictions_that_cannot_be_measured_earn_nothing(tmp_path: Path, answers: np.ndarray) -> None:
    np.save(tmp_path / "predictions.npy", answers)
    score = metric.score(CRITERION, Run(Outcome.OK, predictions=tmp_path / "predictions.npy"), TRUTH)
    assert (score.points, score.value) == (0, None)
    assert "expected" in str(score.reason)


def test_a_majority_above_the_threshold_does_not_reverse_the_scale(tmp_path: Path) -> None:
    truth = replace(TRUTH, baselines={"accuracy_score": {"majority": 0.9, "linear": 0.9}})
    assert metric.score(CRITERION, with_right(tmp_path, 1600), truth).points == 60
    assert metric.score(CRITERION, with_right(tmp_path, 1500), truth).points == 0


def test_a_smaller_error_earns_more(tmp_path: Path) -> None:
    criterion = MetricReached("error", 10, metric="mean_absolute_error", full_at=0.1, zero_at=0.5)
    labels = np.linspace(0, 1, 500)
    truth = Truth("regression", labels, {name: {} for name in METRICS["regression"]})
    points = []
    for missed in (0.05, 0.3, 0.6):
        np.save(tmp_path / "predictions.npy", labels + missed)
        points.append(metric.score(criterion, Run(Outcome.OK, predictions=tmp_path / "predictions.npy"), truth).points)
    assert points == [10, 5, 0]
