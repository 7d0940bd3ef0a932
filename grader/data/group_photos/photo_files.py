"""Find the photos among a student's files, and the class of each. Only names are used.

A class is a folder. The class folders may be at the top, in ``pictures/``, in a wrapping folder, or in the parts of a
split (``data/train``, ``data/test``); the parts are then combined.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from grader.i18n.message import Message, message
from grader.models.submission import Attachment

SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".webp"})
# Image formats that Keras cannot read; these files are reported by name.
OTHER_SUFFIXES = frozenset({".heic", ".heif", ".avif", ".tif", ".tiff", ".svg", ".psd", ".raw", ".dng", ".cr2", ".nef"})
SPLITS = frozenset(
    {
        "train", "training", "train_set", "training_set", "trainset", "train_data", "train_images", "test",
        "testing", "test_set", "testset", "test_data", "test_images", "val", "valid", "validation",
        "validation_set", "val_data", "dev", "original", "originals", "origin", "raw", "aug", "augmented",
        "augmentation", "訓練", "訓練集", "訓練資料", "測試", "測試集", "測試資料",
        "驗證", "驗證集", "原圖", "原始", "擴增", "增強", "資料擴增",
    }
)  # fmt: skip
DATASETS = frozenset(
    {
        "pictures", "picture", "images", "image", "imgs", "photos", "photo", "dataset", "datasets", "data",
        "圖片", "照片", "影像", "資料", "資料集", "圖檔",
    }
)  # fmt: skip
MOST_LISTED = 5  # names in a message

Folder = tuple[str, ...]  # parts of a path


@dataclass(frozen=True, slots=True)
class PhotoFile:
    """An attachment that is an image by its suffix."""

    attachment: Attachment
    label: str | None = None  # None outside all class folders
    name: str = ""  # unique within the class


@dataclass(frozen=True, slots=True)
class FoundPhotos:
    """All photos of a submission."""

    files: tuple[PhotoFile, ...] = ()
    roots: tuple[str, ...] = ()  # folders that contain the class folders; "" for the notebook's own
    notes: tuple[Message, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in the order of Keras' class numbers."""
        return tuple(sorted({file.label for file in self.files if file.label is not None}))


class _FolderTree:
    """The folders that contain photos, directly or further down."""

    def __init__(self, paths: Iterable[PurePosixPath]) -> None:
        folders: set[Folder] = set()
        for path in paths:
            parts = path.parent.parts
            folders.update(parts[:depth] for depth in range(len(parts) + 1))
        self._children: dict[Folder, list[Folder]] = {}
        for folder in folders:
            if folder:
                self._children.setdefault(folder[:-1], []).append(folder)

    def children(self, folder: Folder) -> list[Folder]:
        return sorted(self._children.get(folder, ()))

    def has_subfolders(self, folder: Folder) -> bool:
        return folder in self._children


def find_photos(attachments: Sequence[Attachment], *, folder: str = "pictures") -> FoundPhotos:
    """Find every photo and its class. ``folder`` is the folder that the assignment asks for."""
    candidates = [attachment for attachment in attachments if suffix(attachment.name) in SUFFIXES | OTHER_SUFFIXES]
    tree = _FolderTree(PurePosixPath(attachment.name) for attachment in candidates)
    roots = _find_roots(tree, folder.casefold())
    files: list[PhotoFile] = []
    taken: set[tuple[str, str]] = set()
    for attachment in sorted(candidates, key=lambda attachment: attachment.name):
        file = _classify(attachment, roots)
        if file.label is not None:
            file = _with_unique_name(file, taken)
        files.append(file)
    return FoundPhotos(tuple(files), tuple("/".join(root) for root in roots), tuple(_notes(files, roots)))


def suffix(name: str) -> str:
    """Return the suffix in lower case, with the dot."""
    return PurePosixPath(name).suffix.lower()


def _find_roots(tree: _FolderTree, folder: str) -> tuple[Folder, ...]:
    """Return the folders whose subfolders are the classes: one folder, or the parts of a split."""
    current: Folder = ()
    while True:
        children = tree.children(current)
        branching = [child for child in children if tree.has_subfolders(child)]
        parts = [child for child in branching if child[-1].casefold() in SPLITS]
        plain = [child for child in children if child not in branching and child[-1].casefold() not in SPLITS]
        # A single "train" may be a class: trains, among cars and buses.
        if len(parts) > 1 or (parts and parts == branching and len(plain) <= 1):
            return tuple(parts)
        following = _descend(children, branching, folder)
        if following is None:
            return (current,) if children else ()
        current = following


def _descend(children: Sequence[Folder], branching: Sequence[Folder], folder: str) -> Folder | None:
    """Return the one child that contains the classes, or None when the children are the classes."""
    for names in ({folder}, DATASETS):
        known = [child for child in branching if child[-1].casefold() in names]
        if len(known) == 1:
            return known[0]
    # A wrapping folder and at most one folder of figures beside it. More folders without subfolders are classes.
    return branching[0] if len(branching) == 1 and len(children) <= 2 else None


def _classify(attachment: Attachment, roots: Sequence[Folder]) -> PhotoFile:
    parts = PurePosixPath(attachment.name).parts
    for root in roots:
        if parts[: len(root)] == root and len(parts) > len(root) + 1:
            return PhotoFile(attachment, parts[len(root)], parts[-1])
    return PhotoFile(attachment)


def _with_unique_name(file: PhotoFile, taken: set[tuple[str, str]]) -> PhotoFile:
    """Name a file after its folders when the class has its name already, from another part of a split."""
    label, name = str(file.label), file.name
    if (label, name.casefold()) in taken:
        name = "_".join(PurePosixPath(file.attachment.name).parts)
    taken.add((label, name.casefold()))
    return PhotoFile(file.attachment, label, name)


def _notes(files: Sequence[PhotoFile], roots: Sequence[Folder]) -> Iterable[Message]:
    outside = [file.attachment.name for file in files if file.label is None]
    if files and not roots:
        yield message(
            "{n} photos are not in a class folder, for example {name}. Expected: a folder for each class.",
            n=len(outside), name=outside[0],
        )  # fmt: skip
    elif outside:
        yield message("Not counted, because they are not in a class folder: {names}.", names=list_names(outside))
    if len(roots) > 1:
        names = ", ".join("/".join(root) for root in roots)
        yield message("The photos of {folders} were combined.", folders=names)
    spellings: dict[str, set[str]] = {}
    for file in files:
        if file.label is not None:
            spellings.setdefault(file.label.casefold().strip(), set()).add(file.label)
    for labels in spellings.values():
        if len(labels) > 1:
            yield message(
                "{names} differ only in capital letters or spaces and were counted as different classes.",
                names=", ".join(sorted(labels)),
            )


def list_names(names: Sequence[str], most: int = MOST_LISTED) -> str:
    """Join the first ``most`` names, with an ellipsis for the others."""
    return ", ".join([*names[:most], *(["…"] if len(names) > most else [])])


def count_by_label(files: Iterable[PhotoFile]) -> Mapping[str, int]:
    """Count the photos of each class."""
    return Counter(file.label for file in files if file.label is not None)
