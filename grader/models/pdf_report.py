"""The PDF report that a group handed in, as far as it could be read."""

from __future__ import annotations

from dataclasses import dataclass

from grader.i18n.message import Message


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a document, by the headings that begin it."""

    name: str  # "purpose", or the assignment's own
    heading: str = ""  # as written; empty when there is none
    page: int = 0  # from 1
    characters: int = 0  # of text below it, white space and what is repeated not counted


@dataclass(frozen=True, slots=True)
class Member:
    name: str  # as written, as is the part
    part: str = ""
    mascot: bool = False  # listed as the one who did nothing


@dataclass(frozen=True, slots=True)
class Document:
    """The PDF that was handed in. What has a ``problem`` could not be read; ``none`` says that nobody could."""

    name: str = ""
    pages: int = 0
    sections: tuple[Section, ...] = ()  # every known one, in the order of the assignment
    members: tuple[Member, ...] = ()
    problem: Message | None = None
    none: bool = False
    doubts: tuple[Message, ...] = ()  # why a person should look, though it could be read
    notes: tuple[Message, ...] = ()  # decisions taken, such as which of several was read
