"""Owners of archive entries, file-safe ids, and names of people in a comparable form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from grader.i18n.message import Message
from grader.models.submission import Student


@dataclass(frozen=True, slots=True)
class Owner:
    """The student or group of an archive entry, as the LMS's file naming tells it."""

    name: str
    rest: str  # the file's name as the student knows it, with folders
    origin: str  # the part of the entry's name that identifies the student
    key: str = ""  # the LMS's own id; empty if it gives none
    late: bool | None = None
    order: int = 0  # grows with each upload, if the LMS counts them
    typed: bool = False  # text or an address typed into the LMS, not a file
    submitted_at: datetime | None = None  # aware if the LMS names a zone; equal for all files of one attempt
    email: str = ""
    username: str = ""  # login or student number
    group: tuple[Student, ...] = ()  # the members, with the ids that the LMS gives them
    about: bool = False  # a file of the LMS: about this student, or, without a name, about the class
    claimed: bool = False  # name and number are written by a student, not by the LMS
    named: bool = False  # only the file's own name says that it is this student's; anyone can choose it
    notes: tuple[Message, ...] = ()  # doubts about the owner, for a person to check


Naming = Callable[[str], Owner | None]  # the owner of an entry's name; None for a name that the LMS would not give


# ---------------------------------------------------------------- ids

_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)
_ID_BYTES = 120


def safe_id(text: str) -> str:
    """Return ``text`` as a file name for every system: letters of any script, digits, ``-`` and ``_``; never empty."""
    plain = "".join(
        character if character.isalnum() or character == "_" else "" if unicodedata.combining(character) else "-"
        for character in unicodedata.normalize("NFKC", text)
    )
    plain = unicodedata.normalize("NFC", re.sub("-{2,}", "-", plain))
    plain = plain.encode("utf-8", "ignore")[:_ID_BYTES].decode("utf-8", "ignore").strip("-_")
    if not plain or _RESERVED.fullmatch(plain):
        return f"student-{plain}".strip("-")
    return plain


def unique_id(text: str, taken: Container[str]) -> str:
    """Return ``safe_id(text)``, numbered if ``taken`` holds it.

    ``taken`` has ids in the form of ``fold_case``, because some disks ignore case.
    """
    base = candidate = safe_id(text)
    number = 1
    while fold_case(candidate) in taken:
        number += 1
        candidate = f"{base}-{number}"
    return candidate


def fold_case(text: str) -> str:
    """Return ``text`` without differences of case and character width (NFKC)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


# ---------------------------------------------------------------- names of people

_SEPARATORS = re.compile(r"[^\w]+|_+")
_CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_MAX_PARTS = 8


def name_parts(text: str) -> tuple[str, ...]:
    """Return the words of a name, without differences of case, width and composition; Chinese words are separate."""
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold())
    # File names often lack the apostrophe: O'Brien becomes OBrien.
    plain = _CHINESE.sub(r" \g<0> ", re.sub(r"['’ʼ`]", "", plain))
    return tuple(part for part in _SEPARATORS.split(plain) if part)


@lru_cache(maxsize=20_000)
def spellings(name: str) -> frozenset[str]:
    """Return every rotation of the parts of ``name``, joined without spaces.

    "Lin Xiao-Ming", "Xiao-Ming Lin" and "linxiaoming" have one in common, as do "Doe, Jane" and "doejane".
    """
    parts = name_parts(name)
    if len(parts) > _MAX_PARTS:
        return frozenset({"".join(parts)})
    return frozenset("".join(parts[place:] + parts[:place]) for place in range(len(parts)))


def strip_accents(spelling: str) -> str:
    """Return ``spelling`` with plain letters for accented ones: "müller" becomes "muller"."""
    decomposed = unicodedata.normalize("NFKD", spelling)
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def names_within(text: str) -> Iterator[tuple[str, ...]]:
    """Yield the parts of ``text`` that may be a full name: "hw1 Jane Doe" gives ("jane", "doe") among others.

    A single Western word is never a full name; a single Chinese word of two characters or more is.
    """
    parts = name_parts(text)
    for start in range(len(parts)):
        if len(parts[start]) > 1 and _CHINESE.fullmatch(parts[start]):
            yield parts[start : start + 1]
        for end in range(start + 2, min(start + _MAX_PARTS, len(parts)) + 1):
            yield parts[start:end]
