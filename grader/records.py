"""The values that pass from stage to stage: frozen, made once, of the standard library and one another alone.

``Assignment`` and ``Submission`` go in; a ``Run`` says what executing gave, ``Score`` what one criterion is worth,
``Grade`` what the student gets. What a student's failure was is data here, never an exception."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal

from grader.claims import Facts
from grader.courses.values import Course as Course
from grader.courses.values import Test as Test
from grader.late.lateness import Extension, Lateness, LatePolicy
from grader.messages import Message as Message
from grader.messages import message as message
from grader.pictures.survey import Pictures as Pictures
from grader.pictures.survey import PictureSurvey as PictureSurvey

Titles = Mapping[str, str]  # language tag ("en", "zh-TW") -> text


@dataclass(frozen=True, slots=True)
class Limits:
    """What one submission may use."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012
    seconds: float = 300.0  # wall clock for all cells together
    cell_seconds: float | None = None  # wall clock for one cell
    predict_seconds: float = 90.0  # for finding how the model wants to be asked, and again for the hidden rows
    memory_mb: int = 4096  # all its processes together
    disk_mb: int = 1024  # what it may leave in its own folders
    file_mb: int = 256  # one file
    processes: int = 256  # processes and threads it may start
    output_mb: float = 2.0  # printed and shown, per cell


@dataclass(frozen=True, slots=True)
class Hidden:
    """Where the rows come from that no student sees: drawn by ``generator``, or the teacher's own ``file``."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012
    generator: Path | None = None
    file: Path | None = None
    rows: int = 2000


@dataclass(frozen=True, slots=True)
class Data:
    """The table a model is trained on: ``files`` lie beside the notebook, ``table`` is the one with the answers."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012
    files: tuple[Path, ...]
    table: Path
    inputs: tuple[str, ...]
    target: str
    task: Literal["classification", "regression"]
    hidden: Hidden


@dataclass(frozen=True, slots=True)
class PublicSet:
    """A set that everybody can get. Hidden are rows of its test part, changed a little with the teacher's secret."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012
    set: str
    size: tuple[int, int] | None = None  # photos only: height and width of what a model is asked
    rows: int = 2000  # at most: fewer where the set has fewer


@dataclass(frozen=True)
class Criterion:
    """One line of the rubric; each kind in ``grader.rubric`` adds its own options."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  read by grader.spec: a misspelt option is an error

    id: str
    points: float
    title: Titles = field(default_factory=dict, kw_only=True)

    def problems(self) -> Iterable[str]:
        """What types cannot say of the kind's own options: "option: found ..., expected ..."."""
        return ()


@dataclass(frozen=True, slots=True)
class Assignment:
    id: str
    version: str
    folder: Path
    title: Titles
    rubric: tuple[Criterion, ...]
    data: Data | None = None
    public: PublicSet | None = None  # until grader.datasets makes data of it
    limits: Limits = Limits()
    pictures: Pictures | None = None
    sources: Mapping[str, str] = field(default_factory=dict)  # an address, or a file's name there, -> one of data.files
    withheld: Mapping[str, Path] = field(default_factory=dict)  # path in the library -> what a notebook finds there
    late: LatePolicy | None = None  # None: nothing is ever due
    course: Course | None = None  # in another grader's format: its tests run in the student's own process

    @property
    def points(self) -> float:
        return sum(criterion.points for criterion in self.rubric)


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
class Student:
    """A student, or a group that hands in once."""

    id: str  # unique in the class, safe as a file name
    name: str  # as the LMS gave it
    key: str = ""  # the LMS's own id, by which grades find their way back
    email: str = ""
    username: str = ""  # login or student number


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str  # relative POSIX path without "..", where the notebook expects it
    path: Path  # where its bytes lie
    archive: str = ""  # name of the archive beside the notebook that it came out of
    inner: str = ""  # its name there


@dataclass(frozen=True, slots=True)
class Submission:
    """What one student handed in. ``problem`` says why there is nothing to run; ``outcome`` is then its kind."""

    student: Student
    notebook: Path | None = None  # the bytes as handed in; read by grader.notebook only
    notebook_name: str = ""
    attachments: tuple[Attachment, ...] = ()
    parts: Mapping[str, Path] = field(default_factory=dict)  # of a course: what was handed in as each notebook
    submitted_at: datetime | None = None
    late: bool | None = None  # None: the LMS does not say
    extension: Extension | None = None  # the student's own due time
    digest: str = ""  # SHA-256 of the notebook's bytes, hexadecimal
    lms: str = "folder"  # which one's naming it came under
    origin: str = ""  # the archive's entry or folder it came from
    entry: str = ""  # the archive's entry that is the notebook, or that it came out of
    group: tuple[Student, ...] = ()  # who handed in together, where the LMS says who
    problem: Message | None = None
    outcome: Outcome | None = None  # with a problem: MISSING or FORBIDDEN
    notes: tuple[Message, ...] = ()  # decisions taken on the way in, shown in the report

    @property
    def members(self) -> tuple[Student, ...]:
        """Everybody whose it is."""
        return self.group or (self.student,)


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
class Section:
    """One part of a document, by the headings that begin it."""

    name: str  # "purpose", or the assignment's own
    heading: str = ""  # as written; empty when there is none
    page: int = 0  # from 1
    characters: int = 0  # of text below it, white space and what is repeated not counted


@dataclass(frozen=True, slots=True)
class Member:
    name: str  # as written, as is the part
    part: str = ""
    mascot: bool = False  # listed as the one who did nothing


@dataclass(frozen=True, slots=True)
class Document:
    """The PDF that was handed in. What has a ``problem`` could not be read; ``none`` says that nobody could."""

    name: str = ""
    pages: int = 0
    sections: tuple[Section, ...] = ()  # every known one, in the order of the assignment
    members: tuple[Member, ...] = ()
    problem: Message | None = None
    none: bool = False
    doubts: tuple[Message, ...] = ()  # why a person should look, though it could be read
    notes: tuple[Message, ...] = ()  # decisions taken, such as which of several was read


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
    pictures: PictureSurvey | None = None
    tests: tuple[Test, ...] = ()  # of a course


@dataclass(frozen=True, slots=True)
class Scale:
    """What a measured value stands against."""

    full_at: float
    zero_at: float
    baselines: Mapping[str, float] = field(default_factory=dict)  # "majority", "mean", "linear"


@dataclass(frozen=True, slots=True)
class Score:
    """One criterion's result. ``points`` is None when it could not be judged and a person must."""

    criterion: str
    title: Titles
    points: float | None
    max: float
    passed: bool | None
    reason: Message
    value: float | None = None
    low: float | None = None  # 95 % interval
    high: float | None = None
    n: int | None = None  # sample size behind the value
    scale: Scale | None = None
    review: Message | None = None  # why a person should look


@dataclass(frozen=True, slots=True)
class Grade:
    """``total`` is None when a fault of the grader's own left something unjudged: never a zero.

    What lateness costs is taken off ``total`` already.
    """

    scores: tuple[Score, ...]
    total: float | None
    max: float
    late: bool | None = None
    review_reasons: tuple[Message, ...] = ()
    lateness: Lateness | None = None  # None: nothing is due

    @property
    def needs_review(self) -> bool:
        return bool(self.review_reasons)


@dataclass(frozen=True, slots=True)
class Graded:
    """One submission with all that became of it."""

    submission: Submission
    run: Run
    grade: Grade
