"""Build a ``Submission`` from one student's files: select the notebook, place other files beside it, collect notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from grader.files import filetype
from grader.files.archives.contents import ArchiveLimits, Refused
from grader.files.archives.entry_names import is_junk
from grader.files.archives.extraction import read_archive
from grader.files.plain_files import file_digest, read_plain
from grader.grading.lateness import datetimes
from grader.i18n.message import Message, join_list, message
from grader.lms.archive.student_files import (
    CLASS_DATA,
    MAX_NAMED,
    NAME_BYTES,
    StudentFile,
    StudentUpload,
    attachments,
)
from grader.lms.canvas import archive as canvas
from grader.lms.folder import is_notebook, stem
from grader.models.course import Course
from grader.models.errors import IntakeError
from grader.models.intake import FileDecision, FileStatus
from grader.models.run import Outcome
from grader.models.submission import Student, Submission
from grader.notebook import parse
from grader.spec.formats.course_format import match_notebooks

_NESTED = ArchiveLimits(entries=2_000, entry_bytes=256 * 2**20, total_bytes=512 * 2**20)
_PICTURES = ArchiveLimits(entries=20_000, entry_bytes=256 * 2**20, total_bytes=2 * 2**30)
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".rar", ".7z")
_LOOKALIKES = (".txt", ".json", ".download", "")


def build_submission(
    student: Student, upload: StudentUpload, nested: Path, *, with_pictures: bool = False, course: Course | None = None
) -> Submission:
    """Return the submission that ``upload`` makes, and add the decision about every file to ``upload.decisions``.

    Archives among the files are unpacked into ``nested`` if they may hold the notebook, or the pictures that the
    assignment asks for. For a ``course``, each of its notebooks is selected.
    """
    submission = _build(student, upload, nested, with_pictures=with_pictures, course=course)
    for file in upload.files:
        if file.source != CLASS_DATA:
            status, reason = upload.statuses.get(file.entry.path, (FileStatus.BESIDE, None))
            upload.decisions.append(FileDecision(file.source, file.listed, status, reason, file.archive))
    return submission


def _build(
    student: Student, upload: StudentUpload, nested: Path, *, with_pictures: bool, course: Course | None
) -> Submission:
    # Canvas's flat names show system files only after the LMS's part is removed.
    files = [file for file in upload.files if not is_junk(file.name)]
    upload.statuses |= {file.entry.path: (FileStatus.SKIPPED, None) for file in upload.files if is_junk(file.name)}
    files = _last_attempt(files, upload)
    if course is not None:
        files = _of_assignment(files, course.folder, upload)
    candidates = [file for file in files if is_notebook(file.name)]
    if with_pictures or not candidates:
        files = _unpack_archives(files, upload, nested, _PICTURES if with_pictures else _NESTED)
        candidates = candidates or [file for file in files if is_notebook(file.name)] or _lookalikes(files, upload)
    owner = upload.owner
    times = [file.submitted_at for file in files if file.submitted_at]
    blank = Submission(
        student,
        submitted_at=max(times, key=datetimes.earliest, default=owner.submitted_at),
        late=owner.late,
        lms=upload.lms,
        origin=owner.origin,
        group=owner.group,
    )
    if not candidates:
        outcome, problem = _nothing_to_run(files, upload)
        beside = attachments(files, "", upload)
        notes = tuple(note for note in _notes(upload) if note != problem)
        return replace(blank, problem=problem, outcome=outcome, attachments=beside, notes=notes)
    current = _without_earlier(candidates, upload)
    parts = _course_notebooks(current, course, upload) if course is not None else {}
    taken = next(iter(parts.values())) if parts else _select_notebook(current, upload)
    # Files unpacked together with the notebook were not in an archive beside it.
    others = [
        replace(file, archive="") if file.archive == taken.archive else file for file in _without(files, candidates)
    ]
    path = taken.entry.path
    return replace(
        blank,
        notebook=path,
        submitted_at=taken.submitted_at or owner.submitted_at,
        notebook_name=_shorten(PurePosixPath(taken.name).name),
        parts={name: file.entry.path for name, file in parts.items()},
        attachments=attachments(others, taken.name, upload),  # before ``_notes``: it adds notes
        digest=file_digest(path),
        entry=taken.outer or taken.entry.name,
        notes=_notes(upload),
    )


def _last_attempt(files: list[StudentFile], upload: StudentUpload) -> list[StudentFile]:
    """Return the files of the latest attempt, if the LMS gives the times of several.

    An attempt of typed text alone replaces no file: the text is often just "see above".
    """
    times = [file.submitted_at for file in files if file.submitted_at and not file.typed]
    latest = max(map(datetimes.earliest, times), default=None)
    earlier = [
        file for file in files if latest and file.submitted_at and datetimes.earliest(file.submitted_at) < latest
    ]
    if earlier:
        names = sorted(f"{file.name} ({file.submitted_at:%Y-%m-%d %H:%M})" for file in earlier)
        note = message("Earlier attempts were left out: {names}.", names=join_list(names))
        upload.notes.append(note)
        upload.statuses |= {file.entry.path: (FileStatus.LEFT_OUT, note) for file in earlier}
    return _without(files, earlier)


def _without(files: Sequence[StudentFile], others: Sequence[StudentFile]) -> list[StudentFile]:
    left_out = set(map(id, others))
    return [file for file in files if id(file) not in left_out]


# ---------------------------------------------------------------- finding notebooks


def _unpack_archives(
    files: list[StudentFile], upload: StudentUpload, nested: Path, limits: ArchiveLimits
) -> list[StudentFile]:
    """Return ``files`` with every readable archive replaced by its contents; ``limits`` hold for all together."""
    found: list[StudentFile] = []
    left = limits
    names: set[str] = {file.name for file in files}
    for number, file in enumerate(files):
        if not file.name.lower().endswith(_ARCHIVES):
            found.append(file)
            continue
        try:
            inner = read_archive(file.entry.path, nested / f"{number:03d}", left, name=file.name)
        except IntakeError as error:
            upload.unreadable.append(error.message)
            found.append(file)
            continue
        left = left.after(inner)
        upload.notes.append(message("{name} was unpacked.", name=file.name))
        upload.statuses[file.entry.path] = (FileStatus.UNPACKED, None)
        upload.refused += inner.refused
        upload.decisions += [
            FileDecision(file.source, refused.name, FileStatus.REFUSED, refused.reason, file.name)
            for refused in inner.refused
        ]
        upload.decisions += [
            FileDecision(file.source, name, FileStatus.SKIPPED, archive=file.name) for name in inner.skipped
        ]
        folder = PurePosixPath(file.name).parent
        if not names.isdisjoint(str(folder / entry.name) for entry in inner.entries):
            folder /= stem(file.name)  # two archives with the same names inside, such as train.zip and test.zip
        inside = replace(file, archive=file.name, outer=file.entry.name)
        unpacked = [
            replace(inside, name=str(folder / entry.name), entry=entry, inner=entry.name, listed=entry.name)
            for entry in inner.entries
        ]
        names |= {inner_file.name for inner_file in unpacked}
        found += unpacked
        upload.files += unpacked
    return found


def _lookalikes(files: Sequence[StudentFile], upload: StudentUpload) -> list[StudentFile]:
    """Return the files that contain a notebook but do not have the name of one."""
    found = [
        file
        for file in files
        if not file.typed
        and file.source != CLASS_DATA
        and PurePosixPath(file.name).suffix.lower() in _LOOKALIKES
        and _code_size(file) is not None
    ]
    for file in found:
        upload.doubt(message("{name} contains a notebook and was read as one.", name=file.name))
    return found


def _code_size(file: StudentFile) -> int | None:
    """Return the characters of code in the notebook; None if it cannot be read as one."""
    if file.entry.size > parse.MAX_BYTES:
        return None
    try:
        parsed = parse.parse(read_plain(file.entry.path, parse.MAX_BYTES)).notebook
    except OSError:
        return None
    return None if parsed is None else parse.code_size(parsed)


def _without_earlier(candidates: Sequence[StudentFile], upload: StudentUpload) -> list[StudentFile]:
    """Return the last attempt of each notebook that Canvas renamed because it was submitted again."""
    earlier = canvas.earlier_attempts(file.name for file in candidates if file.order)
    if earlier:
        upload.notes.append(message("Earlier attempts were left out: {names}.", names=join_list(sorted(earlier))))
    upload.statuses |= {file.entry.path: (FileStatus.LEFT_OUT, None) for file in candidates}
    return [file for file in candidates if file.name not in earlier]


def _select_notebook(current: Sequence[StudentFile], upload: StudentUpload) -> StudentFile:
    """Return the notebook with the most code, the latest of equals. Editors' checkpoint copies come last."""

    def rank(file: StudentFile) -> tuple[bool, int, int, datetime, str]:
        is_checkpoint = file.name.lower().endswith("-checkpoint.ipynb")
        size = _code_size(file)
        when = file.entry.modified or datetime.min
        return not is_checkpoint, -1 if size is None else size, file.order, when, file.name

    best = current[0] if len(current) == 1 else max(current, key=rank)
    upload.statuses[best.entry.path] = (FileStatus.NOTEBOOK, None)
    if len(current) > 1:
        names = join_list(sorted(file.name for file in current if file is not best))
        upload.doubt(
            message(
                "{taken} was taken: it has the most code of several notebooks. Left out: {names}.",
                taken=best.name,
                names=names,
            )
        )
    return best


