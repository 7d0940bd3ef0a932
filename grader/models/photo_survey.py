"""What an assignment asks of a group's own pictures, and what was found in them: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.i18n.message import Message


@dataclass(frozen=True, slots=True)
class PhotoClass:
    """One folder of pictures. A content is a picture with all its copies and variations."""

    name: str
    photos: int  # that can be read
    distinct: int  # contents
    held_out: int  # contents that the notebook did not see
    training: int  # pictures that it saw
    sheet: bytes = b""  # JPEG of a few of them


@dataclass(frozen=True, slots=True)
class PhotoSurvey:
    """What a group handed in. ``unmeasured`` says why nothing was held out, if so."""

    classes: tuple[PhotoClass, ...] = ()
    found: int = 0  # files in the folders of the classes that should be pictures
    readable: int = 0
    smallest: tuple[int, int] | None = None  # width and height, by the number of pixels
    median: tuple[int, int] | None = None
    largest: tuple[int, int] | None = None
    copies: int = 0  # pictures with the very bytes of another
    alike: int = 0  # further pictures that show what another one shows
    unreadable: tuple[Message, ...] = ()
    two_labels: tuple[Message, ...] = ()  # one content in the folders of two classes
    notes: tuple[Message, ...] = ()  # what was not used, and why
    unmeasured: Message | None = None
    asked: Mapping[str, int] = field(default_factory=dict)  # "classes" and "per_class" of the assignment

    @property
    def balance(self) -> float:
        """Contents of the smallest class to those of the largest, 0.0 to 1.0."""
        counts = [one.distinct for one in self.classes]
        return min(counts) / max(counts) if any(counts) else 0.0

    @property
    def held_out(self) -> int:
        return sum(one.held_out for one in self.classes)

    @property
    def distinct(self) -> int:
        return sum(one.distinct for one in self.classes)
