"""Real runs of notebooks: the output and the error of each cell, and the notes about adaptations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from grader.models.assignment import Limits
from grader.sandbox.base import EndReason, Job, Sandbox
from tests.support.notebooks import notebook_bytes

Note = tuple[str, str, str]  # kind, found, used


def _run(sandbox: Sandbox, job: Job) -> tuple[list[nbformat.NotebookNode], list[dict[str, Any]]]:
    """Return the executed cells and the notes of a job that finishes."""
    reply = sandbox.run(job)
    assert reply.ended is EndReason.FINISHED, reply.log
    assert reply.executed is not None and reply.facts is not None, reply.log
    return nbformat.reads(reply.executed.decode(), as_version=4).cells, json.loads(reply.facts)["adaptations"]


def _text(cell: nbformat.NotebookNode) -> str:
    return "".join(output.get("text", "") for output in cell.outputs).strip()


def _traceback(cell: nbformat.NotebookNode) -> str:
    return "\n".join(line for output in cell.outputs for line in output.get("traceback", ()))


def _error(cell: nbformat.NotebookNode) -> str:
    errors = (f"{output.ename}: {output.evalue}" for output in cell.outputs if output.output_type == "error")
    return next(errors, "")


# ------------------------------------------------------------------ a notebook with files, its cells by name


@dataclass(frozen=True)
class Outputs:
    text: Mapping[str, str]
    error: Mapping[str, str]  # "" or "Name: message"
    notes: list[Note]
    tracebacks: Mapping[str, str]

    def assert_no_errors(self) -> None:
        assert {name: error for name, error in self.error.items() if error} == {}


@dataclass(frozen=True)
class CourseFiles:
    """Files of a course beside the notebook."""

    files: Mapping[str, Path]
    sources: Mapping[str, str]
    library: Path | None = None
    withheld: Mapping[str, Path] = field(default_factory=dict)

    def run(self, sandbox: Sandbox, **cells: str) -> Outputs:
        """Run a notebook of cells with names."""
        job = Job(
            notebook_bytes(*cells.values()),
            self.files,
            Limits(seconds=90),
            sources=self.sources,
            library=self.library,
            withheld=self.withheld,
        )
        executed, notes = _run(sandbox, job)
        named = dict(zip(cells, executed, strict=True))
        return Outputs(
            {name: _text(cell) for name, cell in named.items()},
            {name: _error(cell) for name, cell in named.items()},
            [(note["kind"], note["found"], note["used"]) for note in notes],
            {name: _traceback(cell) for name, cell in named.items()},
        )


# ------------------------------------------------------------------ a notebook without files, with notes by cell


@dataclass(frozen=True)
class CellResult:
    error: str  # "" or "Name: message"
    text: str
    notes: tuple[Note, ...]

    def has_note(self, found: str, used: str = "") -> bool:
        return any((found, used) == note[1:] for note in self.notes)


def run_cells(
    sandbox: Sandbox, cells: Sequence[str], seconds: float = 120, library: Path | None = None
) -> list[CellResult]:
    executed, notes = _run(sandbox, Job(notebook_bytes(*cells), {}, Limits(seconds=seconds), library=library))
    results = []
    for cell in executed:
        text = "".join(output.text for output in cell.outputs if output.get("name") == "stdout")
        of_cell = [note for note in notes if note["count"] == cell.execution_count]
        triples = tuple((note["kind"], note["found"], note["used"]) for note in of_cell)
        results.append(CellResult(_error(cell), text, triples))
    return results


def run_notebooks(
    sandbox: Sandbox, notebooks: Mapping[str, Sequence[str]], library: Path | None = None
) -> dict[str, list[CellResult]]:
    """Run notebooks by name, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda cells: run_cells(sandbox, cells, library=library), notebooks.values())
        return dict(zip(notebooks, results, strict=True))
