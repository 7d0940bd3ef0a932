"""Tables of inputs and targets: a CSV with a header, or an ``.npz`` of arrays. Every problem names its place."""

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

from grader.i18n.message import message
from grader.models.assignment import Data
from grader.models.errors import DatasetError

Array = NDArray[np.generic]

ARRAYS = ".npz"


@dataclass(frozen=True, slots=True)
class Table:
    """Inputs and targets, row by row."""

    inputs: Array  # (n, columns) float64 from a CSV; (n, ...) with the file's own dtype from an .npz
    targets: Array  # (n,): int64 classes 0 .. k-1, or float64

    def rows(self, places: NDArray[np.intp]) -> Table:
        return Table(self.inputs[places], self.targets[places])


@lru_cache(maxsize=16)  # the photos of every group are a table of their own
def read_table(path: Path, data: Data) -> Table:
    """Read the table at ``path``, with the columns or arrays that ``data`` names. Raises DatasetError."""
    return _from_arrays(path, data) if path.suffix == ARRAYS else _from_csv(path, data)


# ------------------------------------------------------------------ CSV


def _from_csv(path: Path, data: Data) -> Table:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            numbered = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(
            message("{path}: cannot be read as CSV in UTF-8: {reason}", path=path, reason=str(error))
        ) from error
    if not numbered:
        raise DatasetError(
            message("{path}: found no rows, expected a line of column names and a line for each row", path=path)
        )
    columns, found = (*data.inputs, data.target), [str(name) for name in reader.fieldnames or ()]
    missing = [name for name in columns if name not in found]
    if missing:
        raise DatasetError(
            message(
                "{path}: the columns {missing} are missing; found {found}",
                path=path, missing=", ".join(missing), found=", ".join(found),
            )
        )  # fmt: skip
    values = np.array([_numbers(path, line, row, columns) for line, row in numbered])
    targets: Array = values[:, -1]
    if data.task == "classification":
        targets = _classes(path, values[:, -1])
    return Table(values[:, :-1], targets)


def _numbers(path: Path, line: int, row: dict[str, str], columns: tuple[str, ...]) -> list[float]:
    numbers = []
    for name in columns:
        try:
            number = float(row[name])
        except (TypeError, ValueError):
            number = float("nan")
        if not np.isfinite(number):
            raise DatasetError(
                message(
                    "{path}, line {line}, column {name}: found {found}, expected a number",
                    path=path, line=line, name=name, found=repr(row[name]),
                )
            )  # fmt: skip
        numbers.append(number)
    return numbers


def _classes(path: Path, column: Array) -> NDArray[np.int64]:
    classes = column.astype(np.int64)
    if not np.array_equal(classes, column) or classes.min() < 0:
        raise DatasetError(
            message(
                "{path}: the classes must be whole numbers 0, 1, ...; found {found}",
                path=path, found=sorted(set(column.tolist()))[:5],
            )
        )  # fmt: skip
    return classes


# ------------------------------------------------------------------ arrays


def _from_arrays(path: Path, data: Data) -> Table:
    (name,) = data.inputs  # spec allows one
    arrays = read_arrays(path)
    missing = [array for array in (name, data.target) if array not in arrays]
    if missing:
        raise DatasetError(
            message(
                "{path}: the arrays {missing} are missing; found {found}",
                path=path, missing=", ".join(missing), found=", ".join(arrays),
            )
        )  # fmt: skip
    inputs, targets = arrays[name], arrays[data.target]
    for array_name, array in ((name, inputs), (data.target, targets)):
        if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
            raise DatasetError(
                message(
                    "{path}, array {name}: found {type} or NaN, expected finite numbers",
                    path=path, name=array_name, type=array.dtype,
                )
            )  # fmt: skip
    if inputs.ndim < 2 or not inputs.size:
        raise DatasetError(
            message(
                "{path}, array {name}: found the shape {shape}, expected (rows, ...)",
                path=path, name=name, shape=inputs.shape,
            )
        )  # fmt: skip
    if targets.shape not in ((len(inputs),), (len(inputs), 1)):
        raise DatasetError(
            message(
                "{path}, array {name}: found the shape {shape}, expected ({rows},): a target for each row of {inputs}",
                path=path, name=data.target, shape=targets.shape, rows=len(inputs), inputs=name,
            )
        )  # fmt: skip
    column: Array = targets.reshape(-1).astype(np.float64)
    return Table(inputs, _classes(path, column) if data.task == "classification" else column)


def read_arrays(path: Path) -> dict[str, Array]:
    """Return all arrays of an ``.npz``. Raises DatasetError, also for an array that would need pickle."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise DatasetError(
            message("{path}: cannot be read as an .npz of plain arrays: {reason}", path=path, reason=str(error))
        ) from error


# ------------------------------------------------------------------ writing


def write_table(path: Path, data: Data, table: Table) -> None:
    """Write a table that ``read_table`` reads as the same numbers. Raises OSError."""
    if path.suffix == ARRAYS:
        np.savez(path, **{data.inputs[0]: table.inputs, data.target: table.targets})  # type: ignore[arg-type]
        return
    rows = ([*inputs, target] for inputs, target in zip(table.inputs.tolist(), table.targets.tolist(), strict=True))
    _write_rows(path, [*data.inputs, data.target], [[_shortest(number) for number in row] for row in rows])


def _shortest(number: float) -> str:
    return str(int(number)) if number == int(number) else repr(number)


# ------------------------------------------------------------------ split


def split_table(source: Path, held_back: Path, visible: Path, *, every: int) -> None:
    """Write each ``every``-th row of ``source`` to ``held_back`` and the other rows to ``visible``."""
    if source.suffix == ARRAYS:
        _split_arrays(source, held_back, visible, every)
        return
    with source.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file))
    _write_rows(held_back, header, rows[::every])
    _write_rows(visible, header, [row for index, row in enumerate(rows) if index % every])


def _write_rows(path: Path, header: list[str], rows: Sequence[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def _split_arrays(source: Path, held_back: Path, visible: Path, every: int) -> None:
    """Split the arrays that are as long as the longest; copy the other arrays to both files."""
    arrays = read_arrays(source)
    rows = max(len(array) for array in arrays.values() if array.ndim)
    is_held_back = np.arange(rows) % every == 0
    for path, places in ((held_back, is_held_back), (visible, ~is_held_back)):
        parts = {name: array[places] if array.ndim and len(array) == rows else array for name, array in arrays.items()}
        np.savez(path, **parts)  # type: ignore[arg-type]
