"""Record of what a figure of matplotlib shows: the heights of its lines, points and bars, and its captions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from .recorder import MAX_LINES, MAX_POINTS, FigureRecord, current_count, number


def record_figure(figure: Any, *, saved: bool = False) -> FigureRecord:
    """Return the record of ``figure`` in the running cell; ``saved`` is True if it goes into a file."""
    lines: list[list[float]] = []
    labels: list[str] = []
    for axes in figure.axes:
        labels += [axes.get_title(), axes.get_xlabel(), axes.get_ylabel()]
        labels += [str(line.get_label()) for line in axes.get_lines()[:MAX_LINES]]
        for heights in _heights(axes):
            lines.append([number(value) for value in np.ravel(heights)[:MAX_POINTS]])
    caption = " · ".join(label for label in labels if label and not label.startswith("_child"))
    return FigureRecord(current_count[0], caption[:300], lines[:MAX_LINES], saved)


def _heights(axes: Any) -> Iterator[Any]:
    for line in axes.get_lines()[:MAX_LINES]:
        yield line.get_ydata()
    for collection in axes.collections[:MAX_LINES]:
        with contextlib.suppress(Exception):  # a kind of collection without points
            if type(collection).__name__ == "PathCollection":  # of ``scatter``, from left to right
                points = np.ma.filled(np.ma.asarray(collection.get_offsets(), np.float64), np.nan)
                yield points[np.argsort(points[:, 0], kind="stable"), 1]
    bars = [bar for bar in axes.patches[:MAX_POINTS] if type(bar).__name__ == "Rectangle"]
    if len(bars) > 1:
        yield [bar.get_height() for bar in bars]
