"""Recognition of recorded training curves in figures, by the values of their lines; and the curves of whole trainings.

A drawn line may be a part of a curve, its logarithm, a moving or exponential average, or the means of its epochs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .recorder import FigureRecord, FitRecord, number

MIN_MATCH = 2  # points that a drawn line and a curve must have in common
MIN_POINTS = 5  # of a line that is compared with changed curves
MAX_CURVES, MAX_WINDOW = 40, 50
ALIKE = 0.95  # correlation of a smoothed line with a smoothed curve
TREND = 0.5  # correlation of a line's values with their order
SHOWN_POINTS = 200  # of a curve of single batches, in facts

Values = NDArray[np.float64]


def joined(fits: list[FitRecord]) -> list[FitRecord]:
    """Return the records with all fits of a single epoch of one model joined into one training."""
    found: list[FitRecord] = []
    places: dict[int, int] = {}
    for entry in fits:
        single = entry.model is not None and not entry.steps and _epochs(entry) == 1
        place = places.get(id(entry.model)) if single else None
        if place is not None:
            found[place] = _append(found[place], entry)
            continue
        if single:
            places[id(entry.model)] = len(found)
        found.append(entry)
    return found


def _append(entry: FitRecord, later: FitRecord) -> FitRecord:
    planned = None if None in (entry.planned_epochs, later.planned_epochs) else _sum(entry, later)
    return replace(
        entry,
        curves={key: [*entry.curves.get(key, []), *curve] for key, curve in later.curves.items()},
        seconds=entry.seconds + later.seconds,
        planned_epochs=planned,
        cut_short=entry.cut_short or later.cut_short,
        samples_reached=entry.samples_reached or later.samples_reached,
    )


def _sum(entry: FitRecord, later: FitRecord) -> int:
    return (entry.planned_epochs or 0) + (later.planned_epochs or 0)


def _epochs(entry: FitRecord) -> int:
    return max((len(curve) for curve in entry.curves.values()), default=0)


def shortened(entries: list[FitRecord], limit: int) -> list[FitRecord]:
    """Return at most ``limit`` records, the last ones with curves first, in order; loops with fewer points."""
    kept = sorted(range(len(entries)), key=lambda place: (bool(entries[place].curves), place))[-limit:]
    return [_thinned(entries[place]) if entries[place].steps else entries[place] for place in sorted(kept)]


def _thinned(entry: FitRecord) -> FitRecord:
    return replace(entry, curves={key: _means(np.asarray(curve), SHOWN_POINTS) for key, curve in entry.curves.items()})


def _means(curve: Values, parts: int) -> list[float]:
    """Return the means of up to ``parts`` parts of a curve, without the values that are missing."""
    finite = curve[np.isfinite(curve)]
    return [float(part.mean()) for part in np.array_split(finite, min(parts, len(finite)))] if len(finite) else []


# ------------------------------------------------------------------ recognition


def matching_curves(figure: FigureRecord, entries: list[FitRecord]) -> list[str]:
    """Return the names of the recorded curves that a line of the figure shows, whatever its caption says."""
    lines = [line for line in map(_finite, figure.lines) if len(line) >= MIN_MATCH]
    curves = [(key, _finite(curve)) for entry in entries for key, curve in entry.curves.items()]
    curves = [(key, curve) for key, curve in curves if len(curve) >= MIN_MATCH]
    exact = {key for key, curve in curves for line in lines if _contains(line, curve)}
    if exact:
        return sorted(exact)
    long = [line for line in lines if len(line) >= MIN_POINTS]
    return sorted({key for key, curve in curves[-MAX_CURVES:] for line in long if _is_derived(line, curve)})


def _finite(values: list[float]) -> Values:
    numbers = np.asarray([number(value) for value in values], np.float64)
    finite: Values = numbers[np.isfinite(numbers)]
    return finite


def _contains(line: Values, curve: Values) -> bool:
    """Return True if one is a contiguous part of the other.

    A line may start at the fifth epoch, or show the curves of two fits in a row.
    """
    short, long = sorted((line, curve), key=len)
    if len(short) < max(MIN_MATCH, len(curve) // 4):
        return False
    windows = np.lib.stride_tricks.sliding_window_view(long, len(short))
    return bool(np.any(np.all(np.isclose(windows, short, rtol=1e-3, atol=1e-9), axis=1)))


def _is_derived(line: Values, curve: Values) -> bool:
    """Return True if ``line`` shows ``curve`` on a logarithmic scale, smoothed, or by epochs instead of batches."""
    return any(_contains(line, changed) for changed in _changed(line, curve)) or _is_smoothed(line, curve)


def _changed(line: Values, curve: Values) -> Iterator[Values]:
    if curve.min() > 0:
        yield np.log(curve)
        yield np.log10(curve)
        yield np.log1p(curve)
    if len(curve) > len(line):
        least: int = len(curve) // len(line)
        for size in (least, least + 1):  # batches in an epoch
            padded = np.append(curve, np.full(-len(curve) % size, np.nan)).reshape(-1, size)
            yield np.nanmean(padded, axis=1)  # the means of epochs
            yield curve[::size]
            yield curve[size - 1 :: size]
        yield _moving_average(curve, len(curve) - len(line) + 1)


def _is_smoothed(line: Values, curve: Values) -> bool:
    if len(line) != len(curve):
        return False
    if np.ptp(line) < 1e-12 or np.ptp(curve) < 1e-12:
        return False
    # An exponential average: each value moves a fixed share of the way to the next value of the curve.
    steps, ways = np.diff(line), curve[1:] - line[:-1]
    share = float(steps @ ways) / max(float(ways @ ways), 1e-30)
    if 0 < share < 1 and np.allclose(steps, share * ways, rtol=1e-3, atol=1e-3 * float(np.ptp(curve))):
        return True
    margin = 0.05 * float(np.ptp(curve))
    if line.min() < curve.min() - margin or line.max() > curve.max() + margin:
        return False
    return any(_are_alike(line, curve, window) for window in (1, 3, 5, 9, 15, 25) if window < len(curve) // 2)


def _are_alike(line: Values, curve: Values, window: int) -> bool:
    first, second = _moving_average(line, window), _moving_average(curve, window)
    if min(np.ptp(first), np.ptp(second)) < 1e-12:
        return False
    return bool(np.corrcoef(first, second)[0, 1] >= ALIKE)


def _moving_average(curve: Values, window: int) -> Values:
    return np.asarray(np.convolve(curve, np.ones(window) / window, "valid"), np.float64)


def trends(figure: FigureRecord) -> list[str]:
    """Return "falls" and "rises" for the lines of the figure that clearly do: curves of a training do too."""
    found = set()
    for line in map(_finite, figure.lines):
        if len(line) >= MIN_POINTS - 2 and np.ptp(line) > 0:
            trend = float(np.corrcoef(line, np.arange(len(line)))[0, 1])
            found |= {"falls"} if trend < -TREND else {"rises"} if trend > TREND else set()
    return sorted(found)
