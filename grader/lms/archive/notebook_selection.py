"""One student's files made into a ``Submission``: which notebook counts, what lies beside it, what is to be said."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from grader.files import filetype
from grader.files.archives.contents import ArchiveLimits, Refused
from grader.files.archives.entry_names import is_junk
from grader.files.archives.extraction import read_archive
from grader.grading.lateness import datetimes
from grader.i18n.message import Message, join_list, message
from grader.lms.archive.student_files import FOR_ALL, NAME_BYTES, SAID, File, HandedIn, attachments
from grader.lms.canvas import archive as canvas
from grader.lms.folder import is_notebook, stem
from grader.models.course import Course
from grader.models.errors import IntakeError
from grader.models.intake import Fate, Filed
from grader.models.run import Outcome
from grader.models.submission import Student, Submission
from grader.notebook import parse
from grader.spec.formats.course_format import match_notebooks

_NESTED = ArchiveLimits(entries=2_000, entry_bytes=256 * 2**20, total_bytes=512 * 2**20)
_PICTURES = ArchiveLimits(entries=20_000, entry_bytes=256 * 2**20, total_bytes=2 * 2**30)
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".rar", ".7z")
_LOOKALIKES = (".txt", ".json", ".download", "")


def submission(
    student: Student, handed: HandedIn, nested: Path, *, with_pictures: bool = False, course: Course | None = None
) -> Submission:
    """What counts of ``handed``. Archives among it are unpacked into ``nested`` when they may hold the notebook, or the
    pictures that an assignment asks for. Of a ``course`` each of its notebooks counts. ``handed.filed`` then says of
    every file what became of it.
    """
    made = _submission(student, handed, nested, with_pictures=with_pictures, course=course)
    handed.filed += [
        Filed(file.source, file.listed, *handed.fates.get(file.entry.path, (Fate.BESIDE, None)), file.archive)
        for file in handed.files
        if file.source != FOR_ALL
    ]
    return made


def _submission(
    student: Student, handed: HandedIn, nested: Path, *, with_pictures: bool, course: Course | None
) -> Submission:
    # Flat names show what computers left behind only once the LMS's part is gone.
    files = [file for file in handed.files if not is_junk(file.name)]
    handed.fates |= {file.entry.path: (Fate.SKIPPED, None) for file in handed.files if is_junk(file.name)}
    files = _last_attempt(files, handed)
    if course is not None:
        files = _of_assignment(files, course.folder, handed)
    candidates = [file for file in files if is_notebook(file.name)]
    if with_pictures or not candidates:
        files = _opened(files, handed, nested, _PICTURES if with_pictures else _NESTED)
        candidates = candidates or [file for file in files if is_notebook(file.name)] or _lookalikes(files, handed)
    owner = handed.owner
    times = [file.submitted_at for file in files if file.submitted_at]
    blank = Submission(
        student,
        submitted_at=max(times, key=datetimes.earliest, default=owner.submitted_at),
        late=owner.late,
        lms=handed.lms,
        origin=owner.origin,
        group=owner.group,
    )
    if not candidates:
        outcome, problem = _nothing_to_run(files, handed)
        beside = attachments(files, "", handed)
        notes = tuple(note for note in _notes(handed) if note != problem)
        return replace(blank, problem=problem, outcome=outcome, attachments=beside, notes=notes)
    current = _without_earlier(candidates, handed)
    parts = _parts(current, course, handed) if course is not None else {}
    taken = next(iter(parts.values())) if parts else _chosen(current, handed)
    others = _without(files, candidates)
    # What came out of the notebook's own archive was never in an archive beside it.
    others = [file if file.archive != taken.archive else replace(file, archive="") for file in others]
    path = taken.entry.path
    return replace(
        blank,
        notebook=path,
        submitted_at=taken.submitted_at or owner.submitted_at,
        notebook_name=_short(PurePosixPath(taken.name).name),
        parts={name: file.entry.path for name, file in parts.items()},
        attachments=attachments(others, taken.name, handed),  # before the notes, which say what is none
        digest=_digest(path),
        entry=taken.outer or taken.entry.name,
        notes=_notes(handed),
    )


def _last_attempt(files: list[File], handed: HandedIn) -> list[File]:
    """Of files that an LMS gives with the times of several attempts, the latest one's; the others are named.

    An attempt that is nothing but typed text takes no file's place: it says "see above".
    """
    times = [file.submitted_at for file in files if file.submitted_at and not file.typed]
    latest = max(map(datetimes.earliest, times), default=None)
    earlier = [
        file for file in files if latest and file.submitted_at and datetimes.earliest(file.submitted_at) < latest
    ]
    if earlier:
        names = sorted(f"{file.name} ({file.submitted_at:%Y-%m-%d %H:%M})" for file in earlier)
        said = message("Earlier attempts were left out: {names}.", names=join_list(names))
        handed.notes.append(said)
        handed.fates |= {file.entry.path: (Fate.LEFT_OUT, said) for file in earlier}
    return _without(files, earlier)


def _without(files: Sequence[File], others: Sequence[File]) -> list[File]:
    left_out = set(map(id, others))
    return [file for file in files if id(file) not in left_out]


# ---------------------------------------------------------------- finding notebooks


def _opened(files: list[File], handed: HandedIn, nested: Path, limits: ArchiveLimits) -> list[File]:
    found: list[File] = []
    left = limits  # for all of them together
    names: set[str] = {file.name for file in files}
    for number, file in enumerate(files):
        if not file.name.lower().endswith(_ARCHIVES):
            found.append(file)
            continue
        try:
            inner = read_archive(file.entry.path, nested / f"{number:03d}", left, name=file.name)
        except IntakeError as error:
            handed.unreadable.append(error.message)
            found.append(file)
            continue
        left = left.after(inner)
        handed.notes.append(message("{name} was unpacked.", name=file.name))
        handed.fates[file.entry.path] = (Fate.UNPACKED, None)
        handed.refused += inner.refused
        handed.filed += [Filed(file.source, one.name, Fate.REFUSED, one.reason, file.name) for one in inner.refused]
        handed.filed += [Filed(file.source, name, Fate.SKIPPED, archive=file.name) for name in inner.skipped]
        folder = PurePosixPath(file.name).parent
        if not names.isdisjoint(str(folder / entry.name) for entry in inner.entries):
            folder /= stem(file.name)  # two archives with the same names inside, such as train.zip and test.zip
        inside = replace(file, archive=file.name, outer=file.entry.name)
        unpacked = [
            replace(inside, name=str(folder / one.name), entry=one, inner=one.name, listed=one.name)
            for one in inner.entries
        ]
        names |= {one.name for one in unpacked}
        found += unpacked
        handed.files += unpacked
    return found


def _lookalikes(files: Sequence[File], handed: HandedIn) -> list[File]:
    """Files without the right name that hold a notebook all the same."""
    found = [
        file
        for file in files
        if not file.typed
        and file.source != FOR_ALL
        and PurePosixPath(file.name).suffix.lower() in _LOOKALIKES
        and _code_size(file) is not None
    ]
    for file in found:
        handed.doubt(message("{name} holds a notebook and was read as one.", name=file.name))
    return found


def _code_size(file: File) -> int | None:
    """Characters of code in the notebook; None when it cannot be read as one."""
    if file.entry.size > parse.MAX_BYTES:
        return None
    parsed = parse.parse(file.entry.path.read_bytes()).notebook
    return None if parsed is None else parse.code_size(parsed)


def _without_earlier(candidates: Sequence[File], handed: HandedIn) -> list[File]:
    """Of a notebook that was handed in again under a name of Canvas's making, the last attempt."""
    earlier = canvas.earlier_attempts(file.name for file in candidates if file.order)
    if earlier:
        handed.notes.append(message("Earlier attempts were left out: {names}.", names=join_list(sorted(earlier))))
    handed.fates |= {file.entry.path: (Fate.LEFT_OUT, None) for file in candidates}
    return [file for file in candidates if file.name not in earlier]


