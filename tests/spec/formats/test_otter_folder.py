"""Tests of loading otter assignments: recognised folders, files for students, refused settings."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_notebook, new_raw_cell

from grader.models.assignment import Assignment
from grader.models.course import Course
from grader.models.errors import AssignmentError
from grader.spec import discovery
from grader.spec.formats import otter_format
from grader.spec.formats.course_format import load_course
from grader.spec.formats.otter_folder import read_config
from tests.spec.formats.otter_course import cells, folder, functions, ok

TESTS = {"q2": ok(">>> 1\n1", points=3), "q1": functions("@test_case()\ndef t(): ...")}


def course_of(assignment: Assignment | None) -> Course:
    assert assignment is not None and assignment.course is not None
    return assignment.course


def test_load_unpacked_autograder_zip(tmp_path: Path) -> None:
    place = folder(tmp_path / "HW 1", TESTS, {"points_possible": 8, "token": "not for students"})
    (place / "files").mkdir()
    for name in ("files/data.csv", "run_autograder", "environment.yml", "setup.sh", "run_otter.py"):
        (place / name).write_text("")
    found = discovery.by_name(str(place))
    assert [(criterion.id, criterion.points) for criterion in found.rubric] == [("q1", 2.0), ("q2", 6.0)]
    assert (found.id, found.points) == ("hw-1", 8.0)
    assert course_of(found).notebooks.keys() == {"HW 1.ipynb"}
    assert course_of(found).files == {"data.csv": place / "files" / "data.csv"}


def test_load_output_of_otter_assign(tmp_path: Path) -> None:
    place = folder(tmp_path / "dist" / "autograder", {}, {})
    tests = {name: _as_metadata(source) for name, source in TESTS.items()}
    notebook = new_notebook(metadata={"otter": {"tests": tests, "OK_FORMAT": True}})
    for path in (place / "hw.ipynb", tmp_path / "dist" / "student" / "hw.ipynb"):
        path.parent.mkdir(exist_ok=True)
        nbformat.write(notebook, path)
    for name in ("hw-autograder_2026.zip", "hw-sol.pdf", "requirements.txt", "data.csv", ".OTTER_LOG", "x.otter"):
        (place / name).write_text("")
    found = load_course(tmp_path / "dist")
    assert course_of(found).notebooks == {"hw.ipynb": place / "hw.ipynb"}
    assert course_of(found).tests == {"q1": place / "hw.ipynb", "q2": place / "hw.ipynb"}
    assert course_of(found).files == {"data.csv": place / "data.csv"}
    assert found is not None and [criterion.points for criterion in found.rubric] == [1, 3]


def _as_metadata(source: str) -> Any:
    return ast.literal_eval(source.partition("test = ")[2]) if "OK_FORMAT = True" in source else source


def test_load_tests_beside_a_notebook(tmp_path: Path) -> None:
    place = folder(tmp_path / "hw", TESTS)
    for name in ("files/a.csv", "submissions/ann/lab1.ipynb", "handed_in/class.zip"):
        (place / name).parent.mkdir(parents=True)
        (place / name).write_text("")
    nbformat.write(cells("x = 1"), place / "lab1.ipynb")
    found = otter_format.load(place)
    assert course_of(found).notebooks == {"lab1.ipynb": place / "lab1.ipynb"}
    assert course_of(found).files == {"files": place / "files"}  # no submissions


def test_unreadable_test_file_is_reported(tmp_path: Path) -> None:
    place = folder(tmp_path / "hw", TESTS)
    (place / "tests" / "q9.py").symlink_to("nowhere")
    with pytest.raises(AssignmentError, match=r"q9.py: cannot be read"):
        otter_format.load(place)


@pytest.mark.parametrize("name", ["tests/test_model.py", "notes.txt", "tests/__init__.py"])
def test_other_folders_are_not_otter_assignments(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("def test_model(): ...")
    assert otter_format.load(tmp_path) is None


def test_master_notebook_is_refused_with_the_command_to_run(tmp_path: Path) -> None:
    nbformat.write(new_notebook(cells=[new_raw_cell("# ASSIGNMENT CONFIG\nname: hw")]), tmp_path / "hw.ipynb")
    with pytest.raises(AssignmentError, match=r"master notebook; run `otter assign .*hw.ipynb dist` and give dist"):
        otter_format.load(tmp_path)


def test_all_broken_files_are_reported_at_once(tmp_path: Path) -> None:
    place = folder(tmp_path / "hw", {"q1": "OK_FORMAT = True", "q2": "OK_FORMAT = False", "q3": TESTS["q2"]})
    (place / "tests" / "q4.py").write_bytes(b"OK_FORMAT = True\xff")
    with pytest.raises(AssignmentError) as raised:
        otter_format.load(place)
    assert [Path(str(problem).split(": ")[0]).name for problem in raised.value.problems] == ["q1.py", "q2.py", "q4.py"]


def test_notebook_name_comes_from_the_configuration(tmp_path: Path) -> None:
    place = folder(tmp_path / "unpacked", TESTS, {"assignment_name": "../week 1/hw"})
    assert course_of(otter_format.load(place)).notebooks.keys() == {"-week 1-hw.ipynb"}


def test_two_notebooks_are_refused(tmp_path: Path) -> None:
    place = folder(tmp_path / "hw", TESTS)
    for name in ("a", "b"):
        nbformat.write(cells("x = 1"), place / f"{name}.ipynb")
    with pytest.raises(AssignmentError, match=r"found 2 notebooks \(a.ipynb, b.ipynb\), expected one"):
        otter_format.load(place)


CONFIGS: dict[str, tuple[object, str]] = {
    "a threshold": ({"score_threshold": 0.5}, "score_threshold: found 0.5, expected none"),
    "plugins": ({"plugins": ["otter.plugins.builtin.GradeOverride"]}, "plugins: found"),
    "a log": ({"grade_from_log": True}, "grade_from_log: found true, expected none: logs hold pickled objects"),
    "R": ({"lang": "r"}, "lang: found 'r', expected 'python'"),
    "a seed in words": ({"seed": "42"}, "seed: found '42', expected an integer"),
    "code for a name": ({"seed_variable": "x = 1; y"}, "seed_variable: found 'x = 1; y', expected the name"),
    "points in words": ({"points_possible": "8"}, "points_possible: found '8', expected 0 or more"),
    "a name that is none": ({"assignment_name": 3}, "assignment_name: found 3, expected a string"),
    "a list": ([], "found list, expected a JSON object"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_unsupported_setting_is_refused(tmp_path: Path, name: str) -> None:
    config, says = CONFIGS[name]
    (tmp_path / "otter_config.json").write_text(json.dumps(config))
    with pytest.raises(AssignmentError) as raised:
        read_config(tmp_path)
    assert says in str(raised.value)


def test_unreadable_configuration_is_reported(tmp_path: Path) -> None:
    (tmp_path / "otter_config.json").write_text("{")
    with pytest.raises(AssignmentError, match="cannot be read as JSON"):
        read_config(tmp_path)


DEFAULTS: Mapping[str, object] = {"plugins": [], "grade_from_log": False, "score_threshold": None, "lang": "python"}


def test_default_settings_are_accepted(tmp_path: Path) -> None:
    (tmp_path / "otter_config.json").write_text(json.dumps({**DEFAULTS, "pdf": True, "filtering": True, "zips": False}))
    assert read_config(tmp_path).seed is None


@pytest.mark.parametrize(("carries", "notes"), [("hw1", 0), ("hw2", 1), (None, 1), (7, 1)])
def test_notebook_of_another_assignment_is_noted(tmp_path: Path, carries: object, notes: int) -> None:
    course = course_of(otter_format.load(folder(tmp_path / "hw", TESTS, {"assignment_name": "hw1"})))
    notebook = cells("x = 1")
    notebook.metadata["otter"] = {"assignment_name": carries}
    assert len(otter_format.prepare(notebook, "hw.ipynb", course)[1]) == notes


@pytest.mark.parametrize("metadata", [[], "otter", {"tests": "q1"}, {"tests": [1, None]}, {"ignore": 0}], ids=str)
def test_invalid_metadata_of_a_student_is_ignored(tmp_path: Path, metadata: object) -> None:
    course = course_of(otter_format.load(folder(tmp_path / "hw", TESTS)))
    notebook = cells("x = 1")
    notebook.cells[0].metadata.update({"otter": metadata, "tags": metadata})
    assert len(otter_format.prepare(notebook, "hw.ipynb", course)[0].cells) == 3
