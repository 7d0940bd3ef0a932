"""Compare grades with nbgrader itself: the same points, or a difference that is listed with its reason."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from grader.grading.results import read_results
from grader.lms.archive.submissions import read_submissions
from grader.lms.export.exporter import export_grades
from grader.lms.export_request import ExportRequest, GradebookFile
from grader.models.run import Run
from grader.pipeline import Settings, grade_class
from grader.sandbox.base import Sandbox
from tests.spec.formats import nbgrader_course as course
from tests.spec.formats.nbgrader_cases import CASES, MAX_POINTS, REFUSES, Case
from tests.support.fake_runs import SECRET

SOLVED = "### BEGIN SOLUTION\npass\n### END SOLUTION"


def teacher_cells(cases: Sequence[Case]) -> list[course.Cell]:
    cells = []
    for case in cases:
        if case.kind == "manual":
            cells.append(course.marked("manual", case.id, SOLVED, MAX_POINTS))
        else:
            cells += [
                course.marked("answer", f"{case.id}-answer", SOLVED),
                course.marked("test", case.id, case.test, MAX_POINTS),
            ]
    return cells


def answers(cases: Sequence[Case]) -> dict[str, str]:
    named = {case.id if case.kind == "manual" else f"{case.id}-answer": case.answer for case in cases}
    return {name: answer for name, answer in named.items() if answer}


@pytest.fixture(scope="module")
def here(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = tmp_path_factory.mktemp("course")
    folder = course.write_course(root, {"all.ipynb": teacher_cells(CASES)})
    cells = course.answered(course.handed_out(folder / "all.ipynb"), answers(CASES))
    return course.graded(course.loaded(folder), sandbox, root / "room", all=cells)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_points_of_each_case(here: Run, case: Case) -> None:
    assert course.points(here)[case.id] == case.here, course.reasons(here)[case.id]


def test_each_difference_has_a_reason() -> None:
    assert [case.id for case in CASES if (case.nbgrader_points != case.here) != bool(case.why)] == []
    assert len(CASES) >= 25


def test_each_difference_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "nbgrader.md").read_text("utf-8")
    assert [case.id for case in CASES if case.why and f"`{case.id}`" not in page] == []


@pytest.fixture(scope="session")
def nbgrader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of nbgrader's commands, installed from PyPI."""
    folder = tmp_path_factory.mktemp("nbgrader") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True)
    scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
    subprocess.run([scripts / "pip", "install", "-q", "nbgrader", "numpy"], check=True, capture_output=True)
    return scripts


Command = Callable[..., int]


def commands(nbgrader: Path, root: Path) -> Command:
    """Return a function that runs one of nbgrader's commands in ``root`` and returns its exit status."""
    environment = {"PATH": os.pathsep.join([str(nbgrader), "/usr/bin", "/bin"]), "HOME": str(root)}

    def run(*arguments: str) -> int:
        command = [str(nbgrader / "nbgrader"), *arguments]
        return subprocess.run(command, cwd=root, env=environment, capture_output=True, check=False).returncode

    return run


def hand_in(root: Path, student: str, name: str, cells: Sequence[course.Cell]) -> None:
    path = root / "submitted" / student / "ps1" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(course.notebook(cells))


def released(root: Path, name: str) -> list[course.Cell]:
    cells: list[course.Cell] = json.loads((root / "release" / "ps1" / name).read_bytes())["cells"]
    return [cell | {"source": "".join(cell["source"])} for cell in cells]


