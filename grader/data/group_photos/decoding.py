"""Decode a group's photos in batches, each batch in a separate process.

A photo that crashes the process is identified by the progress file of the decoder; the other photos are decoded again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.data.group_photos.near_duplicates import Signatures
from grader.data.group_photos.photo_files import OTHER_SUFFIXES, PhotoFile, suffix
from grader.files import filetype
from grader.files.isolated import ProcessLimits, run_isolated
from grader.files.plain_files import file_digest, read_plain
from grader.i18n.message import Message, message
from grader.models.errors import IsolationError

DECODER = "grader.data.group_photos.decoder"
BATCH = 100
LIMITS = ProcessLimits(seconds=600)  # for all photos of a submission; the decoder has its own limit for each photo
MOST_CRASHES = 5  # photos that may crash the decoder, up to 20 seconds each, before the others are skipped
# Pixels of a whole submission, without those of JPEG files. A photo has a few pixels in each byte, a drawing a
# hundred, and a decompression bomb thousands: the others count a fifth.
PIXELS, PIXELS_PER_BYTE, ORDINARY = 400_000_000, 250, 5
MEGAPIXEL = 1_000_000
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"RIFF")

# Shared with the decoder process.
ARRAYS, PROGRESS = "pictures.npz", "progress"
MAX_PIXELS = 40_000_000
THUMBNAIL = 64  # pixels, width and height
SIDE = 1024  # longer side, in pixels, of the photos that a notebook gets
TOO_MANY_PIXELS, NO_PIXELS_LEFT, UNKNOWN = "too many pixels", "no pixels left", "unknown kind"

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class DecodedPhoto:
    """A readable photo."""

    file: PhotoFile
    digest: str  # SHA-256 of its bytes, hexadecimal
    width: int
    height: int
    path: Path  # the file for the notebook, written anew from the picture
    row: int  # in the arrays of ``DecodedPhotos``


@dataclass(frozen=True, slots=True)
class DecodedPhotos:
    """All readable photos of a submission. The arrays are on disk, one file for each batch."""

    photos: tuple[DecodedPhoto, ...]
    problems: Mapping[str, Message]  # attachment name -> why it cannot be read
    signatures: Signatures
    batches: tuple[tuple[int, Path], ...]  # first row, file

    def rows(self, rows: Sequence[int], array: str) -> Pixels:
        """Return ``(len(rows), height, width, 3)`` of the array "pixels" or "thumbnails", in the given order."""
        found: dict[int, Pixels] = {}
        for (first, path), after in zip(self.batches, [*(row for row, _ in self.batches[1:]), None], strict=True):
            in_batch = [row for row in rows if first <= row and (after is None or row < after)]
            if in_batch:
                with np.load(path, allow_pickle=False) as arrays:
                    batch = arrays[array]
                found |= {row: batch[row - first] for row in in_batch}
        return np.stack([found[row] for row in rows])


def decode_photos(files: Sequence[PhotoFile], size: tuple[int, int], workspace: Path) -> DecodedPhotos:
    """Decode ``files`` to ``size`` (height, width). Files below ``workspace`` must exist as long as the result is used.

    Raises SandboxError or IsolationError when the process fails before its first photo: then no photo caused it.
    """
    problems = {file.attachment.name: problem for file in files if (problem := _unsupported_format(file)) is not None}
    waiting = [file for file in files if file.attachment.name not in problems]
    batches = _BatchDecoder(size, workspace)
    for start in range(0, len(waiting), BATCH):
        problems |= batches.decode(waiting[start : start + BATCH])
    return DecodedPhotos(
        tuple(batches.photos), problems, Signatures.concatenate(batches.signatures), tuple(batches.files)
    )


def _unsupported_format(file: PhotoFile) -> Message | None:
    """Return why the file's format is not supported, from its suffix and first bytes."""
    head = _head(file)
    if suffix(file.attachment.name) in (".heic", ".heif") or head[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1"):
        return message(
            "it is a HEIC photo of an iPhone, which Keras cannot read. Export it as JPEG, and set Camera, Formats to "
            "Most Compatible"
        )
    if suffix(file.attachment.name) in OTHER_SUFFIXES:
        return message("Keras cannot read {suffix} files. Save it as JPEG or PNG", suffix=suffix(file.attachment.name))
    return None


_NO_PIXELS_LEFT = message(
    "it was skipped: the pictures before it used up the pixels that a submission may have. Save large pictures as JPEG"
)


class _BatchDecoder:
    """Decodes batch after batch and collects the results."""

    def __init__(self, size: tuple[int, int], workspace: Path) -> None:
        self.photos: list[DecodedPhoto] = []
        self.signatures: list[Signatures] = []
        self.files: list[tuple[int, Path]] = []
        self._size, self._workspace, self._crashes, self._folders = size, workspace, 0, 0
        self._pixels_left, self._ends = PIXELS, time.monotonic() + LIMITS.seconds

    def decode(self, batch: Sequence[PhotoFile]) -> Iterator[tuple[str, Message]]:
        """Decode a batch and yield the problems: attachment name, reason."""
        waiting = list(batch)
        while waiting:
            if self._crashes >= MOST_CRASHES:
                skipped = message("it was skipped, because {n} other files crashed the image decoder", n=self._crashes)
                yield from ((file.attachment.name, skipped) for file in waiting)
                return
            if time.monotonic() > self._ends:
                late = message(
                    "it was skipped: reading the pictures before it took {seconds:.0f} s", seconds=LIMITS.seconds
                )
                yield from ((file.attachment.name, late) for file in waiting)
                return
            folder = self._new_folder()
            try:
                facts = self._run_decoder(waiting, folder)
            except IsolationError as error:
                culprit = _last_started(folder, len(waiting))
                if culprit is None:
                    raise
                self._crashes += 1
                yield waiting.pop(culprit).attachment.name, error.message
                continue
            yield from self._collect(waiting, facts, folder)
            return

    def _new_folder(self) -> Path:
        self._folders += 1
        folder = self._workspace / f"batch-{self._folders:04d}"
        folder.mkdir(parents=True)
        return folder

    def _run_decoder(self, batch: Sequence[PhotoFile], folder: Path) -> list[dict[str, Any]]:
        files = [str(file.attachment.path.absolute()) for file in batch]
        # A photo outside all classes may be a sheet of all photos: at the model's own size it is no more than one.
        sides = [SIDE if file.label is not None else max(self._size) for file in batch]
        request = {
            "files": files, "sides": sides, "size": self._size, "folder": str(folder.absolute()),
            "pixels": self._pixels_left,
        }  # fmt: skip
        left = replace(LIMITS, seconds=max(1.0, self._ends - time.monotonic()))
        facts: list[dict[str, Any]] = run_isolated(DECODER, request, left)
        return facts

    def _collect(
        self, batch: Sequence[PhotoFile], facts: Sequence[dict[str, Any]], folder: Path
    ) -> Iterator[tuple[str, Message]]:
        first = sum(len(signatures.drawn) for signatures in self.signatures)
        self.files.append((first, folder / ARRAYS))
        with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
            thumbnails = arrays["thumbnails"].reshape(len(batch), THUMBNAIL, THUMBNAIL, 3)
        self.signatures.append(Signatures.of(thumbnails))
        for place, (file, found) in enumerate(zip(batch, facts, strict=True)):
            self._pixels_left -= int(found.get("spent", 0))
            if found.get("problem") == NO_PIXELS_LEFT:
                yield file.attachment.name, _NO_PIXELS_LEFT
            elif "problem" in found:
                yield file.attachment.name, _describe_problem(found, _head(file))
            else:
                width, height = int(found["width"]), int(found["height"])
                digest = file_digest(file.attachment.path)
                self.photos.append(DecodedPhoto(file, digest, width, height, folder / str(place), first + place))


def _last_started(folder: Path, count: int) -> int | None:
    """Return the place of the photo that was being decoded when the process ended."""
    try:
        place = int((folder / PROGRESS).read_text())
    except (OSError, ValueError):
        return None
    return place if 0 <= place < count else None


def _describe_problem(found: Mapping[str, Any], head: bytes) -> Message:
    if found["problem"] == TOO_MANY_PIXELS:
        return message(
            "it has {found:.0f} megapixels ({width} × {height}); expected at most {most:.0f}",
            found=int(found["width"]) * int(found["height"]) / MEGAPIXEL,
            width=int(found["width"]),
            height=int(found["height"]),
            most=MAX_PIXELS / MEGAPIXEL,
        )
    if found["problem"] == UNKNOWN and not head.startswith(_MAGIC):
        return message("it is {kind}, not an image that Keras can read", kind=filetype.kind(head))
    return message("it is damaged or cut off ({reason})", reason=str(found["problem"]))


def _head(file: PhotoFile) -> bytes:
    return read_plain(file.attachment.path, filetype.HEAD_BYTES)
