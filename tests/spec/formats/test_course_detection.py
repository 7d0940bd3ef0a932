"""Tests of telling otter's and nbgrader's assignments apart, as courses in use mix them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_raw_cell

from grader.models.assignment import Assignment
from grader.models.errors import AssignmentError
from grader.spec import discovery
from grader.spec.formats.course_format import load_course
from grader.spec.formats.otter_folder import checked_questions
from tests.spec.formats import nbgrader_course
from tests.spec.formats.otter_course import BEGIN, folder, ok

Cells = list[NotebookNode]

LEFT_OVER = {"schema_version": 3, "grade": True, "solution": False, "locked": True, "task": False, "points": 5}
DOCTEST = ok(">>> x\n1", points=2)
OLD_DOCTEST = DOCTEST.replace("OK_FORMAT = True\n", "")


def otter_cells(*questions: str) -> Cells:
    """Return an otter notebook's cells that still have nbgrader's marks, twice with one id."""
    checks = [new_code_cell(f'grader.check("{question}")') for question in questions]
    cells = [new_code_cell(BEGIN), new_code_cell("x = 1"), *checks]
    for cell in cells[-2:]:
        cell.metadata["nbgrader"] = {**LEFT_OVER, "grade_id": "q1"}
    return cells


def write(path: Path, cells: Cells, metadata: dict[str, Any] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=cells, metadata={} if metadata is None else metadata), path)
    return path


def with_tests_beside(place: Path) -> Path:
    folder(place, {"q1": DOCTEST})
    write(place / "hw.ipynb", otter_cells("q1"))
    return place


def with_tests_before_otter_3(place: Path) -> Path:
    folder(place, {"q1": OLD_DOCTEST})
    write(place / "hw.ipynb", otter_cells("q1"))
    return place


def with_tests_in_the_metadata(place: Path) -> Path:
    test = json.loads(json.dumps({"name": "q1", "points": 2, "suites": [{"cases": [{"code": ">>> x\n1"}]}]}))
    write(place / "hw.ipynb", otter_cells("q1"), {"otter": {"OK_FORMAT": True, "tests": {"q1": test}}})
    return place


def of_otter_assign(place: Path) -> Path:
    folder(place / "autograder", {"q1": DOCTEST}, {"lang": "python"})
    write(place / "autograder" / "hw.ipynb", otter_cells("q1"))
    write(place / "student" / "hw.ipynb", otter_cells("q1"))
    return place


def of_otter_assign_without_a_configuration(place: Path) -> Path:
    with_tests_in_the_metadata(place / "autograder")
    write(place / "student" / "hw.ipynb", otter_cells("q1"))
    return place


def of_an_autograder_zip(place: Path) -> Path:
    folder(place, {"q1": DOCTEST}, {})
    (place / "run_autograder").write_text("")
    return place


def with_a_worksheet_of_nbgrader(place: Path) -> Path:
    with_tests_beside(place)
    write(place / "a_worksheet.ipynb", otter_cells("another question"))
    return place


OTTERS: list[Callable[[Path], Path]] = [
    with_tests_beside,
    with_tests_before_otter_3,
    with_tests_in_the_metadata,
    of_otter_assign,
    of_otter_assign_without_a_configuration,
    of_an_autograder_zip,
    with_a_worksheet_of_nbgrader,
]


@pytest.mark.parametrize("written", OTTERS, ids=lambda written: written.__name__)
def test_otter_assignment_with_marks_of_nbgrader_is_otters(tmp_path: Path, written: Callable[[Path], Path]) -> None:
    found = loaded(written(tmp_path / "hw"))
    assert found.course is not None
    assert (found.course.format, [criterion.id for criterion in found.rubric], found.points) == ("otter", ["q1"], 2)
    assert list(found.course.notebooks) == ["hw.ipynb"]


def loaded(place: Path) -> Assignment:
    found = load_course(place)
    assert found is not None
    return found


def test_nbgrader_course_with_tests_of_its_own_code_is_nbgraders(tmp_path: Path) -> None:
    cells = [nbgrader_course.marked("test", "t", "assert True"), nbgrader_course.code("# otter.Notebook('hw.ipynb')")]
    place = nbgrader_course.write_course(tmp_path, {"p.ipynb": cells})
    (place / "tests").mkdir()
    (place / "tests" / "test_model.py").write_text("def test_model(): assert True")
    course = loaded(place).course
    assert course is not None and course.format == "nbgrader"


REFUSED: dict[str, tuple[Cells, str]] = {
    "a master notebook": ([new_raw_cell("# ASSIGNMENT CONFIG"), *otter_cells("q1")], "otter's master notebook"),
    "checks without tests": (otter_cells("q1"), "calls otter's checks, but has no tests"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_otter_notebook_without_tests_is_never_graded_by_nbgraders_marks(tmp_path: Path, case: str) -> None:
    cells, says = REFUSED[case]
    write(tmp_path / "hw.ipynb", cells)
    with pytest.raises(AssignmentError, match=says):
        load_course(tmp_path)


def test_assignment_without_points_is_refused(tmp_path: Path) -> None:
    """The students' version of an otter assignment, whose public tests give no points."""
    place = folder(tmp_path / "otter", {"q1": DOCTEST.replace("'points': 2", "'points': 0")})
    with pytest.raises(AssignmentError, match=r"its 1 tested questions give 0 points together.*Give the folder autogr"):
        discovery.by_name(str(place))
    cells = [nbgrader_course.marked("test", f"t{n}", "assert True", points=0) for n in range(2)]
    place = nbgrader_course.write_course(tmp_path / "nbgrader", {"p.ipynb": cells})
    with pytest.raises(AssignmentError, match=r"its 2 graded cells give 0 points together.*Create Assignment toolbar"):
        discovery.by_name(str(place))


def test_archive_in_place_of_a_folder_is_to_be_unpacked(tmp_path: Path) -> None:
    (tmp_path / "hw-autograder.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    with pytest.raises(AssignmentError, match=r"hw-autograder.zip: expected a folder; unpack the archive and give"):
        discovery.by_name(str(tmp_path / "hw-autograder.zip"))


CALLS = {
    'grader.check("q1")': ["q1"],
    "_ = ok.grade('q1'); grader.check( 'q2' )": ["q1", "q2"],
    "check('tests/q1.py')": ["q1"],
    'check("./tests/q_1.2.py")': ["q_1.2"],
    "# grader.check('q1')": [],
    "grader.check(question)": [],
    "x = 1  # then check('q1')": [],
    "precheck('q1')": [],
    "grader.check('q1\")": [],
}


@pytest.mark.parametrize("source", CALLS)
def test_questions_are_found_in_calls_of_otter_and_its_forerunners(source: str) -> None:
    assert list(checked_questions(new_code_cell(source))) == CALLS[source]
