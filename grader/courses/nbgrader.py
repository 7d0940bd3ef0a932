"""Assignments in nbgrader's format: its cells' metadata, its hidden tests, its way of giving points."""

from __future__ import annotations

from pathlib import Path

from nbformat import NotebookNode

from grader.courses.format import Prepared
from grader.records import Assignment, Course, Test


def load(_folder: Path) -> Assignment | None:
    return None


def prepared(notebook: NotebookNode, _name: str, _course: Course) -> Prepared:
    return Prepared(notebook)


def tests(_executed: NotebookNode | None, _ready: NotebookNode, _name: str, _course: Course) -> tuple[Test, ...]:
    return ()


def shown(executed: NotebookNode, _ready: NotebookNode, _name: str, _course: Course) -> NotebookNode:
    return executed
