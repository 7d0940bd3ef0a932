"""Read the members of a tar in order. A tar has no table of contents, so damage ends the reading."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from grader.files.archives.contents import Unpacking, archive_too_large, damaged_archive, local_time
from grader.files.archives.entry_encoding import guess_encoding
from grader.files.archives.entry_names import tidy_name
from grader.files.archives.zip_reader import UNREADABLE
from grader.i18n.message import message
from grader.models.errors import IntakeError

_HEADER_BYTES = 2**18  # all headers of one member together
_DIGITS = re.compile(rb"[0-9]{300}")  # tarfile's patterns would take quadratic time on it


def read_tar(file: IO[bytes], head: bytes, packed: int, unpack: Unpacking) -> bool:
    """Unpack a tar (.gz, .bz2, .xz) of ``packed`` bytes that starts with ``head``. Return False if it is not a tar."""
    stream = _decompressed(file, head)
    if stream is None:
        return False
    bounded = _Bounded(stream, packed, unpack)
    try:
        with tarfile.open(fileobj=bounded, mode="r:", errorlevel=2) as archive:  # type: ignore[call-overload]
            for member, name in _members(archive):
                bounded.headers = 0
                accepted = unpack.accepts(name, folder=member.isdir(), regular=member.isreg())
                content = archive.extractfile(member) if accepted else None
                if content is not None:
                    with bounded.reading_content():
                        unpack.add(name, content, local_time(member.mtime), _stored_bytes(member))
            # tarfile treats a damaged header as the end of the archive; later members would be lost silently.
            bounded.seek(archive.offset)
            if bounded.read(tarfile.BLOCKSIZE).strip(b"\0"):
                raise tarfile.ReadError("damaged header")
    except (tarfile.TarError, lzma.LZMAError, *UNREADABLE) as error:
        raise damaged_archive(unpack.name, error) from error
    return True


class _Bounded:
    """A decompressed tar with limits, as a file object for ``tarfile``.

    Limits are necessary because ``tarfile`` reads extended headers into memory at the length they claim, and unpacks
    refused members to skip them. ``headers`` counts the header bytes read for the next member.
    """

    def __init__(self, stream: IO[bytes], packed: int, unpack: Unpacking) -> None:
        self._stream, self._unpack = stream, unpack
        self._content = False
        self.headers = 0
        limits = unpack.limits
        self._end = min(limits.total_bytes + limits.entries * 2048, max(limits.free_bytes, packed * limits.ratio))

    @contextmanager
    def reading_content(self) -> Iterator[None]:
        """Count bytes read inside the block as content, not as headers."""
        self._content = True
        yield
        self._content = False

    def read(self, size: int = -1) -> bytes:
        self.headers += 0 if self._content else size
        if self.headers > _HEADER_BYTES:
            raise self._oversized_header()
        if size < 0 or self.tell() + size > self._end + 2**20:
            raise archive_too_large(self._unpack.name, self._unpack.limits)
        data = self._stream.read(size)
        if not self._content and size > tarfile.BLOCKSIZE and _DIGITS.search(data):
            raise self._oversized_header()
        return data

    def _oversized_header(self) -> IntakeError:
        problem = message(
            "{name} has a header of {size} bytes; expected a regular tar, with less than {limit}, or a zip.",
            name=self._unpack.name, size=self.headers, limit=_HEADER_BYTES,
        )  # fmt: skip
        return IntakeError(problem)

    def seek(self, position: int, whence: int = 0) -> int:
        if whence != 0 or position > self._end:
            raise archive_too_large(self._unpack.name, self._unpack.limits)
        return self._stream.seek(position)

    def tell(self) -> int:
        return self._stream.tell()


def _decompressed(file: IO[bytes], head: bytes) -> IO[bytes] | None:
    file.seek(0)
    if head.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    if head.startswith(b"BZh"):
        return bz2.BZ2File(file)
    if head.startswith(b"\xfd7zXZ\x00"):
        return lzma.LZMAFile(file)
    return file if head[257:262] == b"ustar" else None


def _members(archive: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, str]]:
    for member in archive:
        raw = member.name.encode("utf-8", "surrogateescape")
        yield member, tidy_name(raw.decode(guess_encoding([raw])))


def _stored_bytes(member: tarfile.TarInfo) -> int | None:
    """Return the number of bytes stored for a sparse file; None for a regular file, which is stored completely."""
    parts: Sequence[tuple[int, int]] | None = getattr(member, "sparse", None)
    return None if parts is None else sum(size for _offset, size in parts)
