"""The teacher's secret, and the hidden set that follows from it.

The secret is never part of a repository. ``hidden_inputs`` gives the inputs alone, for the job of a submission. Only
``grader.scoring.scoring`` calls ``open_hidden_set``, which also gives the labels.
"""

from __future__ import annotations

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

from grader.data.public_sets.hidden_rows import random_stream
from grader.data.public_sets.preparation import prepare_public_set
from grader.data.tables import ARRAYS, Array, Table, read_table, split_table
from grader.i18n.message import message
from grader.models.assignment import Assignment, Data, Hidden
from grader.models.errors import DatasetError

Draw = Callable[[int, int], tuple[Array, Array]]

PRACTICE_SECRET = b"practice: known to everybody, so that students can check themselves"
PRACTICE_SHARE = 5  # one row in five of a public file is held back
SECRET_BYTES = 32
MAX_HIDDEN_BYTES = 256 << 20  # every submission gets a copy in its job folder


@dataclass(frozen=True, slots=True)
class HiddenSet:
    """Hidden rows, in the hidden set's own order."""

    inputs: Array  # (rows, ...), same row shape and dtype as the public inputs
    labels: Array  # (rows,), int64 classes or float64


# ---------------------------------------------------------------- the secret


def load_secret(folder: Path) -> bytes:
    """Return the teacher's secret; create it on first use, readable by its owner only. Raises DatasetError."""
    path = folder / "secret"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            # Linked into place when complete, so that two graders that start together agree on one secret.
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
        reason = str(error.strerror)
        raise DatasetError(
            message("{path}: the secret for hidden data cannot be stored here: {reason}", path=path, reason=reason)
        ) from error
    if len(secret) < SECRET_BYTES:
        raise DatasetError(
            message(
                "{path}: found {found} bytes, expected at least {least}; delete the file",
                path=path, found=len(secret), least=SECRET_BYTES,
            )
        )  # fmt: skip
    return secret


def derive_seed(secret: bytes, *parts: str) -> int:
    """Return a 64-bit seed for one purpose. HMAC-SHA256: the seed reveals nothing about the secret."""
    digest = hmac.new(secret, "\0".join(parts).encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big")


# ---------------------------------------------------------------- public and hidden data


def public_table(data: Data) -> Table:
    """Return the table that students train on. Raises DatasetError."""
    return read_table(data.table, data)


def hidden_inputs(assignment: Assignment, secret: bytes) -> Array:
    """Return the raw inputs of the hidden set, ``(rows, ...)``. Raises DatasetError."""
    return _hidden_table(assignment, secret).inputs


def open_hidden_set(assignment: Assignment, secret: bytes) -> HiddenSet:
    """Return the hidden set with its labels. For scoring only. Raises DatasetError."""
    table = _hidden_table(assignment, secret)
    return HiddenSet(table.inputs, table.targets)


def _hidden_table(assignment: Assignment, secret: bytes) -> Table:
    data = assignment.data
    if data is None:
        raise DatasetError(message("{id}: has no [data], so there is nothing to predict", id=assignment.id))
    if data.hidden.file is not None:
        table = read_table(data.hidden.file, data)
        _check_like_public(f"{data.hidden.file}", table.inputs, data)
        return table
    assert data.hidden.generator is not None  # spec allows exactly one of the two
    seed = derive_seed(secret, assignment.id, assignment.version, "hidden")
    return _draw_table(data.hidden.generator, data, seed)


@cache
def _draw_table(generator: Path, data: Data, seed: int) -> Table:
    rows, row = data.hidden.rows, public_table(data).inputs.shape[1:]
    call = f"draw({rows}, seed)"
    try:
        inputs, targets = map(np.asarray, _load_draw(generator)(rows, seed))
    except DatasetError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise DatasetError(
            message("{path}: {call} failed: {reason}", path=generator, call=call, reason=reason)
        ) from error
    if inputs.shape != (rows, *row) or targets.shape != (rows,):
        raise DatasetError(
            message(
                "{path}: {call} gave shapes {inputs} and {targets}, expected {shape} and ({rows},)",
                path=generator, call=call, inputs=inputs.shape, targets=targets.shape, shape=(rows, *row), rows=rows,
            )
        )  # fmt: skip
    if data.table.suffix != ARRAYS:
        inputs = inputs.astype(np.float64)
    _check_like_public(f"{generator}: {call}", inputs, data)
    return Table(inputs, targets)


def _check_like_public(place: str, inputs: Array, data: Data) -> None:
    """Raise DatasetError unless ``inputs`` have the shape and dtype of the public rows and fit into a job."""
    public = public_table(data).inputs
    if (inputs.shape[1:], inputs.dtype) != (public.shape[1:], public.dtype):
        raise DatasetError(
            message(
                "{place}: found rows of shape {found} and type {found_type}, expected {shape} and {type} as in {table}",
                place=place, found=inputs.shape[1:], found_type=inputs.dtype, shape=public.shape[1:],
                type=public.dtype, table=data.table.name,
            )
        )  # fmt: skip
    if inputs.nbytes > MAX_HIDDEN_BYTES:
        raise DatasetError(
            message(
                "{place}: found {found} MB of hidden inputs, expected at most {most}; use fewer rows",
                place=place, found=inputs.nbytes >> 20, most=MAX_HIDDEN_BYTES >> 20,
            )
        )  # fmt: skip


def _load_draw(generator: Path) -> Draw:
    """Import the assignment's ``draw``. It is the teacher's code, as trusted as the assignment itself."""
    spec = importlib.util.spec_from_file_location(f"generator_{generator.parent.name}", generator)
    if spec is None or spec.loader is None:
        raise DatasetError(message("{path}: cannot be loaded as Python", path=generator))
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise DatasetError(
            message("{path}: {reason}", path=generator, reason=f"{type(error).__name__}: {error}")
        ) from error
    draw: Draw | None = getattr(module, "draw", None)
    if draw is None:
        raise DatasetError(message("{path}: found no function draw(rows, seed)", path=generator))
    return draw


# ---------------------------------------------------------------- assignments with their data


def prepare_data(assignment: Assignment, secret: bytes, library: Path | None, workspace: Path) -> Assignment:
    """Return ``assignment`` with plain ``data`` in place of ``public``.

    The files made from a public set lie below ``workspace``, which must exist until everything is graded. Raises
    DatasetError when the set is not in the ``library``.
    """
    if assignment.public is None:
        return assignment
    if library is None:
        raise DatasetError(
            message(
                "{id}: needs the dataset {set}, but there is no library", id=assignment.id, set=assignment.public.set
            )
        )
    seed = derive_seed(secret, assignment.id, assignment.version, "public")
    return prepare_public_set(assignment, library, workspace, random_stream(seed))


def practice_assignment(assignment: Assignment, workspace: Path) -> Assignment:
    """Return ``assignment`` without the teacher's hidden set, for a student's own check.

    A generated or public set needs no change: it is drawn with ``PRACTICE_SECRET``. With a hidden file, every fifth
    public row is held back from the notebook and becomes the hidden set.
    """
    data = assignment.data
    if data is None or data.hidden.generator is not None:
        return assignment
    public_table(data)  # raises for a broken table, with the line
    workspace.mkdir(parents=True, exist_ok=True)
    visible, held_back = workspace / data.table.name, workspace / f"kept_back{data.table.suffix}"
    split_table(data.table, held_back, visible, every=PRACTICE_SHARE)
    files = tuple(visible if path == data.table else path for path in data.files)
    return assignment.with_data(replace(data, files=files, table=visible, hidden=Hidden(file=held_back)))
