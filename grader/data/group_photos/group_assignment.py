"""Turn a group's own photos into an assignment of its own: some photos are held out, the notebook gets the others."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from grader.data.generators import derive_seed
from grader.data.group_photos.content_groups import MOST_HIDDEN, Split, group_by_content, split_contents
from grader.data.group_photos.decoding import DecodedPhoto, DecodedPhotos, Pixels, decode_photos
from grader.data.group_photos.photo_files import FoundPhotos, find_photos, list_names, suffix
from grader.data.group_photos.summary import explain_unmeasured, summarize
from grader.data.public_sets.definitions import Bounds
from grader.data.public_sets.hidden_rows import perturb, random_stream
from grader.files import filetype
from grader.files.plain_files import read_plain
from grader.i18n.message import Message, message
from grader.models.assignment import Assignment, Data, Hidden
from grader.models.photo_survey import PhotoSurvey
from grader.models.submission import Attachment, Submission

MAX_PHOTOS = 20_000
TABLE_BYTES, HIDDEN_BYTES = 128 << 20, 64 << 20
TABLE_ROWS = 2000  # rows to try the model on first, and training rows of the linear baseline
# Files that stay beside the notebook. Other files (arrays, models, archives) could contain held-out photos.
TEXTS = frozenset([".py", ".txt", ".md", ".csv", ".tsv", ".json", ".yaml", ".yml", ".toml", ".cfg", ".ini"])
FONTS = frozenset([".ttf", ".otf", ".ttc"])
TEXT_BYTES, FONT_BYTES = 64 << 10, 32 << 20
# A held-out photo is changed a little, so that no table of the group's own photos has its bytes. Mirroring is not among
# the changes, because it may change the class: a symbol, an arrow.
CHANGES = Bounds(shift=(0.005, 0.02), turn=4.0, scale=(0.95, 1.03), contrast=(0.9, 1.1), brightness=8.0)
# Documents for people, which no notebook reads: they are withheld without a note.
DOCUMENTS = frozenset([".pdf", ".doc", ".docx", ".ppt", ".pptx", ".odt", ".html", ".ipynb"])


@dataclass(frozen=True, slots=True)
class GroupAssignment:
    """An assignment and a submission for one group."""

    assignment: Assignment  # with data, if photos were held out
    submission: Submission  # with only those files that its notebook may see
    survey: PhotoSurvey


def prepare(submission: Submission, assignment: Assignment, secret: bytes, workspace: Path) -> GroupAssignment:
    """Decode, group and split the photos of ``submission``. All files made for it are below ``workspace``.

    Raises SandboxError when the decoder cannot run.
    """
    task = assignment.pictures
    assert task is not None
    asked = {"classes": task.min_classes, "per_class": task.min_per_class}
    found = find_photos(submission.attachments, folder=task.folder)
    if len(found.files) > MAX_PHOTOS:
        too_many = message("{n} photos were handed in; expected at most {most}.", n=len(found.files), most=MAX_PHOTOS)
        return GroupAssignment(assignment, submission, PhotoSurvey(unmeasured=too_many, asked=asked))
    decoded = decode_photos(found.files, task.size, workspace)
    groups = group_by_content(decoded.photos, decoded.signatures)
    most = min(MOST_HIDDEN, HIDDEN_BYTES // (3 * task.size[0] * task.size[1]))
    split = split_contents(groups.contents, secret, task.hold_out, most=most)
    unmeasured = explain_unmeasured(split, found)
    if unmeasured is not None:
        split = Split(groups.contents, ())
    visible = _visible_files(submission, split, workspace, folder=task.folder)
    survey = summarize(found, decoded, groups, split)
    notes = survey.notes + _withheld_note(submission, found, visible)
    survey = replace(survey, notes=notes, unmeasured=unmeasured, asked=asked)
    data = None if unmeasured is not None else _data(decoded, split, workspace, secret)
    return GroupAssignment(replace(assignment, data=data), replace(submission, attachments=visible), survey)


def _training_photos(split: Split) -> list[DecodedPhoto]:
    """Return the photos on the training side, with those outside all classes."""
    return [photo for content in split.training for photo in content.members]


# ---------------------------------------------------------------- data


def _data(decoded: DecodedPhotos, split: Split, workspace: Path, secret: bytes) -> Data:
    training = [photo for photo in _training_photos(split) if photo.file.label is not None]
    numbers = {label: n for n, label in enumerate(sorted({str(photo.file.label) for photo in training}))}
    height, width = decoded.rows([training[0].row], "pixels").shape[1:3]
    rows = min(TABLE_ROWS, TABLE_BYTES // (3 * height * width))
    sample = training[:: -(-len(training) // rows)]
    table = _save_arrays(workspace / "training.npz", decoded.rows(_rows(sample), "pixels"), sample, numbers)
    best = [content.best for content in split.held_out]
    hidden = _save_arrays(workspace / "held_out.npz", _changed(best, decoded, secret), best, numbers)
    return Data(files=(), table=table, inputs=("x",), target="y", task="classification", hidden=Hidden(file=hidden))


def _rows(photos: Sequence[DecodedPhoto]) -> list[int]:
    return [photo.row for photo in photos]


def _changed(photos: Sequence[DecodedPhoto], decoded: DecodedPhotos, secret: bytes) -> Pixels:
    """Return the held-out photos ``(n, height, width, 3)``, each changed in its own way, always the same."""
    pixels = decoded.rows(_rows(photos), "pixels")
    streams = [random_stream(derive_seed(secret, "changes", photo.digest)) for photo in photos]
    return np.concatenate([perturb(one[None], CHANGES, stream) for one, stream in zip(pixels, streams, strict=True)])


def _save_arrays(path: Path, pixels: Pixels, photos: Sequence[DecodedPhoto], numbers: dict[str, int]) -> Path:
    labels = [numbers[str(photo.file.label)] for photo in photos]
    np.savez(path, x=pixels, y=np.array(labels, np.int64))
    return path


# ---------------------------------------------------------------- files beside the notebook


def _visible_files(submission: Submission, split: Split, workspace: Path, *, folder: str) -> tuple[Attachment, ...]:
    """Return the training photos, where the group had them and in ``folder``, and files that cannot contain photos."""
    training = _training_photos(split)
    visible = {photo.file.attachment.name: Attachment(photo.file.attachment.name, photo.path) for photo in training}
    hidden = {photo.file.attachment.name for content in split.held_out for photo in content.members}
    for attachment in submission.attachments:
        if attachment.name not in hidden and (_cannot_contain_photos(attachment) or not hidden):
            visible.setdefault(attachment.name, attachment)
    for photo in training:
        if photo.file.label is not None:
            name = f"{folder}/{photo.file.label}/{photo.file.name}"
            visible.setdefault(name, Attachment(name, photo.path))
    for archive in _repack_archives(submission, visible, workspace):
        visible.setdefault(archive.name, archive)
    # A file with the name of a folder is dropped, because both cannot exist.
    folders = {str(parent) for name in visible for parent in PurePosixPath(name).parents}
    return tuple(attachment for name, attachment in visible.items() if name not in folders)


def _cannot_contain_photos(attachment: Attachment) -> bool:
    size = attachment.path.stat().st_size
    if suffix(attachment.name) in FONTS:
        return size <= FONT_BYTES
    is_text = filetype.binary_kind(read_plain(attachment.path, filetype.HEAD_BYTES)) is None
    return suffix(attachment.name) in TEXTS and size <= TEXT_BYTES and is_text


def _withheld_note(submission: Submission, found: FoundPhotos, visible: Sequence[Attachment]) -> tuple[Message, ...]:
    """Name the withheld files that the group may miss. Photos of its classes are counted elsewhere."""
    known = {file.attachment.name for file in found.files if file.label is not None}
    for attachment in visible:
        known |= {attachment.name, *map(str, PurePosixPath(attachment.name).parents)}
    names = [
        attachment.name
        for attachment in submission.attachments
        if attachment.name not in known and suffix(attachment.name) not in DOCUMENTS
    ]
    if not names:
        return ()
    return (
        message(
            "Not available to the notebook, because these files contain or may contain photos that were held out: "
            "{names}. The notebook must create such files from the photos.",
            names=list_names(names),
        ),
    )


def _repack_archives(submission: Submission, visible: Mapping[str, Attachment], workspace: Path) -> list[Attachment]:
    """Pack the group's archives again, with visible files only, for a notebook that unpacks them itself."""
    members: dict[str, list[tuple[str, Path]]] = {}
    for attachment in submission.attachments:
        if attachment.archive and attachment.name in visible:
            member = attachment.inner, visible[attachment.name].path
            members.setdefault(attachment.archive, []).append(member)
    packed = []
    for number, (name, files) in enumerate(members.items()):
        path = workspace / f"archive-{number:03d}"
        _pack(path, PurePosixPath(name).name.lower(), files)
        packed.append(Attachment(name, path))
    return packed


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
