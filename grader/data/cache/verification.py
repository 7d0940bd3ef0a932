"""Checks of fetched sets: every byte against its record, and the content against the known facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from grader.data.cache.cached_sets import PHOTOS, Array, arrays, fonts
from grader.data.cache.download import file_hash
from grader.data.cache.index import Record, State, fingerprint, read_record, record_path, state
from grader.data.cache.known_sets import Facts, Kind, KnownSet
from grader.data.tables import read_arrays
from grader.i18n.message import Message, message
from grader.models.errors import DatasetError

ENOUGH_PHOTOS = 0.95  # of the published number, because the sets contain broken photos
CLOSE = 1e-6


def verify(known: KnownSet, library: Path) -> list[Message]:
    """Return every problem of one set: what was found, what was expected and what to do. Empty if the set is intact."""
    try:
        record = read_record(known.name, library)
    except ValueError as error:
        path = record_path(known.name, library)
        return [message("{path}: cannot be read ({reason})", path=path, reason=str(error)), _advice(known)]
    if record is None and state(known, library) is State.ABSENT:
        return [message("{name} was not fetched; run: grader data fetch {name}", name=known.name)]
    problems = [] if record is None else _changed_files(record, library)
    problems += content_problems(known, library)
    return [*problems, _advice(known)] if problems else []


def _advice(known: KnownSet) -> Message:
    return message("Fetch it again: grader data fetch --again {name}", name=known.name)


def _changed_files(record: Record, library: Path) -> list[Message]:
    problems = []
    for place, expected in record.files.items():
        path = library / place
        try:
            found = fingerprint(path)
        except FileNotFoundError:
            problems.append(message("{path}: is missing", path=path))
            continue
        except OSError as error:
            problems.append(message("{path}: cannot be read ({reason})", path=path, reason=str(error.strerror)))
            continue
        if found != expected:
            problems.append(
                message(
                    "{path}: found {size} bytes with SHA-256 {found}, expected {bytes} with {expected}",
                    path=path,
                    size=found.bytes,
                    found=found.sha256,
                    bytes=expected.bytes,
                    expected=expected.sha256,
                )
            )
    return problems


# ---------------------------------------------------------------- content


def content_problems(known: KnownSet, folder: Path) -> list[Message]:
    """Return every difference between the known facts and ``folder``, which is laid out as the library."""
    checks: Mapping[Kind, Callable[[KnownSet, Path], Iterator[Message]]] = {
        Kind.ARRAYS: _arrays,
        Kind.WEIGHTS: _weights,
        Kind.PHOTOS: _photos,
        Kind.FONTS: _fonts,
        Kind.FILES: _files,
    }
    check = checks[known.kind]
    try:
        return list(check(known, folder))
    except DatasetError as error:
        return [error.message]


def _differs(part: str, found: object, expected: object) -> Message:
    return message("{part}: found {found}, expected {expected}", part=part, found=found, expected=expected)


def _arrays(known: KnownSet, folder: Path) -> Iterator[Message]:
    held, facts = arrays(known.name, folder), known.facts
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


def _files(known: KnownSet, folder: Path) -> Iterator[Message]:
    """Check files by the published hash; a converted file by the shapes and means of its arrays."""
    for place in known.facts.files:
        if place in known.facts.parameters:
            continue  # no hash is published; the number of parameters is checked
        path = folder / place
        if not path.is_file():
            yield message("{path}: is missing", path=path)
            continue
        algorithm, _, expected = known.official_hashes.get(path.name, "").partition(":")
        found = file_hash(path, algorithm or "sha256")
        if found == expected:
            continue
        if place not in known.facts.shapes:
            yield _differs(place, f"{algorithm.upper()} {found}", expected)
            continue
        yield from _array_problems(known.facts, place, read_arrays(path))


def _array_problems(facts: Facts, place: str, held: Mapping[str, Array]) -> Iterator[Message]:
    for name, shape in facts.shapes[place].items():
        array = held.get(name, np.empty(0))
        if array.shape != tuple(shape):
            yield _differs(f"{place}, {name}", array.shape, tuple(shape))
        elif name in facts.means and not abs(float(array.mean()) - facts.means[name]) < CLOSE:
            yield _differs(f"{place}, {name}", float(array.mean()), facts.means[name])


def _weights(known: KnownSet, folder: Path) -> Iterator[Message]:
    import h5py

    yield from _files(known, folder)
    for place, expected in known.facts.parameters.items():
        try:
            with h5py.File(folder / place) as file:
                found = _float_arrays(file)
        except (OSError, KeyError, RuntimeError, ValueError) as error:
            yield message("{part}: cannot be read ({reason})", part=place, reason=str(error).splitlines()[0])
            continue
        parameters = sum(array.size for array in found)
        if parameters != expected:
            yield _differs(place, parameters, expected)
        first = known.facts.first_kernel
        kernel = next((array for array in found if array.ndim == 4), np.empty(0))
        if first and not (kernel.size and np.allclose(kernel.flat[: len(first)], first, atol=CLOSE)):
            yield _differs(place, kernel.flat[:3].tolist(), list(first))
        if not all(np.isfinite(array).all() for array in found):
            yield message("{part}: contains NaN or infinite numbers", part=place)


def _float_arrays(group: object) -> list[Array]:
    """Return all float arrays of an HDF5 file. Links to other files are not followed."""
    import h5py

    found: list[Array] = []

    def collect(_name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind == "f" and not item.external:
            found.append(np.asarray(item))

    assert isinstance(group, h5py.Group)
    group.visititems(collect)
    return found


def _photos(known: KnownSet, folder: Path) -> Iterator[Message]:
    base = folder / PHOTOS / known.name
    for place, expected in known.facts.photos.items():
        split = place.partition("/")[0]
        if split != "train" and not (base / split).is_dir():
            continue  # some sources lack a split
        found = sum(path.is_file() for path in (base / place).iterdir()) if (base / place).is_dir() else 0
        if not ENOUGH_PHOTOS * expected <= found <= expected:
            yield _differs(place, found, expected)


def _fonts(known: KnownSet, folder: Path) -> Iterator[Message]:
    from grader.data.cache.converters.fonts import count_missing_symbols

    found = fonts(folder)
    if len(found) < known.facts.fonts:
        yield _differs("fonts", len(found), known.facts.fonts)
    for path in found:
        try:
            lacking = count_missing_symbols(path)
        except (ValueError, OSError) as error:
            yield message("{part}: cannot be read ({reason})", part=path.name, reason=str(error))
            continue
        if lacking:
            yield message("{part}: lacks {n} of the 37 Bopomofo symbols", part=path.name, n=lacking)
