"""One student's files as they came, and what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath

from grader.files.archives.contents import Entry, Refused
from grader.i18n.message import Message, message
from grader.lms.identity import Owner
from grader.models.intake import Fate, Filed
from grader.models.submission import Attachment

NAME_BYTES = 200
SAID = 5  # refused files named one by one
FOR_ALL = -1  # the source of data that lies beside every notebook of a class: said once, and not for each


@dataclass(frozen=True, slots=True)
class File:
    """One of a student's files; ``name`` is relative to what was handed in."""

    name: str
    entry: Entry
    order: int = 0
    typed: bool = False
    archive: str = ""  # the file that it came out of
    inner: str = ""  # its name there
    outer: str = ""  # the entry of the class's archive that this file is
    source: int = FOR_ALL
    listed: str = ""  # its name in what was given, with the folder around a whole class
    submitted_at: datetime | None = None  # with which attempt, where the LMS says


@dataclass
class HandedIn:
    """All that one student handed in."""

    owner: Owner
    lms: str = "folder"
    files: list[File] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    unreadable: list[Message] = field(default_factory=list)  # what is wrong with an archive among the files
    notes: list[Message] = field(default_factory=list)
    doubts: list[Message] = field(default_factory=list)  # those of the notes that a teacher should look at
    filed: list[Filed] = field(default_factory=list)  # what became of each file
    fates: dict[Path, tuple[Fate, Message | None]] = field(default_factory=dict)  # by where its bytes lie

    def doubt(self, said: Message) -> None:
        self.notes.append(said)
        self.doubts.append(said)


# ---------------------------------------------------------------- what lies beside the notebook


def attachments(files: Sequence[File], taken: str, handed: HandedIn) -> tuple[Attachment, ...]:
    """The other files under their names as seen from the notebook's folder, those that can be laid there."""
    home = PurePosixPath(taken).parent
    beside: dict[str, Attachment] = {}
    folders: set[str] = set()
    refused: list[tuple[File, Message]] = []
    for file in files:
        name = _seen_from(home, file.name)
        above = {str(parent) for parent in name.parents}
        problem = cannot_lie(name)
        if problem is None and (str(name) in beside or str(name) in folders or not beside.keys().isdisjoint(above)):
            problem = message("another file has its place")
        if problem is not None:
            said = message("{name} is not beside the notebook: {reason}.", name=file.name, reason=problem)
            refused.append((file, said))
            handed.fates.setdefault(file.entry.path, (Fate.NOT_BESIDE, problem))
            continue
        folders |= above
        archive = str(_seen_from(home, file.archive)) if file.archive else ""
        beside[str(name)] = Attachment(str(name), file.entry.path, archive, file.inner)
    for file, said in refused[:SAID]:
        # What is the class's is no doubt about each of its students.
        (handed.notes.append if file.source == FOR_ALL else handed.doubt)(said)
    if len(refused) > SAID:
        handed.doubt(message("{count} more files are not beside the notebook.", count=len(refused) - SAID))
    return tuple(beside.values())


def _seen_from(home: PurePosixPath, name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    return path.relative_to(home) if path.is_relative_to(home) else path


def cannot_lie(name: PurePosixPath) -> Message | None:
    if any(part.startswith(".") for part in name.parts):
        return message("hidden files are settings, not homework")
    if any(len(part.encode()) > NAME_BYTES for part in name.parts) or len(str(name).encode()) > 4 * NAME_BYTES:
        return message("its name is too long")
    return None
