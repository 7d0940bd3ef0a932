"""From what the teacher points at to one ``Submission`` per student; no file is dropped without a word."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.archive import filetype
from grader.archive.names import name_problem, tidy_name
from grader.archive.reading import read_archive
from grader.archive.unpacking import Archive, ArchiveLimits, Entry
from grader.errors import IntakeError, OutputError
from grader.lms import canvas, folder, moodle
from grader.lms.choosing import File, HandedIn, submission
from grader.lms.owner import Naming, Owner, folded, unique_id
from grader.records import Course, Message, Pictures, Student, Submission, message

# How each names the entries of this very archive; in this order they are tried.
_NAMING: Mapping[str, Callable[[Archive], Naming]] = {"moodle": moodle.naming, "canvas": canvas.naming}
LMS = ("auto", "folder", *_NAMING)
_WITH_PICTURES = ArchiveLimits(entries=200_000)  # a class of them, each with thousands

_Who = tuple[str, str, str]  # what tells students apart: the source where the LMS gives no id, the id, the name


@dataclass(frozen=True, slots=True)
class _Source:
    """One of the given paths, read, its names without a folder around the whole."""

    path: Path
    lms: str
    content: Archive
    naming: Naming


def read_submissions(
    paths: Sequence[Path],
    *,
    lms: str = "auto",
    workspace: Path,
    pictures: Pictures | None = None,
    course: Course | None = None,
) -> tuple[Submission, ...]:
    """What each student handed in, in the order of the archives and folders at ``paths``.

    ``lms`` is one of ``LMS``; "auto" tells by how more than half of the entries are named. Archives are unpacked into
    a new folder under ``workspace``. Where an assignment asks for ``pictures`` of the students' own, archives beside a
    notebook are unpacked as well, and a notebook given by its path comes with the pictures and PDFs that lie beside it.
    Of a ``course`` a student hands in several notebooks.
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
    students: dict[_Who, HandedIn] = {}
    for number, path in enumerate(paths):
        source = _named(path, _read(path, room / f"{number:03d}", pictures), lms)
        found = _by_student(source, number)
        if not found:
            raise IntakeError(_nothing_found(source))
        for who, handed in found.items():
            _merge(students, who, handed)
    _tell_apart(students, paths)
    return tuple(_submissions(students, room, with_pictures=pictures is not None, course=course))


def _submissions(
    students: Mapping[_Who, HandedIn], room: Path, *, with_pictures: bool, course: Course | None
) -> Iterator[Submission]:
    taken: set[str] = set()
    for number, handed in enumerate(students.values()):
        owner = handed.owner
        name = owner.name.strip() or owner.origin
        student = Student(unique_id(owner.key or owner.name, taken), name, owner.key, owner.email, owner.username)
        taken.add(folded(student.id))
        yield submission(student, handed, room / f"nested-{number:05d}", with_pictures=with_pictures, course=course)


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


def _named(path: Path, content: Archive, lms: str) -> _Source:
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
                return _Source(path, known, inner, parse)
    if lms in _NAMING and names:
        raise IntakeError(
            message(
                "{path} was not made by {lms}: no entry is named as there, for example {name}. Try --lms auto.",
                path=path, lms=lms.capitalize(), name=names[0],
            )
        )  # fmt: skip
    while prefix := folder.wrapper([entry.name for entry in content.entries]):
        content = _unwrapped(content, prefix)
    return _Source(path, "folder", content, folder.parse_name)


def _common_folder(names: Sequence[str]) -> str:
    tops = {name.partition("/")[0] for name in names if "/" in name}
    return f"{tops.pop()}/" if len(tops) == 1 and all("/" in name for name in names) else ""


def _unwrapped(content: Archive, prefix: str) -> Archive:
    if not prefix:
        return content
    return Archive(
        tuple(replace(entry, name=entry.name.removeprefix(prefix)) for entry in content.entries),
        tuple(replace(one, name=one.name.removeprefix(prefix)) for one in content.refused),
        tuple(name.removeprefix(prefix) for name in content.skipped if name != prefix),
    )


