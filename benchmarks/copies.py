"""Measure the distances between different photos and between copies of a photo: the basis of ``near_duplicates``.

    python benchmarks/copies.py FOLDER_OF_PHOTOS...

The distances are those of ``near_duplicates``. If ImageHash is installed, its hashes are compared too (share of bits).
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
from grader.data.group_photos.decoding import THUMBNAIL

Change = Callable[[Image.Image], Image.Image]
PHOTOS, HASHED = 800, 200


def _recompress(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=20)
    return Image.open(buffer).convert("RGB")


def _add_noise(image: Image.Image) -> Image.Image:
    noise = np.random.default_rng(0).normal(0, 20, (image.height, image.width, 3))
    return Image.fromarray((np.asarray(image, float) + noise).clip(0, 255).astype(np.uint8))


def _rotate(degrees: float) -> Change:
    return lambda image: image.rotate(degrees, resample=Image.Resampling.BILINEAR, fillcolor=image.getpixel((0, 0)))


def _shift(share: float, zoom: float = 1.0) -> Change:
    def move(image: Image.Image) -> Image.Image:
        width, height = image.size
        left, top = width * (share + (1 - 1 / zoom) / 2), height * (share + (1 - 1 / zoom) / 2)
        return image.transform(
            image.size, Image.Transform.AFFINE, (1 / zoom, 0, left, 0, 1 / zoom, top),
            resample=Image.Resampling.BILINEAR, fillcolor=image.getpixel((0, 0)),
        )  # fmt: skip

    return move


CHANGES: Mapping[str, Change] = {
    "mirrored": ImageOps.mirror,
    "turned by 90": lambda image: image.rotate(90, expand=True),
    "JPEG 20": _recompress,
    "64 x 64": lambda image: image.resize((64, 64)),
    "noise 20": _add_noise,
    "brightness x 0.6": lambda image: ImageEnhance.Brightness(image).enhance(0.6),
    "brightness x 1.4": lambda image: ImageEnhance.Brightness(image).enhance(1.4),
    "contrast x 1.5": lambda image: ImageEnhance.Contrast(image).enhance(1.5),
    "shift 1 %": _shift(0.01),
    "shift 3 %": _shift(0.03),
    "shift 10 %": _shift(0.1),
    "zoom 1.05": _shift(0, 1.05),
    "zoom 1.2": _shift(0, 1.2),
    "turned by 2": _rotate(2),
    "turned by 5": _rotate(5),
    "turned by 15": _rotate(15),
}


def _signatures(images: Sequence[Image.Image]) -> near_duplicates.Signatures:
    small = [image.convert("RGB").resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BILINEAR) for image in images]
    return near_duplicates.Signatures.of(np.stack([np.asarray(image) for image in small]))


def _distances(some: near_duplicates.Signatures, others: near_duplicates.Signatures) -> NDArray[np.float32]:
    """Return the distances, shape ``(n, m)``: the smallest over the eight rotations and reflections of the other."""
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
            noisy = np.array([getattr(imagehash, name)(_add_noise(photo), size).hash.ravel() for photo in photos])
            pairs = (bits[:, None] != bits[None]).mean(-1)[np.triu_indices(len(photos), 1)]
            print(f"{name} {size}: nearest pair {pairs.min():.3f}, noisy copies {(bits != noisy).mean(-1).max():.3f}")


def main(folders: Sequence[str]) -> None:
    paths = sorted(path for folder in folders for path in Path(folder).rglob("*.jpg"))
    photos = [Image.open(path).convert("RGB") for path in paths[:: max(1, len(paths) // PHOTOS)]]
    compare(photos)
    compare_hashes(photos[:HASHED])


if __name__ == "__main__":
    main(sys.argv[1:])
