"""Public and hidden data. What is hidden is drawn from the teacher's secret, which is in no repository.

The inputs and the labels of the hidden set have a door each: inputs enter a job after its last cell, labels are
opened by ``grader.scoring`` alone.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import importlib.util
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from grader.errors import DatasetError
from grader.records import Assignment, Data, Hidden

Draw = Callable[[int, int], tuple[NDArray[np.float64], NDArray[np.generic]]]

PRACTICE_SECRET = b"practice: known to everybody, so that students can check themselves"
PRACTICE_SHARE = 5  # one row in five of a public file is kept back
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Table:
    inputs: NDArray[np.float64]  # (n, columns)
    targets: NDArray[np.generic]  # (n,): int64 classes 0 .. k-1, or float64


def load_secret(folder: Path) -> bytes:
    """The teacher's secret, made on first use, readable by its owner alone."""
    path = folder / "secret"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            # Linked into place when complete: two graders that start together agree on one secret.
            fresh = folder / f"secret.{os.getpid()}.{secrets.token_hex(4)}"
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_hex(SECRET_BYTES).encode())
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink(missing_ok=True)
        secret = path.read_bytes().strip()
    except OSError as error:
        raise DatasetError(f"{path}: the secret for hidden data cannot be kept here: {error.strerror}") from error
    if len(secret) < SECRET_BYTES:
        raise DatasetError(f"{path}: found {len(secret)} bytes, expected at least {SECRET_BYTES}; delete the file")
    return secret


def derived_seed(secret: bytes, *parts: str) -> int:
    """A 64-bit seed for one purpose; nothing about the secret can be learnt from it."""
    digest = hmac.new(secret, "\0".join(parts).encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big")


def public_table(data: Data) -> Table:
    return _read_table(data.table, data)


def hidden_inputs(assignment: Assignment, secret: bytes) -> NDArray[np.float64]:
    """``(rows, columns)`` raw inputs, in the hidden set's own order."""
    return _hidden_table(assignment, secret).inputs


def hidden_labels(assignment: Assignment, secret: bytes) -> NDArray[np.generic]:
    """``(rows,)`` answers, in the same order."""
    return _hidden_table(assignment, secret).targets


def _hidden_table(assignment: Assignment, secret: bytes) -> Table:
    data = _data(assignment)
    if data.hidden.file is not None:
        return _read_table(data.hidden.file, data)
    assert data.hidden.generator is not None  # spec allows exactly one of the two
    seed = derived_seed(secret, assignment.id, assignment.version, "hidden")
    return _drawn(data.hidden.generator, data.hidden.rows, seed, len(data.inputs))


def _data(assignment: Assignment) -> Data:
    if assignment.data is None:
        raise DatasetError(f"{assignment.id}: has no [data], so there is nothing to predict")
    return assignment.data


@cache
def _drawn(generator: Path, rows: int, seed: int, columns: int) -> Table:
    try:
        inputs, targets = map(np.asarray, _draw_function(generator)(rows, seed))
    except DatasetError:
        raise
    except Exception as error:
        raise DatasetError(f"{generator}: draw({rows}, seed) failed: {type(error).__name__}: {error}") from error
    if inputs.shape != (rows, columns) or targets.shape != (rows,):
        raise DatasetError(
            f"{generator}: draw({rows}, seed) gave shapes {inputs.shape} and {targets.shape}, "
            f"expected ({rows}, {columns}) and ({rows},)"
        )
    return Table(inputs.astype(np.float64), targets)


def _draw_function(generator: Path) -> Draw:
    """The assignment's own ``draw``: the teacher's code, as trusted as the assignment itself."""
    spec = importlib.util.spec_from_file_location(f"generator_{generator.parent.name}", generator)
    if spec is None or spec.loader is None:
        raise DatasetError(f"{generator}: cannot be loaded as Python")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise DatasetError(f"{generator}: {type(error).__name__}: {error}") from error
    draw: Draw | None = getattr(module, "draw", None)
    if draw is None:
        raise DatasetError(f"{generator}: found no function draw(rows, seed)")
    return draw


@cache
def _read_table(path: Path, data: Data) -> Table:
    """A CSV with a header; every problem names its line."""
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
    targets: NDArray[np.generic] = values[:, -1]
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


def _classes(path: Path, column: NDArray[np.float64]) -> NDArray[np.int64]:
    classes = column.astype(np.int64)
    if not np.array_equal(classes, column) or classes.min() < 0:
        raise DatasetError(f"{path}: the classes must be whole numbers 0, 1, ...; found {sorted(set(column))[:5]}")
    return classes


def practice(assignment: Assignment, workspace: Path) -> Assignment:
    """The same assignment without its hidden set, for a student's own check.

    Where the data is drawn, fresh rows are drawn from a seed that everybody knows. Where it is a file, every fifth
    public row is kept back from the notebook and plays the hidden set.
    """
    data = assignment.data
    if data is None or data.hidden.generator is not None:
        return assignment
    public_table(data)  # its problems have their lines
    workspace.mkdir(parents=True, exist_ok=True)
    visible, kept_back = workspace / data.table.name, workspace / "kept_back.csv"
    with data.table.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file))
    _write_rows(kept_back, header, rows[::PRACTICE_SHARE])
    _write_rows(visible, header, [row for index, row in enumerate(rows) if index % PRACTICE_SHARE])
    files = tuple(visible if path == data.table else path for path in data.files)
    return replace(assignment, data=replace(data, files=files, table=visible, hidden=Hidden(file=kept_back)))


def _write_rows(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
