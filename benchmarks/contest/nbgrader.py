"""nbgrader as its documentation shows it: a course folder, hidden tests in the source, ``nbgrader autograde``."""

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
# float(), since what NumPy 2 shows of its own numbers is no number to nbgrader, and no number is full marks.
PARTIAL = f"""\
accuracy = np.mean({{answers}} == hidden[:, -1])
float(np.clip((accuracy - {NOTHING_AT}) / ({FULL_AT} - {NOTHING_AT}), 0, 1)) * {POINTS}"""


def marked(cell: NotebookNode, name: str, *, points: float | None = None, solution: bool = False) -> NotebookNode:
    """A cell as nbgrader's toolbar marks it: the student's to write, or with ``points`` a locked test."""
    about = {"schema_version": 3, "grade_id": name, "solution": solution, "task": False, "locked": not solution}
    cell.metadata["nbgrader"] = about | ({"grade": True, "points": points} if points is not None else {"grade": False})
    return cell


def test_cell(name: str, test: str, answers: str) -> NotebookNode:
    source = HIDDEN.format(rows=read_rows(), test=test.format(answers=answers))
    return marked(nbformat.v4.new_code_cell(source), name, points=POINTS)


def disease_source() -> NotebookNode:
    """The reference notebook, every code cell the student's, and one test of ``model`` below them."""
    notebook = reference()
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            marked(cell, f"cell-{number}", solution=True)
    notebook.cells.append(test_cell("accuracy", ASSERTED, MODEL))
    return notebook


def make_course(environment: Environment, course: Path, sources: Mapping[str, NotebookNode]) -> None:
    """Source and release of each assignment, one notebook each, called as the assignment."""
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


def answered(release: NotebookNode, source: NotebookNode) -> NotebookNode:
    """The release with every cell that is the student's filled in from the source."""
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
    solved = answered(released(course, "disease"), source)
    for number in range(copies):
        hand_in(course, f"student{number:02}", "disease", solved)
    began = time.time()
    environment.run("nbgrader", "autograde", "disease", cwd=course)
    ended = time.time()
    executed = sorted(course.glob("autograded/*/disease/disease.ipynb"))
    points = [points for (_, _), points in exported(environment, course).items()]
    return timed(began, ended, executed, slots=1, points=points)


def exported(environment: Environment, course: Path) -> dict[tuple[str, str], float]:
    """What the teacher's table says, by student and assignment."""
    environment.run("nbgrader", "export", cwd=course)
    with (course / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    handed_in = [row for row in rows if row["timestamp"] or row["raw_score"]]
    return {(row["student_id"], row["assignment"]): float(row["score"] or 0) for row in handed_in}
