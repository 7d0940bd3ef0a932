"""From the rows there are to the rows a model wants: reshaped, resized, padded, cut. Pure NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..output_forms import Array
from .image_arrays import CHANNELS, resized, with_channels

Row = tuple[int, ...]  # a row's shape
Wanted = tuple[int | None, ...]  # None: any length


@dataclass(frozen=True)
class Layout:
    """``apply`` takes ``(n, *given)`` and gives ``(n, *row)``."""

    words: tuple[str, ...]
    row: Row
    apply: Callable[[Array], Array]
    guess: bool = False


def layouts(given: Row, wanted: Wanted | None, *, tokens: bool = False) -> list[Layout]:
    """The sensible ways, the plainest first; none when the two have nothing to do with each other.

    ``tokens``: the rows are words by number, which zeros may fill up; a table's columns they may not.
    """
    if wanted is None:
        return _usual(given)
    if fits(given, wanted):
        return [_unchanged(given)]
    if len(given) == 3 and fits((given[2], *given[:2]), wanted):
        return [_channels_first(given)]
    filled = _filled(wanted, math.prod(given))
    if filled is not None:
        return [_reshaped(given, filled)]
    if len(given) == len(wanted) and given[1:] == wanted[1:] and (tokens or len(given) == 2):
        return _other_length(given, wanted[0] or given[0])
    return _picture(given, wanted) or _first_columns(given, wanted)


def fits(row: Row, wanted: Wanted) -> bool:
    return len(row) == len(wanted) and all(want in (None, have) for have, want in zip(row, wanted, strict=True))


def _usual(given: Row) -> list[Layout]:
    """For a model that does not say what it wants."""
    ways = [_unchanged(given)]
    if len(given) == 2:
        ways.append(_reshaped(given, (*given, 1)))
    if len(given) > 1:
        ways.append(_reshaped(given, (math.prod(given),)))
    return ways


def _unchanged(given: Row) -> Layout:
    return Layout((), given, lambda X: X)


def _channels_first(given: Row) -> Layout:
    return Layout(("channels first",), (given[2], *given[:2]), lambda X: np.moveaxis(X, -1, 1))


def _reshaped(given: Row, row: Row) -> Layout:
    word = "flattened" if len(row) == 1 else "with a channel" if row == (*given, 1) else "reshaped"
    return Layout((word,), row, lambda X: np.reshape(X, (len(X), *row)))


def _filled(wanted: Wanted, size: int) -> Row | None:
    """``wanted`` with its one open length, so that a row of ``size`` numbers fills it exactly."""
    known = math.prod(length for length in wanted if length is not None)
    if wanted.count(None) > 1 or known == 0 or size % known:
        return None
    filled = tuple(size // known if length is None else length for length in wanted)
    return filled if math.prod(filled) == size else None


def _other_length(given: Row, length: int) -> list[Layout]:
    """Sequences, as ``pad_sequences`` makes them: zeros, or a cut, at the front; then the same at the end."""
    row, missing = (length, *given[1:]), length - given[0]
    if missing < 0:
        return [
            Layout(("cut at the front",), row, lambda X: X[:, -length:], guess=True),
            Layout(("cut at the end",), row, lambda X: X[:, :length], guess=True),
        ]

    def padded(before: int) -> Callable[[Array], Array]:
        widths = [(0, 0), (before, missing - before), *[(0, 0)] * (len(given) - 1)]
        return lambda X: np.pad(X, widths)

    return [
        Layout(("padded at the front",), row, padded(missing), guess=True),
        Layout(("padded at the end",), row, padded(0), guess=True),
    ]


def _picture(given: Row, wanted: Wanted) -> list[Layout]:
    if len(given) not in (2, 3) or (len(given) == 3 and given[2] not in CHANNELS):
        return []
    own = given[2] if len(given) == 3 else 1
    target = _target(given[:2], own, wanted)
    if target is None:
        return []
    height, width, channels, row = target
    first = len(row) == 3 and row != (height, width, channels)
    words = ["resized"] if (height, width) != given[:2] else []
    words += [{1: "grey", 3: "RGB"}[channels]] if channels != own else []
    words += ["channels first"] if first else ["flattened"] if len(row) == 1 else []

    def apply(X: Array) -> Array:
        pictures = resized(with_channels(np.reshape(X, (len(X), *given[:2], own)), channels), height, width)
        return np.reshape(np.moveaxis(pictures, -1, 1) if first else pictures, (len(X), *row))

    return [Layout(tuple(words) or ("reshaped",), row, apply)]


def _target(sides: Row, own: int, wanted: Wanted) -> tuple[int, int, int, Row] | None:
    """Height, width, channels, and the row's shape that they are brought into."""
    if len(wanted) == 1:
        for channels in (own, 1, 3):
            side = math.isqrt((wanted[0] or 0) // channels)
            if side and side * side * channels == wanted[0] and channels != 4:
                return side, side, channels, (side * side * channels,)
        return None
    first = len(wanted) == 3 and wanted[0] in (1, 3) and wanted[2] not in (1, 3)
    axes = wanted[1:] if first else wanted[:2]
    channels = 1 if len(wanted) == 2 else (wanted[0] if first else wanted[2]) or own
    if len(axes) != 2 or len(wanted) > 3 or (channels != own and channels not in (1, 3)):
        return None
    height, width = axes[0] or sides[0], axes[1] or sides[1]
    row = (channels, height, width) if first else (height, width, channels)[: len(wanted)]
    return height, width, channels, row


def _first_columns(given: Row, wanted: Wanted) -> list[Layout]:
    """A table for a model that takes fewer columns, in whatever shape."""
    count = math.prod(length or 1 for length in wanted)
    if len(given) != 1 or not 0 < count < given[0]:
        return []
    row = tuple(length or 1 for length in wanted)
    return [Layout(("the first columns",), row, lambda X: np.reshape(X[:, :count], (len(X), *row)), guess=True)]
