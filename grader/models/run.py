"""What executing one submission gave."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal

from grader.i18n.message import Message
from grader.models.course import TestResult
from grader.models.facts import Facts
from grader.models.pdf_report import Document
from grader.models.photo_survey import PhotoSurvey


class Outcome(StrEnum):
    OK = "ok"  # every cell ran
    ERROR = "error"  # a cell failed or the notebook's process ended
    TIMEOUT = "timeout"
    MEMORY = "memory"
    DISK = "disk"
    MISSING = "missing"  # nothing that can be run was handed in
    FORBIDDEN = "forbidden"  # refused, for example a path out of the archive
    GRADER_FAULT = "grader_fault"  # ours: never the student's loss


@dataclass(frozen=True, slots=True)
class CellError:
    name: str  # "ValueError"
    message: str


@dataclass(frozen=True, slots=True)
class Cell:
    index: int  # place in the notebook, from 0
    kind: Literal["code", "markdown", "raw"]
    characters: int  # of its source, white space not counted
    ran: bool = False
    error: CellError | None = None
    images: int = 0
    seconds: float | None = None
    count: int | None = None  # the number Jupyter shows, In [count]
    given: bool = False  # stands in the starter word for word


@dataclass(frozen=True, slots=True)
class Run:
    """What executing one submission gave. ``predictions`` is an ``.npy`` in the order of the hidden set."""

    outcome: Outcome
    reason: Message | None = None  # why the outcome is not OK, in human words
    cells: tuple[Cell, ...] = ()
    facts: Facts = field(default_factory=Facts)
    executed: Path | None = None
    predictions: Path | None = None
    no_predictions: Message | None = None  # why there are none
    document: Document | None = None  # None: the rubric asks for none
    depends_on_neighbours: bool = False  # the answer for a row changed with the rows around it
    brought_kb: float = 0.0  # the notebook's text and what came with it, where the hidden rows are of a public set
    seconds: float = 0.0  # wall clock, everything
    cell_seconds: float = 0.0  # in the student's own cells
    peak_memory_mb: float = 0.0
    confinement: str = ""
    notes: tuple[Message, ...] = ()
    photo_survey: PhotoSurvey | None = None
    tests: tuple[TestResult, ...] = ()  # of a course
