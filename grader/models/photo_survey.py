"""Survey of a group's own photos: what the assignment asks for and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.i18n.message import Message


@dataclass(frozen=True, slots=True)
class PhotoClass:
    """A class folder. A content is a photo with all its copies and variations."""

    name: str
    photos: int  # readable
    distinct: int  # contents
    held_out: int  # contents that the notebook did not see
    training: int  # photos that the notebook saw
    sheet: bytes = b""  # JPEG of some photos


@dataclass(frozen=True, slots=True)
class PhotoSurvey:
    """Counts and problems of a group's photos."""

    classes: tuple[PhotoClass, ...] = ()
    found: int = 0  # image files in the class folders
    readable: int = 0
    smallest: tuple[int, int] | None = None  # width and height, by number of pixels
    median: tuple[int, int] | None = None
    largest: tuple[int, int] | None = None
    copies: int = 0  # photos with the same bytes as another photo
    alike: int = 0  # further photos that show the same as another photo
    unreadable: tuple[Message, ...] = ()
    two_labels: tuple[Message, ...] = ()  # contents in the folders of two classes
    notes: tuple[Message, ...] = ()  # what was not used, and why
    unmeasured: Message | None = None  # why nothing was held out
    asked: Mapping[str, int] = field(default_factory=dict)  # "classes" and "per_class" of the assignment

    @property
    def balance(self) -> float:
        """The contents of the smallest class divided by those of the largest, 0.0 to 1.0."""
        counts = [row.distinct for row in self.classes]
        return min(counts) / max(counts) if any(counts) else 0.0

    @property
    def held_out(self) -> int:
        return sum(row.held_out for row in self.classes)

    @property
    def distinct(self) -> int:
        return sum(row.distinct for row in self.classes)
