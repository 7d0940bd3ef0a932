"""Read the members of a zip by the table of contents at its end. A damaged member does not affect the others."""

from __future__ import annotations

import errno
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from grader.files.archives.contents import Entry, Unpacking, damaged_archive, too_many_files
from grader.files.archives.entry_encoding import decode_names
from grader.files.archives.entry_names import tidy_name
from grader.i18n.message import Message, message
from grader.models.errors import IntakeError

# Errors that zipfile raises for broken archives. An OSError with one of BROKEN_DATA means the same.
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    struct.error,
)
BROKEN_DATA = (None, errno.EINVAL)

_UTF8_FLAG, _ENCRYPTED_FLAGS = 0x800, 0x41
_DIRECTORY_ENTRY_BYTES = 1024  # in the table of contents, far more than one entry needs
_LOCAL_HEADER_BYTES = 30
_UNICODE_PATH = 0x7075  # Info-ZIP's extra field: the name in UTF-8, with a checksum of the plain name
_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd", 99: "AES"}


def read_zip(file: IO[bytes], unpack: Unpacking) -> None:
    """Unpack a zip. Raises IntakeError when the archive as a whole is damaged or too large."""
    with _open(file, unpack) as archive:
        members = archive.infolist()
        shared = _overlapping_offsets(members, archive.start_dir)
        for member, name in zip(members, _names(members), strict=True):
            if not _accepts(member, name, unpack):
                continue
            problem = _unsupported(member)
            if member.header_offset in shared:
                unpack.refuse(name, message("its bytes in the archive overlap another file: a zip bomb"))
            elif problem is not None:
                unpack.refuse(name, problem, harmful=False)
            else:
                _unpack(archive, member, name, unpack)


def list_zip(file: IO[bytes], unpack: Unpacking) -> None:
    """Add an entry without content for each name in the zip."""
    with _open(file, unpack) as archive:
        members = archive.infolist()
        for member, name in zip(members, _names(members), strict=True):
            if _accepts(member, name, unpack):
                unpack.entries[name] = Entry(name, Path(os.devnull), 0)


def _open(file: IO[bytes], unpack: Unpacking) -> zipfile.ZipFile:
    """Open a zip. Raises IntakeError when its table of contents is unreadable or too long, or parts are missing."""
    end = _read_end(file)
    if end.parts:
        problem = message(
            "{name} is one of several parts of a zip; expected all in one file. Unpack them with the program that made "
            "them and give the folder.",
            name=unpack.name,
        )
        raise IntakeError(problem)
    if end.directory_bytes > unpack.limits.entries * _DIRECTORY_ENTRY_BYTES:
        raise too_many_files(unpack.name, unpack.limits)
    try:
        archive = zipfile.ZipFile(file)
    except UNREADABLE as error:
        raise damaged_archive(unpack.name, error) from error
    if len(archive.infolist()) > unpack.limits.entries:  # before thousands of files are written
        raise too_many_files(unpack.name, unpack.limits)
    return archive


def _accepts(member: zipfile.ZipInfo, name: str, unpack: Unpacking) -> bool:
    regular = stat.S_IFMT(member.external_attr >> 16) in (0, stat.S_IFREG)
    return unpack.accepts(name, folder=name.endswith("/"), regular=regular)


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, unpack: Unpacking) -> None:
    try:
        modified = datetime(*member.date_time)
    except ValueError:
        modified = None
    try:
        with archive.open(member) as content:
            unpack.add(name, content, modified, member.compress_size)
    except (*UNREADABLE, OSError) as error:
        if isinstance(error, OSError) and error.errno not in BROKEN_DATA:
            raise
        reason = str(error) or type(error).__name__
        unpack.refuse(name, message("it is damaged ({reason})", reason=reason), harmful=False)


def _unsupported(member: zipfile.ZipInfo) -> Message | None:
    if member.flag_bits & _ENCRYPTED_FLAGS:
        return message("it is encrypted; expected a file without password")
    # Other methods may unpack far more in one read than was asked for.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        method = _METHODS.get(member.compress_type, member.compress_type)
        return message("its compression method, {method}, is not supported; expected ordinary zip", method=method)
    return None


def _overlapping_offsets(members: Sequence[zipfile.ZipInfo], end: int) -> set[int]:
    """Return the offsets of members whose bytes overlap another member or the table of contents at ``end``.

    A bomb may list the same bytes many times, each time with a harmless ratio; this finds it.
    """
    shared: set[int] = set()
    reached = owner = -1
    for member in sorted(members, key=lambda member: member.header_offset):
        begins = member.header_offset
        if begins < reached:
            shared |= {owner, begins}
        ends = begins + _LOCAL_HEADER_BYTES + len(member.orig_filename) + member.compress_size
        if ends > end:
            shared.add(begins)
        if ends > reached:
            reached, owner = ends, begins
    return shared


# ---------------------------------------------------------------- names


def _names(members: Sequence[zipfile.ZipInfo]) -> Iterator[str]:
    # zipfile decodes unflagged names as code page 437, which loses no byte.
    unflagged = {
        place: member.orig_filename.encode("cp437")
        for place, member in enumerate(members)
        if not member.flag_bits & _UTF8_FLAG
    }
    known = {place: _unicode_path(members[place].extra, raw) for place, raw in unflagged.items()}
    guessed = {place: unflagged[place] for place, name in known.items() if name is None}
    others = (known.get(place) or member.orig_filename for place, member in enumerate(members) if place not in guessed)
    names = dict(zip(guessed, decode_names(list(guessed.values()), others), strict=True))
    for place, member in enumerate(members):
        yield tidy_name(names.get(place) or known.get(place) or member.orig_filename)


def _unicode_path(extra: bytes, name: bytes) -> str | None:
    """Return the Unicode name from the extra field, if the field exists and belongs to ``name``."""
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        content, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == _UNICODE_PATH and content[:5] == b"\1" + struct.pack("<L", zlib.crc32(name)):
            try:
                return content[5:].decode()
            except UnicodeDecodeError:
                return None
    return None


# ---------------------------------------------------------------- the end of the archive


@dataclass(frozen=True, slots=True)
class _End:
    """End record of a zip."""

    parts: bool  # the zip is split into several files
    directory_bytes: int  # claimed size of the table of contents, which is read into memory as a whole


def _read_end(file: IO[bytes]) -> _End:
    size = file.seek(0, 2)
    file.seek(max(0, size - 2**16 - 128))
    tail = file.read()
    sizes, parts = [0], False
    for signature, offset, form in ((b"PK\5\6", 12, "<L"), (b"PK\6\6", 40, "<Q")):
        at = tail.rfind(signature)
        if at >= 0 and len(tail) >= at + offset + struct.calcsize(form):
            sizes.append(struct.unpack_from(form, tail, at + offset)[0])
            part = struct.unpack_from("<H", tail, at + 4)[0]
            parts = parts or (signature == b"PK\5\6" and part not in (0, 0xFFFF))
    # 0xFFFFFFFF refers to the zip64 record. Neither size can exceed the file.
    return _End(parts, min(max(found for found in sizes if found != 0xFFFFFFFF), size))
