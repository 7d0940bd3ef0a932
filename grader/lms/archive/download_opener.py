"""Read a download: a notebook, a folder, an archive, an archive in parts, or an archive of archives.

Google Drive splits a large folder into ``HW1-20260301T101010Z-001.zip``, ``...-002.zip``, each with some of the files.
A teacher may pack Moodle's download, or the downloads of several groups, into another archive.
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

_WITH_PICTURES = ArchiveLimits(entries=200_000)  # for a class whose students submit thousands of pictures each
_PART = re.compile(r"(?P<whole>.+-[0-9]{8}T[0-9]{6}Z)(?:-[0-9]+)?-[0-9]{3}(?: ?\([0-9]+\))?\.zip", re.IGNORECASE)


def group_download_parts(paths: Sequence[Path]) -> list[list[Path]]:
    """Group the parts of each download, in the order of ``paths``."""
    groups: dict[Path | str, list[Path]] = {}
    for number, path in enumerate(paths):
        part = _PART.fullmatch(path.name)
        groups.setdefault(path.parent / part["whole"] if part else str(number), []).append(path)
    return list(groups.values())


def read_download(
    parts: Sequence[Path],
    into: Path,
    is_class: Callable[[Archive], bool],
    pictures: Pictures | None,
    *,
    alone: bool = True,
) -> Archive:
    """Return the files of one download; its inner archives are opened if ``is_class`` is true of each of them.

    ``alone``: no other notebook of the same folder was given, so that the pictures there belong to this one.
    Raise ``IntakeError`` if the download or one of these archives cannot be read.
    """
    content = _merge([_read(path, into / f"{part:03d}", pictures, alone=alone) for part, path in enumerate(parts)])
    content = replace(content, name=parts[0].resolve().name)
    if is_class(content):
        return content
    return _open_inner(content, into, is_class, _limits(pictures)) or content


# ---------------------------------------------------------------- archives in parts and in archives


def _merge(parts: Sequence[Archive]) -> Archive:
    """Return the contents of all ``parts``; of two files with one name the later is taken, the other refused."""
    if len(parts) == 1:
        return parts[0]
    entries: dict[str, Entry] = {}
    refused: list[Refused] = []
    for entry in (entry for part in parts for entry in part.entries):
        if entries.pop(entry.name, None) is not None:
            reason = message("the archives hold this name twice; the later one was taken")
            refused.append(Refused(entry.name, reason, harmful=False))
        entries[entry.name] = entry
    refused = [*(item for part in parts for item in part.refused), *refused]
    return Archive(tuple(entries.values()), tuple(refused), tuple(name for part in parts for name in part.skipped))


def _open_inner(
    content: Archive, into: Path, is_class: Callable[[Archive], bool], limits: ArchiveLimits
) -> Archive | None:
    """Return the contents of all archives in ``content`` if they are downloads of a class; None if they are students'.

    They are a class's if Drive numbered them or if ``is_class`` is true of each: a single one could be made by a
    student who names files after other students. Other files beside them are the teacher's, such as a worksheet.
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
    return replace(_merge([*inner, replace(content, entries=(), skipped=())]), name=PurePosixPath(packed[0].name).name)


def _are_classes(packed: Sequence[Entry], is_class: Callable[[Archive], bool], limits: ArchiveLimits) -> bool:
    """Check the readable archives by their entry names only: unpacking untrusted ones could fill the disk."""
    readable = 0
    for entry in packed:
        try:
            names_only = list_archive(entry.path, limits, name=entry.name)
        except IntakeError:
            continue  # reported when it is read, if the others are a class's
        if not is_class(names_only):
            return False
        readable += 1
    return readable > 0


# ---------------------------------------------------------------- single paths


def _read(path: Path, into: Path, pictures: Pictures | None, *, alone: bool) -> Archive:
    if path.is_dir():
        return folder.scan(path, _limits(pictures))
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(filetype.HEAD_BYTES)
    except OSError as error:
        raise IntakeError(
            message(
                "{path} cannot be read: {reason}. Give a notebook, a folder, or the archive downloaded from the LMS.",
                path=path, reason=str(error.strerror),
            )
        ) from error  # fmt: skip
    name = tidy_name(path.name)
    if folder.is_notebook(name) or (filetype.binary_kind(head) is None and folder.is_document(name)):
        beside = list(_beside(path, pictures)) if pictures is not None and alone else []
        # One common folder marks them as the files of one student.
        inside = f"{folder.stem(name)}/" if beside else ""
        notebook = Entry(name, path.resolve(), size)  # the teacher may give a link
        return Archive(tuple(replace(entry, name=inside + entry.name) for entry in (notebook, *beside)))
    if filetype.is_document_archive(head):
        raise IntakeError(
            message(
                "{path} is {kind}; expected a notebook, a folder or an archive.", path=path, kind=filetype.kind(head)
            )
        )
    return read_archive(path.resolve(), into, _limits(pictures), name=path.name)


def _beside(notebook: Path, pictures: Pictures) -> Iterator[Entry]:
    """Yield the files that a group submits with ``notebook``, from the same folder: the pictures or their zip, PDFs."""
    own = notebook.parent / pictures.folder
    files = sorted(notebook.parent.glob("*.[pP][dD][fF]"))
    if own.is_dir():
        for entry in folder.scan(own, _WITH_PICTURES).entries:
            yield replace(entry, name=f"{own.name}/{entry.name}")
    else:
        files.append(own.with_name(f"{own.name}.zip"))
    yield from (Entry(tidy_name(file.name), file, file.stat().st_size) for file in files if file.is_file())


def _limits(pictures: Pictures | None) -> ArchiveLimits:
    return ArchiveLimits() if pictures is None else _WITH_PICTURES
