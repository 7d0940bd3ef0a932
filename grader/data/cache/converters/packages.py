"""Packages of registries: unpacked within limits, never installed or executed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO
from urllib.parse import unquote

from grader.data.cache.known_sets import KnownSet
from grader.files.archives.contents import ArchiveLimits
from grader.files.archives.extraction import read_archive
from grader.i18n.message import Message, message
from grader.models.errors import DatasetError

PACKED = (".whl", ".zip", ".tgz", ".tar.gz", ".tar", ".deb")
LIMITS = ArchiveLimits(entries=60_000, total_bytes=4 * 2**30)
_AR_MAGIC, _AR_HEADER = b"!<arch>\n", 60
_CHUNK = 1 << 20
_EPOCH = re.compile(r"_\d+:")  # apt adds the epoch of a version to the file name


@dataclass(frozen=True)
class Material:
    """Input and output of one conversion."""

    known: KnownSet
    given: Mapping[str, Path]  # name -> file or package
    scratch: Path  # for unpacking
    out: Path  # the result, laid out as the library
    inside: str = ""  # folder in the package to read
    notes: list[Message] = field(default_factory=list)  # for the operator

    @cached_property
    def files(self) -> dict[str, Path]:
        """All given files by name; archives are replaced by their content. Raises IntakeError for a damaged archive."""
        files: dict[str, Path] = {}
        for number, (name, path) in enumerate(self.given.items()):
            if name.lower().endswith(PACKED) and (len(self.given) == 1 or self._is_package(name)):
                files |= self._unpacked(name, path, self.scratch / f"{number:03d}")
            else:
                files[name] = path
        below = {name: path for name, path in files.items() if name.startswith(self.inside)}
        return below or files  # in a package unpacked by hand the folder names start later

    def named(self, *names: str) -> list[Path]:
        """Return the files with these base names, in this order. Raises DatasetError with all missing names."""
        last = {name.rpartition("/")[2]: path for name, path in self.files.items()}
        missing = [name for name in names if name not in last]
        if missing:
            raise DatasetError(
                message(
                    "{given}: does not contain {missing}",
                    given=", ".join(list(self.given)[:3]),
                    missing=", ".join(missing),
                )
            )
        return [last[name] for name in names]

    def target(self, place: str) -> Path:
        path = self.out / place
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _is_package(self, name: str) -> bool:
        """Return whether the archive is a package of this set; a given folder may hold other archives."""
        plain = _EPOCH.sub("_", unquote(name.rpartition("/")[2]))
        return any(plain == package.name for source in self.known.sources for package in source.packages)

    def _unpacked(self, name: str, path: Path, into: Path) -> dict[str, Path]:
        if name.endswith(".deb"):  # its refused links belong to the system, not to a set
            held = read_archive(_inner_tar(path, self.scratch / f"{into.name}.tar"), into, LIMITS, name=name)
            return {entry.name.removeprefix("./"): entry.path for entry in held.entries}
        held = read_archive(path, into, LIMITS, name=name)
        self.notes.extend(
            message("{name} in {archive} was left out: {reason}", name=file.name, archive=name, reason=file.reason)
            for file in held.refused
        )
        return {entry.name: entry.path for entry in held.entries}


def _inner_tar(path: Path, into: Path) -> Path:
    """Extract ``data.tar.*``, the files of a Debian package, which is an ``ar`` archive (man 5 deb)."""
    with path.open("rb") as file:
        if file.read(len(_AR_MAGIC)) != _AR_MAGIC:
            raise DatasetError(message("{name} is not a Debian package", name=path.name))
        while len(header := file.read(_AR_HEADER)) == _AR_HEADER:
            name, size = header[:16].decode("latin1").strip(" /"), header[48:58].strip()
            if not size.isdigit():
                break
            if name.startswith("data.tar"):
                _copy(file, int(size), into)
                return into
            file.seek(int(size) + int(size) % 2, 1)
    raise DatasetError(message("{name} is a damaged Debian package without data.tar", name=path.name))


def _copy(file: IO[bytes], size: int, into: Path) -> None:
    with into.open("wb") as target:
        while size > 0 and (chunk := file.read(min(size, _CHUNK))):
            target.write(chunk)
            size -= len(chunk)
