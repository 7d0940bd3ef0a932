"""Grading of the same forged notebooks by nbgrader and by this grader."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from contest.environment import Environment, Unavailable
from contest.forgeries import PLAIN, RIGHT, Forgery, Test, forgeries
from contest.here import command, submissions
from contest.homework import POINTS, ROOT
from contest.nbgrader import ASSERTED, PARTIAL, export_points, hand_in, make_course, mark_cell, released, test_cell

BACKGROUND_SECONDS = 10  # time for a background process that waits until the grader has finished


@dataclass(frozen=True, slots=True)
class Forged:
    """Points of a notebook for its accuracy, of 60; None if the grader gave no number."""

    name: str
    nbgrader: float | None
    here: float | None


def assignment_source(test: str) -> nbformat.NotebookNode:
    answer = mark_cell(nbformat.v4.new_code_cell("# YOUR CODE HERE"), "answer", solution=True)
    given = nbformat.v4.new_code_cell("import numpy as np")
    return nbformat.v4.new_notebook(cells=[given, answer, test_cell("accuracy", test, "predict(hidden[:, :-1])")])


def forged_notebook(forgery: Forgery, release: nbformat.NotebookNode) -> nbformat.NotebookNode:
    answer = next(cell for cell in release.cells if cell.metadata.get("nbgrader", {}).get("solution"))
    answer.source = forgery.answer
    forgery.edit(release)
    return release


def forge(environment: Environment, folder: Path, *, sandbox: str) -> tuple[Forged, ...]:
    course, out = folder / "course", folder / "out"
    cases = (*PLAIN, *RIGHT, *forgeries(str(out)))
    sources: Mapping[Test, str] = {"asserting": ASSERTED, "partial": PARTIAL}
    make_course(environment, course, {name: assignment_source(test) for name, test in sources.items()})
    there = grade_with_nbgrader(environment, course, cases)
    here = grade_here(folder, course, cases, sandbox)
    return tuple(Forged(case.name, there.get(student(case)), here.get(student(case))) for case in cases)


def student(case: Forgery) -> str:
    return case.name.replace(" ", "_").replace(",", "")


def grade_with_nbgrader(environment: Environment, course: Path, cases: tuple[Forgery, ...]) -> dict[str, float]:
    """Grade each notebook separately: its changes of the gradebook must not count for another notebook."""
    for case in cases:
        folder = hand_in(course, student(case), case.test, forged_notebook(case, released(course, case.test)))
        for name, content in case.files.items():
            (folder / name).write_text(content, "utf-8")
        environment.run("nbgrader", "autograde", case.test, "--student", student(case), cwd=course, check=False)
        if "later" in case.name:
            time.sleep(BACKGROUND_SECONDS)
    autograded = {path.parent.name for path in course.glob("autograded/*/*")}
    if not autograded:
        raise Unavailable("nbgrader autograde: graded none of the forged notebooks")
    points = export_points(environment, course)
    return {student(case): points[student(case), case.test] for case in cases if (student(case), case.test) in points}


def grade_here(folder: Path, course: Path, cases: tuple[Forgery, ...], sandbox: str) -> dict[str, float | None]:
    """Grade the files that nbgrader got, as a class."""
    handed_in = folder / "class"
    for case in cases:
        target = handed_in / student(case)
        target.mkdir(parents=True)
        source = course / "submitted" / student(case) / case.test
        for path in source.iterdir():
            target.joinpath(path.name).write_bytes(path.read_bytes())
    words = command(handed_in, folder / "out", sandbox=sandbox, slots=1)
    subprocess.run(words, cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    return {entry["student"]["name"]: accuracy_points(entry["criteria"]) for entry in submissions(folder / "out")}


def accuracy_points(criteria: list[dict[str, object]]) -> float | None:
    points = next(criterion["points"] for criterion in criteria if criterion["id"] == "accuracy")
    assert points is None or isinstance(points, (int, float))
    return points


def won(points: float | None) -> bool:
    return points is not None and points >= POINTS


def tally(forged: Sequence[Forged]) -> tuple[int, int, int]:
    """Return the number of forgeries with full marks in nbgrader and in this grader, and of all forgeries."""
    plain = {case.name for case in (*PLAIN, *RIGHT)}
    tried = [case for case in forged if case.name not in plain]
    return sum(won(case.nbgrader) for case in tried), sum(won(case.here) for case in tried), len(tried)
