"""The request to export grades, and the files that were written for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from grader.i18n.message import Message


class Missing(StrEnum):
    """The grade of a student who is in the LMS's list and submitted nothing."""

    BLANK = "blank"
    ZERO = "zero"


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """Where and how to export. ``sheets`` are the teacher's own files from the LMS: copies of them are filled in."""

    out: Path
    sheets: tuple[Path, ...] = ()
    missing: Missing = Missing.BLANK
    language: str = "en"
    column: str = ""  # heading, title or id of the column for the grades, where a sheet has several


@dataclass(frozen=True, slots=True)
class ExportedFiles:
    """The files to upload, and notes that a teacher should read before uploading them."""

    files: tuple[Path, ...]
    notes: tuple[Message, ...] = ()
