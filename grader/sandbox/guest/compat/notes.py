"""Notes for the student about each adaptation that was made so that the notebook runs.

The host imports this module for ``Kind``: nothing heavy may be imported here at module level.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

MAX_NOTES, MAX_NOTES_PER_KIND = 100, 50  # reading a folder of images file by file leaves room for other notes
MAX_TEXT = 300  # characters


class Kind(StrEnum):
    """Kind of an adaptation.

    The ``found`` and ``used`` of a note are names, code and paths. The host has the sentences around them.
    """

    # Old code that was translated.
    TRANSLATED = "translated"  # found is the old spelling, used is today's
    IGNORED = "ignored"  # an argument that has no effect any more
    CAUTION = "caution"  # found runs but means something else today; used is the probable meaning; nothing was changed
    # Code that would not run elsewhere.
    FILE = "file"  # found was not submitted; the course file used was read
    DOWNLOAD = "download"  # found was not downloaded; the local copy used was taken
    PLACE = "place"  # found exists only on Colab or Kaggle; nothing was done
    UPLOAD = "upload"  # found asked for a file; the course file used was given
    INSTALLED = "installed"  # an installation was requested; found is already installed
    NOT_INSTALLED = "not_installed"  # an installation was requested; found is not available and was not installed
    FOLDER = "folder"  # found did not exist; it was made, because a cell writes into it
    INSTEAD = "instead"  # found is not available; used was taken in its place
    STAND_IN = "stand_in"  # found is not available; a stub that does nothing replaces it


_notes: dict[tuple[str, str, str], dict[str, Any]] = {}


def note(kind: Kind, found: str, used: str = "") -> None:
    """Record a note for the cell that is running; of equal notes only the first is kept."""
    from ..record.recorder import current_count  # needs NumPy, which the host's import must not need

    same_kind = sum(entry["kind"] == kind.value for entry in _notes.values())
    if len(_notes) < MAX_NOTES and same_kind < MAX_NOTES_PER_KIND:
        key = (kind.value, _text(found), _text(used))
        _notes.setdefault(key, {"kind": key[0], "count": current_count[0], "found": key[1], "used": key[2]})


def note_translation(found: str, used: str) -> None:
    """Record that the old code ``found`` was run as ``used``."""
    note(Kind.TRANSLATED, found, used)


def all_notes() -> list[dict[str, Any]]:
    """Return at most ``MAX_NOTES`` notes in the order of their events, as values that JSON can carry."""
    return list(_notes.values())


def _text(value: object) -> str:
    """Return ``value`` as text that every JSON reader accepts: a name that is not UTF-8 would spoil all facts."""
    return str(value)[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")
