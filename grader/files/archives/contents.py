"""Content of an unpacked archive, and the byte counts that keep unpacking within limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol

from grader.files.archives.entry_names import is_junk, name_problem
from grader.files.plain_files import read_plain
from grader.i18n.message import Message, message
from grader.models.errors import IntakeError


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Limits for one archive."""

    entries: int = 100_000
    entry_bytes: int = 512 * 2**20
    total_bytes: int = 16 * 2**30
    ratio: int = 200  # unpacked size / packed size, above which a large member is a zip bomb
    free_bytes: int = 16 * 2**20  # a member or archive up to this size may have any ratio

    def after(self, archive: Archive) -> ArchiveLimits:
        """Return the limits for a further archive, so that both together stay within these limits."""
        entries = self.entries - len(archive.entries)
        return replace(
            self, entries=entries, total_bytes=self.total_bytes - sum(entry.size for entry in archive.entries)
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """An unpacked file."""

    name: str  # NFC-normalized POSIX path in the archive
    path: Path  # of the unpacked bytes
    size: int
    modified: datetime | None = None  # local time without a time zone, as stored in archives

    def head(self, limit: int) -> bytes:
        """Return the first ``limit`` bytes; nothing for an entry without content, or one that became unreadable."""
        try:
            return read_plain(self.path, limit)
        except OSError:
            return b""


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that was not unpacked."""

    name: str
    reason: Message
    harmful: bool = True  # could have done damage; False: only unreadable


@dataclass(frozen=True, slots=True)
class Archive:
    """Content of an archive or a folder."""

    entries: tuple[Entry, ...]
    refused: tuple[Refused, ...] = ()
    skipped: tuple[str, ...] = ()  # folders, with a trailing ``/``, and files of operating systems
    name: str = ""  # of the archive or folder


class Reader(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass
class Unpacking:
    """Collects the files of one archive and counts their bytes. Used by the zip and tar readers."""

    name: str  # of the archive, for messages
    into: Path
    limits: ArchiveLimits
    entries: dict[str, Entry] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    seen: int = 0
    written: int = 0

    def accepts(self, name: str, *, folder: bool, regular: bool) -> bool:
        """Return whether to read this member's content. Other members are recorded as skipped or refused."""
        self.seen += 1
        if self.seen > self.limits.entries:
            raise too_many_files(self.name, self.limits)
        problem = name_problem(name)
        if problem is None and folder:
            self.skipped.append(name.rstrip("/") + "/")
        elif problem is None and is_junk(name):
            self.skipped.append(name)
        elif problem is None and regular:
            return True
        else:
            self.refuse(name, problem or message("it is a link or a device; expected an ordinary file"))
        return False

    def refuse(self, name: str, reason: Message, *, harmful: bool = True) -> None:
        self.refused.append(Refused(name, reason, harmful))

    def add(self, name: str, content: Reader, modified: datetime | None, packed: int | None) -> None:
        """Write ``content``. A later file replaces an earlier one with the same name, as in other programs."""
        target = self.into / f"{self.seen:05d}"
        try:
            with target.open("xb") as file:
                reason = self._copy(content, file, packed)
        except Exception:
            target.unlink(missing_ok=True)
            raise
        if reason is not None:
            target.unlink()
            self.refuse(name, reason)
            return
        earlier = self.entries.pop(name, None)
        if earlier is not None:
            earlier.path.unlink()
            self.refuse(name, message("the archive holds this name twice; the later one was taken"), harmful=False)
        self.entries[name] = Entry(name, target, target.stat().st_size, modified)

    def _copy(self, content: Reader, file: IO[bytes], packed: int | None) -> Message | None:
        size = 0
        while chunk := content.read(2**18):
            size += len(chunk)
            self.written += len(chunk)
            if size > self.limits.entry_bytes:
                return message("it is larger than {limit} MB unpacked", limit=self.limits.entry_bytes // 2**20)
            if packed is not None and size > max(self.limits.free_bytes, packed * self.limits.ratio):
                return message("it unpacks to more than {ratio} times its size: a zip bomb", ratio=self.limits.ratio)
            if self.written > self.limits.total_bytes:
                raise archive_too_large(self.name, self.limits, self.entries)
            file.write(chunk)
        return None


def too_many_files(name: str, limits: ArchiveLimits) -> IntakeError:
    return IntakeError(message("{name} holds more than {limit} files. Split it.", name=name, limit=limits.entries))


def archive_too_large(name: str, limits: ArchiveLimits, entries: Mapping[str, Entry] | None = None) -> IntakeError:
    """Name the largest of the ``entries`` unpacked so far, because removing it may solve the problem."""
    limit = limits.total_bytes // 2**20
    if not entries:
        return IntakeError(message("{name} unpacks to more than {limit} MB. Split it.", name=name, limit=limit))
    largest = max(entries.values(), key=lambda entry: entry.size)
    template = message(
        "{name} unpacks to more than {limit} MB; {largest} alone is {size} MB. Take it out, or split the archive.",
        name=name, limit=limit, largest=largest.name, size=largest.size // 2**20,
    )  # fmt: skip
    return IntakeError(template)


def damaged_archive(name: str, reason: object) -> IntakeError:
    return IntakeError(
        message(
            "{name} is damaged or cut off ({reason}). Download it again.",
            name=name,
            reason=str(reason) or type(reason).__name__,
        )
    )


def local_time(seconds: float) -> datetime | None:
    """Convert seconds since 1970, as stored in archives and folders; None for an invalid time."""
    try:
        return datetime.fromtimestamp(seconds)
    except (ValueError, OverflowError, OSError):
        return None
