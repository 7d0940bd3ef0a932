"""One student's files made into a ``Submission``: which notebook counts, what lies beside it, what is to be said."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from grader import notebook
from grader.archive import filetype
from grader.archive.names import is_junk
from grader.archive.reading import read_archive
from grader.archive.unpacking import ArchiveLimits, Entry, Refused
from grader.courses import handed_in
from grader.errors import IntakeError
from grader.lms import canvas
from grader.lms.folder import is_notebook, stem
from grader.lms.owner import Owner
from grader.records import Attachment, Course, Message, Outcome, Student, Submission, message

_NESTED = ArchiveLimits(entries=2_000, entry_bytes=256 * 2**20, total_bytes=512 * 2**20)
_PICTURES = ArchiveLimits(entries=20_000, entry_bytes=256 * 2**20, total_bytes=2 * 2**30)
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".rar", ".7z")
_LOOKALIKES = (".txt", ".json", ".download", "")
_NAME_BYTES = 200
_SAID = 5  # refused files named one by one


@dataclass(frozen=True, slots=True)
class File:
    """One of a student's files; ``name`` is relative to what was handed in."""

    name: str
    entry: Entry
    order: int = 0
    typed: bool = False
    archive: str = ""  # the file that it came out of
    inner: str = ""  # its name there


@dataclass
class HandedIn:
    """All that one student handed in."""

    owner: Owner
    lms: str = "folder"
    files: list[File] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    unreadable: list[Message] = field(default_factory=list)  # what is wrong with an archive among the files
    notes: list[Message] = field(default_factory=list)


def submission(
    student: Student, handed: HandedIn, nested: Path, *, with_pictures: bool = False, course: Course | None = None
) -> Submission:
    """What counts of ``handed``. Archives among it are unpacked into ``nested`` when they may hold the notebook, or the
    pictures that an assignment asks for. Of a ``course`` each of its notebooks counts.
    """
    # Flat names show what computers left behind only once the LMS's part is gone.
    files = [file for file in handed.files if not is_junk(file.name)]
    if course is not None:
        files = _of_assignment(files, course.folder)
    candidates = [file for file in files if is_notebook(file.name)]
    if with_pictures or not candidates:
        files = _opened(files, handed, nested, _PICTURES if with_pictures else _NESTED)
        candidates = (
            candidates or [file for file in files if is_notebook(file.name)] or _lookalikes(files, handed.notes)
        )
    owner = handed.owner
    blank = Submission(
        student,
        submitted_at=owner.submitted_at,
        late=owner.late,
        lms=handed.lms,
        origin=owner.origin,
        group=owner.group,
    )
    if not candidates:
        outcome, problem = _nothing_to_run(files, handed)
        beside = _attachments(files, "", handed.notes)
        notes = tuple(note for note in _notes(handed) if note != problem)
        return replace(blank, problem=problem, outcome=outcome, attachments=beside, notes=notes)
    parts = _parts(candidates, course, handed.notes) if course is not None else {}
    taken = next(iter(parts.values())) if parts else _chosen(candidates, handed.notes)
    others = [file for file in files if file not in candidates]
    # What came out of the notebook's own archive was never in an archive beside it.
    others = [file if file.archive != taken.archive else replace(file, archive="") for file in others]
    beside = _attachments(others, taken.name, handed.notes)
    path = taken.entry.path
    return replace(
        blank,
        notebook=path,
        notebook_name=_short(PurePosixPath(taken.name).name),
        parts={name: file.entry.path for name, file in parts.items()},
        attachments=beside,
        digest=_digest(path),
        entry="" if taken.archive else taken.entry.name,
        notes=_notes(handed),
    )


# ---------------------------------------------------------------- finding notebooks


