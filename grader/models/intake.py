"""What was decided on the way in, for the teacher's eyes: whose every file is, what became of it, and what is in doubt.

``read_submissions`` says it, ``intake.html`` shows it. Nothing of it is in a student's report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from grader.i18n.message import Message
from grader.models.submission import Student, Submission

INTAKE_PAGE = "intake.html"


class Fate(StrEnum):
    """What became of a file."""

    NOTEBOOK = "notebook"  # the one that is graded
    LEFT_OUT = "left out"  # a notebook too, but another was taken
    BESIDE = "beside"  # lies beside the notebook when it runs
    NOT_BESIDE = "not beside"
    UNPACKED = "unpacked"  # an archive, whose files have a line each
    FOR_ALL = "for all"  # data at the top of a class's folder
    UNUSED = "unused"
    REFUSED = "refused"
    SKIPPED = "skipped"  # a folder, or what computers leave behind


@dataclass(frozen=True, slots=True)
class Filed:
    """One entry of the archive or folder number ``source``; ``archive`` is the entry that it was packed in, if any."""

    source: int
    name: str
    fate: Fate
    why: Message | None = None
    archive: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """One of the given paths: which LMS it was taken for and why; ``files`` are those of no student."""

    path: str
    lms: str
    why: Message
    files: tuple[Filed, ...] = ()


@dataclass(frozen=True, slots=True)
class Received:
    """One submission with all that was decided about it. ``matched`` says how the class list knows whose it is."""

    submission: Submission
    files: tuple[Filed, ...] = ()
    doubts: tuple[Message, ...] = ()
    matched: Message | None = None


@dataclass(frozen=True, slots=True)
class Intake:
    """What each student handed in, and all that was decided about it: as a collection, the submissions.

    ``absent`` are on the class list, and nothing came that is theirs, or may be.
    """

    received: tuple[Received, ...]
    sources: tuple[Source, ...] = ()
    absent: tuple[Student, ...] = ()
    doubts: tuple[Message, ...] = ()  # about the class as a whole
    lms_titles: Mapping[str, str] = field(default_factory=dict)  # by the names that sources and submissions have

    def __iter__(self) -> Iterator[Submission]:
        return iter(self.submissions)

    def __len__(self) -> int:
        return len(self.received)

    @property
    def submissions(self) -> tuple[Submission, ...]:
        return tuple(one.submission for one in self.received)

    @property
    def to_look_at(self) -> int:
        """How many submissions and matters of the class a person should look at."""
        return len(self.doubts) + sum(bool(one.doubts) for one in self.received)


def files_of(intake: Intake) -> Sequence[Filed]:
    """Every entry of everything that was given."""
    return [
        *(one for part in intake.sources for one in part.files),
        *(one for part in intake.received for one in part.files),
    ]
