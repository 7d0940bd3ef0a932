"""Files that were handed out with the homework, found by the address of a download or by a path from elsewhere.

Standard library only: ``commands`` starts a process with each use.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

MAX_SHOWN = 200  # characters of an address in a message
REMOTE = re.compile(r"(?:https?|ftp)://", re.IGNORECASE)
LOCAL = re.compile(r"(?:localhost|127\.[\d.]+|\[::1\])(?:[:/?]|$)", re.IGNORECASE)  # a server of the notebook itself
DRIVE = re.compile(r"drive\.(?:usercontent\.)?google\.com/(?:file/d/|.*[?&]id=)([\w-]{10,})")
LIBRARY_FOLDERS = ("datasets", "models")


@dataclass(frozen=True, slots=True)
class Handout:
    """Files of the course: ``sources`` maps an address or a file name to a file, relative to ``work``."""

    work: Path
    files: tuple[str, ...] = ()  # those in sources first
    sources: Mapping[str, str] | None = None
    library: Path | None = None  # laid out as KERAS_HOME

    @classmethod
    def from_request(cls, job: Path, request: Mapping[str, Any]) -> Handout:
        """Return the files that the host put into the job folder, as its request says."""
        table = {address_key(known): name for known, name in (request.get("sources") or {}).items()}
        library = request.get("library")
        course = set(table.values())
        files = sorted(request.get("files") or (), key=lambda name: (name not in course, name))
        return cls(job / "work", tuple(files), table, Path(library) if library else None)

    @classmethod
    def read(cls, job: Path, path: Path) -> Handout:
        """Return the handout that ``keep`` has written to ``path``."""
        return cls.from_request(job, json.loads(path.read_bytes()))

    @staticmethod
    def keep(request: Mapping[str, Any], path: Path) -> None:
        """Write what ``from_request`` needs to ``path``, for the programs that the notebook starts."""
        path.write_text(json.dumps({name: request.get(name) for name in ("sources", "files", "library")}))

    def file_for(self, address: str) -> Path | None:
        """Return the course's file for ``address``, or else the library's file of the same name."""
        found = (self.course_file(key) for key in _keys(address))
        return next(filter(None, found), None) or self._library_file(last_name(address))

    def course_file(self, name: str) -> Path | None:
        """Return the existing course file that ``sources`` has under this address or name."""
        known = (self.sources or {}).get(address_key(name))
        return self.work / known if known is not None and (self.work / known).is_file() else None

    def _library_file(self, name: str) -> Path | None:
        if self.library is None or not name or Path(name).name != name:
            return None
        paths = (self.library / folder / name for folder in LIBRARY_FOLDERS)
        return next((path for path in paths if path.is_file()), None)


def is_remote(address: object) -> bool:
    """Check whether ``address`` is one that only the internet can answer."""
    if not isinstance(address, str) or not REMOTE.match(address):
        return False
    return not LOCAL.match(address.split("://", 1)[1].rpartition("@")[2])


def refusal(address: str, advice: str = "only the files of the homework are here") -> str:
    """Return the text of a refused download, always one line."""
    return f"not available offline: {' '.join(address.split())[:MAX_SHOWN]} ({advice})"


def last_name(address: str) -> str:
    """Return the file name at the end of an address or a path."""
    path = urlsplit(address).path if REMOTE.match(address) else address
    return unquote(path).rstrip("/").rpartition("/")[2]


def _keys(address: str) -> Iterator[str]:
    """Yield the keys of an address, from the most specific to the file name."""
    yield address
    yield address.partition("?")[0]
    yield last_name(address)


def address_key(address: str) -> str:
    """Normalise an address: without http or https, capitals of the host, and fragment, which name no other file."""
    address = address.strip().partition("#")[0]
    on_drive = DRIVE.search(address)
    if on_drive is not None:
        return f"drive:{on_drive[1]}"
    if not REMOTE.match(address):
        return address.lower()
    host, slash, rest = address.split("://", 1)[1].partition("/")
    return f"{host.lower().removeprefix('www.')}{slash}{unquote(rest)}"


# ------------------------------------------------------------------ paths from elsewhere

MAX_ENTRIES = 20_000  # names of the notebook's folder that are searched
RESERVED = ("exchange", "hidden", "out", "run", "tmp")  # folders of the job without data of the notebook
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/proc", "/sys", "/dev", "/run", "/var", "/opt", "/tmp")  # noqa: S108
ROOT = re.compile(r"(?:/content(?:/drive(?:/My ?Drive)?)?|/kaggle(?:/input|/working)?|drive/My ?Drive|\.\./input)/*")
FOREIGN = re.compile(r"(?:/content|/kaggle|/gdrive)(?:/|$)|(?:\./)?(?:drive/(?:My ?Drive|Shareddrives)|\.\./input)\b")
DRIVE_LETTER = re.compile(r"[A-Za-z]:")


class FileFinder:
    """Search below the notebook's folder for the file that a path of a student's computer, Drive or Kaggle means.

    Only missing paths are looked up, only for reading, and only files below the notebook's folder are found: nothing
    that the notebook could not open by its plain name. Names are listed at the first search after ``forget``.
    """

    def __init__(self, job: Path, handout: Handout) -> None:
        self.work = os.fspath(job / "work")
        self._job, self._handout = os.fspath(job), handout
        closed = [handout.library, sys.prefix, sys.base_prefix, Path(__file__).parents[1]]
        self._closed = tuple(os.fspath(path) for path in closed if path) + SYSTEM
        # Relative paths with "/" by their last part in lower case.
        self._files: dict[str, list[str]] | None = None
        self._folders: dict[str, list[str]] = {}

    def forget(self) -> None:
        """List the names again at the next search."""
        self._files = None

    def file(self, path: object) -> str | None:
        """Return the one file that a missing ``path`` means; None if there is none or more than one."""
        return self._find(path, folders=False)

    def folder(self, path: object) -> str | None:
        """Return the one folder that a missing ``path`` means.

        The places where Colab and Kaggle keep files mean the notebook's own folder.
        """
        text = _text(path)
        if text is not None and ROOT.fullmatch(text) and not os.path.lexists(text):
            return self.work
        return self._find(path, folders=True)

    def is_foreign(self, path: object) -> bool:
        """Check whether ``path`` is a place of Colab or Kaggle."""
        text = _text(path)
        return text is not None and FOREIGN.match(text.replace("\\", "/")) is not None

    def make_parent(self, path: object) -> str | None:
        """Make and return the missing folder in which ``path`` is to be written; None if nothing was made.

        Its author had the folder, beside the notebook or on a Drive. It is made only in the notebook's own folder.
        """
        text = _text(path)
        folder = os.path.realpath(os.path.dirname(text)) if text else ""  # noqa: PTH120
        if not _is_below(folder, os.path.realpath(self.work)) or os.path.lexists(folder):
            return None
        try:
            Path(folder).mkdir(parents=True)
        except OSError:
            return None  # the writing itself says why
        return folder

    def shown(self, found: str) -> str:
        """Return a found path as the student would write it."""
        return "./" if found == self.work else os.path.relpath(found, self.work).replace(os.sep, "/")

    def _find(self, path: object, *, folders: bool) -> str | None:
        text = _text(path)
        if text is None or os.path.lexists(text) or self._is_closed(text):
            return None
        parts = _parts(text)
        if not parts or parts[-1].startswith("."):
            return None
        files = self._list_names()
        names = (self._folders if folders else files).get(parts[-1].lower(), [])
        for tail in (parts[-2:], parts[-1:]):
            match = _only_match(tail, names)
            if match is not None:
                return os.path.join(self.work, *match.split("/"))  # noqa: PTH118
        known = None if folders else self._handout.course_file(parts[-1])
        return os.fspath(known) if known is not None else None

    def _is_closed(self, text: str) -> bool:
        """Check whether a missing path stays missing: programs look there for files that may not exist."""
        absolute = os.path.normpath(os.path.join(os.getcwd(), text))  # noqa: PTH109, PTH118
        if _is_below(absolute, self._job):
            parts = Path(os.path.relpath(absolute, self._job)).parts
            return parts[0] in RESERVED or (parts[0] == "home" and len(parts) > 1 and parts[1].startswith("."))
        return any(_is_below(absolute, closed) for closed in self._closed)

    def _list_names(self) -> dict[str, list[str]]:
        if self._files is None:
            self._files, self._folders = {}, {}
            left = MAX_ENTRIES
            for top, folders, files in os.walk(self.work):
                prefix = "" if top == self.work else f"{self.shown(top)}/"
                folders[:] = [name for name in folders if not name.startswith(".")]
                for known, names in ((self._folders, folders), (self._files, files)):
                    for name in names[:left]:
                        known.setdefault(name.lower(), []).append(prefix + name)
                left -= len(folders) + len(files)
                if left <= 0:
                    break
        return self._files


def _only_match(tail: Sequence[str], names: Iterable[str]) -> str | None:
    """Return the only name that ends in these parts, or else the only one when case is ignored."""
    ending = "/".join(tail)
    similar = [name for name in names if f"/{name}".lower().endswith(f"/{ending}".lower())]
    exact = [name for name in similar if f"/{name}".endswith(f"/{ending}")]
    candidates = exact or similar
    return candidates[0] if len(candidates) == 1 else None


def _text(path: object) -> str | None:
    if isinstance(path, (str, bytes, os.PathLike)):
        text = os.fsdecode(path)
        return text if text and "\0" not in text else None
    return None


def _parts(text: str) -> list[str]:
    """Split a path, also one of Windows: a backslash is an ordinary character here, but no course file has one."""
    plain = DRIVE_LETTER.sub("", text.replace("\\", "/"), count=1) if DRIVE_LETTER.match(text) else text
    return [part for part in plain.replace("\\", "/").split("/") if part not in ("", ".", "..")]


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
