"""The files of one student or group, with a decision about each, and the attachments placed beside the notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from grader.files.archives.contents import Entry, Refused
from grader.grading.lateness import datetimes
from grader.i18n.message import Message, message
from grader.lms.archive.shared_files import is_code
from grader.lms.identity import Owner
from grader.lms.roster.class_list import Person
from grader.models.intake import FileDecision, FileStatus
from grader.models.submission import Attachment

NAME_BYTES = 200
MAX_NAMED = 5  # refused files that are named individually
CLASS_DATA = -1  # source number of data for the whole class, which is not listed again for each student


@dataclass(frozen=True, slots=True)
class StudentFile:
    """A file of a student; ``name`` is relative to the submission."""

    name: str
    entry: Entry
    order: int = 0  # grows with each upload, if the LMS counts them
    typed: bool = False  # text typed into the LMS
    archive: str = ""  # name of the student's archive that contained it
    inner: str = ""  # its name in that archive
    outer: str = ""  # the entry of the class's archive that is that archive
    source: int = CLASS_DATA
    listed: str = ""  # its name in the source, with the folder around a whole class
    submitted_at: datetime | None = None  # of the attempt it belongs to, if the LMS says
    named: bool = False  # only its name, or that of its archive, says that it is this student's


@dataclass
class StudentUpload:
    """Everything that one student or group submitted, collected while the sources are read."""

    owner: Owner
    lms: str = "folder"
    files: list[StudentFile] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    unreadable: list[Message] = field(default_factory=list)  # problems of archives among the files
    notes: list[Message] = field(default_factory=list)
    doubts: list[Message] = field(default_factory=list)  # for the teacher to check
    decisions: list[FileDecision] = field(default_factory=list)
    statuses: dict[Path, tuple[FileStatus, Message | None]] = field(default_factory=dict)  # by Entry.path
    person: Person | None = None  # the matching student of the class list, if it is certain
    matched: Message | None = None  # how that student was found
    listed_time: datetime | None = None  # submission time on the class list

    def doubt(self, text: Message) -> None:
        """Add ``text`` to the notes, as something that a teacher should check."""
        self.notes.append(text)
        self.doubts.append(text)

    def add_attempt(self, other: Owner) -> None:
        """Take over the late mark of ``other`` and its submission time if it is later."""
        own = self.owner
        late = own.late if other.late is None else bool(own.late) or other.late
        times = filter(None, (own.submitted_at, other.submitted_at))
        self.owner = replace(own, late=late, submitted_at=max(times, key=datetimes.earliest, default=None))

    def merge(self, other: StudentUpload) -> None:
        """Add everything of ``other``, which the same student submitted."""
        self.files += other.files
        self.refused += other.refused
        self.notes += other.notes
        self.doubts += other.doubts
        self.decisions += other.decisions
        self.add_attempt(other.owner)


# ---------------------------------------------------------------- attachments


def attachments(files: Sequence[StudentFile], notebook: str, upload: StudentUpload) -> tuple[Attachment, ...]:
    """Return the files that can be placed beside ``notebook``, named relative to its folder.

    For the other files, add a note to ``upload``.
    """
    home = PurePosixPath(notebook).parent
    beside: dict[str, Attachment] = {}
    folders: set[str] = set()
    rejected: list[tuple[StudentFile, Message]] = []
    for file in files:
        name = _relative_to(home, file.name)
        above = {str(parent) for parent in name.parents}
        problem = placement_problem(name)
        if problem is None and file.named and is_code(file.name):
            problem = message("only its name says that it is this student's, and it may hold code")
        if problem is None and (str(name) in beside or str(name) in folders or not beside.keys().isdisjoint(above)):
            problem = message("another file is in its place")
        if problem is not None:
            note = message("{name} was not placed beside the notebook: {reason}.", name=file.name, reason=problem)
            rejected.append((file, note))
            upload.statuses.setdefault(file.entry.path, (FileStatus.NOT_BESIDE, problem))
            continue
        folders |= above
        archive = str(_relative_to(home, file.archive)) if file.archive else ""
        beside[str(name)] = Attachment(str(name), file.entry.path, archive, file.inner)
    for file, note in rejected[:MAX_NAMED]:
        # A problem with data for the whole class is no doubt about a single student.
        (upload.notes.append if file.source == CLASS_DATA else upload.doubt)(note)
    if len(rejected) > MAX_NAMED:
        upload.doubt(
            message("{count} more files were not placed beside the notebook.", count=len(rejected) - MAX_NAMED)
        )
    return tuple(beside.values())


def placement_problem(name: PurePosixPath) -> Message | None:
    """Return why a file called ``name`` cannot be placed beside a notebook, or None."""
    if any(part.startswith(".") for part in name.parts):
        return message("hidden files are not used")
    if any(len(part.encode()) > NAME_BYTES for part in name.parts) or len(str(name).encode()) > 4 * NAME_BYTES:
        return message("its name is too long")
    return None


def _relative_to(home: PurePosixPath, name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    return path.relative_to(home) if path.is_relative_to(home) else path
