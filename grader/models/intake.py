"""Decisions taken while submissions are read: the student of each file, its use, and what a teacher should check.

``read_submissions`` makes these values, ``intake.html`` shows them. Student reports contain none of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from grader.i18n.message import Message
from grader.models.submission import Student, Submission

INTAKE_PAGE = "intake.html"


class FileStatus(StrEnum):
    """The use that was made of a file."""

    NOTEBOOK = "notebook"  # the graded one
    LEFT_OUT = "left out"  # another notebook was taken instead
    BESIDE = "beside"  # placed next to the notebook when it runs
    NOT_BESIDE = "not beside"
    UNPACKED = "unpacked"  # an archive; its files have their own decisions
    FOR_ALL = "for all"  # data at the top of a class's folder
    UNUSED = "unused"
    REFUSED = "refused"
    SKIPPED = "skipped"  # a folder, or a file that the operating system made


@dataclass(frozen=True, slots=True)
class FileDecision:
    """The decision about one entry of source number ``source``."""

    source: int
    name: str
    status: FileStatus
    reason: Message | None = None
    archive: str = ""  # the entry that this file was packed in, if any


@dataclass(frozen=True, slots=True)
class IntakeSource:
    """A given path, the LMS it was read as and the reason; ``files`` are those that belong to no student."""

    path: str
    lms: str
    reason: Message
    files: tuple[FileDecision, ...] = ()


@dataclass(frozen=True, slots=True)
class IntakeRecord:
    """A submission with the decisions about it. ``matched`` tells how it was matched to the class list."""

    submission: Submission
    files: tuple[FileDecision, ...] = ()
    doubts: tuple[Message, ...] = ()
    matched: Message | None = None


@dataclass(frozen=True, slots=True)
class Intake:
    """The submissions of a class with all decisions about them. Iterating over it gives the submissions.

    ``absent`` are the students on the class list without any submission, not even one that may be theirs.
    """

    records: tuple[IntakeRecord, ...]
    sources: tuple[IntakeSource, ...] = ()
    absent: tuple[Student, ...] = ()
    doubts: tuple[Message, ...] = ()  # about the class as a whole
    lms_titles: Mapping[str, str] = field(default_factory=dict)  # by the LMS's name in sources and submissions

    def __iter__(self) -> Iterator[Submission]:
        return iter(self.submissions)

    def __len__(self) -> int:
        return len(self.records)

    @property
    def submissions(self) -> tuple[Submission, ...]:
        return tuple(record.submission for record in self.records)

    @property
    def files(self) -> tuple[FileDecision, ...]:
        """The decisions about every entry of every source."""
        of_class = (file for source in self.sources for file in source.files)
        return (*of_class, *(file for record in self.records for file in record.files))

    @property
    def review_count(self) -> int:
        """Number of submissions and class-wide matters that a person should check."""
        return len(self.doubts) + sum(bool(record.doubts) for record in self.records)
