"""Zip and tar files from strangers, unpacked within limits.

A member's bytes go to a file whose name is made here (``00001``, ``00002`` ...); the name in the archive is kept as
data and is never a path on this disk, so that no name, however long, doubled or reserved, can reach anything. What a
single member does wrong is a ``Refused`` and leaves the others alone; what is wrong with the whole archive is an
``IntakeError``. Sizes are counted as bytes really read, not as headers claim them.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

from grader.archive import filetype
from grader.archive.names import encoding_of, tidy_name
from grader.archive.unpacking import Archive, ArchiveLimits, Unpacking, damaged, too_large, too_many
from grader.errors import IntakeError, OutputError
from grader.records import message


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
    with file:
        head = file.read(filetype.HEAD_BYTES)
        try:
            into.mkdir(parents=True, exist_ok=True)
            _read(file, head, unpack)
        except OSError as error:
            if error.errno in _BROKEN_DATA:
                raise damaged(unpack.name, error) from error
            raise OutputError(
                message("{path} cannot be unpacked: {reason}.", path=path, reason=str(error.strerror))
            ) from error
    return Archive(tuple(unpack.entries.values()), tuple(unpack.refused), tuple(unpack.skipped))


# How gzip and bzip2 say that their data is broken, and what seeking to where a broken header points to gives.
_BROKEN_DATA = (None, errno.EINVAL)


def _read(file: IO[bytes], head: bytes, unpack: Unpacking) -> None:
    packed = file.seek(0, 2)
    tar = _tar_stream(file, head)
    if tar is not None:
        _read_tar(_Bounded(tar, packed, unpack), unpack)
    elif head.startswith(b"PK"):
        _read_zip(file, unpack)
    else:
        raise IntakeError(
            message(
                "{name} is {kind}; expected zip or tar. Unpack it and give the folder, or pack it again as zip.",
                name=unpack.name,
                kind=filetype.kind(head),
            )
        )


# ---------------------------------------------------------------- zip

_UTF8_FLAG, _ENCRYPTED_FLAGS = 0x800, 0x41
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    struct.error,
)
_DIRECTORY_ENTRY_BYTES = 1024  # of the table of contents, far more than one file's line takes


def _read_zip(file: IO[bytes], unpack: Unpacking) -> None:
    if _directory_bytes(file) > unpack.limits.entries * _DIRECTORY_ENTRY_BYTES:
        raise too_many(unpack.name, unpack.limits)
    try:
        archive = zipfile.ZipFile(file)
    except _UNREADABLE as error:
        raise damaged(unpack.name, error) from error
    with archive:
        members = archive.infolist()
        if len(members) > unpack.limits.entries:  # before thousands of files are written
            raise too_many(unpack.name, unpack.limits)
        # zipfile has read unflagged names as code page 437, which loses no byte.
        unflagged = [member.orig_filename for member in members if not member.flag_bits & _UTF8_FLAG]
        encoding = encoding_of(name.encode("cp437") for name in unflagged)
        for member in members:
            name = member.orig_filename
            name = tidy_name(name if member.flag_bits & _UTF8_FLAG else name.encode("cp437").decode(encoding))
            kind = stat.S_IFMT(member.external_attr >> 16)
            regular = kind in (0, stat.S_IFREG)
            if unpack.wanted(name, folder=name.endswith("/"), regular=regular):
                _read_zip_member(archive, member, name, unpack)


def _read_zip_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, unpack: Unpacking) -> None:
    if member.flag_bits & _ENCRYPTED_FLAGS:
        unpack.refuse(name, message("it is encrypted; expected a file without password"), harmful=False)
        return
    # The other methods may unpack a great deal at one read, whatever was asked for.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        unpack.refuse(name, message("its compression method is not supported; expected ordinary zip"), harmful=False)
        return
    try:
        modified = datetime(*member.date_time)
    except ValueError:
        modified = None
    try:
        with archive.open(member) as content:
            unpack.add(name, content, modified, member.compress_size)
    except (*_UNREADABLE, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _BROKEN_DATA:
            raise
        reason = str(error) or type(error).__name__
        unpack.refuse(name, message("it is damaged ({reason})", reason=reason), harmful=False)


def _directory_bytes(file: IO[bytes]) -> int:
    """How large the zip says its table of contents is, read into memory whole: the larger of its two places."""
    end = file.seek(0, 2)
    file.seek(max(0, end - 2**16 - 128))
    tail = file.read()
    sizes = [0]
    for signature, offset, form in ((b"PK\5\6", 12, "<L"), (b"PK\6\6", 40, "<Q")):
        at = tail.rfind(signature)
        if at >= 0 and len(tail) >= at + offset + struct.calcsize(form):
            sizes.append(struct.unpack_from(form, tail, at + offset)[0])
    # 0xFFFFFFFF points to the second place; neither can truly be more than the file.
    return min(max(size for size in sizes if size != 0xFFFFFFFF), end)


# ---------------------------------------------------------------- tar


class _Bounded:
    """A decompressed tar as ``tarfile`` wants it: no further than the limit, and never much at once.

    ``tarfile`` reads extended headers into memory at the length they claim and unpacks refused members to skip them.
    """

    def __init__(self, stream: IO[bytes], packed: int, unpack: Unpacking) -> None:
        self._stream, self._unpack = stream, unpack
        limits = unpack.limits
        self._end = min(limits.total_bytes + limits.entries * 2048, max(limits.free_bytes, packed * limits.ratio))

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= 2**20 or self.tell() + size > self._end + 2**20:
            raise too_large(self._unpack.name, self._unpack.limits)
        return self._stream.read(size)

    def seek(self, position: int, whence: int = 0) -> int:
        if whence != 0 or position > self._end:
            raise too_large(self._unpack.name, self._unpack.limits)
        return self._stream.seek(position)

    def tell(self) -> int:
        return self._stream.tell()


def _tar_stream(file: IO[bytes], head: bytes) -> IO[bytes] | None:
    file.seek(0)
    if head.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    if head.startswith(b"BZh"):
        return bz2.BZ2File(file)
    if head.startswith(b"\xfd7zXZ\x00"):
        return lzma.LZMAFile(file)
    return file if head[257:262] == b"ustar" else None


def _read_tar(stream: _Bounded, unpack: Unpacking) -> None:
    unreadable = (tarfile.TarError, lzma.LZMAError, *_UNREADABLE)
    try:
        with tarfile.open(fileobj=stream, mode="r:", errorlevel=2) as archive:  # type: ignore[call-overload]
            for member, name in _tar_members(archive):
                wanted = unpack.wanted(name, folder=member.isdir(), regular=member.isreg())
                content = archive.extractfile(member) if wanted else None
                if content is not None:
                    unpack.add(name, content, _tar_time(member.mtime), None)
            # tarfile takes a damaged header for the end, and whoever comes after it would be lost.
            stream.seek(archive.offset)
            if stream.read(tarfile.BLOCKSIZE).strip(b"\0"):
                raise tarfile.ReadError("damaged header")
    except unreadable as error:
        raise damaged(unpack.name, error) from error


def _tar_members(archive: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, str]]:
    for member in archive:
        raw = member.name.encode("utf-8", "surrogateescape")
        yield member, tidy_name(raw.decode(encoding_of([raw])))


def _tar_time(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds)
    except (ValueError, OverflowError, OSError):
        return None
