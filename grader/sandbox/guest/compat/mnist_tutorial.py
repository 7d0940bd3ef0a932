"""MNIST as TensorFlow 1's tutorial read it: ``tensorflow.examples.tutorials.mnist.input_data.read_data_sets``.

The rows are those of ``keras.datasets.mnist``, split and scaled as in the tutorial.
"""

from __future__ import annotations

import importlib
from collections import namedtuple
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .notes import note_translation
from .stub_modules import provide_missing

PACKAGE = "tensorflow.examples.tutorials.mnist"
VALIDATION_ROWS = 5000
PARAMETERS = ("train_dir", "fake_data", "one_hot", "dtype", "reshape", "validation_size", "seed", "source_url")

Datasets = namedtuple("Datasets", ["train", "validation", "test"])


def install() -> None:
    """Provide the modules of the tutorial."""
    packages = ("tensorflow.examples", "tensorflow.examples.tutorials", PACKAGE)
    provide_missing({**dict.fromkeys(packages, lambda _module: None), f"{PACKAGE}.input_data": _fill})


def _fill(module: ModuleType) -> None:
    module.read_data_sets = read_data_sets  # type: ignore[attr-defined]


class DataSet:
    """Rows with ``next_batch``, which goes through them in a new random order each time."""

    def __init__(self, images: NDArray[Any], labels: NDArray[Any]) -> None:
        self.images, self.labels = images, labels
        self.num_examples, self.epochs_completed = len(images), 0
        self._next = 0

    def next_batch(
        self, batch_size: int, _fake_data: bool = False, shuffle: bool = True
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the next ``batch_size`` images and labels; a batch at the end of the rows goes on with the first."""
        if shuffle and self._next == 0 and self.epochs_completed == 0:
            self._shuffle()
        rest = [array[self._next : self._next + batch_size] for array in (self.images, self.labels)]
        self._next += batch_size
        if self._next <= self.num_examples:
            return rest[0], rest[1]
        self.epochs_completed += 1
        if shuffle:
            self._shuffle()
        self._next = batch_size - len(rest[0])
        first = [array[: self._next] for array in (self.images, self.labels)]
        return np.concatenate([rest[0], first[0]]), np.concatenate([rest[1], first[1]])

    def _shuffle(self) -> None:
        order = np.random.permutation(self.num_examples)
        self.images, self.labels = self.images[order], self.labels[order]


def read_data_sets(*args: Any, **kwargs: Any) -> Datasets:
    """Return images, from 0 to 1 in float32 or from 0 to 255 in uint8, in rows of 784 or (28, 28, 1), and labels.

    Labels are digits, or rows of ten with ``one_hot``. The arguments are ``PARAMETERS``; ``train_dir``, to which the
    tutorial downloaded, is not used.
    """
    given = {**dict(zip(PARAMETERS, args, strict=False)), **kwargs}
    note_translation("input_data.read_data_sets(...)", "keras.datasets.mnist.load_data()")
    validation_rows, dtype = given.get("validation_size", VALIDATION_ROWS), given.get("dtype", np.float32)
    (x, y), test = _load()
    train, validation = (x[validation_rows:], y[validation_rows:]), (x[:validation_rows], y[:validation_rows])

    def data_set(images: NDArray[Any], labels: NDArray[Any]) -> DataSet:
        images = images.reshape(len(images), 784) if given.get("reshape", True) else images[..., np.newaxis]
        if np.dtype(getattr(dtype, "as_numpy_dtype", dtype)) == np.float32:
            images = images.astype(np.float32) / np.float32(255)
        return DataSet(images, np.eye(10)[labels] if given.get("one_hot") else labels)

    return Datasets(data_set(*train), data_set(*validation), data_set(*test))


def _load() -> Any:
    path = Path.home() / ".keras" / "datasets" / "mnist.npz"
    if not path.is_file():
        return importlib.import_module("keras.datasets.mnist").load_data()
    with np.load(path, allow_pickle=False) as found:
        return (found["x_train"], found["y_train"]), (found["x_test"], found["y_test"])
