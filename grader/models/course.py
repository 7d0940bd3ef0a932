"""An assignment in another grader's format, and what one of its tests gave: frozen, of the standard library alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from grader.i18n.message import Message


@dataclass(frozen=True, slots=True)
class Course:
    """The teacher's own files; ``notebooks`` by the name under which students hand each in."""

    format: Literal["nbgrader", "otter"]
    notebooks: Mapping[str, Path]
    tests: Mapping[str, Path] = field(default_factory=dict)  # otter's, by question
    files: Mapping[str, Path] = field(default_factory=dict)  # what lies beside each notebook: files and folders
    folder: str = ""  # what students' folders for this assignment are called, where the format has such


@dataclass(frozen=True, slots=True)
class Test:
    """What one test gave inside the student's own process. ``points`` is None where a person has to judge."""

    __test__ = False  # for pytest, which would take it for a class of tests

    criterion: str
    points: float | None
    max: float
    reason: Message
    review: Message | None = None  # why a person should look
