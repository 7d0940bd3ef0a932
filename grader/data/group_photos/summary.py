"""Summarize a group's photos for the report: counts, problems, and a contact sheet of each class."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from grader.data.group_photos.content_groups import LEAST_CONTENTS, Content, ContentGroups, Split
from grader.data.group_photos.decoding import DecodedPhoto, DecodedPhotos
from grader.data.group_photos.photo_files import FoundPhotos, count_by_label, list_names
from grader.i18n.message import Message, message
from grader.models.photo_survey import PhotoClass, PhotoSurvey

MOST_SHEETS = 40  # classes with a contact sheet
MOST_NOTES = 10  # problems of one kind that are listed
LEAST_CLASSES = 2  # with hidden photos: a single class needs no model
SHEET_COLUMNS = 10
SHEET_GAP = 2  # white pixels between thumbnails
MAX_SHEET_BYTES = 200_000  # all sheets of a report together
_QUALITIES = (80, 60, 40, 20)

Members = list[list[DecodedPhoto]]  # for each content, its photos of one class


def summarize(found: FoundPhotos, decoded: DecodedPhotos, groups: ContentGroups, split: Split) -> PhotoSurvey:
    """Return the survey, without ``asked`` and ``unmeasured``."""
    labelled = [photo for photo in decoded.photos if photo.file.label is not None]
    sizes = sorted(((photo.width, photo.height) for photo in labelled), key=lambda size: size[0] * size[1])
    members = _members_by_label(split)
    sheet_bytes = MAX_SHEET_BYTES // max(1, min(MOST_SHEETS, len(found.labels)))
    unreadable = [
        message("{name}: {why}.", name=file.attachment.name, why=decoded.problems[file.attachment.name])
        for file in found.files
        if file.label is not None and file.attachment.name in decoded.problems
    ]
    two_labels = [_two_labels(content) for content in groups.contents if len(content.labels) > 1]
    return PhotoSurvey(
        classes=tuple(
            _class(label, decoded, *members.get(label, ([], [])), sheet_bytes=sheet_bytes if n < MOST_SHEETS else 0)
            for n, label in enumerate(found.labels)
        ),
        found=sum(count_by_label(found.files).values()),
        readable=len(labelled),
        smallest=sizes[0] if sizes else None,
        median=sizes[len(sizes) // 2] if sizes else None,
        largest=sizes[-1] if sizes else None,
        copies=groups.copies,
        alike=len(decoded.photos) - len(groups.contents) - groups.copies,
        unreadable=limit_notes(unreadable),
        two_labels=limit_notes(two_labels),
        notes=(*limit_notes(found.notes), *limit_notes(groups.notes), *_notes(found, decoded, split)),
    )


def _members_by_label(split: Split) -> dict[str, tuple[Members, Members]]:
    """Return, for each class, its photos on the training side and its held-out photos."""
    found: dict[str, tuple[Members, Members]] = {}
    for side, contents in enumerate((split.training, split.held_out)):
        for content in contents:
            for label in content.labels:
                photos = [photo for photo in content.members if photo.file.label == label]
                found.setdefault(label, ([], []))[side].append(photos)
    return found


def _class(label: str, decoded: DecodedPhotos, training: Members, held_out: Members, *, sheet_bytes: int) -> PhotoClass:
    # Sorted by hash, not by side: the sheet must not show which photos are hidden.
    shown = sorted((photos[0] for photos in held_out + training), key=lambda photo: photo.digest)[:SHEET_COLUMNS]
    sheet = b""
    if shown and sheet_bytes:
        sheet = contact_sheet(decoded.rows([photo.row for photo in shown], "thumbnails"), sheet_bytes)
    return PhotoClass(
        label,
        photos=sum(map(len, training + held_out)),
        distinct=len(training) + len(held_out),
        held_out=len(held_out),
        training=sum(map(len, training)),
        sheet=sheet,
    )


def contact_sheet(thumbnails: NDArray[np.uint8], most_bytes: int) -> bytes:
    """Return a JPEG of ``(n, height, width, 3)`` RGB thumbnails in rows, or no bytes if it exceeds ``most_bytes``."""
    # Safe in this process: it encodes pixels. Files of students are decoded in an isolated process.
    from PIL import Image  # noqa: PLC0415  slow to import, and needed for grading only

    count, height, width = thumbnails.shape[:3]
    rows, columns = -(-count // SHEET_COLUMNS), min(count, SHEET_COLUMNS)
    sheet = np.full((rows * (height + SHEET_GAP), columns * (width + SHEET_GAP), 3), 255, np.uint8)
    for place, thumbnail in enumerate(thumbnails):
        top, left = place // SHEET_COLUMNS * (height + SHEET_GAP), place % SHEET_COLUMNS * (width + SHEET_GAP)
        sheet[top : top + height, left : left + width] = thumbnail
    for quality in _QUALITIES if count else ():
        buffer = io.BytesIO()
        Image.fromarray(sheet).save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= most_bytes:
            return buffer.getvalue()
    return b""


# ---------------------------------------------------------------- notes


def _two_labels(content: Content) -> Message:
    names = list_names([photo.file.attachment.name for photo in content.members], 3)
    return message(
        "The same photo is in several classes ({labels}): {names}.", labels=", ".join(content.labels), names=names
    )


def limit_notes(notes: Sequence[Message]) -> tuple[Message, ...]:
    """Keep the first ``MOST_NOTES`` and count the others."""
    if len(notes) <= MOST_NOTES:
        return tuple(notes)
    return (*notes[:MOST_NOTES], message("… and {n} more.", n=len(notes) - MOST_NOTES))


def _notes(found: FoundPhotos, decoded: DecodedPhotos, split: Split) -> list[Message]:
    counts = Counter(content.labels[0] for content in split.training + split.held_out if len(content.labels) == 1)
    small = [
        message(
            "{label} has {n} different photos, too few to hold one out: at least {least} are needed.",
            label=label, n=counts[label], least=LEAST_CONTENTS,
        )
        for label in found.labels
        if counts[label] < LEAST_CONTENTS
    ]  # fmt: skip
    notes = list(limit_notes(small))
    webp = sum(photo.file.attachment.name.lower().endswith(".webp") for photo in decoded.photos)
    if webp:
        notes.append(
            message("{n} WebP photos: image_dataset_from_directory of Keras ignores them. Save them as PNG.", n=webp)
        )
    return notes


def explain_unmeasured(split: Split, found: FoundPhotos) -> Message | None:
    """Return why no photos can be held out, or None if enough were."""
    if not found.files:
        return message("No photos were found. Expected: a folder for each class, with its photos in it.")
    labels = {content.labels[0] for content in split.held_out}
    if len(labels) >= LEAST_CLASSES:
        return None
    return message(
        "Accuracy was not measured: photos can be held out of {n} of the {classes} classes, and at least two classes "
        "are needed. Each class needs {least} different photos.",
        n=len(labels), classes=len(found.labels), least=LEAST_CONTENTS,
    )  # fmt: skip
