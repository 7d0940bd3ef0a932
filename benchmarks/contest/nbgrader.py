"""A course in nbgrader as its documentation shows: a course folder, hidden tests in the source, ``autograde``."""

from __future__ import annotations

import csv
import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from contest.environment import Environment
from contest.homework import FULL_AT, NOTHING_AT, POINTS, TABLE, read_rows, reference
from contest.timing import Timed, timed

CONFIG = 'c = get_config()\nc.CourseDirectory.course_id = "deep_learning"\nc.ExecutePreprocessor.timeout = 120\n'
HIDDEN = "### BEGIN HIDDEN TESTS\n{rows}\n{test}\n### END HIDDEN TESTS"
MODEL = "(model.predict(hidden[:, :-1], verbose=0)[:, 0] > 0.5)"
ASSERTED = f"accuracy = np.mean({{answers}} == hidden[:, -1])\nassert accuracy >= {FULL_AT}"
# float(), because nbgrader cannot read how NumPy 2 displays its numbers, and gives full marks without a number.
PARTIAL = f"""\
accuracy = np.mean({{answers}} == hidden[:, -1])
float(np.clip((accuracy - {NOTHING_AT}) / ({FULL_AT} - {NOTHING_AT}), 0, 1)) * {POINTS}"""


def mark_cell(cell: NotebookNode, name: str, *, points: float | None = None, solution: bool = False) -> NotebookNode:
    """Mark a cell as nbgrader's toolbar does: for the student's solution, or with ``points`` as a locked test."""
    metadata = {"schema_version": 3, "grade_id": name, "solution": solution, "task": False, "locked": not solution}
    cell.metadata["nbgrader"] = metadata | (
        {"grade": True, "points": points} if points is not None else {"grade": False}
    )
    return cell


def test_cell(name: str, test: str, answers: str) -> NotebookNode:
    source = HIDDEN.format(rows=read_rows(), test=test.format(answers=answers))
    return mark_cell(nbformat.v4.new_code_cell(source), name, points=POINTS)


def disease_source() -> NotebookNode:
    """Return the reference notebook with every code cell marked as a solution, and a test of ``model`` at the end."""
    notebook = reference()
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            mark_cell(cell, f"cell-{number}", solution=True)
    notebook.cells.append(test_cell("accuracy", ASSERTED, MODEL))
    return notebook


def make_course(environment: Environment, course: Path, sources: Mapping[str, NotebookNode]) -> None:
    """Create the source and release of each assignment, with a notebook of the assignment's name."""
    course.mkdir(parents=True)
    (course / "nbgrader_config.py").write_text(CONFIG, "utf-8")
    for assignment, source in sources.items():
        folder = course / "source" / assignment
        folder.mkdir(parents=True)
        nbformat.write(source, folder / f"{assignment}.ipynb")
        shutil.copy(TABLE, folder)
        environment.run("nbgrader", "generate_assignment", assignment, cwd=course)


def released(course: Path, assignment: str) -> NotebookNode:
    return nbformat.read(course / "release" / assignment / f"{assignment}.ipynb", as_version=4)


def fill_in(release: NotebookNode, source: NotebookNode) -> NotebookNode:
    """Fill the solution cells of a release from the source."""
    for cell, solved in zip(release.cells, source.cells, strict=True):
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = solved.source
    return release


def hand_in(course: Path, student: str, assignment: str, notebook: NotebookNode) -> Path:
    folder = course / "submitted" / student / assignment
    folder.mkdir(parents=True)
    (folder / f"{assignment}.ipynb").write_text(json.dumps(notebook), "utf-8")
    shutil.copy(TABLE, folder)
    return folder


def autograde_class(environment: Environment, course: Path, copies: int) -> Timed:
    source = disease_source()
    make_course(environment, course, {"disease": source})
    solved = fill_in(released(course, "disease"), source)
    for number in range(copies):
        hand_in(course, f"student{number:02}", "disease", solved)
    began = time.time()
    environment.run("nbgrader", "autograde", "disease", cwd=course)
    ended = time.time()
    executed = sorted(course.glob("autograded/*/disease/disease.ipynb"))
    points = [points for (_, _), points in export_points(environment, course).items()]
    return timed(began, ended, executed, slots=1, points=points)


def export_points(environment: Environment, course: Path) -> dict[tuple[str, str], float]:
    """Return the points in nbgrader's exported table by student and assignment."""
    environment.run("nbgrader", "export", cwd=course)
    with (course / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    handed_in = [row for row in rows if row["timestamp"] or row["raw_score"]]
    return {(row["student_id"], row["assignment"]): float(row["score"] or 0) for row in handed_in}
