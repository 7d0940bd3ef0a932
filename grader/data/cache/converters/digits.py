"""MNIST and Fashion-MNIST, from the files of the original or as Keras packs them."""

from __future__ import annotations

import shutil

import numpy as np

from grader.data.cache import idx_format
from grader.data.cache.cached_sets import ARRAY_FILES, FASHION, FASHION_FILES
from grader.data.cache.converters.packages import Material
from grader.data.cache.location import DATASETS


def mnist_npz(material: Material) -> None:
    """Google's ``mnist.npz``, as it is."""
    (file,) = material.named("mnist.npz")
    shutil.copyfile(file, material.target(ARRAY_FILES["mnist"]))


def mnist_idx(material: Material) -> None:
    """The four files of the original, packed with gzip or not."""
    held = {name.rpartition("/")[2].removesuffix(".gz"): path for name, path in material.files.items()}
    names = {name.removesuffix(".gz"): part for name, part in FASHION_FILES.items()}
    if not names.keys() <= held.keys():
        material.named(*names)  # says what is missing
    arrays = {part: idx_format.read(held[name]) for name, part in names.items()}
    np.savez_compressed(material.target(ARRAY_FILES["mnist"]), **arrays)  # type: ignore[arg-type]


def fashion_idx(material: Material) -> None:
    """The four files that Keras opens, as they are."""
    for name, path in zip(FASHION_FILES, material.named(*FASHION_FILES), strict=True):
        shutil.copyfile(path, material.target(f"{DATASETS}/{FASHION}/{name}"))
