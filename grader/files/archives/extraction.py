"""Zip and tar files from strangers, unpacked within limits.

A member's bytes go to a file whose name is made here (``00001``, ``00002`` ...); the name in the archive is kept as
data and is never a path on this disk, so that no name, however long, doubled or reserved, can reach anything. What a
single member does wrong is a ``Refused`` and leaves the others alone; what is wrong with the whole archive is an
``IntakeError``. Sizes are counted as bytes really read, not as headers claim them.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from grader.files import filetype
from grader.files.archives.contents import Archive, ArchiveLimits, Unpacking, damaged_archive
from grader.files.archives.tar_reader import read_tar
from grader.files.archives.zip_reader import BROKEN_DATA, list_zip, read_zip
from grader.i18n.message import message
from grader.models.errors import IntakeError, OutputError


def read_archive(path: Path, into: Path, limits: ArchiveLimits | None = None, *, name: str = "") -> Archive:
    """Unpack the zip or tar (.gz, .bz2, .xz) at ``path`` into the empty or new folder ``into``.

    Raises ``IntakeError`` when it is no such archive, is cut off, or goes beyond the limits as a whole, and
    ``OutputError`` when ``into`` cannot be written.
    """
    unpack = Unpacking(name or path.name, into, limits or ArchiveLimits())
    try:
        file = path.open("rb")
    except OSError as error:
        raise IntakeError(message("{path} cannot be read: {reason}.", path=path, reason=str(error.strerror))) from error
    with file, _nothing_left(unpack):
        head = file.read(filetype.HEAD_BYTES)
        try:
            into.mkdir(parents=True, exist_ok=True)
            _read(file, head, unpack)
        except OSError as error:
            if error.errno in BROKEN_DATA:
                raise damaged_archive(unpack.name, error) from error
            raise OutputError(
                message("{path} cannot be unpacked: {reason}.", path=path, reason=str(error.strerror))
            ) from error
    return Archive(tuple(unpack.entries.values()), tuple(unpack.refused), tuple(unpack.skipped))


def list_archive(path: Path, limits: ArchiveLimits | None = None, *, name: str = "") -> Archive:
    """What the zip at ``path`` says it holds, without unpacking anything: its entries are there by name, and empty.

    Raises ``IntakeError`` when it is no zip or cannot be read.
    """
    unpack = Unpacking(name or path.name, Path(os.devnull), limits or ArchiveLimits())
    try:
        with path.open("rb") as file:
            list_zip(file, unpack)
    except OSError as error:
        raise damaged_archive(unpack.name, error) from error
    return Archive(tuple(unpack.entries.values()), tuple(unpack.refused), tuple(unpack.skipped))


@contextmanager
def _nothing_left(unpack: Unpacking) -> Iterator[None]:
    """What cannot be read as a whole leaves nothing behind: a hundred bombs would fill the disk all the same."""
    try:
        yield
    except IntakeError:
        for entry in unpack.entries.values():
            entry.path.unlink()
        raise


def _read(file: IO[bytes], head: bytes, unpack: Unpacking) -> None:
    packed = file.seek(0, 2)
    if read_tar(file, head, packed, unpack):
        return
    if not (head.startswith(b"PK") or is_zip_behind(file, head)):
        raise IntakeError(
            message(
                "{name} is {kind}; expected zip or tar. Unpack it and give the folder, or pack it again as zip.",
                name=unpack.name,
                kind=filetype.kind(head),
            )
        )
    read_zip(file, unpack)


def is_zip_behind(file: IO[bytes], head: bytes) -> bool:
    """Whether a zip stands behind a program that unpacks it or behind some text, where every program finds it."""
    return (head.startswith(b"MZ") or filetype.binary_kind(head) is None) and zipfile.is_zipfile(file)
