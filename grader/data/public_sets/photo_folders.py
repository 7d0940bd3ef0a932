"""Folders of photos, one for each class: listed, read at one size, and copied to a folder and a zip."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from grader.data.public_sets.hidden_rows import Images, Labels, Places
from grader.i18n.message import message
from grader.models.errors import DatasetError

SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True, slots=True)
class Photos:
    """Photo files and their labels."""

    paths: tuple[Path, ...]
    labels: Labels  # (n,): class folders in alphabetical order, as Keras numbers them

    def only(self, places: Places) -> Photos:
        return Photos(tuple(self.paths[place] for place in places), self.labels[places])

    def without(self, places: Places) -> Photos:
        return self.only(np.setdiff1d(np.arange(len(self.paths)), places))


def list_photos(folder: Path) -> Photos:
    """List the photos in the class folders of ``folder``. Raises DatasetError for fewer than two classes."""
    classes = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    if len(classes) < 2:
        raise DatasetError(
            message(
                "{path}: found {found} folders, expected one with photos for each class",
                path=folder, found=len(classes),
            )
        )  # fmt: skip
    found = [
        (path, label)
        for label, place in enumerate(classes)
        for path in sorted(place.iterdir())
        if path.suffix.lower() in SUFFIXES
    ]
    return Photos(tuple(path for path, _ in found), np.array([label for _, label in found], np.int64))


def read_photos(paths: Sequence[Path], size: tuple[int, int]) -> Images:
    """Return uint8 RGB ``(n, height, width, 3)``, stretched to ``size`` (height, width) as Keras does."""
    height, width = size
    images = np.empty((len(paths), height, width, 3), np.uint8)
    for place, path in enumerate(paths):
        images[place] = _read(path, (width, height))
    return images


def _read(path: Path, size: tuple[int, int]) -> Images:
    from PIL import Image  # noqa: PLC0415  slow to import, and needed for grading only

    try:
        with Image.open(path) as image:
            image.draft("RGB", (size[0] * 2, size[1] * 2))  # decode a JPEG no larger than needed
            return np.asarray(image.convert("RGB").resize(size, Image.Resampling.BILINEAR), np.uint8)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise DatasetError(
            message(
                "{path}: cannot be read as an image ({reason}); run: grader data verify", path=path, reason=str(error)
            )
        ) from error


def hand_out(parts: Mapping[str, Photos], names: Sequence[str], workspace: Path) -> tuple[Path, Path]:
    """Copy ``parts`` (split -> photos) to a folder with the first name and a zip with the second; return both."""
    folder, archive = (workspace / name for name in names)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as zipped:
        for part, photos in parts.items():
            for path in photos.paths:
                inside = f"{folder.name}/{part}/{path.parent.name}/{path.name}"
                target = workspace / inside
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
                zipped.write(target, inside)
    return folder, archive
