"""The public datasets that homework may use, with their file names and the bounds of their perturbation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """Uniform ranges of a random perturbation.

    The lower bound of ``shift`` is above 0, so that every image changes.
    """

    shift: tuple[float, float]  # in each direction, as a share of width and height
    turn: float  # degrees, either way
    scale: tuple[float, float]  # part shown / whole image: below 1 is a crop
    contrast: tuple[float, float]  # around the image's mean; around black when brightness is 0
    brightness: float = 0.0  # either way, of 255; 0: the background is black and stays black
    flipped: bool = False  # mirror every other image left to right


# Networks for digits rely on centred digits: one pixel costs an honest network one point in a hundred, two cost nine.
DIGITS = Bounds(shift=(0.3 / 28, 1 / 28), turn=8.0, scale=(0.95, 1.05), contrast=(0.8, 1.0))
# An image of 32 pixels loses detail with every cropped pixel.
SMALL_IMAGES = Bounds(
    shift=(0.01, 0.03), turn=4.0, scale=(0.95, 1.0), contrast=(0.85, 1.15), brightness=12.0, flipped=True
)
# A crop of nine tenths, moved inside the photo.
PHOTOS = Bounds(shift=(0.015, 0.05), turn=8.0, scale=(0.88, 0.94), contrast=(0.85, 1.15), brightness=12.0, flipped=True)


@dataclass(frozen=True, slots=True)
class SetDefinition:
    """A public dataset."""

    bounds: Bounds
    in_code: re.Pattern[str]  # matches the code of a notebook that uses the set
    names: re.Pattern[str]  # matches, from the start, names of files and folders in the library that hold the set
    rewritten: str = ""  # the one of these files that Keras opens; the notebook gets it with the hidden rows replaced
    handed_out: tuple[str, ...] = ()  # photos only: names of the folder and the zip beside the notebook

    @property
    def is_photos(self) -> bool:
        return bool(self.handed_out)


SETS: Mapping[str, SetDefinition] = {
    "mnist": SetDefinition(
        DIGITS,
        in_code=re.compile(r"(?<![\w-])mnist\b"),
        names=re.compile(r"mnist", re.IGNORECASE),
        rewritten="datasets/mnist.npz",
    ),
    "cifar10": SetDefinition(
        SMALL_IMAGES,
        in_code=re.compile(r"\bcifar10\b"),
        names=re.compile(r"cifar[-_]?10(?!0)", re.IGNORECASE),
        rewritten="datasets/cifar-10-batches-py-target_archive",
    ),
    "cats-dogs": SetDefinition(
        PHOTOS,
        in_code=re.compile(r"\bcats_and_dogs"),
        names=re.compile(r"cats|kagglecats|petimages|dogs|photos$", re.IGNORECASE),
        handed_out=("cats_and_dogs_filtered", "cats_and_dogs_filtered.zip"),
    ),
}