def _opened(files: list[File], handed: HandedIn, nested: Path, limits: ArchiveLimits) -> list[File]:
    found: list[File] = []
    names: set[str] = {file.name for file in files}
    for number, file in enumerate(files):
        if not file.name.lower().endswith(_ARCHIVES):
            found.append(file)
            continue
        try:
            inner = read_archive(file.entry.path, nested / f"{number:03d}", limits, name=file.name)
        except IntakeError as error:
            handed.unreadable.append(_said(error))
            found.append(file)
            continue
        handed.notes.append(message("{name} was unpacked.", name=file.name))
        handed.refused += inner.refused
        folder = PurePosixPath(file.name).parent
        if not names.isdisjoint(str(folder / entry.name) for entry in inner.entries):
            folder /= stem(file.name)  # two archives with the same names inside, such as train.zip and test.zip
        unpacked = [
            replace(file, name=str(folder / entry.name), entry=entry, archive=file.name, inner=entry.name)
            for entry in inner.entries
        ]
        names |= {one.name for one in unpacked}
        found += unpacked
    return found


def _said(error: IntakeError) -> Message:
    reason = error.args[0] if error.args else ""
    return reason if isinstance(reason, Message) else message("An archive cannot be read.")


def _lookalikes(files: Sequence[File], notes: list[Message]) -> list[File]:
    """Files without the right name that hold a notebook all the same."""
    found = [
        file
        for file in files
        if not file.typed and PurePosixPath(file.name).suffix.lower() in _LOOKALIKES and _code_size(file) is not None
    ]
    notes += [message("{name} holds a notebook and was read as one.", name=file.name) for file in found]
    return found


def _code_size(file: File) -> int | None:
    """Characters of code in the notebook; None when it cannot be read as one."""
    if file.entry.size > notebook.MAX_BYTES:
        return None
    parsed = notebook.parse(file.entry.path.read_bytes()).notebook
    return None if parsed is None else notebook.code_size(parsed)


def _chosen(candidates: Sequence[File], notes: list[Message]) -> File:
    """The notebook with the most code, among equals the latest; of one handed in again, only its last attempt."""
    earlier = canvas.earlier_attempts(file.name for file in candidates if file.order)
    current = [file for file in candidates if file.name not in earlier]
    if earlier:
        names = ", ".join(sorted(earlier))
        notes.append(message("Earlier attempts were left out: {names}.", names=names))
    if len(current) == 1:
        return current[0]

    def rank(file: File) -> tuple[bool, int, int, datetime, str]:
        kept_by_editor = file.name.lower().endswith("-checkpoint.ipynb")
        size = _code_size(file)
        when = file.entry.modified or datetime.min
        return not kept_by_editor, -1 if size is None else size, file.order, when, file.name

    best = max(current, key=rank)
    names = ", ".join(sorted(file.name for file in current if file is not best))
    notes.append(
        message(
            "{taken} was taken: of several notebooks it has the most code. Left out: {names}.",
            taken=best.name,
            names=names,
        )
    )
    return best


def _of_assignment(files: list[File], folder: str) -> list[File]:
    """Those in the folder that the course gives the assignment; all where there is no such folder."""
    inside = [file for file in files if folder and folder in PurePosixPath(file.name).parts[:-1]]
    return inside or files


def _parts(candidates: Sequence[File], course: Course, notes: list[Message]) -> dict[str, File]:
    """The course's notebooks by their names there; of several that could be one, the last."""
    earlier = canvas.earlier_attempts(file.name for file in candidates if file.order)
    current = sorted(
        (file for file in candidates if file.name not in earlier),
        key=lambda file: (file.order, file.entry.modified or datetime.min, file.name),
    )
    chosen = handed_in.choose([(file.name, file.entry.path) for file in current], course)
    parts = {name: current[index] for name, index in chosen.items()}
    for name, file in parts.items():
        if PurePosixPath(file.name).name != name and course.format != "otter":  # which grades one, whatever its name
            notes.append(message("{taken} was taken as {name}.", taken=file.name, name=name))
    left = sorted(file.name for file in candidates if file not in parts.values())
    if left and parts:
        notes.append(message("Not among this assignment's notebooks, left out: {names}.", names=", ".join(left[:20])))
    return parts