def _nothing_found(source: _Source) -> Message:
    count = len(source.content.entries)
    if not count:
        return message("{path} holds no submission: it is empty.", path=source.path)
    return message(
        "{path} holds no submission: none of its {count} files is a notebook, for example {name}.",
        path=source.path, count=count, name=source.content.entries[0].name,
    )  # fmt: skip


# ---------------------------------------------------------------- whose is what


def _by_student(source: _Source, number: int) -> dict[_Who, HandedIn]:
    content = source.content
    shared = folder.shared([entry.name for entry in content.entries]) if source.lms == "folder" else set()
    students: dict[_Who, HandedIn] = {}

    def handed(owner: Owner) -> HandedIn:
        who = (source.lms, owner.key, owner.name) if owner.key else (str(number), "", owner.name)
        one = students.setdefault(who, HandedIn(owner, source.lms))
        late = _either(one.owner.late, owner.late)
        one.owner = replace(owner if one.owner.typed else one.owner, late=late)
        return one

    for entry in content.entries:
        owner = _owner(entry.name, source)
        if owner is not None and entry.name not in shared:
            name = owner.rest or entry.name.rsplit("/", 1)[-1]
            handed(owner).files.append(File(name, entry, owner.order, owner.typed))
    for refused in content.refused:
        owner = _owner(refused.name, source)
        if owner is not None:
            handed(owner).refused.append(refused)
    for name in content.skipped:
        owner = _owner_of_nothing(name, source, shared)
        if owner is not None:
            handed(owner)
    _share([entry for entry in content.entries if entry.name in shared], list(students.values()))
    return students


def _owner(name: str, source: _Source) -> Owner | None:
    """Whose ``name`` is. What fits no naming is a student of its own, to be seen; None for a class's hidden files."""
    outside = name_problem(name.partition("/")[0]) is not None
    if source.lms == "folder" and not outside:
        return source.naming(name)
    owner = None if outside or source.lms == "folder" else source.naming(name)
    return owner or Owner(name=name, rest=name.rsplit("/", 1)[-1], origin=name)


def _owner_of_nothing(name: str, source: _Source, shared: set[str]) -> Owner | None:
    """A student whose folder is there, but nothing in it other than what computers leave behind."""
    if source.lms != "folder":
        return source.naming(name)
    top, slash, _rest = name.partition("/")
    if not slash or any(other.startswith(f"{top}/") for other in shared):
        return None
    return folder.parse_name(name)


def _share(shared: Sequence[Entry], students: Sequence[HandedIn]) -> None:
    """Data at the top of the class lies beside every notebook that is at the top as well."""
    for handed in students if shared else ():
        if "/" in handed.files[0].entry.name if handed.files else True:
            template = message("{name} belongs to no student and was not used.", name=_listed(shared))
        else:
            handed.files += [File(entry.name, entry) for entry in shared]
            template = message("{name} lay beside the notebooks of the class.", name=_listed(shared))
        handed.notes.append(template)


def _listed(entries: Sequence[Entry]) -> str:
    names = [entry.name for entry in entries]
    return ", ".join(names[:3] + ["…"] * (len(names) > 3))


def _either(one: bool | None, other: bool | None) -> bool | None:
    return one if other is None else bool(one) or other


def _merge(students: dict[_Who, HandedIn], who: _Who, handed: HandedIn) -> None:
    """Several archives of one class may hold the same student: all of it counts as one submission."""
    known = students.setdefault(who, handed)
    if known is not handed:
        known.files += handed.files
        known.refused += handed.refused
        known.notes += handed.notes
        known.owner = replace(known.owner, late=_either(known.owner.late, handed.owner.late))


def _tell_apart(students: Mapping[_Who, HandedIn], paths: Sequence[Path]) -> None:
    """Where several paths hold one student each, all called "hw", they are named after folder or archive."""
    names = Counter(handed.owner.name for handed in students.values())
    alone = Counter(source for source, key, _name in students if not key)
    for (source, key, name), handed in students.items():
        if not key and alone[source] == 1 and names[name] > 1:
            path = paths[int(source)].absolute()
            called = path.parent.name if path.is_file() and folder.is_notebook(path.name) else folder.stem(path.name)
            handed.owner = replace(handed.owner, name=tidy_name(called) or name)
