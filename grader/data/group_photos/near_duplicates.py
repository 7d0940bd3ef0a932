"""Find images that show the same thing: copies by their pixels, and augmented images by their file names.

Pixels: resized, brightened, recompressed, mirrored or rotated copies. The comparison uses the detail of the 32 × 32
grey image, each pixel minus the mean of its neighbourhood, in all eight orientations of a square; the distance of two
images is 1 - correlation. Mostly empty images (symbols on paper) have much smaller distances, and a smaller threshold.
docs/pictures.md has the measurements, also for perceptual hashes, which cannot separate the fonts of a symbol and still
find its noisy copies.

Names: they join images that no pixel comparison finds, such as a copy rotated by 15 degrees. They are the group's own
statement and are trusted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

SIDE, COLOUR_SIDE = 32, 8
NEIGHBOURHOOD = 9  # pixels across
# 319,600 pairs of different photos: the closest at 0.44, one in a thousand within 0.69. Nine in ten of their copies:
# within 0.05; shifted by a hundredth or rotated by two degrees: within 0.13.
PHOTO_DISTANCE = 0.30
# 10,878 pairs of symbols: the closest, one symbol in two weights of a font, at 0.027. Their copies: within 0.002; in
# uneven light and with noise: within 0.01.
DRAWN_DISTANCE = 0.02
EMPTY, EMPTY_SHARE = 0.15, 0.45  # of the strongest detail; of the pixels
FLAT = 1.0  # grey levels of detail, below which there is nothing to compare
COLOURED = 5.0  # chroma levels, below which an image is grey and may be the grey copy of any image
SAME_COLOURS = 0.7  # cosine between the chroma of two images
BLOCK = 1024  # images compared with all others at once

_GREY = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_CHROMA = np.array([[-0.169, 0.5], [-0.331, -0.419], [0.5, -0.081]], np.float32)  # to Cb and Cr
_ORIENTATIONS = tuple((mirrored, quarters) for mirrored in (False, True) for quarters in range(4))


# ---------------------------------------------------------------- pixels


@dataclass(frozen=True, slots=True)
class Signatures:
    """Features by which images are compared."""

    detail: NDArray[np.float32]  # (n, 32, 32), each of length 1; 0 without any detail
    colour: NDArray[np.float32]  # (n, 8, 8, 2) chroma
    drawn: NDArray[np.bool_]  # (n,): mostly empty

    @classmethod
    def of(cls, thumbnails: NDArray[np.uint8]) -> Signatures:
        """Compute the signatures of ``(n, 64, 64, 3)`` RGB thumbnails."""
        from scipy.ndimage import uniform_filter  # noqa: PLC0415  slow to import, and needed for grading only

        pixels = thumbnails.astype(np.float32)
        grey = _block_means(pixels @ _GREY, SIDE)
        detail = grey - uniform_filter(grey, (0, NEIGHBOURHOOD, NEIGHBOURHOOD), mode="nearest")
        size = np.abs(detail).reshape(len(detail), SIDE * SIDE)
        strongest = np.quantile(size, 0.98, axis=1, keepdims=True) if len(size) else size[:, :1]
        drawn = (size < EMPTY * strongest).mean(axis=1) > EMPTY_SHARE
        detail[size.max(axis=1, initial=0) < FLAT] = 0
        detail -= detail.mean(axis=(1, 2), keepdims=True)
        length = np.maximum(np.linalg.norm(detail, axis=(1, 2), keepdims=True), 1e-6)
        return cls((detail / length).astype(np.float32), _block_means(pixels @ _CHROMA, COLOUR_SIDE), drawn)

    @classmethod
    def concatenate(cls, parts: list[Signatures]) -> Signatures:
        parts = parts or [cls.of(np.zeros((0, 64, 64, 3), np.uint8))]
        return cls(
            np.concatenate([part.detail for part in parts]),
            np.concatenate([part.colour for part in parts]),
            np.concatenate([part.drawn for part in parts]),
        )


def find_similar_pairs(images: Signatures) -> Iterator[tuple[int, int]]:
    """Yield ``(i, j)``, ``i < j``, for images that show the same thing. A pair may come more than once."""
    count = len(images.detail)
    flat = images.detail.reshape(count, SIDE * SIDE)
    for orientation in _ORIENTATIONS:
        turned = np.ascontiguousarray(_orient(images.detail, orientation)).reshape(count, SIDE * SIDE)
        for start in range(0, count, BLOCK):
            rows = slice(start, start + BLOCK)
            either_drawn = images.drawn[rows, np.newaxis] | images.drawn[np.newaxis, start:]
            threshold = np.where(either_drawn, DRAWN_DISTANCE, PHOTO_DISTANCE)
            near = 1 - flat[rows] @ turned[start:].T <= threshold
            for first, second in np.argwhere(near) + start:
                if first < second and _have_same_colours(
                    images.colour[first], _orient(images.colour[[second]], orientation)[0]
                ):
                    yield int(first), int(second)


def _orient(squares: NDArray[np.float32], orientation: tuple[bool, int]) -> NDArray[np.float32]:
    mirrored, quarters = orientation
    return np.rot90(squares[:, :, ::-1] if mirrored else squares, quarters, axes=(1, 2))


def _have_same_colours(first: NDArray[np.float32], second: NDArray[np.float32]) -> bool:
    """Compare chroma in a way that ignores brightness: a red disc is not a green disc."""
    lengths = [float(np.sqrt((colour**2).sum(axis=-1).mean())) for colour in (first, second)]
    if min(lengths) < COLOURED:
        return True
    return bool((first * second).sum(axis=-1).mean() >= SAME_COLOURS * lengths[0] * lengths[1])


def _block_means(squares: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Reduce ``(n, s, s, ...)`` to ``(n, side, side, ...)`` by the means of blocks of pixels."""
    count, size = squares.shape[:2]
    step = size // side
    means: NDArray[np.float32] = squares.reshape(count, side, step, side, step, *squares.shape[3:]).mean(axis=(2, 4))
    return means


