"""A plain class folder, with one notebook per student at its top or one folder per student."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from grader.files.archives.contents import Archive, ArchiveLimits, Entry, Refused, local_time, too_many_files
from grader.files.archives.entry_encoding import decode_names
from grader.files.archives.entry_names import is_junk, tidy_name
from grader.i18n.message import message
from grader.lms.identity import Owner
from grader.models.errors import IntakeError

# Files that students submit by mistake instead of a notebook. Other files at the top of a class are data for all.
_DOCUMENTS = (".txt", ".json", ".py", ".html", ".htm", ".pdf", ".doc", ".docx", ".odt", ".rtf")
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".rar", ".7z")
_HANDED_IN = frozenset((".ipynb", *_DOCUMENTS, *_ARCHIVES))
_FOR_ALL = ("readme", "requirements", "license")


def scan(folder: Path, limits: ArchiveLimits | None = None) -> Archive:
    """Return the files under ``folder`` in the form of an archive, without copying. Links are refused, not followed."""
    entries: dict[str, Entry] = {}
    refused: list[Refused] = []
    skipped: list[str] = []
    paths = list(_walk(folder, limits or ArchiveLimits()))
    names = decode_names([os.fsencode(path.relative_to(folder)) for path in paths])
    for path, name in zip(paths, map(tidy_name, names), strict=True):
        state = path.lstat()
        if stat.S_ISDIR(state.st_mode):
            skipped.append(name + "/")
        elif is_junk(name):
            skipped.append(name)
        elif not stat.S_ISREG(state.st_mode):
            refused.append(Refused(name, message("it is a link or a device; expected an ordinary file")))
        elif name in entries:
            reason = message("another file has the same name in another spelling; that one was taken")
            refused.append(Refused(name, reason, harmful=False))
        else:
            entries[name] = Entry(name, path, state.st_size, local_time(state.st_mtime))
    return Archive(tuple(entries.values()), tuple(refused), tuple(skipped))


def _walk(folder: Path, limits: ArchiveLimits) -> Iterator[Path]:
    """Yield every path under ``folder``; raise ``IntakeError`` beyond the limit."""
    count = 0
    for parent, folders, files in os.walk(folder, onerror=_raise_unreadable):
        folders.sort()
        for name in [*folders, *sorted(files)]:
            count += 1
            if count > limits.entries:
                raise too_many_files(str(folder), limits)
            yield Path(parent, name)


def _raise_unreadable(error: OSError) -> None:
    raise IntakeError(message("{path} cannot be read: {reason}.", path=str(error.filename), reason=str(error.strerror)))


def parse_name(name: str) -> Owner | None:
    """Return the owner of ``name``: the folder at the top, or the file at the top without suffix.

    Return None for hidden and system files at the top.
    """
    top, slash, rest = name.partition("/")
    if is_junk(top) or (top.startswith(".") and (slash or not is_notebook(top))):
        return None
    if slash:
        return Owner(name=top, rest=rest, origin=top)
    return Owner(name=stem(top), rest=top, origin=top, named=not is_notebook(top))


def stem(name: str) -> str:
    """Return ``name`` without its suffix; ``.tar.gz`` and ``.ipynb.txt`` count as one suffix."""
    path = PurePosixPath(name)
    return PurePosixPath(path.stem).stem if PurePosixPath(path.stem).suffix in (".tar", ".ipynb") else path.stem


def could_be_handed_in(name: str) -> bool:
    """Return whether ``name`` may be a student's submission; data files at the top of a class are not."""
    path = PurePosixPath(name)
    return path.suffix.lower() in _HANDED_IN and not path.name.lower().startswith(_FOR_ALL)


def is_document(name: str) -> bool:
    """Return whether ``name`` could be handed in and is no archive."""
    return could_be_handed_in(name) and not name.lower().endswith(_ARCHIVES)


def is_notebook(name: str) -> bool:
    return name.lower().endswith(".ipynb")


def wrapper(names: Iterable[str]) -> str:
    """Return the folder around the whole class, with a final ``/``, or "".

    Such a folder contains the folders or notebooks of several students.
    """
    parts = [name.split("/") for name in names]
    if not parts or any(part[0] != parts[0][0] or len(part) < 2 for part in parts):
        return ""
    inner = [part[1:] for part in parts]
    direct = [part[0] for part in inner if len(part) == 1]
    with_notebooks = {part[0] for part in inner if len(part) > 1 and could_be_handed_in(part[-1])}
    if (not direct and len(with_notebooks) > 1) or (not with_notebooks and sum(map(is_notebook, direct)) > 1):
        return parts[0][0] + "/"
    return ""


def shared(names: Iterable[str]) -> set[str]:
    """Return the names that belong to no student: data at the top and, beside notebooks there, folders of data."""
    names = list(names)
    top = {name for name in names if "/" not in name}
    students = {name.split("/")[0] for name in names if "/" in name and name.lower().endswith((".ipynb", ".zip"))}
    if not any(map(is_notebook, top)):
        return {name for name in top if not could_be_handed_in(name)}
    return {
        name for name in names if name.split("/")[0] not in students and not (name in top and could_be_handed_in(name))
    }
