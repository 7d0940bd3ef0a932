"""What is known about a set's content, looked for in the files themselves: numbers of examples, shapes, parameters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from grader.data.cache.cached_sets import Array, arrays, fonts
from grader.data.cache.known_sets import Facts, Kind, KnownSet
from grader.data.cache.location import PHOTOS
from grader.i18n.message import Message, message
from grader.models.errors import DatasetError

ENOUGH_PICTURES = 0.95  # of the published number; the sets have broken pictures in them
CLOSE = 1e-6


def content_problems(entry: KnownSet, folder: Path) -> list[Message]:
    """Everything in ``folder``, laid out as the library, that is not as the set is known to be."""
    look = {Kind.ARRAYS: _arrays, Kind.WEIGHTS: _weights, Kind.PHOTOS: _photos, Kind.FONTS: _fonts}[entry.kind]
    try:
        return list(look(entry, folder))
    except DatasetError as error:
        return [error.message]


def _differs(part: str, found: object, expected: object) -> Message:
    return message("{part}: found {found}, expected {expected}", part=part, found=found, expected=expected)


# ---------------------------------------------------------------- arrays


def _arrays(entry: KnownSet, folder: Path) -> Iterator[Message]:
    held, facts = arrays(entry.name, folder), entry.facts
    for part, inputs, labels, counts in (
        ("train", held.x_train, held.y_train, facts.train),
        ("test", held.x_test, held.y_test, facts.test),
    ):
        yield from _shape_problems(f"x_{part}", inputs, sum(counts), facts)
        found = tuple(np.bincount(labels, minlength=len(counts)).tolist()) if labels.min(initial=0) >= 0 else ()
        if found != tuple(counts):
            yield _differs(f"y_{part}", list(found), list(counts))
    first = tuple(held.y_train[: len(facts.first_labels)].tolist())
    if first != facts.first_labels:
        yield _differs("y_train", list(first), list(facts.first_labels))


def _shape_problems(part: str, inputs: Array, rows: int, facts: Facts) -> Iterator[Message]:
    if inputs.shape != (rows, *facts.shape):
        yield _differs(part, inputs.shape, (rows, *facts.shape))
    if facts.shape and inputs.dtype != np.uint8:
        yield _differs(part, inputs.dtype, "uint8")


# ---------------------------------------------------------------- weights


def _weights(entry: KnownSet, folder: Path) -> Iterator[Message]:
    import h5py

    for place, expected in entry.facts.parameters.items():
        try:
            with h5py.File(folder / place) as file:
                found = _arrays_in(file)
        except (OSError, KeyError, RuntimeError, ValueError) as error:
            yield message("{part}: cannot be read ({reason})", part=place, reason=str(error).splitlines()[0])
            continue
        numbers = sum(array.size for array in found)
        if numbers != expected:
            yield _differs(place, numbers, expected)
        first = entry.facts.first_kernel
        kernel = next((array for array in found if array.ndim == 4), np.empty(0))
        if first and not (kernel.size and np.allclose(kernel.flat[: len(first)], first, atol=CLOSE)):
            yield _differs(place, kernel.flat[:3].tolist(), list(first))
        if not all(np.isfinite(array).all() for array in found):
            yield message("{part}: holds numbers that are none (NaN or infinite)", part=place)


def _arrays_in(group: object) -> list[Array]:
    """All arrays of an HDF5 file; links out of the file are not followed."""
    import h5py

    found: list[Array] = []

    def take(_name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind == "f" and not item.external:
            found.append(np.asarray(item))

    assert isinstance(group, h5py.Group)
    group.visititems(take)
    return found


# ---------------------------------------------------------------- photos and fonts


def _photos(entry: KnownSet, folder: Path) -> Iterator[Message]:
    base = folder / PHOTOS / entry.name
    for place, expected in entry.facts.pictures.items():
        split = place.partition("/")[0]
        if split != "train" and not (base / split).is_dir():
            continue  # not every source has it
        found = sum(path.is_file() for path in (base / place).iterdir()) if (base / place).is_dir() else 0
        if not ENOUGH_PICTURES * expected <= found <= expected:
            yield _differs(place, found, expected)


def _fonts(entry: KnownSet, folder: Path) -> Iterator[Message]:
    from grader.data.cache.converters.fonts import symbols_missing

    found = fonts(folder)
    if len(found) < entry.facts.fonts:
        yield _differs("fonts", len(found), entry.facts.fonts)
    for path in found:
        try:
            lacking = symbols_missing(path)
        except (ValueError, OSError) as error:
            yield message("{part}: cannot be read ({reason})", part=path.name, reason=str(error))
            continue
        if lacking:
            yield message("{part}: lacks {n} of the 37 Bopomofo symbols", part=path.name, n=lacking)
