"""What one command took for a class, and how the notebooks it left behind share the time."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from contest.homework import cell_spans


@dataclass(frozen=True, slots=True)
class Timed:
    """``seconds`` is the wall clock of the whole command, its start among them."""

    seconds: float
    notebooks: int
    own: tuple[float, ...] = ()  # each notebook's cells, summed
    overhead: tuple[float, ...] = ()  # with one slot: from one notebook's first cell to the next one's, less its cells
    before_first: float | None = None  # from the command to the first cell of all
    each: tuple[float, ...] = ()  # wall clock of each notebook where each has a command of its own
    points: tuple[float, ...] = ()  # what each got: a grader that fails fast is not fast

    @property
    def per_notebook(self) -> float:
        return self.seconds / self.notebooks


def timed(began: float, ended: float, executed: Sequence[Path], *, slots: int, points: Sequence[float]) -> Timed:
    """``began`` and ``ended`` are s since 1970; ``executed`` are the notebooks that the command left."""
    spans = sorted(cell_spans(path) for path in executed)
    own = [sum(end - begin for begin, end in cells) for cells in spans]
    starts = [cells[0][0] for cells in spans]
    periods = [after - before for before, after in pairwise(starts)]
    overhead = [period - cells for period, cells in zip(periods, own, strict=False)] if slots == 1 else []
    before = starts[0] - began if starts else None
    return Timed(ended - began, len(points), tuple(own), tuple(overhead), before, points=tuple(points))


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some values, and the least and the greatest."""

    middle: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.low:.2f} to {self.high:.2f}, n = {self.n})"


def spread(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values), len(values))


def each_round(rounds: Sequence[Timed], value: Callable[[Timed], float]) -> Spread:
    return spread([value(one) for one in rounds])
