"""Public and hidden data. What is hidden is drawn from the teacher's secret, which is in no repository.

The inputs and the labels of the hidden set have a door each: inputs enter a job after its last cell, labels are
opened by ``grader.scoring.scoring`` alone.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib.util
import os
import secrets
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from grader.data.public_sets.preparation import prepared_set
from grader.data.public_sets.row_sampling import stream
from grader.data.tables import ARRAYS, Array, Table, read_table, split_table
from grader.models.assignment import Assignment, Data, Hidden
from grader.models.errors import DatasetError

Draw = Callable[[int, int], tuple[Array, Array]]

PRACTICE_SECRET = b"practice: known to everybody, so that students can check themselves"
PRACTICE_SHARE = 5  # one row in five of a public file is kept back
SECRET_BYTES = 32
MAX_HIDDEN_BYTES = 256 << 20  # every submission gets a copy into its job folder


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
    return read_table(data.table, data)


def hidden_inputs(assignment: Assignment, secret: bytes) -> Array:
    """``(rows, ...)`` raw inputs, in the hidden set's own order; rows and numbers are like the public ones."""
    return _hidden_table(assignment, secret).inputs


def hidden_labels(assignment: Assignment, secret: bytes) -> Array:
    """``(rows,)`` answers, in the same order."""
    return _hidden_table(assignment, secret).targets


def _hidden_table(assignment: Assignment, secret: bytes) -> Table:
    data = _data(assignment)
    if data.hidden.file is not None:
        table = read_table(data.hidden.file, data)
        _like_the_public(f"{data.hidden.file}", table.inputs, data)
        return table
    assert data.hidden.generator is not None  # spec allows exactly one of the two
    seed = derived_seed(secret, assignment.id, assignment.version, "hidden")
    return _drawn(data.hidden.generator, data, seed)


def _data(assignment: Assignment) -> Data:
    if assignment.data is None:
        raise DatasetError(f"{assignment.id}: has no [data], so there is nothing to predict")
    return assignment.data


@cache
def _drawn(generator: Path, data: Data, seed: int) -> Table:
    rows, row = data.hidden.rows, public_table(data).inputs.shape[1:]
    try:
        inputs, targets = map(np.asarray, _draw_function(generator)(rows, seed))
    except DatasetError:
        raise
    except Exception as error:
        raise DatasetError(f"{generator}: draw({rows}, seed) failed: {type(error).__name__}: {error}") from error
    if inputs.shape != (rows, *row) or targets.shape != (rows,):
        raise DatasetError(
            f"{generator}: draw({rows}, seed) gave shapes {inputs.shape} and {targets.shape}, "
            f"expected {(rows, *row)} and ({rows},)"
        )
    if data.table.suffix != ARRAYS:
        inputs = inputs.astype(np.float64)
    _like_the_public(f"{generator}: draw({rows}, seed)", inputs, data)
    return Table(inputs, targets)


def _like_the_public(where: str, inputs: Array, data: Data) -> None:
    """A model is asked what it was trained on: the same shape, the same type, and no more than a job can hold."""
    public = public_table(data).inputs
    if (inputs.shape[1:], inputs.dtype) != (public.shape[1:], public.dtype):
        raise DatasetError(
            f"{where}: found rows of the shape {inputs.shape[1:]} and the type {inputs.dtype}, "
            f"expected {public.shape[1:]} and {public.dtype} as in {data.table.name}"
        )
    if inputs.nbytes > MAX_HIDDEN_BYTES:
        raise DatasetError(
            f"{where}: found {inputs.nbytes >> 20} MB of hidden inputs, expected at most {MAX_HIDDEN_BYTES >> 20}; "
            "use fewer rows"
        )


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


def prepared(assignment: Assignment, secret: bytes, library: Path | None, workspace: Path) -> Assignment:
    """The same with plain ``data``: of a public set, files below ``workspace``, which must stay until all is graded.

    Raises DatasetError where the set is not in the ``library``.
    """
    if assignment.public is None:
        return assignment
    if library is None:
        raise DatasetError(f"{assignment.id}: needs the set {assignment.public.set!r}, and there is no library here")
    seed = derived_seed(secret, assignment.id, assignment.version, "public")
    return prepared_set(assignment, library, workspace, stream(seed))


def practice(assignment: Assignment, workspace: Path) -> Assignment:
    """The same assignment without its hidden set, for a student's own check.

    Where the data is drawn, or is a public set, that is done once more with a secret that everybody knows. Where it is
    a file, every fifth public row is kept back from the notebook and plays the hidden set.
    """
    data = assignment.data
    if data is None or data.hidden.generator is not None:
        return assignment
    public_table(data)  # its problems have their lines
    workspace.mkdir(parents=True, exist_ok=True)
    visible, kept_back = workspace / data.table.name, workspace / f"kept_back{data.table.suffix}"
    split_table(data.table, kept_back, visible, every=PRACTICE_SHARE)
    files = tuple(visible if path == data.table else path for path in data.files)
    return replace(assignment, data=replace(data, files=files, table=visible, hidden=Hidden(file=kept_back)))
