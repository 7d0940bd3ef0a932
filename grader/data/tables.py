"""The file with the answers, read: a CSV with a header, or an ``.npz`` of arrays. Every problem names its place."""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from grader.models.assignment import Data
from grader.models.errors import DatasetError

Array = NDArray[np.generic]

ARRAYS = ".npz"


@dataclass(frozen=True, slots=True)
class Table:
    inputs: Array  # (n, columns) float64 from a CSV; (n, ...) as they are from an .npz
    targets: Array  # (n,): int64 classes 0 .. k-1, or float64

    def rows(self, places: NDArray[np.intp]) -> Table:
        return Table(self.inputs[places], self.targets[places])


@lru_cache(maxsize=16)  # a group's own pictures are a table of their own
def read_table(path: Path, data: Data) -> Table:
    """Raises DatasetError."""
    return _from_arrays(path, data) if path.suffix == ARRAYS else _from_csv(path, data)


# ------------------------------------------------------------------ CSV


def _from_csv(path: Path, data: Data) -> Table:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            numbered = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}: cannot be read as CSV in UTF-8: {error}") from error
    if not numbered:
        raise DatasetError(f"{path}: found no rows, expected a line of column names and a line for each row")
    wanted, found = (*data.inputs, data.target), [str(name) for name in reader.fieldnames or ()]
    missing = [name for name in wanted if name not in found]
    if missing:
        raise DatasetError(f"{path}: the columns {', '.join(missing)} are missing; found {', '.join(found)}")
    values = np.array([_numbers(path, line, row, wanted) for line, row in numbered])
    targets: Array = values[:, -1]
    if data.task == "classification":
        targets = _classes(path, values[:, -1])
    return Table(values[:, :-1], targets)


def _numbers(path: Path, line: int, row: dict[str, str], wanted: tuple[str, ...]) -> list[float]:
    numbers = []
    for name in wanted:
        try:
            number = float(row[name])
        except (TypeError, ValueError):
            number = float("nan")
        if not np.isfinite(number):
            raise DatasetError(f"{path}, line {line}, column {name}: found {row[name]!r}, expected a number")
        numbers.append(number)
    return numbers


def _classes(path: Path, column: Array) -> NDArray[np.int64]:
    classes = column.astype(np.int64)
    if not np.array_equal(classes, column) or classes.min() < 0:
        raise DatasetError(f"{path}: the classes must be whole numbers 0, 1, ...; found {sorted(set(column))[:5]}")
    return classes


# ------------------------------------------------------------------ arrays


def _from_arrays(path: Path, data: Data) -> Table:
    (name,) = data.inputs  # spec allows one
    arrays = read_arrays(path)
    missing = [wanted for wanted in (name, data.target) if wanted not in arrays]
    if missing:
        raise DatasetError(f"{path}: the arrays {', '.join(missing)} are missing; found {', '.join(arrays)}")
    inputs, targets = arrays[name], arrays[data.target]
    for which, array in ((name, inputs), (data.target, targets)):
        if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
            raise DatasetError(f"{path}, array {which}: found {array.dtype} or NaN, expected finite numbers")
    if inputs.ndim < 2 or not inputs.size:
        raise DatasetError(f"{path}, array {name}: found the shape {inputs.shape}, expected (rows, ...)")
    if targets.shape not in ((len(inputs),), (len(inputs), 1)):
        raise DatasetError(
            f"{path}, array {data.target}: found the shape {targets.shape}, expected ({len(inputs)},): "
            f"an answer for each row of {name}"
        )
    column: Array = targets.reshape(-1).astype(np.float64)
    return Table(inputs, _classes(path, column) if data.task == "classification" else column)


def read_arrays(path: Path) -> dict[str, Array]:
    """All arrays of an ``.npz``; one that would need pickle is a DatasetError."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise DatasetError(f"{path}: cannot be read as an .npz of plain arrays: {error}") from error


# ------------------------------------------------------------------ split


def split_table(source: Path, kept_back: Path, visible: Path, *, every: int) -> None:
    """Each ``every``-th row of ``source`` into ``kept_back``, the others into ``visible``."""
    if source.suffix == ARRAYS:
        _split_arrays(source, kept_back, visible, every)
        return
    with source.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file))
    _write_rows(kept_back, header, rows[::every])
    _write_rows(visible, header, [row for index, row in enumerate(rows) if index % every])


def _write_rows(path: Path, header: list[str], rows: Sequence[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def _split_arrays(source: Path, kept_back: Path, visible: Path, every: int) -> None:
    """All arrays as long as the longest have a row for each of its rows; others are told to both sides."""
    arrays = read_arrays(source)
    rows = max(len(array) for array in arrays.values() if array.ndim)
    is_kept = np.arange(rows) % every == 0
    for path, places in ((kept_back, is_kept), (visible, ~is_kept)):
        parts = {name: array[places] if array.ndim and len(array) == rows else array for name, array in arrays.items()}
        np.savez(path, **parts)  # type: ignore[arg-type]
