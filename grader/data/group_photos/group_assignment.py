"""A group's own pictures to an assignment of its own: some are held out, the notebook finds the others."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from grader.data.group_photos.content_groups import Grouped, grouped
from grader.data.group_photos.decoding import Read, Reading, read
from grader.data.group_photos.holdout import MOST_HIDDEN, Split, split
from grader.data.group_photos.photo_files import Found, find, listed, suffix
from grader.data.group_photos.summary import bounded, survey_of, unmeasured
from grader.files import filetype
from grader.i18n.message import Message, message
from grader.models.assignment import Assignment, Data, Hidden, Pictures
from grader.models.photo_survey import PhotoSurvey
from grader.models.submission import Attachment, Submission

MAX_PICTURES = 20_000
TABLE_BYTES, HIDDEN_BYTES = 128 << 20, 64 << 20
TABLE_ROWS = 2000  # what is asked of a model first, and what the linear baseline learns from
# What stays beside the notebook. Anything else (arrays, models, archives) could hold what was held out.
TEXTS = frozenset([".py", ".txt", ".md", ".csv", ".tsv", ".json", ".yaml", ".yml", ".toml", ".cfg", ".ini"])
FONTS = frozenset([".ttf", ".otf", ".ttc"])
DOCUMENTS = frozenset(
    [".pdf", ".doc", ".docx", ".ppt", ".pptx", ".odt", ".html", ".ipynb"]
)  # for people: no notebook reads them
TEXT_BYTES, FONT_BYTES = 1 << 20, 32 << 20


@dataclass(frozen=True, slots=True)
class Prepared:
    """``assignment`` has data when something was held out; ``submission`` has only what its notebook may see."""

    assignment: Assignment
    submission: Submission
    survey: PhotoSurvey


def prepare(submission: Submission, assignment: Assignment, secret: bytes, workspace: Path) -> Prepared:
    """Reads, groups and splits the pictures of ``submission``; everything made for it lies in ``workspace``."""
    asked = assignment.pictures
    assert asked is not None
    found = find(submission.attachments, folder=asked.folder)
    if len(found.pictures) > MAX_PICTURES:
        too_many = message(
            "{n} pictures were handed in; expected at most {most}.", n=len(found.pictures), most=MAX_PICTURES
        )
        return Prepared(assignment, submission, PhotoSurvey(unmeasured=too_many, asked=_asked(asked)))
    reading = read(found.pictures, asked.size, workspace)
    contents = grouped(reading.pictures, reading.signatures)
    most = min(MOST_HIDDEN, HIDDEN_BYTES // (3 * asked.size[0] * asked.size[1]))
    parts = split(contents.contents, secret, asked.hold_out, most=most)
    why = unmeasured(parts, found)
    if why is not None:
        parts = Split(contents.contents, ())
    beside, withheld = _beside(submission, found, parts, workspace, folder=asked.folder)
    survey = _survey(found, reading, contents, parts)
    survey = replace(survey, notes=survey.notes + withheld, unmeasured=why, asked=_asked(asked))
    own = assignment.with_data(None if why is not None else _data(reading, parts, workspace, asked.size))
    return Prepared(own, replace(submission, attachments=beside), survey)


def _asked(asked: Pictures) -> dict[str, int]:
    return {"classes": asked.min_classes, "per_class": asked.min_per_class}


def _survey(found: Found, reading: Reading, contents: Grouped, parts: Split) -> PhotoSurvey:
    survey = survey_of(found, reading, contents, parts)
    return replace(survey, notes=(*bounded(found.notes), *bounded(contents.notes), *survey.notes))


def _seen(parts: Split) -> list[Read]:
    """The pictures that the notebook finds: the training side; of a picture outside all classes, too."""
    return [one for content in parts.training for one in content.members]


# ---------------------------------------------------------------- what is asked


def _data(reading: Reading, parts: Split, workspace: Path, size: tuple[int, int]) -> Data:
    training = [one for one in _seen(parts) if one.picture.label is not None]
    numbers = {label: number for number, label in enumerate(sorted({str(one.picture.label) for one in training}))}
    rows = min(TABLE_ROWS, TABLE_BYTES // (3 * size[0] * size[1]))
    some = training[:: -(-len(training) // rows)]
    table = _arrays(workspace / "training.npz", some, reading, numbers)
    hidden = _arrays(workspace / "held_out.npz", [content.best for content in parts.held_out], reading, numbers)
    return Data(files=(), table=table, inputs=("x",), target="y", task="classification", hidden=Hidden(file=hidden))


def _arrays(path: Path, pictures: Sequence[Read], reading: Reading, numbers: dict[str, int]) -> Path:
    labels = [numbers[str(one.picture.label)] for one in pictures]
    np.savez(path, x=reading.rows([one.place for one in pictures], "pixels"), y=np.array(labels, np.int64))
    return path


# ---------------------------------------------------------------- what lies beside the notebook


def _beside(
    submission: Submission, found: Found, parts: Split, workspace: Path, *, folder: str
) -> tuple[tuple[Attachment, ...], tuple[Message, ...]]:
    """The training side where the group's files lay and in the assignment's folder, and what can hold no picture."""
    seen = _seen(parts)
    beside = {one.picture.attachment.name: Attachment(one.picture.attachment.name, one.path) for one in seen}
    hidden = {one.picture.attachment.name for content in parts.held_out for one in content.members}
    for one in submission.attachments:
        if one.name not in hidden and (_may_stay(one) or not hidden):
            beside.setdefault(one.name, one)
    for read_one in seen:
        if read_one.picture.label is not None:
            name = f"{folder}/{read_one.picture.label}/{read_one.picture.name}"
            beside.setdefault(name, Attachment(name, read_one.path))
    for archive in _packed_again(submission, beside, workspace):
        beside.setdefault(archive.name, archive)
    folders = {str(parent) for name in beside for parent in PurePosixPath(name).parents}
    # A file that is called as a folder gives way: there cannot be both.
    return tuple(one for name, one in beside.items() if name not in folders), _withheld(submission, found, beside)


def _may_stay(one: Attachment) -> bool:
    size = one.path.stat().st_size
    if suffix(one.name) in FONTS:
        return size <= FONT_BYTES
    with one.path.open("rb") as file:
        is_text = filetype.binary_kind(file.read(filetype.HEAD_BYTES)) is None
    return suffix(one.name) in TEXTS and size <= TEXT_BYTES and is_text


def _withheld(submission: Submission, found: Found, beside: Mapping[str, Attachment]) -> tuple[Message, ...]:
    """What the group may miss; the pictures of its classes are counted elsewhere."""
    placed = {one.attachment.name for one in found.pictures if one.label is not None}
    names = [
        one.name
        for one in submission.attachments
        if one.name not in beside and one.name not in placed and suffix(one.name) not in DOCUMENTS
    ]
    if not names:
        return ()
    return (
        message(
            "Not laid beside the notebook, because they show or could hold what was held out: {names}. "
            "Whatever the notebook needs it makes from the pictures.",
            names=listed(names),
        ),
    )


def _packed_again(submission: Submission, beside: dict[str, Attachment], workspace: Path) -> list[Attachment]:
    """The archives that the group handed in, with what may be seen: its notebook may unpack them itself."""
    members: dict[str, list[tuple[str, Path]]] = {}
    for one in submission.attachments:
        if one.archive and one.name in beside:
            members.setdefault(one.archive, []).append((one.inner, beside[one.name].path))
    made = []
    for number, (name, files) in enumerate(members.items()):
        path = workspace / f"archive-{number:03d}"
        _pack(path, PurePosixPath(name).name.lower(), files)
        made.append(Attachment(name, path))
    return made


def _pack(path: Path, name: str, files: Sequence[tuple[str, Path]]) -> None:
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w", strict_timestamps=False) as archive:
            for inner, source in files:
                archive.write(source, inner)
        return
    form = next((form for form in ("gz", "bz2", "xz") if name.endswith((form, f"t{form}"))), "")
    with tarfile.open(path, f"w:{form}") as archive:  # type: ignore[call-overload]
        for inner, source in files:
            archive.add(source, inner)
