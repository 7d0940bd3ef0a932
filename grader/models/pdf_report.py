"""The PDF report of a submission, as far as it could be read."""

from __future__ import annotations

from dataclasses import dataclass

from grader.i18n.message import Message


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the report, found by its headings."""

    name: str  # "purpose", or a name that the assignment adds
    heading: str = ""  # as written; empty if it was not found
    page: int = 0  # from 1
    characters: int = 0  # letters and digits below it; repeated lines count once


@dataclass(frozen=True, slots=True)
class Member:
    name: str  # as written
    part: str = ""  # the task, as written
    mascot: bool = False  # listed as the mascot, without a task


@dataclass(frozen=True, slots=True)
class Document:
    """A submitted PDF report.

    ``problem``: why the PDF could not be read. ``none``: not even a person could read it, or no PDF was submitted.
    """

    name: str = ""
    pages: int = 0
    sections: tuple[Section, ...] = ()  # all that the assignment asks for, in its order
    members: tuple[Member, ...] = ()
    problem: Message | None = None
    none: bool = False
    doubts: tuple[Message, ...] = ()  # why a person should check it although it could be read
    notes: tuple[Message, ...] = ()  # decisions, such as which of several PDFs was read
