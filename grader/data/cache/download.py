"""One file from one server: continued where an earlier try was cut off, bounded, and checked before it counts.

What is under way is called ``NAME.TOKEN.PID.part`` and belongs to one process; one whose process is gone, and
``NAME.part``, are anybody's to continue, so that two fetches at once never write into one file. ``NAME`` itself is what
somebody brought, and is only read.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

from grader.data.cache.known_sets import Package
from grader.files import filetype
from grader.i18n.message import Message, message
from grader.models.errors import DatasetError

CHUNK = 1 << 16  # as much is lost when a line drops
ATTEMPTS = 3  # in a row, of continuing a download that breaks off and brings nothing new
_RANGE = re.compile(r"bytes (\d+)-")

Measured = Callable[[str, int, int], None]  # file, bytes there, bytes in all as far as known
Opened = Callable[[Path], IO[bytes]]


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: until a server answers at all, and between two pieces of a file."""

    connect: float = 6.0
    read: float = 30.0


def _appended(path: Path) -> IO[bytes]:
    return path.open("ab")


@dataclass(frozen=True, slots=True)
class Downloader:
    """``opened`` is how a part is opened for appending; a test's may run out of disk."""

    folder: Path
    measured: Measured = lambda _file, _done, _total: None
    patience: Patience = Patience()
    opened: Opened = _appended

    def fetch(self, package: Package) -> Path:
        """A complete, checked file, which is the caller's until ``give_back`` or its end.

        Raises DatasetError, and OSError for a disk that is full.
        """
        brought, problems = self.folder / package.name, []
        if brought.is_file():
            problem = problem_with(brought, package)
            if problem is None:
                return brought
            problems.append(DatasetError(problem))
        self.folder.mkdir(parents=True, exist_ok=True)
        for url in package.urls:
            part = _claimed(brought)
            try:
                self._complete(url, package, part)
            except DatasetError as error:
                problems.append(error)
                self.give_back(part, package)
            except OSError:
                part.unlink(missing_ok=True)  # of what has no room nothing stays
                raise
            except BaseException:
                self.give_back(part, package)
                raise
            else:
                return part
        raise problems[0]

    def give_back(self, path: Path, package: Package) -> None:
        """For the next try to continue; what somebody brought stays as it is."""
        if path.name != package.name and path.exists():
            path.replace(self.folder / f"{package.name}.part")

    def _complete(self, url: str, package: Package, part: Path) -> None:
        """Fill ``part`` from where it ends; a file that went wrong after being continued is begun once more."""
        continued = part.exists() and part.stat().st_size > 0
        if continued and package.hash is not None and problem_with(part, package) is None:
            return
        self._transfer(url, package, part)
        problem = problem_with(part, package)
        if problem is not None and continued:
            part.unlink()
            self._transfer(url, package, part)
            problem = problem_with(part, package)
        if problem is not None:
            part.unlink()
            raise DatasetError(problem)

    def _transfer(self, url: str, package: Package, part: Path) -> None:
        import requests

        fruitless = 0
        while True:
            before = part.stat().st_size if part.exists() else 0
            try:
                self._piece(url, package, part)
            except requests.RequestException as error:
                grown = part.exists() and part.stat().st_size > before
                fruitless = 0 if grown else fruitless + 1
                # A line that dropped is tried again; a server that never answered isn't.
                if fruitless > (ATTEMPTS if isinstance(error, requests.exceptions.ChunkedEncodingError) else 0):
                    raise DatasetError(_unreachable(url, error, part)) from error
            else:
                return

    def _piece(self, url: str, package: Package, part: Path) -> None:
        """As much as one answer of the server brings."""
        import requests

        start = part.stat().st_size if part.exists() else 0
        # Unpacked on the way, a file would be neither as long nor as hashed.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        timeout = (self.patience.connect, self.patience.read)
        with requests.get(url, headers=headers, timeout=timeout, stream=True) as answer:
            if start and (answer.status_code == 416 or _begins_at(answer) not in (0, start)):
                part.unlink()
                self._piece(url, package, part)
                return
            if answer.status_code not in (200, 206):
                status, reason = answer.status_code, str(answer.reason)
                raise DatasetError(
                    message("{url}: the server says {status} {reason}", url=url, status=status, reason=reason)
                )
            start = _begins_at(answer)
            if not start:
                part.unlink(missing_ok=True)
            length = answer.headers.get("Content-Length", "")
            total = start + int(length) if length.isdigit() else package.bytes
            self._write(answer.iter_content(CHUNK), package, part, total)

    def _write(self, chunks: Iterator[bytes], package: Package, part: Path, total: int) -> None:
        limit = 2 * package.bytes + CHUNK
        with self.opened(part) as file:
            done = part.stat().st_size
            for chunk in chunks:
                done += len(chunk)
                if done > limit:
                    raise DatasetError(
                        message(
                            "{name}: the server sends more than {limit:.0f} MB, expected about {expected:.0f}",
                            name=package.name,
                            limit=limit / 1e6,
                            expected=package.bytes / 1e6,
                        )
                    )
                file.write(chunk)
                self.measured(package.name, done, max(total, done))


def problem_with(path: Path, package: Package) -> Message | None:
    """Why the file isn't the package; None where it is, or where no hash is known to tell."""
    if package.hash is None:
        return None
    algorithm, _, expected = package.hash.partition(":")
    found = file_hash(path, algorithm)
    if found == expected:
        return None
    with path.open("rb") as file:
        head = file.read(filetype.HEAD_BYTES)
    return message(
        "{name}: the checksum is wrong: found {algorithm} {found} ({kind}, {size} bytes), expected {expected}",
        name=package.name,
        algorithm=algorithm.upper(),
        found=found,
        kind=filetype.kind(head),
        size=path.stat().st_size,
        expected=expected,
    )


def file_hash(path: Path, algorithm: str = "sha256") -> str:
    with path.open("rb") as file:
        # Keras publishes MD5 for its older files: it tells damage, and the content is looked at besides.
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()


def _begins_at(answer: Any) -> int:
    """Where in the file the answer's bytes begin; -1 for a piece that doesn't say."""
    if answer.status_code != 206:
        return 0
    said = _RANGE.match(answer.headers.get("Content-Range", ""))
    return int(said[1]) if said else -1


def _unreachable(url: str, error: Exception, part: Path) -> Message:
    import requests

    if part.exists():
        size = part.stat().st_size / 1e6
        return message("{url}: broke off after {size:.1f} MB, which are kept", url=url, size=size)
    if isinstance(error, requests.Timeout):
        return message("{url}: no answer", url=url)
    if isinstance(error, requests.exceptions.SSLError):
        return message("{url}: its certificate is not trusted here", url=url)
    return message("{url}: cannot be reached", url=url)


# ---------------------------------------------------------------- parts


def is_abandoned(pid: str) -> bool:
    """Whether the process that wrote something under its number is gone."""
    return int(pid) != os.getpid() and not psutil.pid_exists(int(pid))


def _claimed(target: Path) -> Path:
    """A part of ours alone: one that nobody writes to any more, or a new name."""
    own = target.with_name(f"{target.name}.{secrets.token_hex(4)}.{os.getpid()}.part")
    waiting = re.compile(re.escape(target.name) + r"(?:\.[0-9a-f]{8}\.(\d+))?\.part")
    for path in sorted(target.parent.iterdir()):
        found = waiting.fullmatch(path.name)
        if found and (found[1] is None or is_abandoned(found[1])):
            with suppress(FileNotFoundError):  # somebody else was quicker
                path.rename(own)
                break
    return own
