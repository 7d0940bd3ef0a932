"""What a student handed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from grader.i18n.message import Message
from grader.models.lateness import Extension
from grader.models.run import Outcome


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
    notebook: Path | None = None  # the bytes as handed in; read by grader.notebook.parse only
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
