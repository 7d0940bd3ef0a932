"""The TOML file of the measurements, with the machine and the versions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from contest.forging import Forged, tally
from contest.memory import Memory
from contest.timing import Spread, Timed, each_round, spread


@dataclass(slots=True)
class Record:
    date: str
    machine: str
    python: str
    load_before: str
    versions: Mapping[str, str]
    peers: Mapping[str, str] = field(default_factory=dict)
    timed: Mapping[str, Sequence[Timed]] = field(default_factory=dict)
    memory: Memory | None = None
    forged: Sequence[Forged] = ()
    load_after: str = ""


def toml(record: Record) -> str:
    lines = [
        f"date = {record.date}",
        f"machine = {json.dumps(record.machine)}",
        f"python = {json.dumps(record.python)}",
        f'load_average = {{ before = "{record.load_before}", after = "{record.load_after}" }}',
        *_table("versions", {**record.versions, **record.peers}),
    ]
    for name, rounds in record.timed.items():
        lines += _table(f"seconds.{json.dumps(name)}", _times(rounds))
    if record.memory is not None:
        memory = record.memory
        numbers = {
            "idle_slot": memory.idle_slot,
            "slot": memory.slot,
            "allocated": memory.allocated,
            "above": memory.above,
        }
        lines += _table("megabytes", {name: round(number, 1) for name, number in numbers.items()})
    if record.forged:
        there, here, cases = tally(record.forged)
        lines += _table("forged", {"cases": cases, "full_marks_nbgrader": there, "full_marks_here": here})
        lines += ["", "# Points for accuracy, of 60. -1: the grader gave no number.", "[forged.points]"]
        for case in record.forged:
            points = [-1 if points is None else round(points, 2) for points in (case.nbgrader, case.here)]
            lines.append(f"{json.dumps(case.name)} = {points}  # nbgrader, here")
    return "\n".join(lines) + "\n"


def _times(rounds: Sequence[Timed]) -> dict[str, object]:
    found: dict[str, object] = {
        "notebooks": rounds[0].notebooks,
        "rounds": len(rounds),
        "a_notebook": each_round(rounds, lambda timed: timed.per_notebook),
        "points": sorted({points for timed in rounds for points in timed.points}),
    }
    spreads: dict[str, list[float]] = {
        "own_cells": [seconds for timed in rounds for seconds in timed.own],
        "overhead": [seconds for timed in rounds for seconds in timed.overhead],
        "each_command": [seconds for timed in rounds for seconds in timed.commands],
        "before_first_cell": [timed.before_first for timed in rounds if timed.before_first is not None],
    }
    return found | {name: spread(values) for name, values in spreads.items() if values}


def _table(name: str, values: Mapping[str, object]) -> list[str]:
    return ["", f"[{name}]", *(f"{key} = {_value(value)}" for key, value in values.items())]


def _value(value: object) -> str:
    if isinstance(value, Spread):
        return f"{{ median = {value.middle:.2f}, low = {value.low:.2f}, high = {value.high:.2f}, n = {value.n} }}"
    return json.dumps(value)
