"""Tests of the packages that a course lists: what is missing is told before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.spec.formats.course_format import load_course
from grader.spec.formats.course_packages import missing_packages
from tests.spec.formats import nbgrader_course as course
from tests.spec.formats.nbgrader_course import marked
from tests.spec.formats.otter_course import folder, ok

NAME = "no-such-package-anywhere"
LISTS: dict[str, tuple[str, str, list[str]]] = {
    "one of three": ("requirements.txt", f"numpy\nnbformat==1.0\n{NAME}>=2  # for week 3", [NAME]),
    "nothing": ("requirements.txt", "numpy\notter-grader==5.0\nopencv-python", []),
    "in conda's list": ("environment.yml", f"dependencies: [python=3.9, numpy, {{pip: [{NAME}]}}]", [NAME]),
    "no package": ("requirements.txt", "-r other.txt\ngit+https://example.org/x\n./local.whl", []),
    "broken": ("environment.yml", "dependencies: [", []),
}


@pytest.mark.parametrize("case", LISTS)
def test_missing_packages_are_named_with_the_command(tmp_path: Path, case: str) -> None:
    file, text, missing = LISTS[case]
    (tmp_path / file).write_text(text)
    warnings = [str(warning) for warning in missing_packages([tmp_path])]
    assert len(warnings) == bool(missing)
    assert all(f"run pip install {' '.join(missing)} first" in warning for warning in warnings)


def test_courses_warn_of_missing_packages(tmp_path: Path) -> None:
    otter = folder(tmp_path / "dist" / "autograder", {"q1": ok(">>> 1\n1")}, {})
    (otter / "requirements.txt").write_text(NAME)
    course.write_course(tmp_path, {"p.ipynb": [marked("test", "t", "assert True")]})
    (tmp_path / "requirements.txt").write_text(NAME)
    for place in (tmp_path / "dist", tmp_path / "source" / "ps1"):
        found = load_course(place)
        assert found is not None and NAME in str(found.warnings[0])
