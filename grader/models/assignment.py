"""What a teacher sets: the assignment, its data, its rubric and its limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from grader.i18n.message import Message, Titles
from grader.models.course import Course
from grader.models.lateness import LatePolicy


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


@dataclass(frozen=True, slots=True)
class Pictures:
    """A group hands in pictures of its own, in a folder for each class; some of them are kept from its notebook."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    size: tuple[int, int]  # height and width of what the model is asked: (n, height, width, 3), uint8, RGB
    min_classes: int = 2
    min_per_class: int = 10  # distinct contents
    folder: str = "pictures"  # beside the notebook: <folder>/<class>/<name>
    hold_out: float = 0.2  # share of each class's contents


@dataclass(frozen=True)
class Criterion:
    """One line of the rubric; each kind in ``grader.rubric`` adds its own options."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  read by grader.spec.loader: a misspelt option is an error

    id: str
    points: float
    title: Titles = field(default_factory=dict, kw_only=True)

    def problems(self) -> Iterable[Message]:
        """Yield problems of the kind's own options that types cannot express, each beginning with the option's name."""
        return ()


@dataclass(frozen=True, slots=True)
class Assignment:
    id: str
    version: str
    folder: Path
    title: Titles
    rubric: tuple[Criterion, ...]
    data: Data | None = None
    public: PublicSet | None = None  # until grader.data.hidden_sets makes data of it
    limits: Limits = Limits()
    pictures: Pictures | None = None
    sources: Mapping[str, str] = field(default_factory=dict)  # an address, or a file's name there, -> one of data.files
    withheld: Mapping[str, Path] = field(default_factory=dict)  # path in the library -> what a notebook finds there
    late: LatePolicy | None = None  # None: nothing is ever due
    course: Course | None = None  # in another grader's format: its tests run in the student's own process

    @property
    def points(self) -> float:
        return sum(criterion.points for criterion in self.rubric)
