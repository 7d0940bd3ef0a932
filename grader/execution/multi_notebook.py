"""A course's notebooks, each run as a job of its own, put together into one ``Run``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import nbformat
from nbformat.v4 import new_markdown_cell, new_notebook

from grader.execution.runner import Exam, run_submission
from grader.files.atomic import write_text
from grader.i18n.message import Message, message
from grader.models.assignment import Criterion
from grader.models.course import Course, TestResult
from grader.models.run import Cell, Outcome, Run
from grader.models.submission import Submission
from grader.notebook.repair import unique_ids
from grader.sandbox.base import Sandbox

_CELLS = ("cell", "other")  # what messages call a cell's number
_NOTHING = (Outcome.MISSING, Outcome.FORBIDDEN)
_WORSE = (
    Outcome.OK,
    Outcome.ERROR,
    Outcome.DISK,
    Outcome.MEMORY,
    Outcome.TIMEOUT,
    Outcome.MISSING,
    Outcome.FORBIDDEN,
    Outcome.GRADER_FAULT,
)


def run_parts(submission: Submission, exam: Exam, sandbox: Sandbox, *, out: Path) -> Run:
    """Each notebook that was handed in is run; one that was not costs its own points, and the run says so.

    Keeps ``out/students/<id>/executed/<name>`` of each, and all of them in ``executed.ipynb``.
    """
    course = exam.assignment.course
    assert course is not None
    parts = _parts(submission, course)
    if not parts:
        return run_submission(submission, exam, sandbox, out=out)  # which says why there is nothing to run
    runs = {
        name: run_submission(replace(submission, notebook=path, notebook_name=name), exam, sandbox, out=out, part=name)
        for name, path in parts.items()
    }
    executed, cells = _joined(runs, out / "students" / submission.student.id / "executed.ipynb")
    runs = _renumbered(runs) if len(runs) > 1 else runs
    tests = [test for run in runs.values() if run.outcome not in _NOTHING for test in run.tests]
    tests += _untested(exam.assignment.rubric, runs, course)
    run = replace(_merged(runs), executed=executed, cells=cells, tests=tuple(tests))
    return replace(run, notes=run.notes + tuple(_left_out(parts, course)))


def _parts(submission: Submission, course: Course) -> Mapping[str, Path]:
    """A submission that did not come through intake has its one notebook."""
    if submission.parts or submission.notebook is None or submission.problem is not None:
        return submission.parts
    only = submission.notebook_name if submission.notebook_name in course.notebooks else next(iter(course.notebooks))
    return {only: submission.notebook}


def _renumbered(runs: Mapping[str, Run]) -> dict[str, Run]:
    """What is said of cells by their numbers, as the joined notebook numbers them."""
    before = 0
    found: dict[str, Run] = {}
    for name, run in runs.items():
        before += run.executed is not None  # the heading
        reason = None if run.reason is None else _moved(run.reason, before)
        found[name] = replace(run, reason=reason, notes=tuple(_moved(note, before) for note in run.notes))
        before += len(run.cells)
    return found


def _moved(said: Message, by: int) -> Message:
    numbers = {key: value + by for key, value in said.values.items() if key in _CELLS and isinstance(value, int)}
    return replace(said, values={**said.values, **numbers})


def _merged(runs: Mapping[str, Run]) -> Run:
    """The worst outcome, sums of times, the most memory; one that could not be run does not speak for the others."""
    if len(runs) == 1:
        return next(iter(runs.values()))
    worst = max(runs, key=lambda name: _WORSE.index(runs[name].outcome))
    outcome, reason = runs[worst].outcome, runs[worst].reason
    if outcome in _NOTHING and any(run.outcome not in _NOTHING for run in runs.values()):
        outcome = Outcome.ERROR
    every = list(runs.values())
    facts = max(every, key=lambda run: len(run.facts.fits)).facts
    return replace(
        runs[worst],
        outcome=outcome,
        reason=None if reason is None else message("{name}: {reason}", name=worst, reason=reason),
        facts=replace(facts, adaptations=()),  # they name cells by their places in one notebook
        seconds=sum(run.seconds for run in every),
        cell_seconds=sum(run.cell_seconds for run in every),
        peak_memory_mb=max(run.peak_memory_mb for run in every),
        brought_kb=max(run.brought_kb for run in every),
        notes=tuple(message("{name}: {reason}", name=name, reason=note) for name in runs for note in runs[name].notes),
    )


def _left_out(parts: Mapping[str, Path], course: Course) -> Iterator[Message]:
    for name in course.notebooks.keys() - parts.keys():
        yield message("{name} was not handed in: its points are missing.", name=name)


def _untested(rubric: Sequence[Criterion], runs: Mapping[str, Run], course: Course) -> Iterator[TestResult]:
    """What is said of each test of a notebook that did not run."""
    for name in course.notebooks:
        run = runs.get(name)
        if run is not None and run.outcome not in _NOTHING:
            continue
        reason = run.reason if run is not None else None
        said = reason or message("{name} was not handed in.", name=name)
        for criterion in rubric:
            if criterion.id.startswith(f"{PurePosixPath(name).stem}/"):
                yield TestResult(criterion.id, 0.0, criterion.points, said)


def _joined(runs: Mapping[str, Run], path: Path) -> tuple[Path | None, tuple[Cell, ...]]:
    """All that ran as one notebook for the report, under the names of its parts; the cells numbered through."""
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
