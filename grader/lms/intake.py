"""From what the teacher points at to one ``Submission`` per student; no file is dropped without a word."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from grader.archive import filetype
from grader.archive.names import tidy_name
from grader.archive.reading import read_archive
from grader.archive.unpacking import Archive, ArchiveLimits, Entry
from grader.decisions import Intake, Received, Source
from grader.errors import IntakeError, OutputError
from grader.lms import canvas, folder, moodle
from grader.lms.choosing import submission
from grader.lms.gathering import Given, Who, by_student, merge, tell_apart
from grader.lms.handed_in import HandedIn
from grader.lms.identity import Identified, identify
from grader.lms.matching import named
from grader.lms.owner import Naming, folded, unique_id
from grader.lms.roster import Roster
from grader.records import Message, Pictures, Student, Submission, message

# How each names the entries of this very archive; in this order they are tried.
_NAMING: Mapping[str, Callable[[Archive], Naming]] = {"moodle": moodle.naming, "canvas": canvas.naming}
LMS = ("auto", "folder", *_NAMING)
_WITH_PICTURES = ArchiveLimits(entries=200_000)  # a class of them, each with thousands


def read_submissions(
    paths: Sequence[Path],
    *,
    lms: str = "auto",
    workspace: Path,
    pictures: Pictures | None = None,
    roster: Roster | None = None,
) -> Intake:
    """What each student handed in, in the order of the archives and folders at ``paths``, with all that was decided.

    ``lms`` is one of ``LMS``; "auto" tells by how more than half of the entries are named. Archives are unpacked into
    a new folder under ``workspace``. Where an assignment asks for ``pictures`` of the students' own, archives beside a
    notebook are unpacked as well, and a notebook given by its path comes with the pictures and PDFs that lie beside it.
    With a ``roster`` each gets the name, number and address of the list, as far as it is certain who it is.
    Raises ``IntakeError`` when a path gives no submission, ``OutputError`` when ``workspace`` cannot be written.
    """
    if lms not in LMS:
        raise IntakeError(
            message("LMS {found} is not known; expected one of {known}.", found=lms, known=", ".join(LMS))
        )
    try:
        workspace.mkdir(parents=True, exist_ok=True)
        room = Path(tempfile.mkdtemp(prefix="intake-", dir=workspace))
    except OSError as error:
        raise OutputError(
            message("{path} cannot be written: {reason}.", path=workspace, reason=str(error.strerror))
        ) from error
    students: dict[Who, HandedIn] = {}
    sources: list[Source] = []
    for number, path in enumerate(paths):
        given = _named(path, _read(path, room / f"{number:03d}", pictures), lms)
        found, loose = by_student(given, number)
        if not found:
            raise IntakeError(_nothing_found(given))
        for who, handed in found.items():
            merge(students, who, handed)
        sources.append(Source(str(path), given.lms, given.why, tuple(loose)))
    tell_apart(students, paths)
    identified, absent = identify(list(students.values()), roster)
    received = _received(identified, room, with_pictures=pictures is not None)
    return Intake(tuple(received), tuple(sources), absent, () if roster is None else roster.doubts)


def _received(students: Sequence[Identified], room: Path, *, with_pictures: bool) -> Iterator[Received]:
    taken: set[str] = set()
    for number, one in enumerate(students):
        handed, owner = one.handed, one.handed.owner
        name = owner.name.strip() or owner.origin
        student = Student("", name, owner.key, owner.email, owner.username)
        if one.person is not None:
            student = named(student, one.person)
        wanted = (one.person.number if one.person else "") or owner.key or owner.name
        student = replace(student, id=unique_id(wanted, taken))
        taken.add(folded(student.id))
        made = submission(student, handed, room / f"nested-{number:05d}", with_pictures=with_pictures)
        if made.submitted_at is None and one.submitted is not None:
            made = replace(made, submitted_at=one.submitted)
        yield Received(made, tuple(handed.filed), _doubts(made, handed), one.how)


def _doubts(made: Submission, handed: HandedIn) -> tuple[Message, ...]:
    problem = () if made.problem is None else (made.problem,)
    said = [note for note in made.notes if note in handed.doubts or note not in handed.notes]
    others = [doubt for doubt in handed.doubts if doubt not in made.notes]
    return (*problem, *others, *said)  # Messages have no hash, and each is said once


# ---------------------------------------------------------------- reading a path


def _read(path: Path, into: Path, pictures: Pictures | None) -> Archive:
    limits = _WITH_PICTURES if pictures is not None else ArchiveLimits()
    if path.is_dir():
        return folder.scan(path, limits)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(filetype.HEAD_BYTES)
    except OSError as error:
        raise IntakeError(
            message(
                "{path} cannot be read: {reason}. Give a notebook, a folder, or the archive that the LMS gave you.",
                path=path, reason=str(error.strerror),
            )
        ) from error  # fmt: skip
    name = tidy_name(path.name)
    if folder.is_notebook(name) or (filetype.binary_kind(head) is None and folder.could_be_handed_in(name)):
        beside = list(_beside(path, pictures)) if pictures is not None else []
        # In a folder of their own they are one student's.
        inside = f"{folder.stem(name)}/" if beside else ""
        return Archive(tuple(replace(one, name=inside + one.name) for one in (Entry(name, path, size), *beside)))
    if filetype.is_document_archive(head):
        raise IntakeError(
            message(
                "{path} is {kind}; expected a notebook, a folder or an archive.", path=path, kind=filetype.kind(head)
            )
        )
    return read_archive(path, into, limits)


def _beside(notebook: Path, pictures: Pictures) -> Iterator[Entry]:
    """What a group hands in with its notebook, where it lies on its own computer: the pictures or their zip, PDFs."""
    own = notebook.parent / pictures.folder
    files = sorted(notebook.parent.glob("*.[pP][dD][fF]"))
    if own.is_dir():
        for entry in folder.scan(own, _WITH_PICTURES).entries:
            yield replace(entry, name=f"{own.name}/{entry.name}")
    else:
        files.append(own.with_name(f"{own.name}.zip"))
    yield from (Entry(tidy_name(one.name), one, one.stat().st_size) for one in files if one.is_file())


def _named(path: Path, content: Archive, lms: str) -> Given:
    """``content`` with the LMS that named it, and without the folder that a teacher's own packing puts around all."""
    names = [entry.name for entry in content.entries] + [one.name for one in content.refused]
    outer = _common_folder([entry.name for entry in content.entries])
    for known, naming in _NAMING.items():
        for prefix in ("", outer):
            inner = _unwrapped(content, prefix)
            parse = naming(inner)
            fitting = sum(parse(name.removeprefix(prefix)) is not None for name in names)
            # A request by name needs one fitting entry; a guess needs more than half.
            if (lms == known and fitting) or (lms == "auto" and 2 * fitting > len(names)):
                why = message(
                    "{fitting} of {all} files are named as {lms} names them.",
                    fitting=fitting, all=len(names), lms=known.capitalize(),
                )  # fmt: skip
                return Given(path, known, why, content, inner, parse)
    if lms in _NAMING and names:
        raise IntakeError(
            message(
                "{path} was not made by {lms}: no entry is named as there, for example {name}. Try --lms auto.",
                path=path, lms=lms.capitalize(), name=names[0],
            )
        )  # fmt: skip
    inner = content
    while prefix := folder.wrapper([entry.name for entry in inner.entries]):
        inner = _unwrapped(inner, prefix)
    why = message("No LMS names files so: each notebook or folder at the top stands for a student.")
    if lms == "folder":
        why = message("Read as a folder, as was asked: each notebook or folder at the top stands for a student.")
    return Given(path, "folder", why, content, inner, folder.parse_name)


def _common_folder(names: Sequence[str]) -> str:
    tops = {name.partition("/")[0] for name in names if "/" in name}
    return f"{tops.pop()}/" if len(tops) == 1 and all("/" in name for name in names) else ""


def _unwrapped(content: Archive, prefix: str) -> Archive:
    if not prefix:
        return content
    return Archive(
        tuple(replace(entry, name=entry.name.removeprefix(prefix)) for entry in content.entries),
        tuple(replace(one, name=one.name.removeprefix(prefix)) for one in content.refused),
        tuple(name.removeprefix(prefix) for name in content.skipped),  # the folder itself is "" now
    )


def _nothing_found(source: Given) -> Message:
    count = len(source.content.entries)
    if not count:
        return message("{path} holds no submission: it is empty.", path=source.path)
    return message(
        "{path} holds no submission: none of its {count} files is a notebook, for example {name}.",
        path=source.path, count=count, name=source.content.entries[0].name,
    )  # fmt: skip
