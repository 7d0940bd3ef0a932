"""Notebooks of other places run for real: what each cell gave, and what was noted for its author."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from grader.models.assignment import Limits
from grader.sandbox.base import Ended, Job, Sandbox
from tests.support.notebooks import notebook_bytes


@dataclass(frozen=True)
class Place:
    """What a course lays beside the notebook."""

    files: Mapping[str, Path]
    sources: Mapping[str, str]
    library: Path | None = None
    withheld: Mapping[str, Path] = field(default_factory=dict)

    def run(self, sandbox: Sandbox, **cells: str) -> Outputs:
        """Each cell under a name of its own."""
        job = Job(
            notebook_bytes(*cells.values()),
            self.files,
            Limits(seconds=90),
            sources=self.sources,
            library=self.library,
            withheld=self.withheld,
        )
        reply = sandbox.run(job)
        assert reply.ended is Ended.FINISHED, reply.log
        assert reply.executed is not None and reply.facts is not None, reply.log
        executed = nbformat.reads(reply.executed.decode(), as_version=4)
        return Outputs(
            {name: _text(cell) for name, cell in zip(cells, executed.cells, strict=True)},
            {name: _error(cell) for name, cell in zip(cells, executed.cells, strict=True)},
            [(note["kind"], note["found"], note["used"]) for note in json.loads(reply.facts)["adaptations"]],
            {name: _traceback(cell) for name, cell in zip(cells, executed.cells, strict=True)},
        )


@dataclass(frozen=True)
class Outputs:
    text: Mapping[str, str]
    error: Mapping[str, str]  # "" or "Name: message"
    notes: list[tuple[str, str, str]]
    tracebacks: Mapping[str, str]

    def assert_no_errors(self) -> None:
        assert {name: error for name, error in self.error.items() if error} == {}


def _text(cell: nbformat.NotebookNode) -> str:
    return "".join(output.get("text", "") for output in cell.outputs).strip()


def _traceback(cell: nbformat.NotebookNode) -> str:
    return "\n".join(line for output in cell.outputs for line in output.get("traceback", ()))


def _error(cell: nbformat.NotebookNode) -> str:
    errors = (f"{output.ename}: {output.evalue}" for output in cell.outputs if output.output_type == "error")
    return next(errors, "")
