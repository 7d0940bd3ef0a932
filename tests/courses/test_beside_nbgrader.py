"""The same small cases graded here and by nbgrader: the same points, or a difference that is listed with its reason."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from grader.records import Run
from grader.sandbox.base import Sandbox
from tests.courses import course
from tests.courses.cases import CASES, MOST, REFUSES, Case

SOLVED = "### BEGIN SOLUTION\npass\n### END SOLUTION"


def teachers(cases: Sequence[Case]) -> list[course.Cell]:
    cells = []
    for case in cases:
        if case.kind == "manual":
            cells.append(course.marked("manual", case.id, SOLVED, MOST))
        else:
            cells += [
                course.marked("answer", f"{case.id}-answer", SOLVED),
                course.marked("test", case.id, case.test, MOST),
            ]
    return cells


def answers(cases: Sequence[Case]) -> dict[str, str]:
    named = {case.id if case.kind == "manual" else f"{case.id}-answer": case.answer for case in cases}
    return {name: answer for name, answer in named.items() if answer}


@pytest.fixture(scope="module")
def here(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = tmp_path_factory.mktemp("course")
    folder = course.write_course(root, {"all.ipynb": teachers(CASES)})
    cells = course.answered(course.handed_out(folder / "all.ipynb"), answers(CASES))
    return course.graded(course.loaded(folder), sandbox, root / "room", all=cells)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_points_here(here: Run, case: Case) -> None:
    assert course.points(here)[case.id] == case.here, course.reasons(here)[case.id]


def test_each_difference_has_its_reason() -> None:
    assert [case.id for case in CASES if (case.theirs != case.here) != bool(case.why)] == []
    assert len(CASES) >= 25


def test_every_difference_is_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "nbgrader.md").read_text("utf-8")
    assert [case.id for case in CASES if case.why and f"`{case.id}`" not in page] == []


@pytest.fixture(scope="session")
def nbgrader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its commands, from PyPI."""
    folder = tmp_path_factory.mktemp("nbgrader") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True)
    scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
    subprocess.run([scripts / "pip", "install", "-q", "nbgrader", "numpy"], check=True, capture_output=True)
    return scripts


def autograded(nbgrader: Path, root: Path, cases: Sequence[Case]) -> dict[str, float | None] | None:
    """nbgrader's points by cell, None for those that wait for a person; None when it gives up."""
    folder = course.write_course(root, {"all.ipynb": teachers(cases)})
    (root / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'course'\n")
    environment = {"PATH": os.pathsep.join([str(nbgrader), "/usr/bin", "/bin"]), "HOME": str(root)}

    def run(*words: str) -> int:
        command = [str(nbgrader / "nbgrader"), *words]
        return subprocess.run(command, cwd=root, env=environment, capture_output=True, check=False).returncode

    assert run("generate_assignment", folder.name) == 0
    release = json.loads((root / "release/ps1/all.ipynb").read_bytes())
    handed_in = root / "submitted/ann/ps1/all.ipynb"
    handed_in.parent.mkdir(parents=True)
    handed_in.write_bytes(course.notebook(course.answered(release["cells"], answers(cases))))
    if run("autograde", folder.name) != 0:
        return None
    query = "select base_cell.name, auto_score from grade join base_cell on base_cell.id = grade.cell_id"
    with sqlite3.connect(root / "gradebook.db") as gradebook:
        return dict(gradebook.execute(query).fetchall())


@pytest.mark.network
def test_nbgrader_gives_what_is_said_of_it(nbgrader: Path, tmp_path: Path) -> None:
    found = autograded(nbgrader, tmp_path, [case for case in CASES if case.theirs != REFUSES])
    assert found == {case.id: case.theirs for case in CASES if case.theirs != REFUSES}


@pytest.mark.network
@pytest.mark.parametrize("case", [case for case in CASES if case.theirs == REFUSES], ids=lambda case: case.id)
def test_nbgrader_refuses_what_is_said_of_it(nbgrader: Path, tmp_path: Path, case: Case) -> None:
    assert autograded(nbgrader, tmp_path, [case]) is None
