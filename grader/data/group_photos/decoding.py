"""A group's pictures decoded, some hundred at a time, each time in a process of its own.

A picture that breaks its process is told by what the process wrote before it, and costs no other picture anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.data.group_photos.decoder_protocol import ARRAYS, MAX_PIXELS, PROGRESS, THUMBNAIL, TOO_MANY_PIXELS, UNKNOWN
from grader.data.group_photos.near_duplicates import Signatures
from grader.data.group_photos.photo_files import OTHER_SUFFIXES, Picture, suffix
from grader.files import filetype
from grader.files.isolated import ProcessLimits, run_isolated
from grader.i18n.message import Message, message
from grader.models.errors import IsolationError

DECODER = "grader.data.group_photos.decoder"
BATCH = 100
BOUNDS = ProcessLimits(seconds=600)  # of a batch; one picture has the decoder's own twenty
BROKEN_AT_MOST = 10  # pictures that ended their process, each up to 20 seconds; after them no more are looked at
MEGAPIXEL = 1_000_000
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"RIFF")

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Read:
    """One readable picture. ``place`` is its row in the arrays of ``Reading``."""

    picture: Picture
    digest: str  # SHA-256 of its bytes, hexadecimal
    width: int
    height: int
    path: Path  # the file for the notebook: its own, or one laid upright
    place: int


@dataclass(frozen=True, slots=True)
class Reading:
    """All pictures of a submission. The arrays are on disk, one file for each batch."""

    pictures: tuple[Read, ...]
    problems: Mapping[str, Message]  # name of an attachment -> why it is not among them
    signatures: Signatures
    batches: tuple[tuple[int, Path], ...]  # first row, file

    def rows(self, places: Sequence[int], array: str) -> Bytes:
        """``(n, ...)`` rows of "pixels" or "thumbnails", in the order of ``places``."""
        parts: dict[int, Bytes] = {}
        for (first, path), after in zip(self.batches, [*(one for one, _ in self.batches[1:]), None], strict=True):
            wanted = [place for place in places if first <= place and (after is None or place < after)]
            if wanted:
                with np.load(path, allow_pickle=False) as arrays:
                    whole = arrays[array]
                parts |= {place: whole[place - first] for place in wanted}
        return np.stack([parts[place] for place in places])


def read(pictures: Sequence[Picture], size: tuple[int, int], workspace: Path) -> Reading:
    """Raises IsolationError when the process fails before its first picture: then no picture is at fault."""
    problems = {one.attachment.name: why for one in pictures if (why := _no_picture(one)) is not None}
    waiting = [one for one in pictures if one.attachment.name not in problems]
    reader = _Reader(size, workspace)
    for start in range(0, len(waiting), BATCH):
        problems |= reader.read(waiting[start : start + BATCH])
    return Reading(tuple(reader.readable), problems, Signatures.joined(reader.signatures), tuple(reader.batches))


def _no_picture(one: Picture) -> Message | None:
    """What is told by how the file begins, before anything decodes it."""
    head = _head(one)
    if suffix(one.attachment.name) in (".heic", ".heif") or head[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1"):
        return message(
            "it is a HEIC picture of an iPhone, which Keras does not read. Export it as JPEG, and set Camera, Formats "
            "to Most Compatible"
        )
    if suffix(one.attachment.name) in OTHER_SUFFIXES:
        return message("Keras does not read {suffix} files. Save it as JPEG or PNG", suffix=suffix(one.attachment.name))
    return None


class _Reader:
    """Reads batch after batch and collects what they give."""

    def __init__(self, size: tuple[int, int], workspace: Path) -> None:
        self.readable: list[Read] = []
        self.signatures: list[Signatures] = []
        self.batches: list[tuple[int, Path]] = []
        self._size, self._workspace, self._broken, self._folders = size, workspace, 0, 0

    def read(self, batch: Sequence[Picture]) -> Iterator[tuple[str, Message]]:
        waiting = list(batch)
        while waiting:
            if self._broken >= BROKEN_AT_MOST:
                why = message("it was not looked at: {n} others broke the program that reads them", n=self._broken)
                yield from ((one.attachment.name, why) for one in waiting)
                return
            folder = self._folder()
            try:
                facts = self._decoded(waiting, folder)
            except IsolationError as error:
                culprit = _in_hand(folder, len(waiting))
                if culprit is None:
                    raise
                self._broken += 1
                yield waiting.pop(culprit).attachment.name, error.message
                continue
            yield from self._taken(waiting, facts, folder)
            return

    def _folder(self) -> Path:
        self._folders += 1
        folder = self._workspace / f"batch-{self._folders:04d}"
        folder.mkdir(parents=True)
        return folder

    def _decoded(self, batch: Sequence[Picture], folder: Path) -> list[dict[str, Any]]:
        files = [str(one.attachment.path) for one in batch]
        facts: list[dict[str, Any]] = run_isolated(
            DECODER, {"files": files, "size": self._size, "folder": str(folder)}, BOUNDS
        )
        return facts

    def _taken(
        self, batch: Sequence[Picture], facts: Sequence[dict[str, Any]], folder: Path
    ) -> Iterator[tuple[str, Message]]:
        first = sum(len(one.drawn) for one in self.signatures)
        self.batches.append((first, folder / ARRAYS))
        with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
            thumbnails = arrays["thumbnails"].reshape(len(batch), THUMBNAIL, THUMBNAIL, 3)
        self.signatures.append(Signatures.of(thumbnails))
        for at, (one, found) in enumerate(zip(batch, facts, strict=True)):
            if "problem" in found:
                yield one.attachment.name, _said(found, _head(one))
                continue
            path = folder / str(at) if found["upright"] else one.attachment.path
            width, height = int(found["width"]), int(found["height"])
            self.readable.append(Read(one, _digest(one.attachment.path), width, height, path, first + at))


def _in_hand(folder: Path, count: int) -> int | None:
    """The picture that was being decoded when its process ended."""
    try:
        place = int((folder / PROGRESS).read_text())
    except (OSError, ValueError):
        return None
    return place if 0 <= place < count else None


def _said(found: Mapping[str, Any], head: bytes) -> Message:
    if found["problem"] == TOO_MANY_PIXELS:
        return message(
            "it has {found:.0f} megapixels ({width} × {height}); expected at most {most:.0f}",
            found=int(found["width"]) * int(found["height"]) / MEGAPIXEL,
            width=int(found["width"]),
            height=int(found["height"]),
            most=MAX_PIXELS / MEGAPIXEL,
        )
    if found["problem"] == UNKNOWN and not head.startswith(_MAGIC):
        return message("it is {kind}, not a picture that Keras reads", kind=filetype.kind(head))
    return message("it is damaged or cut off ({reason})", reason=str(found["problem"]))


def _head(one: Picture) -> bytes:
    with one.attachment.path.open("rb") as file:
        return file.read(filetype.HEAD_BYTES)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
