"""Download one file: resumable, bounded in size, and accepted only after its hash was checked.

A download in progress is ``NAME.TOKEN.PID.part`` and belongs to one process, so that two fetches never write to the
same file. Any process may continue ``NAME.part`` or the part of a process that has ended. ``NAME`` itself is a file of
the operator; it is only read.
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

CHUNK = 1 << 16  # bytes lost when a connection drops
ATTEMPTS = 3  # resumptions in a row that bring no new bytes
_RANGE = re.compile(r"bytes (\d+)-")

Progress = Callable[[str, int, int], None]  # file name, bytes received, bytes in total as far as known
OpenPart = Callable[[Path], IO[bytes]]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds until a server answers, and between two chunks of a file."""

    connect: float = 6.0
    read: float = 30.0


def _open_for_append(path: Path) -> IO[bytes]:
    return path.open("ab")


@dataclass(frozen=True, slots=True)
class Downloader:
    """Downloads packages into ``folder``. ``open_part`` opens a part for appending; tests use it to fill the disk."""

    folder: Path
    progress: Progress = lambda _file, _done, _total: None
    timeouts: Timeouts = Timeouts()
    open_part: OpenPart = _open_for_append

    def fetch(self, package: Package) -> Path:
        """Return a complete, checked file. It belongs to the caller until ``give_back``.

        Raises DatasetError, and OSError for a full disk.
        """
        provided, problems = self.folder / package.name, []
        if provided.is_file():
            problem = find_problem(provided, package)
            if problem is None:
                return provided
            problems.append(DatasetError(problem))
        self.folder.mkdir(parents=True, exist_ok=True)
        for url in package.urls:
            part = _claim_part(provided)
            try:
                self._complete(url, package, part)
            except DatasetError as error:
                problems.append(error)
                self.give_back(part, package)
            except OSError:
                part.unlink(missing_ok=True)  # leave nothing on a full disk
                raise
            except BaseException:
                self.give_back(part, package)
                raise
            else:
                return part
        raise problems[0]

    def give_back(self, path: Path, package: Package) -> None:
        """Leave a part for the next attempt to continue. A file provided by the operator stays as it is."""
        if path.name != package.name and path.exists():
            path.replace(self.folder / f"{package.name}.part")

    def _complete(self, url: str, package: Package, part: Path) -> None:
        """Fill ``part`` from its end. If a resumed file turns out wrong, download it once more from the start."""
        continued = part.exists() and part.stat().st_size > 0
        if continued and package.hash is not None and find_problem(part, package) is None:
            return
        self._transfer(url, package, part)
        problem = find_problem(part, package)
        if problem is not None and continued:
            part.unlink()
            self._transfer(url, package, part)
            problem = find_problem(part, package)
        if problem is not None:
            part.unlink()
            raise DatasetError(problem)

    def _transfer(self, url: str, package: Package, part: Path) -> None:
        import requests

        fruitless = 0
        while True:
            before = part.stat().st_size if part.exists() else 0
            try:
                self._receive(url, package, part)
            except requests.RequestException as error:
                grown = part.exists() and part.stat().st_size > before
                fruitless = 0 if grown else fruitless + 1
                # Resume a dropped connection; do not retry a server that never answered.
                if fruitless > (ATTEMPTS if isinstance(error, requests.exceptions.ChunkedEncodingError) else 0):
                    raise DatasetError(_unreachable(url, error, part)) from error
            else:
                return

    def _receive(self, url: str, package: Package, part: Path) -> None:
        """Append the body of one response."""
        import requests

        start = part.stat().st_size if part.exists() else 0
        # Compression in transit would change the file's length and hash.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        timeout = (self.timeouts.connect, self.timeouts.read)
        with requests.get(url, headers=headers, timeout=timeout, stream=True) as response:
            if start and (response.status_code == 416 or _start_of(response) not in (0, start)):
                part.unlink()
                self._receive(url, package, part)
                return
            if response.status_code not in (200, 206):
                status, reason = response.status_code, str(response.reason)
                raise DatasetError(
                    message("{url}: the server answered {status} {reason}", url=url, status=status, reason=reason)
                )
            start = _start_of(response)
            if not start:
                part.unlink(missing_ok=True)
            length = response.headers.get("Content-Length", "")
            total = start + int(length) if length.isdigit() else package.bytes
            self._write(response.iter_content(CHUNK), package, part, total)

    def _write(self, chunks: Iterator[bytes], package: Package, part: Path, total: int) -> None:
        limit = 2 * package.bytes + CHUNK
        with self.open_part(part) as file:
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
                self.progress(package.name, done, max(total, done))


def find_problem(path: Path, package: Package) -> Message | None:
    """Return why the file is not the package, or None. Without a known hash the result is None."""
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
        # Keras publishes MD5 for its older files. MD5 detects damage; the content is checked as well.
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()


def _start_of(response: Any) -> int:
    """Return the position in the file of the response's first byte; -1 if a partial response does not say."""
    if response.status_code != 206:
        return 0
    found = _RANGE.match(response.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1


def _unreachable(url: str, error: Exception, part: Path) -> Message:
    import requests

    if part.exists():
        size = part.stat().st_size / 1e6
        return message("{url}: the connection broke after {size:.1f} MB; these were kept", url=url, size=size)
    if isinstance(error, requests.Timeout):
        return message("{url}: no answer", url=url)
    if isinstance(error, requests.exceptions.SSLError):
        return message("{url}: its certificate is not trusted here", url=url)
    return message("{url}: cannot be reached", url=url)


# ---------------------------------------------------------------- parts


def is_abandoned(pid: str) -> bool:
    """Return whether the process with that id has ended."""
    return int(pid) != os.getpid() and not psutil.pid_exists(int(pid))


def _claim_part(target: Path) -> Path:
    """Return a part for this process: an abandoned part, renamed, or a new name."""
    own = target.with_name(f"{target.name}.{secrets.token_hex(4)}.{os.getpid()}.part")
    waiting = re.compile(re.escape(target.name) + r"(?:\.[0-9a-f]{8}\.(\d+))?\.part")
    for path in sorted(target.parent.iterdir()):
        found = waiting.fullmatch(path.name)
        if found and (found[1] is None or is_abandoned(found[1])):
            with suppress(FileNotFoundError):  # another process was faster
                path.rename(own)
                break
    return own
