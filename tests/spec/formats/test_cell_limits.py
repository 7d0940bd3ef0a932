"""Tests of the time limit for one cell of a course's notebook: an endless cell costs only its own points."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.sandbox.base import Sandbox
from grader.spec.formats import otter_format
from grader.spec.formats.nbgrader_config import CELL_SECONDS, cell_seconds
from tests.spec.formats import nbgrader_course as course
from tests.spec.formats.nbgrader_course import marked
from tests.spec.formats.otter_course import BEGIN, cells, folder, graded, ok

ENDLESS = "while True:\n    try:\n        number = int(input())\n    except Exception:\n        print('again')"
CONFIGS: dict[str, tuple[str, float | None]] = {
    "nothing": ("c = get_config()", CELL_SECONDS),
    "the setting": ("c = get_config()\nc.ExecutePreprocessor.timeout = 90", 90),
    "the last one": ("c.ExecutePreprocessor.timeout = 90\nc.ExecutePreprocessor.timeout = 12.5", 12.5),
    "nbgrader's own class first": ("c.Execute.timeout = 60\nc.ExecutePreprocessor.timeout = 90", 60),
    "no limit": ("c.ExecutePreprocessor.timeout = None", None),
    "no limit, in numbers": ("c.NotebookClient.timeout = -1", None),
    "in a condition": ("if True:\n    c.ExecutePreprocessor.timeout = 90", 90),
    "a computed value": ("c.ExecutePreprocessor.timeout = 60 * 2", CELL_SECONDS),
    "in words": ("c.ExecutePreprocessor.timeout = 'long'", CELL_SECONDS),
    "without end": ("c.ExecutePreprocessor.timeout = 1e999", CELL_SECONDS),
    "another class": ("c.Exporter.timeout = 90\nd.ExecutePreprocessor.timeout = 90", CELL_SECONDS),
    "no Python": ("c.ExecutePreprocessor.timeout = ", CELL_SECONDS),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_limit_is_read_from_the_courses_configuration(tmp_path: Path, case: str) -> None:
    text, limit = CONFIGS[case]
    place = course.write_course(tmp_path, {"p.ipynb": [marked("test", "t", "assert True")]})
    (tmp_path / "nbgrader_config.py").write_text(text)
    assert course.loaded(place).limits.cell_seconds == limit


def test_course_without_a_configuration_has_nbgraders_limit(tmp_path: Path) -> None:
    assert cell_seconds(tmp_path / "source" / "ps1") == CELL_SECONDS == 30


def test_limit_of_the_command_line_replaces_the_courses(tmp_path: Path) -> None:
    assignment = course.loaded(course.write_course(tmp_path, {"p.ipynb": [marked("test", "t", "assert True")]}))
    limits = assignment.with_time_limit(None, 7).limits
    assert (limits.seconds, limits.cell_seconds) == (300, 7)
    assert assignment.with_time_limit(60).limits.cell_seconds == CELL_SECONDS


def test_endless_cell_of_nbgraders_costs_only_its_own_points(sandbox: Sandbox, tmp_path: Path) -> None:
    teacher = [
        marked("answer", "f", "f = 1"),
        marked("answer", "g", "g = 1"),
        marked("test", "endless-test", "import time\nwhile g() != 2: time.sleep(0.1)"),
        marked("test", "after", "assert f == 1"),
    ]
    assignment = course.loaded(course.write_course(tmp_path, {"p.ipynb": teacher})).with_time_limit(60, 2)
    answers = {"f": f"f = 1\n{ENDLESS}", "g": "def g(): return 1"}
    written = course.answered(course.handed_out(assignment.folder / "p.ipynb"), answers)
    run = course.graded(assignment, sandbox, tmp_path / "room", p=written)
    assert course.points(run) == {"endless-test": 0, "after": 1}
    assert course.reasons(run)["endless-test"] == "The test was stopped: it reached the time limit for one cell."
    assert "limit of 2 s for one cell" in str(run.notes[-1])


def test_endless_cell_of_otters_costs_only_its_own_points(sandbox: Sandbox, tmp_path: Path) -> None:
    """Otter's own tests have a limit for each case instead: together they may take longer than a student's cell."""
    slow = ">>> import time; time.sleep(1.5)"
    tests = {"endless": ok(">>> y\n1"), "after": ok(">>> x\n1"), "slow": ok(slow, slow, ">>> x\n1", points=3)}
    assignment = otter_format.load(folder(tmp_path / "course", tests))
    assert assignment is not None and assignment.limits.cell_seconds == 100
    written = cells(BEGIN, "x = 1", f"{ENDLESS}\ny = 1", 'grader.check("endless")', 'grader.check("slow")')
    result = graded(assignment.with_time_limit(60, 2), written, sandbox, tmp_path / "out")
    assert result.points == {"endless": 0, "after": 1, "slow": 3}
