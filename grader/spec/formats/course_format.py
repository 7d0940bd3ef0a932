"""The protocol that each format of another grader implements."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from nbformat import NotebookNode

from grader.i18n.message import Message
from grader.models.assignment import Assignment
from grader.models.course import Course, Test


@dataclass(frozen=True, slots=True)
class Prepared:
    """A student's notebook with the teacher's cells in their places; ``notes`` say what was put right."""

    notebook: NotebookNode
    notes: tuple[Message, ...] = ()


class Format(Protocol):
    """``name`` is always one of ``course.notebooks``."""

    def load(self, folder: Path) -> Assignment | None:
        """None when ``folder`` is not in this format; raises AssignmentError with every problem when it is broken."""

    def prepared(self, notebook: NotebookNode, name: str, course: Course) -> Prepared:
        """Ready to run, cell ids unique; ``notebook`` is what the student handed in, valid nbformat 4.5."""

    def tests(self, executed: NotebookNode | None, ready: NotebookNode, name: str, course: Course) -> tuple[Test, ...]:
        """One for each of the notebook's criteria. ``executed`` came out of the student's process, or nothing did;
        ``ready`` is what went in.
        """

    def shown(self, executed: NotebookNode, ready: NotebookNode, name: str, course: Course) -> NotebookNode | None:
        """``executed`` as its student may see it: nothing of hidden tests, solutions or mark schemes.

        None when it is not what went in: the notebook has written over its results.
        """
