"""The teacher's secret, and the hidden set that follows from it.

The secret is never part of a repository. ``hidden_inputs`` gives the inputs alone, for the job of a submission. Only
``grader.scoring.scoring`` calls ``open_hidden_set``, which also gives the labels.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from grader.data.generators import derive_seed, draw_rows, is_published_table, load_generator, table_origin
from grader.data.public_sets.hidden_rows import random_stream
from grader.data.public_sets.preparation import prepare_public_set
from grader.data.tables import Array, Table, read_table, split_table
from grader.i18n.message import message
from grader.models.assignment import Assignment, Data, Hidden
from grader.models.errors import DatasetError

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
    rule = table_origin(assignment, secret).rule
    return _draw_hidden(data, derive_seed(secret, assignment.id, assignment.version, "hidden"), rule)


@cache
def _draw_hidden(data: Data, seed: int, rule: int | None) -> Table:
    assert data.hidden.generator is not None  # spec allows exactly one of the two
    rows = data.hidden.rows
    table = draw_rows(load_generator(data.hidden.generator), data, rows, seed, rule=rule)
    _check_like_public(f"{data.hidden.generator}: draw({rows}, seed)", table.inputs, data)
    return table


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


# ---------------------------------------------------------------- assignments with their data


def prepare_data(assignment: Assignment, secret: bytes, library: Path | None, workspace: Path) -> Assignment:
    """Return ``assignment`` with plain ``data`` in place of ``public``, and with warnings about its data.

    The files made from a public set lie below ``workspace``, which must exist until everything is graded. Raises
    DatasetError when the set is not in the ``library``, or a table was not drawn from ``secret``.
    """
    if assignment.public is None:
        return with_warnings(assignment, secret)
    if library is None:
        raise DatasetError(
            message(
                "{id}: needs the dataset {set}, but there is no library", id=assignment.id, set=assignment.public.set
            )
        )
    seed = derive_seed(secret, assignment.id, assignment.version, "public")
    return prepare_public_set(assignment, library, workspace, random_stream(seed))


def with_warnings(assignment: Assignment, secret: bytes) -> Assignment:
    """Return ``assignment`` with a warning if its rule is public. Raises DatasetError like ``table_origin``."""
    if secret == PRACTICE_SECRET or not table_origin(assignment, secret).is_published:
        return assignment
    assert assignment.data is not None
    warning = message(
        "{table} is the published one, so its rule is public: a notebook with the rule written into it needs no model. "
        "For a real class, draw your own: grader data draw {id}",
        table=assignment.data.table.name, id=assignment.id,
    )  # fmt: skip
    return replace(assignment, warnings=(*assignment.warnings, warning))


def practice_assignment(assignment: Assignment, workspace: Path, own_table: Path | None = None) -> Assignment:
    """Return ``assignment`` without the teacher's hidden set, for a student's own check.

    A generated or public set needs no change: it is drawn with ``PRACTICE_SECRET``. With a hidden file, or a table that
    follows a teacher's own rule, every fifth public row is held back from the notebook and becomes the hidden set.
    ``own_table`` is the table beside the student's notebook, which replaces the published one.
    """
    data = assignment.data
    if data is None or (data.hidden.generator is not None and not load_generator(data.hidden.generator).has_rules):
        return assignment
    table = own_table if own_table is not None and own_table.is_file() and data.hidden.generator else data.table
    if data.hidden.generator is not None and is_published_table(table, data):
        return assignment
    read_table(table, data)  # raises for a broken table, with the line
    workspace.mkdir(parents=True, exist_ok=True)
    visible, held_back = workspace / data.table.name, workspace / f"kept_back{data.table.suffix}"
    split_table(table, held_back, visible, every=PRACTICE_SHARE)
    files = tuple(visible if path == data.table else path for path in data.files)
    return assignment.with_data(replace(data, files=files, table=visible, hidden=Hidden(file=held_back)))
