"""What the teacher points at, read: a notebook, a folder, an archive, one in parts, or archives packed once more.

Google Drive gives ``HW1-20260301T101010Z-001.zip``, ``...-002.zip`` where a folder is large, each with some of the
files. A teacher may pack what Moodle gave, or several groups' downloads, in another archive.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from grader.files import filetype
from grader.files.archives.contents import Archive, ArchiveLimits, Entry, Refused
from grader.files.archives.entry_names import tidy_name
from grader.files.archives.extraction import list_archive, read_archive
from grader.i18n.message import message
from grader.lms import folder
from grader.models.assignment import Pictures
from grader.models.errors import IntakeError

_WITH_PICTURES = ArchiveLimits(entries=200_000)  # a class of them, each with thousands
_PART = re.compile(r"(?P<whole>.+-[0-9]{8}T[0-9]{6}Z)(?:-[0-9]+)?-[0-9]{3}(?: ?\([0-9]+\))?\.zip", re.IGNORECASE)


def together(paths: Sequence[Path]) -> list[list[Path]]:
    """``paths``, those that are parts of one download in one list, in the order in which they came."""
    groups: dict[Path | str, list[Path]] = {}
    for number, path in enumerate(paths):
        part = _PART.fullmatch(path.name)
        groups.setdefault(path.parent / part["whole"] if part else str(number), []).append(path)
    return list(groups.values())


def read_download(
    parts: Sequence[Path], into: Path, is_class: Callable[[Archive], bool], pictures: Pictures | None
) -> Archive:
    """The files of one download; archives in it are opened where ``is_class`` says that they are a class's, each.

    Raises ``IntakeError`` when something of it cannot be read as a whole.
    """
    content = _united([_read(path, into / f"{part:03d}", pictures) for part, path in enumerate(parts)])
    content = replace(content, name=parts[0].resolve().name)
    if is_class(content):
        return content
    return _opened(content, into, is_class, _limits(pictures)) or content


# ---------------------------------------------------------------- archives in parts and in archives


def _united(parts: Sequence[Archive]) -> Archive:
    """What ``parts`` hold together; of two files with one name the later counts, and the other is named."""
    if len(parts) == 1:
        return parts[0]
    entries: dict[str, Entry] = {}
    refused: list[Refused] = []
    for entry in (entry for part in parts for entry in part.entries):
        if entries.pop(entry.name, None) is not None:
            reason = message("the archives hold this name twice; the later one was taken")
            refused.append(Refused(entry.name, reason, harmful=False))
        entries[entry.name] = entry
    refused = [*(one for part in parts for one in part.refused), *refused]
    return Archive(tuple(entries.values()), tuple(refused), tuple(name for part in parts for name in part.skipped))


def _opened(content: Archive, into: Path, is_class: Callable[[Archive], bool], limits: ArchiveLimits) -> Archive | None:
    """What the archives in ``content`` hold together if they are the class itself; None if they are students' work.

    They are the class where Drive numbered them, or where ``is_class`` says so of each, for one alone could be a
    student's who calls the files by the others' names. What else lies there is the teacher's, such as a worksheet.
    """
    packed = [entry for entry in content.entries if folder.could_be_handed_in(PurePosixPath(entry.name).name)]
    if not packed or not all(entry.name.lower().endswith(".zip") for entry in packed):
        return None
    numbered = all(_PART.fullmatch(PurePosixPath(entry.name).name) for entry in packed)
    if not numbered and not _are_classes(packed, is_class, limits):
        return None
    inner = [
        read_archive(entry.path, into / f"inner-{number:03d}", limits, name=entry.name)
        for number, entry in enumerate(packed)
    ]
    return replace(_united([*inner, replace(content, entries=(), skipped=())]), name=PurePosixPath(packed[0].name).name)


def _are_classes(packed: Sequence[Entry], is_class: Callable[[Archive], bool], limits: ArchiveLimits) -> bool:
    """Whether those of the zips that can be read are, by their names alone: unpacked, each could fill the disk."""
    readable = 0
    for entry in packed:
        try:
            listed = list_archive(entry.path, limits, name=entry.name)
        except IntakeError:
            continue  # said once it is read, if the others are a class
        if not is_class(listed):
            return False
        readable += 1
    return readable > 0


# ---------------------------------------------------------------- one path


def _read(path: Path, into: Path, pictures: Pictures | None) -> Archive:
    if path.is_dir():
        return folder.scan(path, _limits(pictures))
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
    if folder.is_notebook(name) or (filetype.binary_kind(head) is None and folder.is_document(name)):
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
    return read_archive(path, into, _limits(pictures))


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


def _limits(pictures: Pictures | None) -> ArchiveLimits:
    return ArchiveLimits() if pictures is None else _WITH_PICTURES
