"""What was handed out, and which of it a download stands for: by its address, or by the name at its end.

Standard library only: the commands of ``commands`` are processes of their own and start with every use.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from .. import protocol

MAX_SHOWN = 200  # characters of an address in a message
REMOTE = re.compile(r"(?:https?|ftp)://", re.IGNORECASE)
LOCAL = re.compile(r"(?:localhost|127\.[\d.]+|\[::1\])(?:[:/?]|$)", re.IGNORECASE)  # a server of the notebook's own
DRIVE = re.compile(r"drive\.(?:usercontent\.)?google\.com/(?:file/d/|.*[?&]id=)([\w-]{10,})")
LIBRARY_FOLDERS = ("datasets", "models")


@dataclass(frozen=True, slots=True)
class Handout:
    """``sources`` maps an address, or a plain file name, to one of ``files``, which are relative to ``work``."""

    work: Path
    files: tuple[str, ...] = ()  # the course's own first
    sources: Mapping[str, str] | None = None
    library: Path | None = None  # laid out as KERAS_HOME

    @classmethod
    def of(cls, job: Path, request: Mapping[str, Any]) -> Handout:
        """What the host's request says was laid into the job folder."""
        table = {_key(known): name for known, name in request.get("sources", {}).items()}
        library = request.get("library")
        course = set(table.values())
        files = sorted(request.get("files", ()), key=lambda name: (name not in course, name))
        return cls(job / "work", tuple(files), table, Path(library) if library else None)

    @classmethod
    def read(cls, job: Path) -> Handout:
        return cls.of(job, json.loads((job / protocol.REQUEST).read_bytes()))

    def file_for(self, address: str) -> Path | None:
        """The course's own copy of what lies at ``address``; else the library's file of that name."""
        found = (self.named(key) for key in _keys(address))
        return next(filter(None, found), None) or self._in_library(last_name(address))

    def named(self, name: str) -> Path | None:
        """The course's own file that the course's table knows by this address or name."""
        known = (self.sources or {}).get(_key(name))
        return self.work / known if known is not None and (self.work / known).is_file() else None

    def _in_library(self, name: str) -> Path | None:
        if self.library is None or not name or Path(name).name != name:
            return None
        paths = (self.library / folder / name for folder in LIBRARY_FOLDERS)
        return next((path for path in paths if path.is_file()), None)


def is_remote(address: object) -> bool:
    """Whether ``address`` is one that only the internet could answer."""
    if not isinstance(address, str) or not REMOTE.match(address):
        return False
    return not LOCAL.match(address.split("://", 1)[1].rpartition("@")[2])


def refusal(address: str, advice: str = "only the files of the homework are here") -> str:
    """One line, whatever the address holds."""
    return f"not available offline: {' '.join(address.split())[:MAX_SHOWN]} ({advice})"


def last_name(address: str) -> str:
    """The file's name at the end of an address; a plain name is its own."""
    path = urlsplit(address).path if REMOTE.match(address) else address
    return unquote(path).rstrip("/").rpartition("/")[2]


def _keys(address: str) -> Iterator[str]:
    """From the most particular to the plain name."""
    yield address
    yield address.partition("?")[0]
    yield last_name(address)


def _key(address: str) -> str:
    """An address without what does not tell one file from another: http or https, capitals of the host, a fragment."""
    address = address.strip().partition("#")[0]
    on_drive = DRIVE.search(address)
    if on_drive is not None:
        return f"drive:{on_drive[1]}"
    if not REMOTE.match(address):
        return address.lower()
    host, slash, rest = address.split("://", 1)[1].partition("/")
    return f"{host.lower().removeprefix('www.')}{slash}{unquote(rest)}"
