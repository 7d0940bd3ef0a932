"""Generators: the teacher's code that draws hidden rows, and the rule behind the rows.

A generator with ``draw(rows, seed)`` has one rule. Once its assignment is published, a student who writes the rule into
a notebook needs no model. A generator with ``draw(rows, seed, rule)`` has a rule for every number: 0 is the published
one, of the table in the assignment's folder; others follow from a teacher's secret, and with them the teacher's table.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from inspect import signature
from pathlib import Path

import numpy as np

from grader.data.tables import ARRAYS, Array, Table, read_table
from grader.i18n.message import message
from grader.models.assignment import Assignment, Data
from grader.models.errors import DatasetError

PUBLISHED_RULE = 0


@dataclass(frozen=True, slots=True)
class Generator:
    """The generator of an assignment."""

    path: Path
    draw: Callable[..., tuple[Array, Array]]
    published_seed: int | None = None  # of the table in the assignment's folder; None: there is only one rule

    @property
    def has_rules(self) -> bool:
        return self.published_seed is not None


@dataclass(frozen=True, slots=True)
class Origin:
    """Origin of an assignment's table: its rule, None if its generator has only one."""

    rule: int | None = None

    @property
    def is_published(self) -> bool:
        """Return whether the rule is public, though the generator has others."""
        return self.rule == PUBLISHED_RULE


def derive_seed(secret: bytes, *parts: str) -> int:
    """Return a 64-bit seed for one purpose. HMAC-SHA256: the seed reveals nothing about the secret."""
    digest = hmac.new(secret, "\0".join(parts).encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big")


def derive_secret(secret: bytes, assignment: Assignment) -> bytes:
    """Derive a secret for one assignment: it reveals neither the teacher's secret nor another assignment's."""
    purpose = "\0".join(("gradescope kit", assignment.id, assignment.version))
    return hmac.new(secret, purpose.encode(), hashlib.sha256).hexdigest().encode()


# ---------------------------------------------------------------- the table and its rule


def table_origin(assignment: Assignment, secret: bytes) -> Origin:
    """Return the origin of the assignment's table, by drawing it again.

    ``secret`` is the teacher's, or the one derived from it for this assignment. Raises DatasetError for a table that
    neither the secret nor the published rule gives: the hidden rows would follow another rule than the table.
    """
    data = assignment.data
    if data is None or data.hidden.generator is None:
        return Origin()
    generator = load_generator(data.hidden.generator)
    if generator.published_seed is None:
        return Origin()
    table = read_table(data.table, data)
    rows = len(table.inputs)
    for key in (derive_secret(secret, assignment), secret):
        rule, seed = derive_seed(key, "rule"), derive_seed(key, "table")
        if _are_equal(table, draw_rows(generator, data, rows, seed, rule=rule)):
            return Origin(rule)
    if is_published_table(data.table, data):
        return Origin(PUBLISHED_RULE)
    raise DatasetError(
        message(
            "{path}: was not drawn from the secret on this machine for {id}, version {version}. Grade where it was "
            "drawn, or copy the secret from there. For a table of your own: grader data draw {id}",
            path=data.table, id=assignment.id, version=assignment.version,
        )
    )  # fmt: skip


def is_published_table(path: Path, data: Data) -> bool:
    """Return whether the table at ``path`` is the published one of a generator with several rules."""
    generator = load_generator(data.hidden.generator) if data.hidden.generator is not None else None
    if generator is None or generator.published_seed is None:
        return False
    table = read_table(path, data)
    seed = generator.published_seed
    return _are_equal(table, draw_rows(generator, data, len(table.inputs), seed, rule=PUBLISHED_RULE))


def draw_own_table(assignment: Assignment, secret: bytes) -> Table:
    """Return the teacher's own public table, as long as the published one. Raises DatasetError."""
    data = assignment.data
    generator = load_generator(data.hidden.generator) if data is not None and data.hidden.generator else None
    if data is None or generator is None or generator.published_seed is None:
        raise DatasetError(
            message(
                "{id}: has no generator with draw(rows, seed, rule), so every teacher has its data", id=assignment.id
            )
        )
    key = derive_secret(secret, assignment)
    rows = len(read_table(data.table, data).inputs)
    return draw_rows(generator, data, rows, derive_seed(key, "table"), rule=derive_seed(key, "rule"))


def _are_equal(table: Table, other: Table) -> bool:
    return np.array_equal(table.inputs, other.inputs) and np.array_equal(table.targets, other.targets)


# ---------------------------------------------------------------- drawing


def draw_rows(generator: Generator, data: Data, rows: int, seed: int, *, rule: int | None) -> Table:
    """Return ``rows`` rows of the shape and type of the public ones; ``rule`` is None for the only one."""
    row = read_table(data.table, data).inputs.shape[1:]
    call = f"draw({rows}, seed)" if rule is None else f"draw({rows}, seed, rule)"
    try:
        inputs, targets = map(np.asarray, generator.draw(rows, seed, *(() if rule is None else (rule,))))
    except DatasetError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise DatasetError(
            message("{path}: {call} failed: {reason}", path=generator.path, call=call, reason=reason)
        ) from error
    if inputs.shape != (rows, *row) or targets.shape != (rows,):
        raise DatasetError(
            message(
                "{path}: {call} gave shapes {inputs} and {targets}, expected {shape} and ({rows},)",
                path=generator.path, call=call, inputs=inputs.shape, targets=targets.shape, shape=(rows, *row),
                rows=rows,
            )
        )  # fmt: skip
    return Table(inputs if data.table.suffix == ARRAYS else inputs.astype(np.float64), targets)


@cache
def load_generator(path: Path) -> Generator:
    """Import an assignment's generator. It is the teacher's code, as trusted as the assignment itself."""
    spec = importlib.util.spec_from_file_location(f"generator_{path.parent.name}", path)
    if spec is None or spec.loader is None:
        raise DatasetError(message("{path}: cannot be loaded as Python", path=path))
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise DatasetError(message("{path}: {reason}", path=path, reason=f"{type(error).__name__}: {error}")) from error
    draw = getattr(module, "draw", None)
    if draw is None:
        raise DatasetError(message("{path}: found no function draw(rows, seed)", path=path))
    seed = getattr(module, "PUBLIC_SEED", None)
    has_rules = callable(draw) and "rule" in signature(draw).parameters
    if has_rules and not isinstance(seed, int):
        raise DatasetError(
            message(
                "{path}: draw has a rule, but PUBLIC_SEED is missing: the seed with which rule 0 gives the published "
                "table",
                path=path,
            )
        )  # fmt: skip
    return Generator(path, draw, seed if has_rules else None)
