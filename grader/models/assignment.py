"""Settings of a teacher: the assignment, its data, its rubric and its limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from grader.i18n.message import Message, Titles
from grader.models.course import Course
from grader.models.lateness import LatePolicy

LEAST_MEMORY_MB = 4096


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits for one submission; sizes in MiB."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012
    seconds: float = 300.0  # wall clock for all cells together
    cell_seconds: float | None = None  # wall clock for one cell
    samples: int | None = None  # rows that all trainings with fit() see together, over all epochs
    predict_seconds: float = 90.0  # for finding the input format and predicting the hidden rows, all models together
    memory_mb: int | None = None  # all processes of the submission together; None: what the machine can give
    disk_mb: int = 1024  # files left in the submission's own folders
    file_mb: int = 256  # one file
    processes: int = 256  # processes and threads
    output_mb: float = 2.0  # printed and displayed output of one cell

    @property
    def memory_limit_mb(self) -> int:
        """The limit that applies until the machine's share is known, and afterwards."""
        return LEAST_MEMORY_MB if self.memory_mb is None else self.memory_mb


@dataclass(frozen=True, slots=True)
class Hidden:
    """Source of the hidden rows: drawn by the teacher's ``generator``, or the teacher's ``file``."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012
    generator: Path | None = None
    file: Path | None = None
    rows: int = 2000


@dataclass(frozen=True, slots=True)
class Data:
    """Data to train a model on: ``files`` lie beside the notebook, ``table`` is the one of them with the labels."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012
    files: tuple[Path, ...]
    table: Path
    inputs: tuple[str, ...]
    target: str
    task: Literal["classification", "regression"]
    hidden: Hidden


@dataclass(frozen=True, slots=True)
class PublicSet:
    """A dataset that anybody can download; hidden are rows of its test part, perturbed with the teacher's secret."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012
    set: str
    size: tuple[int, int] | None = None  # photos only: height and width of the model's input
    rows: int = 2000  # at most; fewer if the set has fewer


@dataclass(frozen=True, slots=True)
class Pictures:
    """Requirements for pictures that a group collects, in a folder for each class; some are held out for testing."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    size: tuple[int, int]  # height and width of the model's input: (n, height, width, 3), uint8, RGB
    min_classes: int = 2
    min_per_class: int = 10  # distinct pictures
    folder: str = "pictures"  # beside the notebook: <folder>/<class>/<name>
    hold_out: float = 0.2  # share of each class's distinct pictures


@dataclass(frozen=True)
class Criterion:
    """A line of the rubric; each kind in ``grader.scoring.rubric`` adds its own options."""

    # The loader reads this: a misspelt option is an error.
    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    id: str
    points: float
    title: Titles = field(default_factory=dict, kw_only=True)

    def problems(self) -> Iterable[Message]:
        """Yield problems of the kind's own options that types cannot express, each beginning with the option's name."""
        return ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """An assignment as ``grader.spec`` has read it; ``with_data`` makes the one that is graded."""

    id: str
    version: str
    folder: Path
    title: Titles
    rubric: tuple[Criterion, ...]
    data: Data | None = None
    public: PublicSet | None = None
    limits: Limits = Limits()
    pictures: Pictures | None = None
    sources: Mapping[str, str] = field(default_factory=dict)  # address or file name in a download -> one of data.files
    withheld: Mapping[str, Path] = field(default_factory=dict)  # path in the library -> file that the notebook gets
    late: LatePolicy | None = None  # None: there is no due time
    warnings: tuple[Message, ...] = ()  # about its data, for the teacher
    course: Course | None = None  # in another grader's format: its tests run in the student's own process

    @property
    def points(self) -> float:
        """Points of all criteria together."""
        return sum(criterion.points for criterion in self.rubric)

    def with_data(self, data: Data | None, withheld: Mapping[str, Path] | None = None) -> Assignment:
        """Return the assignment with prepared ``data`` in place of its data or its public set."""
        return replace(self, public=None, data=data, withheld=self.withheld if withheld is None else withheld)

    def with_time_limit(self, seconds: float | None, cell_seconds: float | None = None) -> Assignment:
        """Return the assignment with another time limit for all cells, and for one; None leaves a limit unchanged."""
        limits = self.limits if seconds is None else replace(self.limits, seconds=seconds)
        return replace(self, limits=limits if cell_seconds is None else replace(limits, cell_seconds=cell_seconds))

    def with_memory(self, memory_mb: int) -> Assignment:
        """Return the assignment with ``memory_mb`` for each notebook, unless it sets its own limit."""
        if self.limits.memory_mb is not None:
            return self
        return replace(self, limits=replace(self.limits, memory_mb=memory_mb))
