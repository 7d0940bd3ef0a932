"""Folders of photos, one for each class: listed, read at one size, and handed out as a folder and a zip of the same."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from grader.data.public_sets.perturbation import Pictures
from grader.data.public_sets.row_sampling import Places
from grader.models.errors import DatasetError

SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True, slots=True)
class Photos:
    paths: tuple[Path, ...]
    labels: NDArray[np.int64]  # (n,): the classes' folders in alphabetical order, as Keras numbers them

    def only(self, places: Places) -> Photos:
        return Photos(tuple(self.paths[place] for place in places), self.labels[places])

    def without(self, places: Places) -> Photos:
        return self.only(np.setdiff1d(np.arange(len(self.paths)), places))


def listed(folder: Path) -> Photos:
    """Raises DatasetError where there are no two classes."""
    classes = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    if len(classes) < 2:
        raise DatasetError(f"{folder}: found {len(classes)} folders, expected one with photos for each class")
    found = [
        (path, label)
        for label, place in enumerate(classes)
        for path in sorted(place.iterdir())
        if path.suffix.lower() in SUFFIXES
    ]
    return Photos(tuple(path for path, _ in found), np.array([label for _, label in found], np.int64))


def read(paths: Sequence[Path], size: tuple[int, int]) -> Pictures:
    """``(n, height, width, 3)``, stretched to ``size`` as Keras stretches."""
    height, width = size
    pictures = np.empty((len(paths), height, width, 3), np.uint8)
    for place, path in enumerate(paths):
        pictures[place] = _read(path, (width, height))
    return pictures


def _read(path: Path, size: tuple[int, int]) -> Pictures:
    from PIL import Image  # noqa: PLC0415  for those who grade; not for those who list assignments or ask for help

    try:
        with Image.open(path) as image:
            image.draft("RGB", (size[0] * 2, size[1] * 2))  # a JPEG is decoded no larger than is needed
            return np.asarray(image.convert("RGB").resize(size, Image.Resampling.BILINEAR), np.uint8)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise DatasetError(f"{path}: cannot be read as a picture ({error}); run: grader data verify") from error


def hand_out(parts: Mapping[str, Photos], names: Sequence[str], workspace: Path) -> tuple[Path, Path]:
    """``parts`` below a folder of the first name, and in a zip of the second."""
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
