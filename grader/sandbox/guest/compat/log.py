"""What was done for the notebook, for its author to read: bounded, each thing once, in the order it happened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..record.recorder import current_count
from .kinds import Kind

MAX_NOTES, MAX_OF_A_KIND = 100, 50  # a folder of pictures read one by one leaves room for the rest
MAX_TEXT = 300

_notes: dict[tuple[str, str, str], dict[str, Any]] = {}


def note(kind: Kind, found: str, used: str = "") -> None:
    """Of the same note the first counts; the cell is the one that runs."""
    of_its_kind = sum(one["kind"] == kind.value for one in _notes.values())
    if len(_notes) < MAX_NOTES and of_its_kind < MAX_OF_A_KIND:
        key = (kind.value, _text(found), _text(used))
        _notes.setdefault(key, {"kind": key[0], "count": current_count[0], "found": key[1], "used": key[2]})


def _text(value: object) -> str:
    """What every JSON reader takes: a name that is not UTF-8 would make all facts unreadable."""
    return str(value)[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")


def translated(found: str, used: str) -> None:
    note(Kind.TRANSLATED, found, used)


def notes(more: Iterable[dict[str, Any]] = ()) -> list[dict[str, Any]]:
    """As plain values that JSON can carry."""
    return [*_notes.values(), *more][:MAX_NOTES]
