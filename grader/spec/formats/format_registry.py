"""Assignments in other graders' formats: which format a folder is in, and what that format's module says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nbformat import NotebookNode

from grader.models.assignment import Assignment
from grader.models.course import Course, Test
from grader.spec.formats import nbgrader_format, otter_format
from grader.spec.formats.course_format import Format, Prepared

_FORMATS: Mapping[str, Format] = {"nbgrader": nbgrader_format, "otter": otter_format}  # in this order they are tried


def load(folder: Path) -> Assignment | None:
    """The assignment in ``folder``, or None when it is in none of the formats; raises AssignmentError."""
    return next((found for form in _FORMATS.values() if (found := form.load(folder)) is not None), None)


def prepared(notebook: NotebookNode, name: str, course: Course) -> Prepared:
    """What a student handed in as ``name``, ready to run."""
    return _FORMATS[course.format].prepared(notebook, name, course)


def tests(executed: NotebookNode | None, ready: NotebookNode, name: str, course: Course) -> tuple[Test, ...]:
    """What the tests of notebook ``name`` gave, one for each criterion; ``executed`` is None when nothing ran."""
    return _FORMATS[course.format].tests(executed, ready, name, course)


def shown(executed: NotebookNode, ready: NotebookNode, name: str, course: Course) -> NotebookNode | None:
    """``executed`` as its student may see it; None when it is not what was run."""
    return _FORMATS[course.format].shown(executed, ready, name, course)
