"""Which pictures show the same: one a copy of another, resized, brightened, recompressed, mirrored or turned.

Compared is the detail of the grey picture, 32 by 32, each pixel less the mean of its surroundings, in all eight ways
that a square can lie: their distance is 1 - correlation. Where most of a picture is empty (symbols on paper), far
smaller distances tell different pictures apart, so far smaller ones are asked for. See docs/pictures.md for what was
measured, also of perceptual hashes, which do not keep a symbol's fonts apart and find its noisy copies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIDE, COLOUR_SIDE = 32, 8
SURROUNDINGS = 9  # pixels across
# 319,600 pairs of different photos: the nearest at 0.44, one in a thousand within 0.69. Nine in ten of their copies:
# within 0.05, moved by a hundredth or turned by two degrees within 0.13.
PHOTO_DISTANCE = 0.30
# 10,878 pairs of symbols: the nearest, one symbol in two weights of a font, at 0.027. Their copies: within 0.002, in
# uneven light and with noise within 0.01.
DRAWN_DISTANCE = 0.02
EMPTY, EMPTY_SHARE = 0.15, 0.45  # of the strongest detail; of the pixels
FLAT = 1.0  # grey levels of detail: nothing to compare
COLOURED = 5.0  # levels of chroma: below, a picture is grey and may be the grey copy of any
SAME_COLOURS = 0.7  # cosine between two pictures' chroma
BLOCK = 1024  # pictures compared with all others at once

_GREY = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_CHROMA = np.array([[-0.169, 0.5], [-0.331, -0.419], [0.5, -0.081]], np.float32)  # to Cb and Cr
_TURNS = tuple((mirrored, quarter) for mirrored in (False, True) for quarter in range(4))


@dataclass(frozen=True, slots=True)
class Signatures:
    """What pictures are compared by."""

    detail: NDArray[np.float32]  # (n, 32, 32), each of length 1; 0 where there is none
    colour: NDArray[np.float32]  # (n, 8, 8, 2) chroma
    drawn: NDArray[np.bool_]  # (n,): mostly empty

    @classmethod
    def of(cls, thumbnails: NDArray[np.uint8]) -> Signatures:
        """Of ``(n, 64, 64, 3)`` RGB."""
        from scipy.ndimage import uniform_filter  # noqa: PLC0415  not for those who only ask for help

        pixels = thumbnails.astype(np.float32)
        grey = _halved(pixels @ _GREY, SIDE)
        detail = grey - uniform_filter(grey, (0, SURROUNDINGS, SURROUNDINGS), mode="nearest")
        size = np.abs(detail).reshape(len(detail), SIDE * SIDE)
        strongest = np.quantile(size, 0.98, axis=1, keepdims=True) if len(size) else size[:, :1]
        drawn = (size < EMPTY * strongest).mean(axis=1) > EMPTY_SHARE
        detail[size.max(axis=1, initial=0) < FLAT] = 0
        detail -= detail.mean(axis=(1, 2), keepdims=True)
        length = np.maximum(np.linalg.norm(detail, axis=(1, 2), keepdims=True), 1e-6)
        return cls((detail / length).astype(np.float32), _halved(pixels @ _CHROMA, COLOUR_SIDE), drawn)

    @classmethod
    def joined(cls, parts: list[Signatures]) -> Signatures:
        parts = parts or [cls.of(np.zeros((0, 64, 64, 3), np.uint8))]
        return cls(
            np.concatenate([part.detail for part in parts]),
            np.concatenate([part.colour for part in parts]),
            np.concatenate([part.drawn for part in parts]),
        )


def alike_pairs(pictures: Signatures) -> Iterator[tuple[int, int]]:
    """Places ``(i, j)`` with ``i < j`` of pictures that show the same; a pair may come more than once."""
    count = len(pictures.detail)
    flat = pictures.detail.reshape(count, SIDE * SIDE)
    for turn in _TURNS:
        turned = np.ascontiguousarray(_turned(pictures.detail, turn)).reshape(count, SIDE * SIDE)
        for start in range(0, count, BLOCK):
            rows = slice(start, start + BLOCK)
            either_drawn = pictures.drawn[rows, np.newaxis] | pictures.drawn[np.newaxis, start:]
            furthest = np.where(either_drawn, DRAWN_DISTANCE, PHOTO_DISTANCE)
            near = 1 - flat[rows] @ turned[start:].T <= furthest
            for one, other in np.argwhere(near) + start:
                if one < other and _same_colours(pictures.colour[one], _turned(pictures.colour[[other]], turn)[0]):
                    yield int(one), int(other)


def _turned(squares: NDArray[np.float32], turn: tuple[bool, int]) -> NDArray[np.float32]:
    mirrored, quarters = turn
    return np.rot90(squares[:, :, ::-1] if mirrored else squares, quarters, axes=(1, 2))


def _same_colours(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    """A red disc is not a green one; in brighter light it is."""
    lengths = [float(np.sqrt((colour**2).sum(axis=-1).mean())) for colour in (one, other)]
    if min(lengths) < COLOURED:
        return True
    return bool((one * other).sum(axis=-1).mean() >= SAME_COLOURS * lengths[0] * lengths[1])


def _halved(squares: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Means over blocks of pixels; ``(n, s, s, ...)`` to ``(n, side, side, ...)``."""
    count, size = squares.shape[:2]
    step = size // side
    means: NDArray[np.float32] = squares.reshape(count, side, step, side, step, *squares.shape[3:]).mean(axis=(2, 4))
    return means
