"""Converters for MNIST, Fashion-MNIST and CIFAR-10: the files that Keras opens, and CIFAR-10 also as plain arrays."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from grader.data.cache import keras_pickles
from grader.data.cache.cached_sets import ARRAY_FILES, DATASETS, FASHION, FASHION_FILES, read_idx
from grader.data.cache.converters.packages import Material

Batch = tuple[npt.NDArray[Any], list[int]]  # (n, 32, 32, 3) uint8, labels

CIFAR_ARCHIVE = "cifar-10-batches-py-target_archive"  # the name that Keras 3 gives to its download
TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST = "test_batch"
SIDE = 32


# ---------------------------------------------------------------- MNIST and Fashion-MNIST


def mnist_npz(material: Material) -> None:
    """Copy Google's ``mnist.npz``."""
    (file,) = material.named("mnist.npz")
    shutil.copyfile(file, material.target(ARRAY_FILES["mnist"]))


def mnist_idx(material: Material) -> None:
    """Convert the four original IDX files, gzipped or not."""
    held = {name.rpartition("/")[2].removesuffix(".gz"): path for name, path in material.files.items()}
    names = {name.removesuffix(".gz"): part for name, part in FASHION_FILES.items()}
    if not names.keys() <= held.keys():
        material.named(*names)  # raises, with the missing names
    arrays = {part: read_idx(held[name]) for name, part in names.items()}
    np.savez_compressed(material.target(ARRAY_FILES["mnist"]), **arrays)  # type: ignore[arg-type]


def fashion_idx(material: Material) -> None:
    """Copy the four files that Keras opens."""
    for name, path in zip(FASHION_FILES, material.named(*FASHION_FILES), strict=True):
        shutil.copyfile(path, material.target(f"{DATASETS}/{FASHION}/{name}"))


# ---------------------------------------------------------------- CIFAR-10: https://www.cs.toronto.edu/~kriz/cifar.html


def cifar_archive(material: Material) -> None:
    """Copy the official archive or Keras' copy of it, and write its images as plain arrays as well."""
    (name,) = material.given
    given = Material(material.known, {f"{name}.tar": material.given[name]}, material.scratch, material.out)
    batches = {batch: _read_batch(path) for batch, path in zip((*TRAIN, TEST), given.named(*TRAIN, TEST), strict=True)}
    shutil.copyfile(material.given[name], material.target(f"{DATASETS}/{CIFAR_ARCHIVE}"))
    _write_arrays(batches, material)


def cifar_sprites(material: Material) -> None:
    """Convert one PNG per batch, whose pixel rows are images of 32 × 32, and two JSON lists of labels."""
    files = material.named(*(f"{name}.png" for name in (*TRAIN, TEST)), "train_lables.json", "test_lables.json")
    labels = [*json.loads(files[6].read_bytes()), *json.loads(files[7].read_bytes())]
    batches: dict[str, Batch] = {}
    for name, path in zip((*TRAIN, TEST), files[:6], strict=True):
        images = _read_sprite(path)
        batches[name] = images, [int(label) for label in labels[: len(images)]]
        del labels[: len(images)]
    with tarfile.open(material.target(f"{DATASETS}/{CIFAR_ARCHIVE}"), "w") as tar:
        for name, (images, batch_labels) in batches.items():
            _add_batch(tar, f"cifar-10-batches-py/{name}", images, batch_labels)
    _write_arrays(batches, material)


def _read_batch(path: Path) -> Batch:
    held = keras_pickles.load_arrays(path.read_bytes())
    data = np.asarray(held[b"data"], np.uint8)
    # (n, 3072), all reds first -> (n, 32, 32, 3)
    images = data.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return images, [int(label) for label in held[b"labels"]]


def _read_sprite(path: Path) -> npt.NDArray[Any]:
    from PIL import Image

    with path.open("rb") as file, Image.open(file, formats=("PNG",)) as sprite:
        return np.asarray(sprite.convert("RGB")).reshape(-1, SIDE, SIDE, 3)


def _add_batch(tar: tarfile.TarFile, name: str, images: npt.NDArray[Any], labels: list[int]) -> None:
    data = np.ascontiguousarray(images.transpose(0, 3, 1, 2)).reshape(len(images), -1)
    content = keras_pickles.dump_arrays({b"data": data, b"labels": labels})
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def _write_arrays(batches: Mapping[str, Batch], material: Material) -> None:
    train = [batches[name] for name in TRAIN]
    np.savez(
        material.target(ARRAY_FILES["cifar10"]),
        x_train=np.concatenate([images for images, _ in train]),
        y_train=np.concatenate([labels for _, labels in train]),
        x_test=batches[TEST][0],
        y_test=np.array(batches[TEST][1]),
    )
