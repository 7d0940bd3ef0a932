"""Measure how far apart different photos and copies of one photo are: the basis of ``near_duplicates``.

    python benchmarks/copies.py FOLDER_OF_PHOTOS...

Distances are those of ``near_duplicates``; with ImageHash installed, its hashes are measured too (share of bits).
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

from grader.data.group_photos import near_duplicates
from grader.data.group_photos.decoder import THUMBNAIL

Change = Callable[[Image.Image], Image.Image]
PHOTOS, HASHED = 800, 200


def _recompressed(picture: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=20)
    return Image.open(buffer).convert("RGB")


def _noisy(picture: Image.Image) -> Image.Image:
    noise = np.random.default_rng(0).normal(0, 20, (picture.height, picture.width, 3))
    return Image.fromarray((np.asarray(picture, float) + noise).clip(0, 255).astype(np.uint8))


def _turned(degrees: float) -> Change:
    return lambda picture: picture.rotate(
        degrees, resample=Image.Resampling.BILINEAR, fillcolor=picture.getpixel((0, 0))
    )


def _moved(share: float, zoom: float = 1.0) -> Change:
    def move(picture: Image.Image) -> Image.Image:
        width, height = picture.size
        left, top = width * (share + (1 - 1 / zoom) / 2), height * (share + (1 - 1 / zoom) / 2)
        return picture.transform(
            picture.size, Image.Transform.AFFINE, (1 / zoom, 0, left, 0, 1 / zoom, top),
            resample=Image.Resampling.BILINEAR, fillcolor=picture.getpixel((0, 0)),
        )  # fmt: skip

    return move


CHANGES: Mapping[str, Change] = {
    "mirrored": ImageOps.mirror,
    "turned by 90": lambda picture: picture.rotate(90, expand=True),
    "JPEG 20": _recompressed,
    "64 x 64": lambda picture: picture.resize((64, 64)),
    "noise 20": _noisy,
    "brightness x 0.6": lambda picture: ImageEnhance.Brightness(picture).enhance(0.6),
    "brightness x 1.4": lambda picture: ImageEnhance.Brightness(picture).enhance(1.4),
    "contrast x 1.5": lambda picture: ImageEnhance.Contrast(picture).enhance(1.5),
    "shift 1 %": _moved(0.01),
    "shift 3 %": _moved(0.03),
    "shift 10 %": _moved(0.1),
    "zoom 1.05": _moved(0, 1.05),
    "zoom 1.2": _moved(0, 1.2),
    "turned by 2": _turned(2),
    "turned by 5": _turned(5),
    "turned by 15": _turned(15),
}


def _signatures(pictures: Sequence[Image.Image]) -> near_duplicates.Signatures:
    small = [one.convert("RGB").resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BILINEAR) for one in pictures]
    return near_duplicates.Signatures.of(np.stack([np.asarray(one) for one in small]))


def _distances(some: near_duplicates.Signatures, others: near_duplicates.Signatures) -> NDArray[np.float32]:
    """``(n, m)``, each the nearest of the eight ways in which the other can lie."""
    count, side = len(some.detail), near_duplicates.SIDE**2
    ways = [
        np.ascontiguousarray(np.rot90(squares, quarter, axes=(1, 2))).reshape(-1, side)
        for squares in (others.detail, others.detail[:, :, ::-1])
        for quarter in range(4)
    ]
    flat = some.detail.reshape(count, side)
    nearest: NDArray[np.float32] = np.min([1 - flat @ way.T for way in ways], axis=0)
    return nearest


def _line(name: str, values: NDArray[np.floating], limits: NDArray[np.floating]) -> str:
    median, most = np.quantile(values, [0.5, 0.9])
    return f"| {name} | {median:.3f} | {most:.3f} | {np.mean(values <= limits):.0%} |"


def compare(photos: Sequence[Image.Image]) -> None:
    originals = _signatures(photos)
    apart = _distances(originals, originals)[np.triu_indices(len(photos), 1)]
    limits = np.where(originals.drawn, near_duplicates.DRAWN_DISTANCE, near_duplicates.PHOTO_DISTANCE)
    print(f"{len(photos)} photos, {np.mean(originals.drawn):.0%} of them mostly empty; {len(apart)} pairs:")
    print(f"nearest {np.sort(apart)[:3].round(3)}, one in a thousand {np.quantile(apart, 0.001):.3f}\n")
    print("| copy | median | 90 % | found |\n|---|---|---|---|")
    for name, change in CHANGES.items():
        copies = _signatures([change(photo) for photo in photos])
        print(_line(name, np.diag(_distances(originals, copies)), limits))


def compare_hashes(photos: Sequence[Image.Image]) -> None:
    import imagehash

    for name in ("phash", "dhash", "whash"):
        for size in (8, 16):
            bits = np.array([getattr(imagehash, name)(photo, size).hash.ravel() for photo in photos])
            noisy = np.array([getattr(imagehash, name)(_noisy(photo), size).hash.ravel() for photo in photos])
            pairs = (bits[:, None] != bits[None]).mean(-1)[np.triu_indices(len(photos), 1)]
            print(f"{name} {size}: nearest pair {pairs.min():.3f}, noisy copies {(bits != noisy).mean(-1).max():.3f}")


def main(folders: Sequence[str]) -> None:
    paths = sorted(path for folder in folders for path in Path(folder).rglob("*.jpg"))
    photos = [Image.open(path).convert("RGB") for path in paths[:: max(1, len(paths) // PHOTOS)]]
    compare(photos)
    compare_hashes(photos[:HASHED])


if __name__ == "__main__":
    main(sys.argv[1:])
