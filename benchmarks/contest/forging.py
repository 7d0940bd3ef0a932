"""The same forged notebooks handed in to nbgrader and here: who lets them have the points?"""

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
from contest.nbgrader import ASSERTED, PARTIAL, exported, hand_in, make_course, marked, released, test_cell

SECONDS_FOR_LATECOMERS = 10  # what waits in the background until the grader is done gets its chance


@dataclass(frozen=True, slots=True)
class Forged:
    """The points that one notebook got for its accuracy, of 60; None when the grader gave no number at all."""

    name: str
    nbgrader: float | None
    here: float | None


def assignment_source(test: str) -> nbformat.NotebookNode:
    answer = marked(nbformat.v4.new_code_cell("# YOUR CODE HERE"), "answer", solution=True)
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
    there = graded_by_nbgrader(environment, course, cases)
    here = graded_here(folder, course, cases, sandbox)
    return tuple(Forged(case.name, there.get(student(case)), here.get(student(case))) for case in cases)


def student(case: Forgery) -> str:
    return case.name.replace(" ", "_").replace(",", "")


def graded_by_nbgrader(environment: Environment, course: Path, cases: tuple[Forgery, ...]) -> dict[str, float]:
    """Each alone, so that what one does to the gradebook is not taken for another's."""
    for case in cases:
        folder = hand_in(course, student(case), case.test, forged_notebook(case, released(course, case.test)))
        for name, content in case.files.items():
            (folder / name).write_text(content, "utf-8")
        environment.run("nbgrader", "autograde", case.test, "--student", student(case), cwd=course, check=False)
        if "later" in case.name:
            time.sleep(SECONDS_FOR_LATECOMERS)
    autograded = {path.parent.name for path in course.glob("autograded/*/*")}
    if not autograded:
        raise Unavailable("nbgrader autograde: graded none of the forged notebooks")
    points = exported(environment, course)
    return {student(case): points[student(case), case.test] for case in cases if (student(case), case.test) in points}


def graded_here(folder: Path, course: Path, cases: tuple[Forgery, ...], sandbox: str) -> dict[str, float | None]:
    """The files as nbgrader got them, in one class."""
    handed_in = folder / "class"
    for case in cases:
        target = handed_in / student(case)
        target.mkdir(parents=True)
        source = course / "submitted" / student(case) / case.test
        for path in source.iterdir():
            target.joinpath(path.name).write_bytes(path.read_bytes())
    words = command(handed_in, folder / "out", sandbox=sandbox, slots=1)
    subprocess.run(words, cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    return {one["student"]["name"]: accuracy_points(one["criteria"]) for one in submissions(folder / "out")}


def accuracy_points(criteria: list[dict[str, object]]) -> float | None:
    points = next(one["points"] for one in criteria if one["id"] == "accuracy")
    assert points is None or isinstance(points, (int, float))
    return points


def won(points: float | None) -> bool:
    return points is not None and points >= POINTS


def tally(forged: Sequence[Forged]) -> tuple[int, int, int]:
    """Forgeries with full marks at nbgrader, here, and how many there are."""
    plain = {case.name for case in (*PLAIN, *RIGHT)}
    tried = [one for one in forged if one.name not in plain]
    return sum(won(one.nbgrader) for one in tried), sum(won(one.here) for one in tried), len(tried)
