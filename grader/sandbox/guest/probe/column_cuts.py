"""Cuts of a table: the columns that each input of a model consists of, found from the rows it was fitted with.

Fitted rows that are public rows show for each of their columns the public column that it equals. A column that equals
none may be computed from the others by one of a few formulas; all rows must agree.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..output_forms import Array

MIN_ROWS = 10  # fitted rows that must be found among the public ones
MAX_SAMPLE, MAX_COMPARED = 256, 1 << 27  # numbers compared for one input
MAX_PAIRED = 20  # columns of which every pair is tried in a formula
KEPT = 0.95  # share of the rows found so far that must be found with the next column too

Values = NDArray[np.float64]
Compute = Callable[[Values], Values]  # public rows (n, columns) -> (n,)


@dataclass(frozen=True)
class Column:
    """A column of an input: a public column, or a formula of public columns."""

    name: str
    compute: Compute
    place: int | None = None  # of the public column


@dataclass(frozen=True)
class Cut:
    """Columns of each input of a model."""

    parts: tuple[tuple[Column, ...], ...]

    @property
    def step(self) -> str:
        """Name in the report."""
        return "columns " + " and ".join(", ".join(column.name for column in part) for part in self.parts)

    def is_whole(self, columns: int) -> bool:
        """Return True if there is one input with all public columns in their order."""
        return [[column.place for column in part] for part in self.parts] == [list(range(columns))]

    def apply(self, X: Array) -> list[Array]:
        """Return the inputs, ``(n, columns)`` each."""
        rows = np.asarray(X)
        with np.errstate(all="ignore"):
            return [np.column_stack([column.compute(rows) for column in part]) for part in self.parts]


def find_cut(samples: Sequence[Values], public: Array) -> Cut | None:
    """Return the cut by which rows like ``public`` ``(n, columns)`` become inputs like ``samples``, or None."""
    rows = np.asarray(public, np.float64)
    parts = [_find_part(sample, rows) for sample in samples]
    return Cut(tuple(part for part in parts if part is not None)) if parts and None not in parts else None


def cut_in_order(widths: Sequence[int], columns: int) -> Cut | None:
    """Return the cut into pieces of these widths, or of all columns for each input; None if the widths do not fit."""
    if sum(widths) == columns:
        starts = [0, *itertools.accumulate(widths)]
        pieces = [range(first, last) for first, last in itertools.pairwise(starts)]
    elif set(widths) == {columns}:
        pieces = [range(columns) for _width in widths]
    else:
        return None
    return Cut(tuple(tuple(map(_public_column, piece)) for piece in pieces))


def _public_column(place: int) -> Column:
    return Column(str(place + 1), lambda X: X[:, place], place)


def _find_part(sample: Values, public: Values) -> tuple[Column, ...] | None:
    rows = min(MAX_SAMPLE, len(sample), MAX_COMPARED // max(1, public.size * sample.shape[1]))
    if rows < MIN_ROWS:
        return None
    sample = sample[:rows]
    alike = np.ones((rows, len(public)), bool)  # fitted row, public row: equal in all columns found so far
    found: list[Column | None] = [None] * sample.shape[1]
    # Columns with many values first: they tell which public row a fitted row is.
    for place in sorted(range(len(found)), key=lambda place: -len(np.unique(sample[:, place]))):
        found[place], alike = _match(sample[:, place], public, alike, _expected_place(found, place))
    known = alike.sum(axis=1) == 1
    if None in found and np.count_nonzero(known) >= MIN_ROWS:
        same_rows = public[alike[known].argmax(axis=1)]
        found = [column or _formula(sample[known, place], same_rows) for place, column in enumerate(found)]
    complete = [column for column in found if column is not None]
    return tuple(complete) if len(complete) == len(found) else None


def _expected_place(found: Sequence[Column | None], place: int) -> int:
    """Return the place of the public column beside those that are found already."""
    places = [
        (abs(at - place), column.place + place - at) for at, column in enumerate(found) if column and column.place
    ]
    return min(places, default=(0, place))[1]


def _match(
    values: Values, public: Values, alike: NDArray[np.bool_], expected: int
) -> tuple[Column | None, NDArray[np.bool_]]:
    """Return the public column that equals ``values`` in most rows, and the rows that are still alike."""
    choices = alike.sum(axis=1)
    before = int(np.count_nonzero(choices))
    best: tuple[int, int, NDArray[np.bool_]] | None = None
    # Among equals the expected column wins: columns are seldom moved.
    for place in sorted(range(public.shape[1]), key=lambda place: (place - expected) % public.shape[1]):
        column = public[:, place]
        # float32 keeps seven digits.
        tolerance = 1e-5 * max(float(np.ptp(column)), 1e-9) + 1e-6 * float(np.abs(column).max())
        together = alike & (np.abs(values[:, np.newaxis] - column) <= tolerance)
        rows = int(np.count_nonzero(together.any(axis=1)))
        if best is None or rows > best[0]:
            best = rows, place, together
    # A fitted row that is known to be one public row equals it in every column. Before, it may be no public row.
    needed = KEPT * before if before and np.median(choices[choices > 0]) == 1 else MIN_ROWS
    if best is None or best[0] < max(MIN_ROWS, needed):
        return None, alike
    return _public_column(best[1]), best[2]


def _formula(values: Values, rows: Values) -> Column | None:
    """Return the formula of ``rows`` that gives ``values`` in every row, or None."""
    for column in _formulas(rows.shape[1]):
        with np.errstate(all="ignore"):
            computed = column.compute(rows)
        if np.all(np.isfinite(computed)) and np.allclose(computed, values, rtol=1e-4, atol=1e-6):
            return column
    return None


_OF_ALL: dict[str, Compute] = {
    "sum": lambda X: X.sum(axis=1),
    "mean": lambda X: X.mean(axis=1),
    "maximum": lambda X: X.max(axis=1),
    "minimum": lambda X: X.min(axis=1),
    "std": lambda X: X.std(axis=1),
}
_OF_ONE: dict[str, Callable[[Values], Values]] = {
    "{}²": np.square,
    "{}³": lambda x: x**3,
    "√{}": np.sqrt,
    "log {}": np.log,
    "log(1 + {})": np.log1p,
    "exp {}": np.exp,
    "|{}|": np.abs,
    "sin {}": np.sin,
    "cos {}": np.cos,
    "1 / {}": lambda x: 1 / x,
}
_OF_TWO: dict[str, Callable[[Values, Values], Values]] = {
    "{} + {}": np.add,
    "{} - {}": np.subtract,
    "{} × {}": np.multiply,
    "{} / {}": np.divide,
    "{} / ({} + 1)": lambda x, y: x / (y + 1),
    "{} > {}": lambda x, y: (x > y).astype(np.float64),
    "max({}, {})": np.maximum,
    "min({}, {})": np.minimum,
}


def _formulas(columns: int) -> Iterator[Column]:
    for name, of_all in _OF_ALL.items():
        yield Column(f"{name} of all", of_all)
    for place in range(columns):
        for name, of_one in _OF_ONE.items():
            yield Column(name.format(place + 1), lambda X, f=of_one, i=place: f(X[:, i]))  # type: ignore[misc]
    for first, second in itertools.permutations(range(min(columns, MAX_PAIRED)), 2):
        for name, of_two in _OF_TWO.items():
            yield Column(
                name.format(first + 1, second + 1),
                lambda X, f=of_two, i=first, j=second: f(X[:, i], X[:, j]),  # type: ignore[misc]
            )
