"""Coordinates of the lines, dots and bars in a report's charts. The templates draw them as SVG.

Coordinates are SVG units. A chart is ``WIDTH`` wide, the width of a phone's screen, so that its text is readable there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.models.facts import Fit
from grader.models.grade import Scale, Score

WIDTH = 340.0

_SCALE_LEFT, _SCALE_RIGHT, _SCALE_TOP, _ROW = 118.0, 282.0, 8.0, 26.0
_CHART_LEFT, _CHART_RIGHT, _CHART_TOP, _CHART_BOTTOM = 46.0, 334.0, 12.0, 150.0
_POINTS = 240  # points of a curve; more cannot be distinguished
_BARS_TOP, _BARS_BOTTOM = 18.0, 130.0


def _drawable(value: float) -> bool:
    """Return whether ``value`` is a number small enough that differences stay finite."""
    return abs(value) < 1e300  # false for NaN


@dataclass(frozen=True, slots=True)
class ScaleRow:
    """A row of a scale. ``beyond`` is -1 or 1 if the value lies outside the scale on that side, else 0."""

    kind: str  # "value", "full", "zero", or a baseline's name
    value: float
    x: float
    low: float | None = None
    high: float | None = None
    beyond: int = 0
    y: float = 0.0


@dataclass(frozen=True, slots=True)
class ScalePicture:
    rows: tuple[ScaleRow, ...]
    full_x: float
    full_left: bool  # full points are on the left: the metric is an error
    height: float
    left: float = _SCALE_LEFT
    right: float = _SCALE_RIGHT


def scale_picture(score: Score) -> ScalePicture | None:
    """Return the measured value with threshold, zero mark and baselines, best first; None without a scale."""
    scale = score.scale
    if scale is None or not _drawable(scale.full_at) or not _drawable(scale.zero_at):
        return None
    low, high = _span(score, scale)

    def place(value: float | None) -> float:
        share = ((low if value is None else value) - low) / (high - low)
        return _SCALE_LEFT + min(1.0, max(0.0, share)) * (_SCALE_RIGHT - _SCALE_LEFT)

    marks = [("full", scale.full_at), ("zero", scale.zero_at)]
    marks += [(name, value) for name, value in scale.baselines.items() if _drawable(value)]
    rows = [ScaleRow(kind, value, place(value), beyond=_beyond(value, low, high)) for kind, value in marks]
    if score.value is not None and _drawable(score.value):
        ends = [None if end is None or not _drawable(end) else place(end) for end in (score.low, score.high)]
        beyond = _beyond(score.value, low, high)
        rows.append(ScaleRow("value", score.value, place(score.value), ends[0], ends[1], beyond))
    better_is_less = scale.full_at < scale.zero_at
    rows.sort(key=lambda row: (row.kind != "value", row.value if better_is_less else -row.value))
    placed = tuple(replace(row, y=_SCALE_TOP + _ROW * (at + 0.5)) for at, row in enumerate(rows))
    return ScalePicture(placed, place(scale.full_at), better_is_less, _SCALE_TOP * 2 + _ROW * len(rows))


def _span(score: Score, scale: Scale) -> tuple[float, float]:
    """Return the ends of the axis: around the marks, extended to the value if the marks stay readable."""
    marks = [scale.full_at, scale.zero_at]
    width = abs(scale.full_at - scale.zero_at) or abs(scale.full_at) or 1.0
    others = [*scale.baselines.values(), score.value, score.low, score.high]
    near = [
        value
        for value in others
        if value is not None and min(marks) - width <= value <= max(marks) + width  # false for NaN too
    ]
    low, high = min(marks + near), max(marks + near)
    margin = (high - low) * 0.06 or width
    return low - margin, high + margin


def _beyond(value: float, low: float, high: float) -> int:
    return (value > high) - (value < low)


# ---------------------------------------------------------------- learning curves


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """A curve as SVG polylines; values that are not numbers split it into several."""

    name: str
    validation: bool
    pieces: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]  # points without a neighbour
    last: float | None
    broken: bool


@dataclass(frozen=True, slots=True)
class CurveChart:
    measure: str  # "loss", "accuracy", ...
    epochs: int  # with 1 there is no curve to draw
    lines: tuple[Line, ...]
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    left: float = _CHART_LEFT
    right: float = _CHART_RIGHT
    top: float = _CHART_TOP
    bottom: float = _CHART_BOTTOM
    height: float = _CHART_BOTTOM + 34


def curve_charts(fit: Fit, most: int = 4) -> list[CurveChart]:
    """Return at most ``most`` charts, one per measure with training and validation, the loss first."""
    measures = list(dict.fromkeys(name.removeprefix("val_") for name, values in fit.curves.items() if values))
    measures.sort(key=lambda measure: measure != "loss")
    return [_chart(measure, fit.curves) for measure in measures[:most]]


def _chart(measure: str, curves: Mapping[str, Sequence[float]]) -> CurveChart:
    named = [(name, curves[name]) for name in (measure, f"val_{measure}") if curves.get(name)]
    known = [value for _name, values in named for value in values if _drawable(value)]
    epochs = max(len(values) for _name, values in named)
    ticks = _ticks(min(known, default=0.0), max(known, default=1.0))
    low, high = min([*known, *ticks]), max([*known, *ticks])

    def x(epoch: float) -> float:
        return _CHART_LEFT + (epoch - 1) / max(1, epochs - 1) * (_CHART_RIGHT - _CHART_LEFT)

    def y(value: float) -> float:
        return _CHART_BOTTOM - (value - low) / (high - low) * (_CHART_BOTTOM - _CHART_TOP)

    lines = tuple(_line(name, [(x(at), y(v), v) for at, v in enumerate(values, 1)]) for name, values in named)
    marks = sorted({1, *(round(1 + (epochs - 1) * part / 4) for part in range(5)), epochs})
    return CurveChart(
        measure,
        epochs,
        lines,
        tuple(Tick(y(tick), f"{tick:.4g}") for tick in ticks),
        tuple(Tick(x(mark), str(mark)) for mark in marks),
    )


def _line(name: str, points: Sequence[tuple[float, float, float]]) -> Line:
    step = max(1, math.ceil(len(points) / _POINTS))
    thinned = [*points[:-1:step], points[-1]]
    pieces: list[list[tuple[float, float]]] = [[]]
    for across, up, value in thinned:
        if _drawable(value):
            pieces[-1].append((across, up))
        elif pieces[-1]:
            pieces.append([])
    last = points[-1][2]
    return Line(
        name,
        name.startswith("val_"),
        tuple(" ".join(f"{a:.1f},{b:.1f}" for a, b in piece) for piece in pieces if len(piece) > 1),
        tuple(piece[0] for piece in pieces if len(piece) == 1),
        last if _drawable(last) else None,
        not all(_drawable(value) for _a, _b, value in points),
    )


def _ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Return round values from ``low`` to ``high``, or the ends themselves if the range is too narrow or too wide."""
    width = (high - low) / about
    if not width > abs(high) * 1e-9 or not 1e-300 < width < 1e300:
        half = abs(low) / 2 or 0.5  # half of the smallest float is 0
        return [low, high] if high > low else [low - half, low, low + half]
    power = 10.0 ** math.floor(math.log10(width))
    step = min((factor * power for factor in (1, 2, 5, 10)), key=lambda size: abs(size - width))
    first = math.floor(low / step)
    return [round((first + at) * step, 12) if step > 1e-9 else (first + at) * step for at in range(about + 4)][
        : math.ceil(high / step) - first + 1
    ]


# ---------------------------------------------------------------- distribution of grades


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    height: float
    count: int
    start: int  # percent of the points
    end: int


def histogram(shares: Iterable[float], bins: int = 10) -> tuple[Bar, ...]:
    """Return bars for shares of the points in [0, 1]; the last bar includes full marks."""
    counts = [0] * bins
    for share in shares:
        counts[min(bins - 1, max(0, int(share * bins + 1e-9)))] += 1
    unit = (_BARS_BOTTOM - _BARS_TOP) / max([*counts, 1])
    width = WIDTH / bins
    return tuple(
        Bar(at * width, _BARS_BOTTOM - count * unit, count * unit, count, at * 100 // bins, (at + 1) * 100 // bins)
        for at, count in enumerate(counts)
    )
