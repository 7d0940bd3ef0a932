"""A notebook run for real, and per cell: the error, the text, and what was done for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat

from grader.models.assignment import Limits
from grader.sandbox.base import Ended, Job, Sandbox
from tests.support.notebooks import notebook_bytes


@dataclass(frozen=True)
class Ran:
    error: str  # "" or "Name: message"
    text: str
    notes: tuple[tuple[str, str, str], ...]  # kind, found, used

    def noted(self, found: str, used: str = "") -> bool:
        return any(found == note[1] and used == note[2] for note in self.notes)


def all_ran(
    sandbox: Sandbox, notebooks: Mapping[str, Sequence[str]], library: Path | None = None
) -> dict[str, list[Ran]]:
    """By name; two at a time."""
    with ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda cells: ran(sandbox, cells, library=library), notebooks.values())
        return dict(zip(notebooks, results, strict=True))


def ran(sandbox: Sandbox, cells: Sequence[str], seconds: float = 120, library: Path | None = None) -> list[Ran]:
    reply = sandbox.run(Job(notebook_bytes(*cells), {}, Limits(seconds=seconds), library=library))
    assert reply.ended is Ended.FINISHED, reply.log
    assert reply.executed is not None and reply.facts is not None, reply.log
    notes = json.loads(reply.facts)["adaptations"]
    result = []
    for cell in nbformat.reads(reply.executed.decode(), as_version=4).cells:
        errors = [f"{output.ename}: {output.evalue}" for output in cell.outputs if output.output_type == "error"]
        text = "".join(output.text for output in cell.outputs if output.get("name") == "stdout")
        mine = tuple((n["kind"], n["found"], n["used"]) for n in notes if n["count"] == cell.execution_count)
        result.append(Ran(next(iter(errors), ""), text, mine))
    return result
