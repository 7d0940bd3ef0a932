"""A path of somebody's own computer, Drive or Kaggle, and the file below the notebook's folder that it means.

Only a path that leads nowhere is looked at, only for reading, and only what lies below the notebook's folder is found:
nothing that the notebook could not open by its plain name. Standard library only.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from .sources import Handout

MAX_ENTRIES = 20_000  # of the notebook's folder that are known by name
RESERVED = ("hidden", "out", "run", "tmp")  # of the job folder: ours, or nobody's data
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/proc", "/sys", "/dev", "/run", "/var", "/opt", "/tmp")  # noqa: S108
ROOT = re.compile(r"(?:/content(?:/drive(?:/My ?Drive)?)?|/kaggle(?:/input|/working)?|drive/My ?Drive|\.\./input)/*")
FOREIGN = re.compile(r"(?:/content|/kaggle|/gdrive)(?:/|$)|(?:\./)?(?:drive/(?:My ?Drive|Shareddrives)|\.\./input)\b")
DRIVE_LETTER = re.compile(r"[A-Za-z]:")


class Finder:
    """Knows the names below ``work`` as they were at the first question since ``forget`` was called."""

    def __init__(self, job: Path, handout: Handout) -> None:
        self.work = os.fspath(job / "work")
        self._job, self._handout = os.fspath(job), handout
        own = [handout.library, sys.prefix, sys.base_prefix, Path(__file__).parents[1]]
        self._closed = tuple(os.fspath(path) for path in own if path) + SYSTEM
        self._files: dict[str, list[str]] | None = None  # relative, "/" between, by their last part in small letters
        self._folders: dict[str, list[str]] = {}

    def forget(self) -> None:
        self._files = None

    def file(self, path: object) -> str | None:
        """The one file that a missing ``path`` means; None when there is none, or more than one."""
        return self._found(path, folders=False)

    def folder(self, path: object) -> str | None:
        """The same for a folder; the places where Colab and Kaggle keep files are the notebook's own folder."""
        text = _text(path)
        if text is not None and ROOT.fullmatch(text) and not os.path.lexists(text):
            return self.work
        return self._found(path, folders=True)

    def is_elsewhere(self, path: object) -> bool:
        """Whether ``path`` is one of Colab's or Kaggle's."""
        text = _text(path)
        return text is not None and FOREIGN.match(text.replace("\\", "/")) is not None

    def make_room(self, path: object) -> str | None:
        """The folder that was made so that ``path``, of Colab or Kaggle, can be written; None where nothing was.

        On Drive it would be there from before. Only where these places are other names of the notebook's own folder.
        """
        text = _text(path)
        folder = os.path.realpath(os.path.dirname(text)) if text and self.is_elsewhere(text) else ""  # noqa: PTH120
        if not _is_below(folder, os.path.realpath(self.work)) or os.path.lexists(folder):
            return None
        Path(folder).mkdir(parents=True)
        return folder

    def shown(self, found: str) -> str:
        """As its author would write it."""
        return "./" if found == self.work else os.path.relpath(found, self.work).replace(os.sep, "/")

    def _found(self, path: object, *, folders: bool) -> str | None:
        text = _text(path)
        if text is None or os.path.lexists(text) or self._is_ours(text):
            return None
        parts = _parts(text)
        if not parts or parts[-1].startswith("."):
            return None
        files = self._known()
        names = (self._folders if folders else files).get(parts[-1].lower(), [])
        for wanted in (parts[-2:], parts[-1:]):
            match = _only(wanted, names)
            if match is not None:
                return os.path.join(self.work, *match.split("/"))  # noqa: PTH118
        known = None if folders else self._handout.named(parts[-1])
        return os.fspath(known) if known is not None else None

    def _is_ours(self, text: str) -> bool:
        """Places where a missing file is missing, and programs look for what may not be there."""
        whole = os.path.normpath(os.path.join(os.getcwd(), text))  # noqa: PTH109, PTH118
        if _is_below(whole, self._job):
            first = Path(os.path.relpath(whole, self._job)).parts
            return first[0] in RESERVED or (first[0] == "home" and len(first) > 1 and first[1].startswith("."))
        return any(_is_below(whole, closed) for closed in self._closed)

    def _known(self) -> dict[str, list[str]]:
        if self._files is None:
            self._files, self._folders = {}, {}
            left = MAX_ENTRIES
            for top, folders, files in os.walk(self.work):
                place = "" if top == self.work else f"{self.shown(top)}/"
                folders[:] = [name for name in folders if not name.startswith(".")]
                for known, names in ((self._folders, folders), (self._files, files)):
                    for name in names[:left]:
                        known.setdefault(name.lower(), []).append(place + name)
                left -= len(folders) + len(files)
                if left <= 0:
                    break
        return self._files


def _only(wanted: Sequence[str], names: Iterable[str]) -> str | None:
    """The only name that ends in these parts, spelt so; else the only one in other capitals."""
    tail = "/".join(wanted)
    alike = [name for name in names if f"/{name}".lower().endswith(f"/{tail}".lower())]
    exact = [name for name in alike if f"/{name}".endswith(f"/{tail}")]
    candidates = exact or alike
    return candidates[0] if len(candidates) == 1 else None


def _text(path: object) -> str | None:
    if isinstance(path, (str, bytes, os.PathLike)):
        text = os.fsdecode(path)
        return text if text and "\0" not in text else None
    return None


def _parts(text: str) -> list[str]:
    """A Windows path's as well: here a backslash is an ordinary character, and no course's file has one."""
    plain = DRIVE_LETTER.sub("", text.replace("\\", "/"), count=1) if DRIVE_LETTER.match(text) else text
    return [part for part in plain.replace("\\", "/").split("/") if part not in ("", ".", "..")]


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
