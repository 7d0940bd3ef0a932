"""Whose each entry of an archive is: the files of one student together, those of nobody named as such."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from grader.files.archives.contents import Archive, Entry
from grader.files.archives.entry_names import name_problem, tidy_name
from grader.grading.lateness import datetimes
from grader.i18n.message import Message, join_list, message
from grader.lms import folder
from grader.lms.archive.student_files import File, HandedIn, cannot_lie
from grader.lms.identity import Naming, Owner
from grader.lms.systems import title_of
from grader.models.intake import Fate, Filed

_FLAT = ("folder", "classroom")
Who = tuple[str, str, str]  # what tells students apart: the source where the LMS gives no id, the id, the name


@dataclass(frozen=True, slots=True)
class Given:
    """One of the given paths, read: ``content`` is ``whole`` with names without a folder around the class."""

    path: Path
    lms: str
    why: Message  # it was taken for this LMS's
    whole: Archive
    content: Archive
    naming: Naming
    left_out: tuple[str, ...] = ()  # what lay beside the one assignment that is graded


def by_student(source: Given, number: int) -> tuple[dict[Who, HandedIn], list[Filed]]:
    """What each student's files are, and what became of the files of nobody; ``number`` is the source's."""
    content, whole = source.content, source.whole
    shared = _shared(source)
    students: dict[Who, HandedIn] = {}
    loose: list[Filed] = []

    def handed(owner: Owner) -> HandedIn:
        who = (source.lms, owner.key, owner.name) if owner.key else (str(number), "", owner.name)
        if who not in students:
            students[who] = HandedIn(owner, source.lms, notes=list(owner.notes), doubts=list(owner.notes))
        one = students[who]
        late = _either(one.owner.late, owner.late)
        when = _latest(one.owner.submitted_at, owner.submitted_at)
        one.owner = replace(owner if one.owner.typed else one.owner, late=late, submitted_at=when)
        return one

    of_all: list[tuple[Entry, str]] = []
    for entry, given_as in zip(content.entries, whole.entries, strict=True):
        owner = None if entry.name in shared else _owner(entry.name, source)
        if owner is not None and owner.about:
            own = handed(owner).filed if owner.name else loose
            own.append(Filed(number, given_as.name, Fate.SKIPPED, message("The LMS's own file.")))
        elif owner is not None:
            name = owner.rest or entry.name.rsplit("/", 1)[-1]
            file = File(name, entry, owner.order, owner.typed, source=number, listed=given_as.name)
            handed(owner).files.append(replace(file, submitted_at=owner.submitted_at))
            _say_if_strange(handed(owner), entry.name, source)
        elif entry.name in shared:
            of_all.append((entry, given_as.name))
        else:
            loose.append(Filed(number, given_as.name, Fate.UNUSED, message("Hidden files are settings, not homework.")))
    for refused, known in zip(content.refused, whole.refused, strict=True):
        owner = _owner(refused.name, source)
        filed = Filed(number, known.name, Fate.REFUSED, refused.reason)
        if owner is not None:
            handed(owner).refused.append(refused)
        (loose if owner is None else handed(owner).filed).append(filed)
    for name, known_as in zip(content.skipped, whole.skipped, strict=True):
        owner = _owner_of_nothing(name, source, shared) if name else None
        own = handed(owner).filed if owner is not None and owner.name else loose
        own.append(Filed(number, known_as, Fate.SKIPPED))
    beside = message("It belongs to another assignment or to the course.")
    loose += [Filed(number, name, Fate.UNUSED, beside) for name in source.left_out]
    used = _share([entry for entry, _given_as in of_all], list(students.values()))
    return students, [*loose, *(_for_all(number, given_as, entry, used=used) for entry, given_as in of_all)]


def _shared(source: Given) -> set[str]:
    """What lies flat beside the notebooks of a class and is no student's."""
    names = folder.shared(entry.name for entry in source.content.entries) if source.lms in _FLAT else set()
    return {name for name in names if source.lms == "folder" or source.naming(name) is None}


def _for_all(number: int, given_as: str, entry: Entry, *, used: bool) -> Filed:
    problem = cannot_lie(PurePosixPath(entry.name))
    return Filed(number, given_as, Fate.FOR_ALL if used and problem is None else Fate.UNUSED, problem)


def _say_if_strange(handed: HandedIn, name: str, source: Given) -> None:
    if source.lms != "folder" and source.naming(name) is None:
        handed.doubts.append(
            message(
                "{name} is not named as {lms} names files: it stands for a student of its own.",
                name=name, lms=title_of(source.lms),
            )
        )  # fmt: skip


def _owner(name: str, source: Given) -> Owner | None:
    """Whose ``name`` is. What fits no naming is a student of its own, to be seen; None for a class's hidden files."""
    outside = name_problem(name.partition("/")[0]) is not None
    if source.lms == "folder" and not outside:
        return source.naming(name)
    owner = None if outside or source.lms == "folder" else source.naming(name)
    return owner or Owner(name=name, rest=name.rsplit("/", 1)[-1], origin=name)


def _owner_of_nothing(name: str, source: Given, shared: set[str]) -> Owner | None:
    """A student whose folder is there, but nothing in it other than what computers leave behind."""
    if source.lms != "folder":
        return source.naming(name)
    top, slash, _rest = name.partition("/")
    if not slash or any(other.startswith(f"{top}/") for other in shared):
        return None
    return folder.parse_name(name)


def _share(shared: Sequence[Entry], students: Sequence[HandedIn]) -> bool:
    """Data at the top of the class lies beside every notebook that is at the top as well; whether there is one."""
    if not shared:
        return False
    used = False
    names = join_list([entry.name for entry in shared], most=3)
    for handed in students:
        if "/" in handed.files[0].entry.name if handed.files else True:
            template = message("{name} belongs to no student and was not used.", name=names)
        else:
            used = True
            handed.files += [File(entry.name, entry) for entry in shared]
            template = message("{name} lay beside the notebooks of the class.", name=names)
        handed.notes.append(template)
    return used


def _either(one: bool | None, other: bool | None) -> bool | None:
    return one if other is None else bool(one) or other


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), key=datetimes.earliest, default=None)


def merge(students: dict[Who, HandedIn], who: Who, handed: HandedIn) -> None:
    """Several archives of one class may hold the same student: all of it counts as one submission."""
    known = students.setdefault(who, handed)
    if known is not handed:
        add(known, handed)


def add(known: HandedIn, more: HandedIn) -> None:
    """``more`` was handed in by the same student."""
    known.files += more.files
    known.refused += more.refused
    known.notes += more.notes
    known.doubts += more.doubts
    known.filed += more.filed
    late = _either(known.owner.late, more.owner.late)
    when = _latest(known.owner.submitted_at, more.owner.submitted_at)
    known.owner = replace(known.owner, late=late, submitted_at=when)


def tell_apart(students: Mapping[Who, HandedIn], paths: Sequence[Path]) -> None:
    """Where several paths hold one student each, all called "hw", they are named after folder or archive."""
    names = Counter(handed.owner.name for handed in students.values())
    alone = Counter(source for source, key, _name in students if not key)
    for (source, key, name), handed in students.items():
        if not key and alone[source] == 1 and names[name] > 1:
            path = paths[int(source)].absolute()
            place = path.parent.name if path.is_file() and folder.is_notebook(path.name) else folder.stem(path.name)
            handed.owner = replace(handed.owner, name=tidy_name(place) or name)
