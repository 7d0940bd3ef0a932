"""Build otter assignments for tests and grade notebooks with them in a sandbox."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from grader.execution.runner import prepare_assignment, run_submission
from grader.models.assignment import Assignment, Limits
from grader.models.grade import Score
from grader.models.run import Run
from grader.sandbox.base import Sandbox
from grader.scoring.scoring import score_run
from tests.support.notebooks import submission_of

BEGIN = 'import otter\ngrader = otter.Notebook("hw.ipynb")'


NAME = "the_questions_own_name"


def ok(*cases: str | Mapping[str, Any], **test: Any) -> str:
    """Return a test file of doctests; a case given as a string is public."""
    written = [{"code": case, "hidden": False} if isinstance(case, str) else dict(case) for case in cases]
    suite = {"cases": written, "scored": True, "setup": "", "teardown": "", "type": "doctest"}
    return f"OK_FORMAT = True\n\ntest = { {'name': NAME, 'points': None, **test, 'suites': [suite]}!r}\n"


def functions(body: str, **settings: Any) -> str:
    """Return a test file of test functions."""
    lines = [f"{name} = {value!r}" for name, value in ({"name": NAME, "points": None} | settings).items()]
    return "\n".join(["from otter.test_files import test_case", "", "OK_FORMAT = False", *lines, "", body, ""])


def folder(place: Path, tests: Mapping[str, str], config: Mapping[str, Any] | None = None) -> Path:
    """Write an unpacked autograder zip."""
    (place / "tests").mkdir(parents=True)
    for question, source in tests.items():
        (place / "tests" / f"{question}.py").write_text(source.replace(NAME, question), "utf-8")
    if config is not None:
        (place / "otter_config.json").write_text(json.dumps(config), "utf-8")
    return place


@dataclass(frozen=True)
class Result:
    run: Run
    scores: Mapping[str, Score]

    @property
    def points(self) -> dict[str, float | None]:
        return {question: score.points for question, score in self.scores.items()}

    def reason(self, question: str) -> str:
        return str(self.scores[question].reason)

    @property
    def executed(self) -> NotebookNode:
        assert self.run.executed is not None
        return nbformat.reads(self.run.executed.read_text("utf-8"), as_version=4)


def cells(*sources: str | NotebookNode) -> NotebookNode:
    made = [new_code_cell(source) if isinstance(source, str) else source for source in sources]
    return new_notebook(cells=made)


def graded(assignment: Assignment, notebook: NotebookNode, sandbox: Sandbox, out: Path) -> Result:
    out.mkdir(exist_ok=True)
    handed_in = submission_of(out, "student", nbformat.writes(notebook).encode())
    assert assignment.course is not None
    named = replace(handed_in, notebook_name=next(iter(assignment.course.notebooks)))
    run = run_submission(named, prepare_assignment(assignment, b"s" * 32), sandbox, out=out)
    return Result(run, {score.criterion: score for score in score_run(run, assignment, None)})


def quick(assignment: Assignment, **limits: float) -> Assignment:
    from dataclasses import replace

    return replace(assignment, limits=Limits(**limits))  # type: ignore[arg-type]
