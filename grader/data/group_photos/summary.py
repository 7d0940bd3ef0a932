"""What was found in a group's pictures, counted and said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from grader.data.group_photos.contact_sheet import COLUMNS, MAX_BYTES, contact_sheet
from grader.data.group_photos.content_groups import Content, Grouped
from grader.data.group_photos.decoding import Read, Reading
from grader.data.group_photos.holdout import LEAST, Split
from grader.data.group_photos.photo_files import Found, by_label, listed
from grader.i18n.message import Message, message
from grader.models.photo_survey import PhotoClass, PhotoSurvey

SHOWN = 40  # classes with a contact sheet
SAID = 10  # problems of one kind that are named one by one
LEAST_CLASSES = 2  # with hidden pictures: one alone needs no model


def survey_of(found: Found, reading: Reading, contents: Grouped, parts: Split) -> PhotoSurvey:
    """All but what the assignment asks and why nothing was measured."""
    labelled = [one for one in reading.pictures if one.picture.label is not None]
    sizes = sorted(((one.width, one.height) for one in labelled), key=lambda size: size[0] * size[1])
    members = _by_label(parts)
    bytes_each = MAX_BYTES // max(1, min(SHOWN, len(found.labels)))
    unreadable = [
        message("{name}: {why}.", name=one.attachment.name, why=reading.problems[one.attachment.name])
        for one in found.pictures
        if one.label is not None and one.attachment.name in reading.problems
    ]
    return PhotoSurvey(
        classes=tuple(
            _class(label, reading, *members.get(label, ([], [])), sheet_bytes=bytes_each if place < SHOWN else 0)
            for place, label in enumerate(found.labels)
        ),
        found=sum(by_label(found.pictures).values()),
        readable=len(labelled),
        smallest=sizes[0] if sizes else None,
        median=sizes[len(sizes) // 2] if sizes else None,
        largest=sizes[-1] if sizes else None,
        copies=contents.copies,
        alike=len(reading.pictures) - len(contents.contents) - contents.copies,
        unreadable=bounded(unreadable),
        two_labels=bounded([_two_labels(content) for content in contents.contents if len(content.labels) > 1]),
        notes=tuple(_notes(found, reading, parts)),
    )


Members = list[list[Read]]  # of each content those of one class


def _by_label(parts: Split) -> dict[str, tuple[Members, Members]]:
    """Of each class what it has in training, and what was held out."""
    found: dict[str, tuple[Members, Members]] = {}
    for side, contents in enumerate((parts.training, parts.held_out)):
        for content in contents:
            for label in content.labels:
                some = [one for one in content.members if one.picture.label == label]
                found.setdefault(label, ([], []))[side].append(some)
    return found


def _class(label: str, reading: Reading, training: Members, held_out: Members, *, sheet_bytes: int) -> PhotoClass:
    # By their bytes, not by their side: the sheet tells nobody which are kept back.
    some = sorted((members[0] for members in held_out + training), key=lambda one: one.digest)[:COLUMNS]
    sheet = b""
    if some and sheet_bytes:
        sheet = contact_sheet(reading.rows([one.place for one in some], "thumbnails"), sheet_bytes)
    return PhotoClass(
        label,
        photos=sum(map(len, training + held_out)),
        distinct=len(training) + len(held_out),
        held_out=len(held_out),
        training=sum(map(len, training)),
        sheet=sheet,
    )


def _two_labels(content: Content) -> Message:
    names = listed([one.picture.attachment.name for one in content.members], 3)
    return message(
        "The same picture is in several classes ({labels}): {names}.", labels=", ".join(content.labels), names=names
    )


def bounded(said: Sequence[Message]) -> tuple[Message, ...]:
    if len(said) <= SAID:
        return tuple(said)
    return (*said[:SAID], message("… and {n} more.", n=len(said) - SAID))


def _notes(found: Found, reading: Reading, parts: Split) -> list[Message]:
    counts = Counter(content.labels[0] for content in parts.training + parts.held_out if len(content.labels) == 1)
    small = [label for label in found.labels if counts[label] < LEAST]
    notes = [
        message(
            "{label} has {n} different pictures, too few to hold one out: at least {least} are needed.",
            label=label, n=counts[label], least=LEAST,
        )
        for label in small
    ]  # fmt: skip
    notes = list(bounded(notes))
    webp = sum(one.picture.attachment.name.lower().endswith(".webp") for one in reading.pictures)
    if webp:
        notes.append(
            message("{n} WebP pictures: image_dataset_from_directory of Keras passes over them. Save as PNG.", n=webp)
        )
    return notes


def unmeasured(parts: Split, found: Found) -> Message | None:
    """Why nothing is held out: hidden pictures of one class alone would be no question."""
    if not found.pictures:
        return message("No pictures were found. Expected: a folder for each class, with its pictures in it.")
    labels = {content.labels[0] for content in parts.held_out}
    if len(labels) >= LEAST_CLASSES:
        return None
    return message(
        "Nothing was measured: pictures can be held out of {n} of the {classes} classes, and at least two are needed. "
        "Each needs {least} different pictures.",
        n=len(labels), classes=len(found.labels), least=LEAST,
    )  # fmt: skip
