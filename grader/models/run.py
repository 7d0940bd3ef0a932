"""Result of executing one submission."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal

from grader.i18n.message import Message, message
from grader.models.course import TestResult
from grader.models.facts import Facts
from grader.models.pdf_report import Document
from grader.models.photo_survey import PhotoSurvey

USES_WHOLE_BATCH = message(
    "The prediction for a row changed with the rows around it: the model or predict() uses the whole batch."
)


class Outcome(StrEnum):
    OK = "ok"  # every cell ran
    ERROR = "error"  # a cell failed or the notebook's process ended
    TIMEOUT = "timeout"
    MEMORY = "memory"
    DISK = "disk"
    MISSING = "missing"  # no runnable notebook was submitted
    FORBIDDEN = "forbidden"  # refused, for example for a path that leads out of the archive
    GRADER_FAULT = "grader_fault"  # a failure of the grader, which costs the student nothing


@dataclass(frozen=True, slots=True)
class CellError:
    name: str  # "ValueError"
    message: str


@dataclass(frozen=True, slots=True)
class Cell:
    index: int  # index in the notebook, from 0
    kind: Literal["code", "markdown", "raw"]
    characters: int  # of its source, without white space; of Markdown those that a reader sees, see written_text
    ran: bool = False
    error: CellError | None = None
    images: int = 0
    seconds: float | None = None
    count: int | None = None  # execution count, which Jupyter shows as In [count]
    given: bool = False  # its source is identical to a cell of the starter


@dataclass(frozen=True, slots=True)
class Carried:
    """Size of what a submission brought into its run and that could hold answers."""

    kb: float  # code and files
    data_kb: float  # of it digits and runs of characters that are no words


@dataclass(frozen=True, slots=True)
class Run:
    """Result of executing one submission. ``predictions`` is an ``.npy`` file in the order of the hidden set."""

    outcome: Outcome
    reason: Message | None = None  # why the outcome is not OK
    cells: tuple[Cell, ...] = ()
    facts: Facts = field(default_factory=Facts)
    executed: Path | None = None
    predictions: Path | None = None
    no_predictions: Message | None = None  # why there are none
    document: Document | None = None  # the PDF report; None if the rubric asks for none
    withheld: Message | None = None  # why the points for predictions wait for a person
    lacking: Message | None = None  # libraries or files that nobody gave: what earned nothing waits for a person
    contradicted: Message | None = None  # why the recorded trainings and figures are not believed
    doubts: tuple[Message, ...] = ()  # further reasons why a person should look
    depends_on_neighbours: bool = False  # a row's prediction changed with the other rows of its batch
    carried: Carried | None = None  # only where students know the hidden rows: a public set, or their own photos
    seconds: float = 0.0  # wall clock of the whole job
    cell_seconds: float = 0.0  # wall clock of the cells
    peak_memory_mb: float = 0.0
    memory_limit_mb: float = 0.0  # that applied; 0 if nothing ran
    confinement: str = ""
    notes: tuple[Message, ...] = ()
    reviews: tuple[Message, ...] = ()  # reasons for a person to check the result
    photo_survey: PhotoSurvey | None = None
    tests: tuple[TestResult, ...] = ()  # of an nbgrader or otter course