def _nothing_to_run(files: Sequence[File], handed: HandedIn) -> tuple[Outcome, Message]:
    harmful = [one for one in handed.refused if one.harmful]
    for one in [*harmful, *handed.refused][:1]:
        return Outcome.FORBIDDEN if harmful else Outcome.MISSING, _refusal(one)
    if handed.unreadable:
        return Outcome.MISSING, handed.unreadable[0]
    if not files:
        return Outcome.MISSING, message("Nothing was handed in. Expected a notebook (.ipynb).")
    if all(file.typed for file in files):
        return Outcome.MISSING, message("Only a text typed into the LMS was handed in. Expected a notebook (.ipynb).")
    first = next(file for file in files if not file.typed)
    with first.entry.path.open("rb") as content:
        kind = filetype.kind(content.read(filetype.HEAD_BYTES))
    if len(files) == 1:
        return Outcome.MISSING, message("{name} is {kind}. Expected a notebook (.ipynb).", name=first.name, kind=kind)
    template = message(
        "None of the {count} files is a notebook; {name} is {kind}. Expected a notebook (.ipynb).",
        count=len(files), name=first.name, kind=kind,
    )  # fmt: skip
    return Outcome.MISSING, template


def _refusal(one: Refused) -> Message:
    return message("{name} was refused: {reason}.", name=one.name, reason=one.reason)


def _notes(handed: HandedIn) -> tuple[Message, ...]:
    said = [*handed.notes, *handed.unreadable, *map(_refusal, handed.refused[:_SAID])]
    if len(handed.refused) > _SAID:
        said.append(message("{count} more files were refused.", count=len(handed.refused) - _SAID))
    return tuple(said)


# ---------------------------------------------------------------- what lies beside it


def _attachments(files: Sequence[File], taken: str, notes: list[Message]) -> tuple[Attachment, ...]:
    """The other files under their names as seen from the notebook's folder, those that can be laid there."""
    home = PurePosixPath(taken).parent
    beside: dict[str, Attachment] = {}
    folders: set[str] = set()
    refused: list[Message] = []
    for file in files:
        name = _seen_from(home, file.name)
        above = {str(parent) for parent in name.parents}
        problem = _cannot_lie(name)
        if problem is None and (str(name) in beside or str(name) in folders or not above.isdisjoint(beside)):
            problem = message("another file has its place")
        if problem is not None:
            refused.append(message("{name} is not beside the notebook: {reason}.", name=file.name, reason=problem))
            continue
        folders |= above
        archive = str(_seen_from(home, file.archive)) if file.archive else ""
        beside[str(name)] = Attachment(str(name), file.entry.path, archive, file.inner)
    notes += refused[:_SAID]
    if len(refused) > _SAID:
        notes.append(message("{count} more files are not beside the notebook.", count=len(refused) - _SAID))
    return tuple(beside.values())


def _seen_from(home: PurePosixPath, name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    return path.relative_to(home) if path.is_relative_to(home) else path


def _cannot_lie(name: PurePosixPath) -> Message | None:
    if any(part.startswith(".") for part in name.parts):
        return message("hidden files are settings, not homework")
    if any(len(part.encode()) > _NAME_BYTES for part in name.parts) or len(str(name).encode()) > 4 * _NAME_BYTES:
        return message("its name is too long")
    return None


def _short(name: str) -> str:
    """A notebook's name cut to what every disk takes."""
    path = PurePosixPath(name)
    if len(name.encode()) <= _NAME_BYTES:
        return name
    suffix = path.suffix if len(path.suffix.encode()) <= 20 else ""
    return path.stem.encode()[: _NAME_BYTES - 20].decode("utf-8", "ignore") + suffix


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
