"""Where among a student's files the pictures are, and which class each belongs to. Names alone are looked at.

A class is a folder. The folders of the classes may lie at the top, in ``pictures/``, in a wrapper, or in the parts of a
split (``data/train``, ``data/test``), which are then taken together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from grader.i18n.message import Message, message
from grader.models.submission import Attachment

SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".webp"})
# Pictures to their owner, but not to Keras: said by name.
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
NAMED = 5  # of what was not used


@dataclass(frozen=True, slots=True)
class Picture:
    """``label`` is None for a picture that lies in no folder of a class; ``name`` is its own within the class."""

    attachment: Attachment
    label: str | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """``roots`` are the folders that hold the folders of the classes, "" for the notebook's own."""

    pictures: tuple[Picture, ...] = ()
    roots: tuple[str, ...] = ()
    notes: tuple[Message, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """Sorted as Keras sorts folders: the class with the number 0 first."""
        return tuple(sorted({one.label for one in self.pictures if one.label is not None}))


class _Tree:
    """The folders that have pictures in or below them; a folder is its path's parts."""

    def __init__(self, paths: Iterable[PurePosixPath]) -> None:
        self.inside: Counter[tuple[str, ...]] = Counter()  # pictures in or below
        self.direct: Counter[tuple[str, ...]] = Counter()
        for path in paths:
            folder = path.parent.parts
            self.direct[folder] += 1
            self.inside.update(folder[:depth] for depth in range(len(folder) + 1))
        self._children: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        for folder in self.inside:
            if folder:
                self._children.setdefault(folder[:-1], []).append(folder)

    def children(self, folder: tuple[str, ...]) -> list[tuple[str, ...]]:
        return sorted(self._children.get(folder, ()))

    def branches(self, folder: tuple[str, ...]) -> bool:
        return folder in self._children


def find(attachments: Sequence[Attachment], *, folder: str = "pictures") -> Found:
    """Every picture among ``attachments``, with its class; ``folder`` is the one that the assignment asks for."""
    candidates = [one for one in attachments if suffix(one.name) in SUFFIXES | OTHER_SUFFIXES]
    tree = _Tree(PurePosixPath(one.name) for one in candidates)
    roots = _roots(tree, folder.casefold())
    pictures: list[Picture] = []
    taken: set[tuple[str, str]] = set()
    for one in sorted(candidates, key=lambda one: one.name):
        picture = _placed(one, roots)
        if picture.label is not None:
            picture = _named_apart(picture, taken)
        pictures.append(picture)
    return Found(tuple(pictures), tuple("/".join(root) for root in roots), tuple(_notes(pictures, roots)))


def suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _roots(tree: _Tree, folder: str) -> tuple[tuple[str, ...], ...]:
    """The folders whose folders are the classes: one, or the parts of a split."""
    at: tuple[str, ...] = ()
    while True:
        children = tree.children(at)
        branching = [child for child in children if tree.branches(child)]
        parts = [child for child in branching if child[-1].casefold() in SPLITS]
        plain = [child for child in children if child not in branching and child[-1].casefold() not in SPLITS]
        # One alone may be a class of its own: trains, among cars and buses.
        if len(parts) > 1 or (parts and parts == branching and len(plain) <= 1):
            return tuple(parts)
        onward = _onward(children, branching, folder)
        if onward is None:
            return (at,) if children else ()
        at = onward


def _onward(
    children: Sequence[tuple[str, ...]], branching: Sequence[tuple[str, ...]], folder: str
) -> tuple[str, ...] | None:
    """The one child that holds the classes, when they are not ``children`` themselves."""
    for names in ({folder}, DATASETS):
        known = [child for child in branching if child[-1].casefold() in names]
        if len(known) == 1:
            return known[0]
    # A wrapper, and at most one folder of figures beside it; more folders without folders are classes themselves.
    return branching[0] if len(branching) == 1 and len(children) <= 2 else None


def _placed(one: Attachment, roots: Sequence[tuple[str, ...]]) -> Picture:
    parts = PurePosixPath(one.name).parts
    for root in roots:
        if parts[: len(root)] == root and len(parts) > len(root) + 1:
            return Picture(one, parts[len(root)], parts[-1])
    return Picture(one)


def _named_apart(picture: Picture, taken: set[tuple[str, str]]) -> Picture:
    """Two parts of a split may each have a 1.jpg in one class: the later is named after its folders."""
    label, name = str(picture.label), picture.name
    if (label, name.casefold()) in taken:
        name = "_".join(PurePosixPath(picture.attachment.name).parts)
    taken.add((label, name.casefold()))
    return Picture(picture.attachment, label, name)


def _notes(pictures: Sequence[Picture], roots: Sequence[tuple[str, ...]]) -> Iterable[Message]:
    outside = [one.attachment.name for one in pictures if one.label is None]
    if pictures and not roots:
        yield message(
            "{n} pictures lie in no folder of a class, for example {name}. Expected: a folder for each class.",
            n=len(outside), name=outside[0],
        )  # fmt: skip
    elif outside:
        yield message("Not counted, because they lie in no folder of a class: {names}.", names=listed(outside))
    if len(roots) > 1:
        names = ", ".join("/".join(root) for root in roots)
        yield message("The pictures of {folders} were taken together.", folders=names)
    spellings: dict[str, set[str]] = {}
    for one in pictures:
        if one.label is not None:
            spellings.setdefault(one.label.casefold().strip(), set()).add(one.label)
    for alike in spellings.values():
        if len(alike) > 1:
            names = ", ".join(sorted(alike))
            yield message(
                "{names} differ in capitals or blanks alone and were counted as several classes.", names=names
            )


def listed(names: Sequence[str], most: int = NAMED) -> str:
    """Some of ``names``, and dots for the others."""
    return ", ".join([*names[:most], *(["…"] if len(names) > most else [])])


def by_label(pictures: Iterable[Picture]) -> Mapping[str, int]:
    """How many pictures each class has."""
    return Counter(one.label for one in pictures if one.label is not None)
