"""The sets that everybody can get and that homework may be set on: what each is called, and how its rows may change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from grader.data.public_sets.perturbation import Bounds

# Digits are centred, and what learns them relies on that: a pixel costs an honest network one point in a hundred, two
# would cost it nine.
DIGITS = Bounds(shift=(0.3 / 28, 1 / 28), turn=8.0, scale=(0.95, 1.05), contrast=(0.8, 1.0))
# Of 32 pixels nothing can be spared.
SMALL_PICTURES = Bounds(
    shift=(0.01, 0.03), turn=4.0, scale=(0.95, 1.0), contrast=(0.85, 1.15), brightness=12.0, flipped=True
)
# A crop of nine tenths, moved within the picture.
PICTURES = Bounds(
    shift=(0.015, 0.05), turn=8.0, scale=(0.88, 0.94), contrast=(0.85, 1.15), brightness=12.0, flipped=True
)


@dataclass(frozen=True, slots=True)
class Known:
    bounds: Bounds
    in_code: re.Pattern[str]  # how a notebook that is about the set speaks of it
    names: re.Pattern[str]  # what files and folders of the library that hold it are called, from their first letter on
    rewritten: str = ""  # the file of these that Keras opens, which the notebook gets with other rows in it
    handed_out: tuple[str, ...] = ()  # what lies beside the notebook; of arrays nothing does

    @property
    def is_photos(self) -> bool:
        return bool(self.handed_out)


SETS: Mapping[str, Known] = {
    "mnist": Known(
        DIGITS,
        in_code=re.compile(r"(?<![\w-])mnist\b"),
        names=re.compile(r"mnist", re.IGNORECASE),
        rewritten="datasets/mnist.npz",
    ),
    "cifar10": Known(
        SMALL_PICTURES,
        in_code=re.compile(r"\bcifar10\b"),
        names=re.compile(r"cifar[-_]?10(?!0)", re.IGNORECASE),
        rewritten="datasets/cifar-10-batches-py-target_archive",
    ),
    "cats-dogs": Known(
        PICTURES,
        in_code=re.compile(r"\bcats_and_dogs"),
        names=re.compile(r"cats|kagglecats|petimages|dogs|photos$", re.IGNORECASE),
        handed_out=("cats_and_dogs_filtered", "cats_and_dogs_filtered.zip"),
    ),
}
