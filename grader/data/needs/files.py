"""Files that the teacher gives, files that a notebook could not open, and what to say if a whole class lacks one."""

from __future__ import annotations

import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path, PurePosixPath

from grader.i18n.message import Message, join_list, message

ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz")
MAX_MEMBERS = 200_000  # names of an archive that are read
MAX_TEXT = 1000  # characters of an error that are read
# The errors of Python, HDF5, NumPy, Keras' folders, TensorFlow and Keras' models.
_MISSING = {
    "FileNotFoundError": re.compile(
        r"No such file(?: or directory)?: (?P<quote>['\"])(?P<path>.+?)(?P=quote)|name = '(?P<hdf5>[^']+)'"
        r"|^(?P<numpy>.+) not found\.$"
    ),
    "NotFoundError": re.compile(r"Could not find directory (?P<folder>\S.*)|(?:^|\s)(?P<tf>[^\s;]+); No such file"),
    "ValueError": re.compile(r"^File not found: filepath=(?P<model>\S+)\. "),
}


def names_in(path: Path) -> Iterator[str]:
    """Yield the names of all files and folders in a folder or an archive of the teacher's. Nothing is unpacked."""
    if path.is_dir():
        for entry in path.rglob("*"):
            yield entry.name
            if entry.is_file():
                yield from names_in(entry)
    elif path.suffix.lower() in ARCHIVES:
        for member in _members(path):
            yield from PurePosixPath(member).parts


def _members(path: Path) -> list[str]:
    """Return the names in an archive; none for a broken one, or for one compressed file."""
    try:
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as archive:
                return archive.namelist()[:MAX_MEMBERS]
        with tarfile.open(path) as tar:
            return [member.name for member in islice(tar, MAX_MEMBERS)]
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError):
        return []


def missing_file(error: str, text: str) -> str | None:
    """Return the name of the file or folder that a cell did not find, by the name and text of its error; else None."""
    pattern = _MISSING.get(error)
    found = pattern.search(text[:MAX_TEXT]) if pattern is not None else None
    if found is None:
        return None
    path = next(part for name, part in found.groupdict().items() if part is not None and name != "quote")
    return PurePosixPath(path.strip().replace("\\", "/")).name


def describe_class_wide(names: Iterable[str]) -> Message:
    """Return why a person must look at a run that lacked files which every notebook of the class reads."""
    return message(
        "Every notebook of the class reads {names}, which neither the assignment nor a submission gives. That is "
        "not the student's fault: the points that it lost by this say nothing. Give it with the assignment, in files "
        "under [data] of assignment.toml or beside the course's notebook, and grade again.",
        names=join_list(sorted(set(names))),
    )  # fmt: skip