def _of_assignment(files: list[StudentFile], folder: str, upload: StudentUpload) -> list[StudentFile]:
    """Return the files in the course's folder for the assignment; all files if there is no such folder."""
    inside = [file for file in files if folder and folder in PurePosixPath(file.name).parts[:-1]]
    if inside:
        other = message("It belongs to another assignment or to the course.")
        upload.statuses |= {file.entry.path: (FileStatus.UNUSED, other) for file in _without(files, inside)}
    return inside or files


def _course_notebooks(current: Sequence[StudentFile], course: Course, upload: StudentUpload) -> dict[str, StudentFile]:
    """Return the file for each of the course's notebooks, by the notebook's name; of several the latest."""
    current = sorted(current, key=lambda file: (file.order, file.entry.modified or datetime.min, file.name))
    chosen = match_notebooks([(file.name, file.entry.path) for file in current], course)
    parts = {name: current[index] for name, index in chosen.items()}
    for name, file in parts.items():
        if PurePosixPath(file.name).name != name and course.format != "otter":  # Otter grades one, with any name
            upload.doubt(message("{taken} was taken as {name}.", taken=file.name, name=name))
    left = sorted(file.name for file in current if file not in parts.values())
    if left and parts:
        upload.doubt(message("Left out, not a notebook of this assignment: {names}.", names=join_list(left)))
    if parts:
        upload.statuses |= {file.entry.path: (FileStatus.NOTEBOOK, None) for file in parts.values()}
    return parts


