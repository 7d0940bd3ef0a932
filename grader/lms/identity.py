"""Whose file it is: what each LMS's naming is read into, and ids made from names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import datetime

from grader.i18n.message import Message
from grader.models.submission import Student


@dataclass(frozen=True, slots=True)
class Owner:
    """What an entry's name says. ``key`` is the LMS's own id, empty where it gives none."""

    name: str
    rest: str  # the file's name as the student knows it, folders included
    origin: str  # the part of the entry's name that says whose it is
    key: str = ""
    late: bool | None = None
    order: int = 0  # grows with each upload, where the LMS counts them
    typed: bool = False  # text or an address typed into the LMS, not a file
    submitted_at: datetime | None = None  # aware where the LMS names a zone; files of one attempt have the same
    email: str = ""
    username: str = ""  # login or student number
    group: tuple[Student, ...] = ()  # of several, with the ids that the LMS gives them
    about: bool = False  # a file of the LMS's own: about this student, or without a name about the class
    claimed: bool = False  # name and number are what a student wrote, not what the LMS says
    notes: tuple[Message, ...] = ()  # how it was told whose it is, where a person should know


Naming = Callable[[str], Owner | None]  # the owner of an entry's name, or None for one that the LMS would not give


_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)
_ID_BYTES = 120


def safe_id(text: str) -> str:
    """``text`` as letters (of any script), digits, ``-`` and ``_``: a file name on every system, never empty."""
    plain = "".join(
        character if character.isalnum() or character == "_" else "" if unicodedata.combining(character) else "-"
        for character in unicodedata.normalize("NFKC", text)
    )
    plain = unicodedata.normalize("NFC", re.sub("-{2,}", "-", plain))
    plain = plain.encode("utf-8", "ignore")[:_ID_BYTES].decode("utf-8", "ignore").strip("-_")
    if not plain or _RESERVED.fullmatch(plain):
        return f"student-{plain}".strip("-")
    return plain


def unique_id(wanted: str, taken: Container[str]) -> str:
    """``safe_id(wanted)``, numbered if ``taken`` holds it; ``taken`` are folded ids, for disks that ignore case."""
    base = candidate = safe_id(wanted)
    number = 1
    while folded(candidate) in taken:
        number += 1
        candidate = f"{base}-{number}"
    return candidate


def folded(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
