"""An assignment in another grader's format, and the results of its tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from grader.i18n.message import Message


@dataclass(frozen=True, slots=True)
class Course:
    """The teacher's own files."""

    format: Literal["nbgrader", "otter"]
    notebooks: Mapping[str, Path]  # by the file name under which students hand each in
    tests: Mapping[str, Path] = field(default_factory=dict)  # otter's test files, by question
    files: Mapping[str, Path] = field(default_factory=dict)  # files and folders beside each notebook
    folder: str = ""  # name of the students' folders for this assignment, where the format has such folders


@dataclass(frozen=True, slots=True)
class TestResult:
    """The result of a test inside the student's own process; ``points`` is None where a person has to grade."""

    __test__ = False  # pytest would collect the class

    criterion: str
    points: float | None
    max: float
    reason: Message
    review: Message | None = None  # reason for a person to check the result
