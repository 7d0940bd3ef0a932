"""Unpack untrusted zip and tar files within limits.

The bytes of a member go to a file with a generated name (``00001``, ``00002`` ...). Its name in the archive is kept as
data and is never used as a path on the disk, so long, duplicate or reserved names do no harm. A problem of one member
is a ``Refused`` and does not affect other members; a problem of the whole archive is an ``IntakeError``. Sizes are the
bytes actually read, not the sizes in headers.
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
from grader.files.plain_files import open_plain
from grader.i18n.message import message
from grader.models.errors import IntakeError, OutputError


def read_archive(path: Path, into: Path, limits: ArchiveLimits | None = None, *, name: str = "") -> Archive:
    """Unpack the zip or tar (.gz, .bz2, .xz) at ``path`` into ``into``, which is empty or new.

    Raises IntakeError when the file is a link, another format, truncated, or exceeds the limits as a whole; OutputError
    when ``into`` cannot be written.
    """
    unpack = Unpacking(name or path.name, into, limits or ArchiveLimits())
    try:
        file = open_plain(path)
    except OSError as error:
        raise IntakeError(message("{path} cannot be read: {reason}.", path=path, reason=str(error.strerror))) from error
    with file, _delete_on_failure(unpack):
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
    """List the names in the zip at ``path`` without unpacking: the entries have names and no content.

    Raises IntakeError when the file is not a zip or cannot be read.
    """
    unpack = Unpacking(name or path.name, Path(os.devnull), limits or ArchiveLimits())
    try:
        with open_plain(path) as file:
            list_zip(file, unpack)
    except OSError as error:
        raise damaged_archive(unpack.name, error) from error
    return Archive(tuple(unpack.entries.values()), tuple(unpack.refused), tuple(unpack.skipped))


@contextmanager
def _delete_on_failure(unpack: Unpacking) -> Iterator[None]:
    """Delete the unpacked files if the archive fails as a whole, so that many bombs do not fill the disk."""
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
    """Return whether the file is a zip after a self-extracting program or some text; other programs read it too."""
    return (head.startswith(b"MZ") or filetype.binary_kind(head) is None) and zipfile.is_zipfile(file)