def _chosen(current: Sequence[File], handed: HandedIn) -> File:
    """The notebook with the most code, among equals the latest."""

    def rank(file: File) -> tuple[bool, int, int, datetime, str]:
        kept_by_editor = file.name.lower().endswith("-checkpoint.ipynb")
        size = _code_size(file)
        when = file.entry.modified or datetime.min
        return not kept_by_editor, -1 if size is None else size, file.order, when, file.name

    best = current[0] if len(current) == 1 else max(current, key=rank)
    handed.fates[best.entry.path] = (Fate.NOTEBOOK, None)
    if len(current) == 1:
        return best
    names = join_list(sorted(file.name for file in current if file is not best))
    handed.doubt(
        message(
            "{taken} was taken: of several notebooks it has the most code. Left out: {names}.",
            taken=best.name,
            names=names,
        )
    )
    return best


def _of_assignment(files: list[File], folder: str, handed: HandedIn) -> list[File]:
    """Those in the folder that the course gives the assignment; all where there is no such folder."""
    inside = [file for file in files if folder and folder in PurePosixPath(file.name).parts[:-1]]
    if inside:
        another = message("It belongs to another assignment or to the course.")
        handed.fates |= {file.entry.path: (Fate.UNUSED, another) for file in _without(files, inside)}
    return inside or files


def _parts(current: Sequence[File], course: Course, handed: HandedIn) -> dict[str, File]:
    """The course's notebooks by their names there; of several that could be one, the last."""
    current = sorted(current, key=lambda file: (file.order, file.entry.modified or datetime.min, file.name))
    chosen = match_notebooks([(file.name, file.entry.path) for file in current], course)
    parts = {name: current[index] for name, index in chosen.items()}
    for name, file in parts.items():
        if PurePosixPath(file.name).name != name and course.format != "otter":  # which grades one, whatever its name
            handed.doubt(message("{taken} was taken as {name}.", taken=file.name, name=name))
    left = sorted(file.name for file in current if file not in parts.values())
    if left and parts:
        handed.doubt(message("Not among this assignment's notebooks, left out: {names}.", names=join_list(left)))
    if parts:
        handed.fates |= {file.entry.path: (Fate.NOTEBOOK, None) for file in parts.values()}
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
    said = [*handed.notes, *handed.unreadable, *map(_refusal, handed.refused[:SAID])]
    if len(handed.refused) > SAID:
        said.append(message("{count} more files were refused.", count=len(handed.refused) - SAID))
    return tuple(said)


# ---------------------------------------------------------------- its name and bytes


def _short(name: str) -> str:
    """A notebook's name cut to what every disk takes."""
    path = PurePosixPath(name)
    if len(name.encode()) <= NAME_BYTES:
        return name
    suffix = path.suffix if len(path.suffix.encode()) <= 20 else ""
    return path.stem.encode()[: NAME_BYTES - 20].decode("utf-8", "ignore") + suffix


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