def autograded(nbgrader: Path, root: Path, cases: Sequence[Case]) -> dict[str, float | None] | None:
    """Return nbgrader's points by cell, None for manual grading; None altogether if nbgrader refuses the student."""
    course.write_course(root, {"all.ipynb": teacher_cells(cases)})
    (root / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'course'\n")
    run = commands(nbgrader, root)
    assert run("generate_assignment", "ps1") == 0
    hand_in(root, "ann", "all.ipynb", course.answered(released(root, "all.ipynb"), answers(cases)))
    if run("autograde", "ps1") != 0:
        return None
    query = "select base_cell.name, auto_score from grade join base_cell on base_cell.id = grade.cell_id"
    with closing(sqlite3.connect(root / "gradebook.db")) as gradebook:
        return dict(gradebook.execute(query).fetchall())


@pytest.mark.network
def test_nbgrader_gives_the_listed_points(nbgrader: Path, tmp_path: Path) -> None:
    found = autograded(nbgrader, tmp_path, [case for case in CASES if case.nbgrader_points != REFUSES])
    assert found == {case.id: case.nbgrader_points for case in CASES if case.nbgrader_points != REFUSES}


@pytest.mark.network
@pytest.mark.parametrize("case", [case for case in CASES if case.nbgrader_points == REFUSES], ids=lambda case: case.id)
def test_nbgrader_refuses_the_listed_cases(nbgrader: Path, tmp_path: Path, case: Case) -> None:
    assert autograded(nbgrader, tmp_path, [case]) is None


# ---------------------------------------------------------------- whole notebooks

WHOLE = [
    course.marked("answer", "f", SOLVED),
    course.marked("test", "first", "assert f == 1", MAX_POINTS),
    course.marked("answer", "g", SOLVED),
    course.marked("test", "second", "assert g == 1", MAX_POINTS),
]
RIGHT = {"f": "f = 1", "g": "g = 1"}


def moved(cells: list[course.Cell]) -> list[course.Cell]:
    return cells[-1:] + cells[:-1]


def without_tests(cells: list[course.Cell]) -> list[course.Cell]:
    return [cell for cell in cells if course.name_of(cell) in RIGHT]


def without_marks(cells: list[course.Cell]) -> list[course.Cell]:
    return [cell | {"metadata": {}} for cell in cells]


def ending(code: str) -> course.Edit:
    return lambda cells: course.answered(cells, {"g": code})


OPEN = (None, None)


@pytest.mark.network
@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        pytest.param(moved, ((2, 0), (2, 2)), id="moved"),
        pytest.param(without_tests, (OPEN, (2, 2)), id="deleted"),
        pytest.param(without_marks, (OPEN, (2, 2)), id="marks lost"),
        pytest.param(ending("import os; os._exit(0)"), (OPEN, (2, 0)), id="process ended"),
        pytest.param(ending("g = 1; import sys; sys.exit()"), ((2, 2), (2, 2)), id="system exit"),
    ],
)
def test_points_of_edited_notebooks(
    nbgrader: Path, sandbox: Sandbox, tmp_path: Path, edit: course.Edit, expected: Any
) -> None:
    folder = course.write_course(tmp_path, {"all.ipynb": WHOLE})
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'course'\n")
    run = commands(nbgrader, tmp_path)
    assert run("generate_assignment", "ps1") == 0
    cells = edit(course.answered(released(tmp_path, "all.ipynb"), RIGHT))
    hand_in(tmp_path, "ann", "all.ipynb", cells)
    run("autograde", "ps1")
    found = points_in(tmp_path / "gradebook.db")
    assert tuple(found.get(("ann", f"all/{name}")) for name in ("first", "second")) == expected[0]
    found_here = course.points(course.graded(course.loaded(folder), sandbox, tmp_path / "room", all=cells))
    assert (found_here["first"], found_here["second"]) == expected[1]


# ---------------------------------------------------------------- nbgrader's own example

POINTS = """
select submitted_assignment.student_id, notebook.name || '/' || base_cell.name, auto_score from grade
join base_cell on base_cell.id = cell_id join notebook on notebook.id = base_cell.notebook_id
join submitted_notebook on submitted_notebook.id = grade.notebook_id
join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
"""
STUDENTS: Mapping[str, Mapping[str, str]] = {
    "bitdiddle": {
        "squares": "def squares(n):\n    if n < 1:\n        raise ValueError\n    return [i ** 2 for i in range(n)]",
        "correct_squares": "# assert squares(1) == [1]",
        "squares_invalid_input": "",
        "sum_of_squares": "def sum_of_squares(n):\n    return sum(squares(n))",
        "sum_of_squares_equation": "$\\sum_{i=0}^n i^2$",
    },
    "hacker": {
        "squares": "def squares(n):\n    if n < 1: raise ValueError\n    return [i ** 2 for i in range(1, n + 1)]",
        "sum_of_squares": "def sum_of_squares(n):\n    return sum(squares(n))",
        "sum_of_squares_application": "print(sum_of_squares(3))",
        "part-a": "Fibonacci.",
    },
    "nobody": {},
}


def points_in(gradebook: Path) -> dict[tuple[str, str], float | None]:
    with closing(sqlite3.connect(gradebook)) as database:
        return {(student, cell): points for student, cell, points in database.execute(POINTS).fetchall()}


@pytest.mark.network
def test_quickstart_course_gets_the_same_points_and_imports_them(
    nbgrader: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    assert commands(nbgrader, tmp_path)("quickstart", "course") == 0
    root = tmp_path / "course"
    run = commands(nbgrader, root)
    assert run("generate_assignment", "ps1") == 0
    for student, answer in STUDENTS.items():
        for name in ("problem1.ipynb", "problem2.ipynb"):
            hand_in(root, student, name, course.answered(released(root, name), answer))
    assert run("autograde", "ps1") == 0
    expected = points_in(root / "gradebook.db")

    assignment = course.loaded(root / "source" / "ps1")
    found = read_submissions([root / "submitted"], workspace=tmp_path / "in", assignment=assignment).submissions
    graded = grade_class(assignment, found, sandbox, Settings(tmp_path / "out", SECRET))
    found_here = {
        (student.submission.student.id, score.criterion): score.points
        for student in graded
        for score in student.grade.scores
    }
    assert found_here == expected and len(found_here) == 27

    for name, sheets in (("filled", (GradebookFile(root / "gradebook.db"),)), ("new", ())):
        order = ExportRequest(tmp_path / name, sheets)
        export_grades(read_results(tmp_path / "out"), order, to="nbgrader")
        assert points_in(tmp_path / name / "gradebook.db") == expected
        database = f"--CourseDirectory.db_url=sqlite:///{tmp_path / name / 'gradebook.db'}"
        assert run("export", f"--to={name}.csv", database) == 0
    exported = [(root / f"{name}.csv").read_text().splitlines()[1:] for name in ("filled", "new")]
    assert [[line.split(",")[7:] for line in lines] for lines in exported] == [
        [["1.5", "0.0", "1.5", "13.0"], ["3.0", "0.0", "3.0", "13.0"], ["0.0", "0.0", "0.0", "13.0"]]
    ] * 2
