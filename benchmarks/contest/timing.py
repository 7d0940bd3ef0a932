"""Time of a command for a class, and its distribution over the executed notebooks."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from contest.homework import cell_spans


@dataclass(frozen=True, slots=True)
class Timed:
    """Times of a command; ``seconds`` is the wall-clock time of the whole command, including its start."""

    seconds: float
    notebooks: int
    own: tuple[float, ...] = ()  # seconds in the cells of each notebook
    overhead: tuple[
        float, ...
    ] = ()  # with one slot: from a notebook's first cell to the next notebook's, without the cells
    before_first: float | None = None  # from the start of the command to the first cell
    commands: tuple[float, ...] = ()  # wall-clock times where each notebook has its own command
    points: tuple[float, ...] = ()  # of each notebook: a grader that fails quickly is not fast

    @property
    def per_notebook(self) -> float:
        return self.seconds / self.notebooks


def timed(began: float, ended: float, executed: Sequence[Path], *, slots: int, points: Sequence[float]) -> Timed:
    """Return the times of a command from ``began`` to ``ended`` (s since 1970) with its ``executed`` notebooks."""
    spans = sorted(cell_spans(path) for path in executed)
    own = [sum(end - begin for begin, end in cells) for cells in spans]
    starts = [cells[0][0] for cells in spans]
    periods = [after - before for before, after in pairwise(starts)]
    overhead = [period - cells for period, cells in zip(periods, own, strict=False)] if slots == 1 else []
    before = starts[0] - began if starts else None
    return Timed(ended - began, len(points), tuple(own), tuple(overhead), before, points=tuple(points))


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, minimum and maximum of some values."""

    middle: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.low:.2f} to {self.high:.2f}, n = {self.n})"


def spread(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values), len(values))


def each_round(rounds: Sequence[Timed], value: Callable[[Timed], float]) -> Spread:
    return spread([value(timed) for timed in rounds])
