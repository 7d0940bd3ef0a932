"""Charts: every mark at its place for any numbers."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.models.grade import Scale
from grader.report.plots import WIDTH, curve_charts, histogram, scale_picture
from tests.support.graded_class import accuracy_score, fit

NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


def test_marks_are_ordered_by_value() -> None:
    drawn = scale_picture(accuracy_score(0.75))

    assert drawn is not None
    assert [row.kind for row in drawn.rows] == ["value", "full", "linear", "zero", "majority"]
    places = {row.kind: row.x for row in drawn.rows}
    assert places["majority"] < places["linear"] < places["value"] < places["full"]
    assert drawn.full_x == places["full"]


def test_a_value_far_away_is_marked_as_outside_the_scale() -> None:
    drawn = scale_picture(accuracy_score(-1e9))

    assert drawn is not None
    assert (drawn.rows[0].beyond, drawn.rows[0].x) == (-1, drawn.left)


def test_full_points_of_an_error_are_on_the_left() -> None:
    drawn = scale_picture(replace(accuracy_score(0.3), scale=Scale(0.1, 0.9, {"mean": 0.9})))

    assert drawn is not None
    assert drawn.full_left
    assert [row.kind for row in drawn.rows] == ["value", "full", "zero", "mean"]


def test_a_score_without_a_scale_has_no_chart() -> None:
    assert scale_picture(replace(accuracy_score(0.8), scale=None)) is None


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_every_mark_is_inside_the_chart(value: float, full: float, zero: float, baseline: float) -> None:
    score = replace(
        accuracy_score(0.5), value=value, low=value, high=value, scale=Scale(full, zero, {"mean": baseline})
    )
    drawn = scale_picture(score)

    for row in drawn.rows if drawn else ():
        assert all(0 <= place <= WIDTH for place in (row.x, row.low, row.high) if place is not None)


def test_training_and_validation_share_a_chart() -> None:
    charts = curve_charts(fit())

    assert [chart.measure for chart in charts] == ["loss", "accuracy"]
    assert [line.name for line in charts[0].lines] == ["loss", "val_loss"]
    assert [tick.label for tick in charts[0].x_ticks][0::4] == ["1", "30"]


@pytest.mark.parametrize(
    ("values", "pieces", "dots"),
    [
        ((1.0, 0.5, 0.2), [3], 0),
        ((1.0, 0.5, math.nan, 0.2, 0.1), [2, 2], 0),
        ((1.0,), [], 1),
        ((math.nan, math.inf), [], 0),
    ],
    ids=["whole", "not a number in between", "one epoch", "no number"],
)
def test_a_curve_is_split_at_values_that_are_not_numbers(
    values: tuple[float, ...], pieces: list[int], dots: int
) -> None:
    line = curve_charts(replace(fit(), curves={"loss": values}))[0].lines[0]

    assert [len(piece.split()) for piece in line.pieces] == pieces
    assert len(line.dots) == dots
    assert line.broken == any(not math.isfinite(value) for value in values)


@given(st.lists(NUMBERS, min_size=1, max_size=30), st.lists(NUMBERS, max_size=30))
def test_every_curve_is_inside_the_chart(loss: list[float], validation: list[float]) -> None:
    charts = curve_charts(replace(fit(), curves={"loss": tuple(loss), "val_loss": tuple(validation)}))

    for chart in charts:
        points = [point.split(",") for line in chart.lines for piece in line.pieces for point in piece.split()]
        points += [list(map(str, dot)) for line in chart.lines for dot in line.dots]
        assert all(chart.left - 0.1 <= float(x) <= chart.right + 0.1 for x, _y in points)
        assert all(chart.top - 0.1 <= float(y) <= chart.bottom + 0.1 for _x, y in points)
        assert all(chart.top - 0.1 <= tick.at <= chart.bottom + 0.1 for tick in chart.y_ticks)
        assert len(chart.y_ticks) <= 9


def test_a_long_curve_is_subsampled_and_keeps_its_last_value() -> None:
    line = curve_charts(replace(fit(), curves={"loss": tuple(1 / n for n in range(1, 5001))}))[0].lines[0]

    assert len(line.pieces[0].split()) < 400
    assert line.last == pytest.approx(1 / 5000)


@pytest.mark.parametrize(
    ("shares", "counts"),
    [
        ([1.0, 0.95, 0.9, 0.0], [1, 0, 0, 0, 0, 0, 0, 0, 0, 3]),
        ([0.1 + 0.2, 1.2, -0.1], [1, 0, 0, 1, 0, 0, 0, 0, 0, 1]),
        ([], [0] * 10),
    ],
    ids=["ends", "out of range", "nobody"],
)
def test_bars_count_students(shares: list[float], counts: list[int]) -> None:
    assert [bar.count for bar in histogram(shares)] == counts
