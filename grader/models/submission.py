"""Students and their submissions."""

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
    """A student, or a group that submits together."""

    # The metadata is for the published schema of grades.json.
    id: str = field(metadata={"min_length": 1})  # unique in the class, safe as a file name
    name: str  # as the LMS gave it
    # The LMS's own id, needed to return the grade.
    key: str = field(default="", metadata={"description": "The learning management system's own id."})
    email: str = ""
    username: str = field(default="", metadata={"description": "Login or student number."})


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file placed beside the notebook when it runs."""

    name: str  # relative POSIX path without "..", where the notebook expects it
    path: Path  # of the stored bytes
    archive: str = ""  # name of the archive beside the notebook that contained it
    inner: str = ""  # its name in that archive


@dataclass(frozen=True, slots=True)
class Submission:
    """The submission of one student or group. ``problem`` is the reason if nothing can be run, ``outcome`` its kind."""

    student: Student
    notebook: Path | None = None  # the submitted bytes; only grader.notebook.parse reads them
    notebook_name: str = ""
    attachments: tuple[Attachment, ...] = ()
    parts: Mapping[str, Path] = field(default_factory=dict)  # of a course: its notebooks by name
    submitted_at: datetime | None = None
    late: bool | None = None  # None: the LMS does not say
    extension: Extension | None = None
    digest: str = ""  # SHA-256 of the notebook's bytes, hexadecimal
    lms: str = "folder"  # the LMS whose file naming it has
    origin: str = ""  # entry or folder of the archive that it came from
    entry: str = ""  # entry of the archive that is or contains the notebook
    group: tuple[Student, ...] = ()  # the members, if the LMS names them
    problem: Message | None = None
    outcome: Outcome | None = None  # with a problem: MISSING or FORBIDDEN
    notes: tuple[Message, ...] = ()  # decisions of the intake, shown in the report

    @property
    def members(self) -> tuple[Student, ...]:
        """All students of the submission."""
        return self.group or (self.student,)
