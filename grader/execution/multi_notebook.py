"""Courses of several notebooks: each runs as a separate job, and the results are merged into one ``Run``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import nbformat
from nbformat.v4 import new_markdown_cell, new_notebook

from grader.execution.runner import PreparedAssignment, run_submission
from grader.files.atomic import write_text
from grader.i18n.message import Message, message
from grader.models.assignment import Criterion
from grader.models.course import Course, TestResult
from grader.models.pdf_report import Document
from grader.models.run import Cell, Outcome, Run
from grader.models.submission import Submission
from grader.notebook.repair import unique_ids
from grader.sandbox.base import Sandbox

_CELLS = ("cell", "other")  # names of message values that are cell numbers
_NOT_RUN = (Outcome.MISSING, Outcome.FORBIDDEN)
_SEVERITY = (
    Outcome.OK,
    Outcome.ERROR,
    Outcome.DISK,
    Outcome.MEMORY,
    Outcome.TIMEOUT,
    Outcome.MISSING,
    Outcome.FORBIDDEN,
    Outcome.GRADER_FAULT,
)


def run_notebooks(
    submission: Submission,
    prepared: PreparedAssignment,
    sandbox: Sandbox,
    *,
    out: Path,
    document: Document | None = None,
) -> Run:
    """Execute each submitted notebook of a course. A missing one costs only its own points, with a note.

    Write each to ``out/students/<id>/executed/<name>``, and all of them together to ``executed.ipynb``.
    """
    course = prepared.assignment.course
    assert course is not None
    parts = _parts(submission, course)
    if not parts:
        return run_submission(submission, prepared, sandbox, out=out, document=document)  # gives the reason
    runs = {
        name: run_submission(
            replace(submission, notebook=path, notebook_name=name),
            prepared,
            sandbox,
            out=out,
            document=document,
        )
        for name, path in parts.items()
    }
    executed, cells = _join_notebooks(runs, out / "students" / submission.student.id / "executed.ipynb")
    runs = _renumber_cells(runs) if len(runs) > 1 else runs
    tests = [test for run in runs.values() if run.outcome not in _NOT_RUN for test in run.tests]
    tests += _missing_tests(prepared.assignment.rubric, runs, course)
    run = replace(_merge(runs), executed=executed, cells=cells, tests=tuple(tests))
    return replace(run, notes=run.notes + tuple(_missing_notes(parts, course)))


def _parts(submission: Submission, course: Course) -> Mapping[str, Path]:
    """Return the notebooks by name. A submission that did not come through intake has one notebook."""
    if submission.parts or submission.notebook is None or submission.problem is not None:
        return submission.parts
    only = submission.notebook_name if submission.notebook_name in course.notebooks else next(iter(course.notebooks))
    return {only: submission.notebook}


def _renumber_cells(runs: Mapping[str, Run]) -> dict[str, Run]:
    """Return the runs with cell numbers in their messages as in the joined notebook."""
    before = 0
    renumbered: dict[str, Run] = {}
    for name, run in runs.items():
        before += run.executed is not None  # the heading
        reason = None if run.reason is None else _shift_cell_numbers(run.reason, before)
        renumbered[name] = replace(
            run, reason=reason, notes=tuple(_shift_cell_numbers(note, before) for note in run.notes)
        )
        before += len(run.cells)
    return renumbered


def _shift_cell_numbers(note: Message, by: int) -> Message:
    numbers = {key: value + by for key, value in note.values.items() if key in _CELLS and isinstance(value, int)}
    return replace(note, values={**note.values, **numbers})


def _merge(runs: Mapping[str, Run]) -> Run:
    """Merge runs: the worst outcome, summed times, the peak memory. Notebooks that did not run count as an error."""
    if len(runs) == 1:
        return next(iter(runs.values()))
    worst = max(runs, key=lambda name: _SEVERITY.index(runs[name].outcome))
    outcome, reason = runs[worst].outcome, runs[worst].reason
    if outcome in _NOT_RUN and any(run.outcome not in _NOT_RUN for run in runs.values()):
        outcome = Outcome.ERROR
    every = list(runs.values())
    facts = max(every, key=lambda run: len(run.facts.fits)).facts
    return replace(
        runs[worst],
        outcome=outcome,
        lacking=next((run.lacking for run in every if run.lacking is not None), None),
        reason=None if reason is None else message("{name}: {reason}", name=worst, reason=reason),
        facts=replace(facts, adaptations=()),  # dropped, because their cell indices refer to a single notebook
        seconds=sum(run.seconds for run in every),
        cell_seconds=sum(run.cell_seconds for run in every),
        peak_memory_mb=max(run.peak_memory_mb for run in every),
        notes=tuple(message("{name}: {reason}", name=name, reason=note) for name in runs for note in runs[name].notes),
        reviews=tuple(
            message("{name}: {reason}", name=name, reason=review) for name in runs for review in runs[name].reviews
        ),
    )


def _missing_notes(parts: Mapping[str, Path], course: Course) -> Iterator[Message]:
    for name in course.notebooks.keys() - parts.keys():
        yield message("{name} was not submitted, so its points are missing.", name=name)


def _missing_tests(rubric: Sequence[Criterion], runs: Mapping[str, Run], course: Course) -> Iterator[TestResult]:
    """Yield a result of 0 points, with the reason, for each test of a notebook that did not run."""
    for name in course.notebooks:
        run = runs.get(name)
        if run is not None and run.outcome not in _NOT_RUN:
            continue
        reason = run.reason if run is not None else None
        reason = reason or message("{name} was not submitted.", name=name)
        for criterion in rubric:
            if criterion.id.startswith(f"{PurePosixPath(name).stem}/"):
                yield TestResult(criterion.id, 0.0, criterion.points, reason)


def _join_notebooks(runs: Mapping[str, Run], path: Path) -> tuple[Path | None, tuple[Cell, ...]]:
    """Join the executed notebooks for the report, each under its name, with cells numbered consecutively."""
    nodes = []
    cells: list[Cell] = []
    for name, run in runs.items():
        if run.executed is None:
            continue
        part = nbformat.reads(run.executed.read_text("utf-8"), as_version=4)
        if len(runs) > 1:
            nodes.append(new_markdown_cell(f"# {name}"))
            cells.append(Cell(len(cells), "markdown", 0, given=True))
        cells += [replace(cell, index=len(cells) + number) for number, cell in enumerate(run.cells)]
        nodes += part.cells
    if not nodes:
        return None, ()
    for node, unique in zip(nodes, unique_ids(nodes), strict=True):
        node["id"] = unique
    write_text(path, nbformat.writes(new_notebook(cells=nodes)))
    return path, tuple(cells)
