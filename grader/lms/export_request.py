"""The request to export grades, the gradebooks to fill in, and the files that were written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from grader.files.csv_sheet import Sheet, read_sheet
from grader.i18n.message import Message


class Missing(StrEnum):
    """The grade of a student who is in the gradebook and submitted nothing."""

    BLANK = "blank"
    ZERO = "zero"


@dataclass(frozen=True)
class GradebookFile:
    """A gradebook that the teacher downloaded from an LMS."""

    path: Path

    @cached_property
    def sheet(self) -> Sheet:
        """The table in the file, parsed once. Raises ``IntakeError`` for a file that is no table."""
        return read_sheet(self.path)


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """Target and options of an export. Copies of ``gradebooks`` are filled in."""

    out: Path
    gradebooks: tuple[GradebookFile, ...] = ()
    missing: Missing = Missing.BLANK
    language: str = "en"
    column: str = ""  # heading, title or id of the column for the grades, where a gradebook has several


@dataclass(frozen=True, slots=True)
class ExportedFiles:
    """The files to upload, and notes that a teacher should read before uploading them."""

    files: tuple[Path, ...]
    notes: tuple[Message, ...] = ()
