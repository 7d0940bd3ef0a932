"""Build nbgrader courses for tests: the teacher's notebooks, released notebooks and submissions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat

from grader.execution.multi_notebook import run_notebooks
from grader.execution.runner import prepare_assignment
from grader.models.assignment import Assignment
from grader.models.run import Run
from grader.models.submission import Student, Submission
from grader.notebook.parse import parse
from grader.sandbox.base import Sandbox
from grader.spec.discovery import by_name
from grader.spec.formats.nbgrader_source import read_source
from tests.support.fake_runs import SECRET

Cell = dict[str, Any]
Edit = Callable[[list[Cell]], list[Cell]]

KINDS: Mapping[str, dict[str, Any]] = {
    "test": {"grade": True, "solution": False, "locked": True},
    "answer": {"grade": False, "solution": True, "locked": False},
    "manual": {"grade": True, "solution": True, "locked": False},
    "task": {"grade": False, "solution": False, "locked": True, "task": True},
    "given": {"grade": False, "solution": False, "locked": True},
}


def code(source: str, **metadata: Any) -> Cell:
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [], "execution_count": None}


def text(source: str, **metadata: Any) -> Cell:
    return {"cell_type": "markdown", "source": source, "metadata": metadata}


def marked(kind: str, name: str, source: str, points: Any = 1, *, markdown: bool = False, **changes: Any) -> Cell:
    """Return a cell with nbgrader's metadata; ``changes`` replace single entries."""
    marks = {"schema_version": 3, "grade_id": name, "task": False} | KINDS[kind]
    if kind in ("test", "manual", "task"):
        marks["points"] = points
    made = text if markdown or kind == "task" else code
    return made(source, nbgrader=marks | changes)


def notebook(cells: Sequence[Cell]) -> bytes:
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": kernel, "cells": list(cells)}).encode()


def write_course(root: Path, notebooks: Mapping[str, Sequence[Cell]], **files: bytes) -> Path:
    """Write the course and return ``root/source/ps1``."""
    folder = root / "source" / "ps1"
    folder.mkdir(parents=True, exist_ok=True)
    for name, cells in notebooks.items():
        (folder / name).write_bytes(notebook(cells))
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_bytes(content)
    return folder


def handed_out(path: Path) -> list[Cell]:
    """Return the cells as nbgrader releases the teacher's notebook at ``path``."""
    ours, problems = read_source(path)
    assert problems == ()
    return [
        (code if cell.cell_type == "code" else text)(
            cell.released, **({"nbgrader": dict(cell.marks)} if cell.marks else {})
        )
        for cell in ours
    ]


def name_of(cell: Cell) -> str:
    found = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
    return str(found)


def answered(cells: Sequence[Cell], answers: Mapping[str, str]) -> list[Cell]:
    made = deepcopy(list(cells))
    for cell in made:
        cell["source"] = answers.get(name_of(cell), cell["source"])
    return made


def loaded(folder: Path) -> Assignment:
    return by_name(str(folder))


def graded(assignment: Assignment, sandbox: Sandbox, room: Path, **parts: Sequence[Cell]) -> Run:
    """Run the submitted notebooks ``parts``, by the course's names without suffix."""
    room.mkdir(parents=True, exist_ok=True)
    paths = {f"{name}.ipynb": room / f"{name}.ipynb" for name in parts}
    for name, cells in parts.items():
        paths[f"{name}.ipynb"].write_bytes(notebook(cells))
    first = next(iter(paths.values()))
    submission = Submission(Student("ann", "Ann"), first, first.name, parts=paths)
    return run_notebooks(submission, prepare_assignment(assignment, SECRET), sandbox, out=room / "out")


def points(run: Run) -> dict[str, float | None]:
    return {test.criterion.partition("/")[2]: test.points for test in run.tests}


def reasons(run: Run) -> dict[str, str]:
    return {test.criterion.partition("/")[2]: str(test.reason) for test in run.tests}


def executed(run: Run) -> str:
    """Return the text of the executed notebook, the source of every report."""
    assert run.executed is not None
    return run.executed.read_text("utf-8")


def node(cells: Sequence[Cell]) -> nbformat.NotebookNode:
    """Parse the cells as the grader parses a submission."""
    parsed = parse(notebook(cells)).notebook
    assert parsed is not None
    return parsed
