"""Share of the time left that a cell may take."""

from __future__ import annotations

import pytest

from grader.sandbox.guest.record.time_shares import (
    BEFORE_OTHERS,
    OTHER_BEFORE_TRAINING,
    TRAINING_BEFORE_TRAINING,
    seconds_of_share,
    time_shares,
)

LOAD, FIT, PLOT = "x = load()", "h = model.fit(x, y)", "plt.plot(h.history['loss'])"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        pytest.param([], [], id="no cells"),
        pytest.param([FIT], [1.0], id="the last cell has all time"),
        pytest.param([LOAD, FIT, PLOT], [OTHER_BEFORE_TRAINING, BEFORE_OTHERS, 1.0], id="one training has most"),
        pytest.param([FIT, LOAD, FIT], [TRAINING_BEFORE_TRAINING, OTHER_BEFORE_TRAINING, 1.0], id="two trainings"),
        pytest.param([LOAD, PLOT], [BEFORE_OTHERS, 1.0], id="no training"),
    ],
)
def test_trainings_have_most_of_the_time(cells: list[str], expected: list[float]) -> None:
    assert time_shares(cells) == expected


@pytest.mark.parametrize(
    "training",
    ["model.fit_generator(g)", "clf . fit(x)".replace(" ", ""), "with tf.GradientTape() as t:", "loss.backward()"],
)
def test_other_ways_to_train_count_too(training: str) -> None:
    assert time_shares([LOAD, training])[0] == OTHER_BEFORE_TRAINING


@pytest.mark.parametrize(("left", "share", "expected"), [(100, 0.5, 50), (100, 1, 100), (20, 0.95, 19), (10, 0.95, 10)])
def test_a_cell_leaves_time_that_another_can_use(left: float, share: float, expected: float) -> None:
    assert seconds_of_share(left, share) == pytest.approx(expected)