# ---------------------------------------------------------------- problems and notes


def _nothing_to_run(files: Sequence[StudentFile], upload: StudentUpload) -> tuple[Outcome, Message]:
    harmful = [refused for refused in upload.refused if refused.harmful]
    for refused in [*harmful, *upload.refused][:1]:
        return Outcome.FORBIDDEN if harmful else Outcome.MISSING, _refusal(refused)
    if upload.unreadable:
        return Outcome.MISSING, upload.unreadable[0]
    if not files:
        return Outcome.MISSING, message("Nothing was handed in. Expected a notebook (.ipynb).")
    if all(file.typed for file in files):
        return Outcome.MISSING, message("Only a text typed into the LMS was handed in. Expected a notebook (.ipynb).")
    first = next(file for file in files if not file.typed)
    try:
        kind = filetype.kind(read_plain(first.entry.path, filetype.HEAD_BYTES))
    except OSError as error:
        kind = message("unreadable ({reason})", reason=str(error.strerror))
    if len(files) == 1:
        return Outcome.MISSING, message("{name} is {kind}. Expected a notebook (.ipynb).", name=first.name, kind=kind)
    return Outcome.MISSING, message(
        "None of the {count} files is a notebook; {name} is {kind}. Expected a notebook (.ipynb).",
        count=len(files), name=first.name, kind=kind,
    )  # fmt: skip


def _refusal(refused: Refused) -> Message:
    return message("{name} was refused: {reason}.", name=refused.name, reason=refused.reason)


def _notes(upload: StudentUpload) -> tuple[Message, ...]:
    notes = [*upload.notes, *upload.unreadable, *map(_refusal, upload.refused[:MAX_NAMED])]
    if len(upload.refused) > MAX_NAMED:
        notes.append(message("{count} more files were refused.", count=len(upload.refused) - MAX_NAMED))
    return tuple(notes)


def _shorten(name: str) -> str:
    """Return ``name``, cut to a length that every file system takes, with its suffix."""
    path = PurePosixPath(name)
    if len(name.encode()) <= NAME_BYTES:
        return name
    suffix = path.suffix if len(path.suffix.encode()) <= 20 else ""
    return path.stem.encode()[: NAME_BYTES - 20].decode("utf-8", "ignore") + suffix