# ---------------------------------------------------------------- names

# ``save_to_dir`` of Keras: prefix, number of the sample, a random number below ten million. A camera's date is longer.
_KERAS = re.compile(r"(?P<stem>.+)_(?P<sample>0|[1-9]\d{0,4})_[1-9]\d{2,6}")
_WORDS = (
    r"aug(?:mented)?|rot(?:at(?:e|ed|ion))?|flip(?:ped)?|mirror(?:ed)?|copy|noisy?|noise|blur(?:red)?|bright(?:ness)?|"
    r"dark(?:er)?|zoom(?:ed)?|crop(?:ped)?|shift(?:ed)?|shear(?:ed)?|scaled?|resized?|contrast|grey|gray"
)
_CHINESE = r"副本|複製|翻轉|旋轉|鏡像|縮放|裁切|平移|變亮|變暗|雜訊|擴增|增強"
_MORE = r"(?:[ _.-]?(?:h|v|lr|ud|left|right|horizontal(?:ly)?|vertical(?:ly)?))?[ _.-]?[+-]?\d*(?:\.\d+)?(?:deg)?"
_AFTER = re.compile(rf"(?P<stem>.+?)(?:[ _.-]+(?:{_WORDS}){_MORE}|[ _.-]*(?:{_CHINESE})[ _.-]*\d*)")
_BEFORE = re.compile(rf"(?:(?:{_WORDS})(?: of)?\d*[ _.-]+|(?:{_CHINESE})[ _.-]*)(?P<stem>.*\d.*)")
# A computer numbers the copies of a file, but also a whole selection ("cat (1)") and every download ("images (7)"),
# which are different images. Only a stem with a number of its own comes from a camera or scanner.
_NUMBERED = re.compile(r"(?P<stem>.*\d.*?) ?\(\d{1,3}\)")
_ROUNDS = 4  # "IMG_1_rot90_flip (2)"
LARGEST_SHARE = 1 / 3  # of a class; a stem that more images share does not tell them apart


def group_by_source_name(names: Sequence[str]) -> Iterator[tuple[str, list[int]]]:
    """Yield source stem, places of its names, for every stem that several file names of a class share."""
    stems = [PurePosixPath(name).stem.casefold().strip() for name in names]
    existing = frozenset(stems)
    shared: dict[str, list[int]] = {}
    for place, stem in enumerate(stems):
        shared.setdefault(source_stem(stem, existing), []).append(place)
    yield from ((stem, places) for stem, places in shared.items() if len(places) > 1)


def is_plausible_source(places: Sequence[int], class_size: int) -> bool:
    """Return whether so few images of the class share a stem that it can mean one source image."""
    return len(places) <= max(2, class_size * LARGEST_SHARE)


def source_stem(stem: str, existing: frozenset[str] = frozenset()) -> str:
    """Return the stem of the image that ``stem`` names a variation of, or ``stem`` itself.

    ``existing`` are the stems in the class: Keras' ``cat_7_0_4711`` comes from ``cat_7`` if that exists.
    """
    for _round in range(_ROUNDS):
        made = _KERAS.fullmatch(stem)
        if made is not None:
            return made["stem"] if made["stem"] in existing else f"{made['stem']}_{made['sample']}"
        shorter = next((match for form in (_AFTER, _BEFORE, _NUMBERED) if (match := form.fullmatch(stem))), None)
        if shorter is None:
            break
        stem = shorter["stem"].strip()
    return stem
