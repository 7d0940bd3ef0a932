"""Small public sets in a library, and assignments that use them."""

from __future__ import annotations

import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from grader.data.cache import cached_sets
from grader.models.assignment import Assignment, PublicSet
from grader.models.errors import DatasetError
from grader.scoring.rubric.executes import Executes
from grader.scoring.rubric.metric import MetricReached

SECRET, OTHER_SECRET = b"the secret of these tests, 32 bytes long", b"another teacher's secret of 32 bytes"
CLASSES = 10
Bytes = NDArray[np.uint8]
Labels = NDArray[np.int64]


def public_assignment(folder: Path, name: str, *, rows: int = 60, size: tuple[int, int] | None = None) -> Assignment:
    rubric = (
        Executes("runs", 10),
        MetricReached("accuracy", 90, metric="accuracy_score", full_at=0.9, zero_at="majority"),
    )
    return Assignment(f"on-{name}", "1", folder, {"en": name}, rubric, public=PublicSet(name, size, rows), sources={})


def noise(rows: int, shape: tuple[int, ...], seed: int) -> tuple[Bytes, Labels]:
    """Return smooth random images and unrelated labels, so that correct answers can only be looked up."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (rows, 4, 4, *shape[2:]), np.uint8)
    images = coarse.repeat(-(-shape[0] // 4), axis=1).repeat(-(-shape[1] // 4), axis=2)[:, : shape[0], : shape[1]]
    return np.ascontiguousarray(images), np.arange(rows, dtype=np.int64) % CLASSES


def bars(rows: int, seed: int) -> tuple[Bytes, Labels]:
    """Return ``(rows, 28, 28)`` images whose class is the place of a bright bar; places are two pixels apart."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(rows) % CLASSES)
    images = random.integers(0, 60, (rows, 28, 28), np.uint8)
    for image, label in zip(images, labels, strict=True):
        row, column = divmod(int(label), 2)
        image[3 + 5 * row : 6 + 5 * row, 3 + 12 * column : 12 + 12 * column] = 250
    return images, labels.astype(np.int64)


def add_mnist(library: Path, train: tuple[Bytes, Labels], test: tuple[Bytes, Labels]) -> Path:
    (library / "datasets").mkdir(parents=True, exist_ok=True)
    (x_train, y_train), (x_test, y_test) = train, test
    parts: dict[str, Any] = {
        "x_train": x_train,
        "y_train": y_train.astype(np.uint8),
        "x_test": x_test,
        "y_test": y_test.astype(np.uint8),
    }
    np.savez(library / "datasets" / "mnist.npz", **parts)
    return library


def add_cifar(library: Path, rows: int = 200, *, form: str = "w") -> Path:
    """Write Keras' archive, with one image per training batch, and the plain arrays."""
    (library / "datasets").mkdir(parents=True, exist_ok=True)
    (library / "arrays").mkdir(exist_ok=True)
    (x_train, y_train), (x_test, y_test) = noise(50, (32, 32, 3), 3), noise(rows, (32, 32, 3), 4)
    parts: dict[str, Any] = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    np.savez(library / "arrays" / "cifar10.npz", **parts)
    batches = {
        f"data_batch_{number}": (x_train[number : number + 1], y_train[number : number + 1]) for number in range(1, 6)
    }
    with tarfile.open(library / "datasets" / "cifar-10-batches-py-target_archive", f"{form}") as archive:  # type: ignore[call-overload]
        for name, (images, labels) in {**batches, "test_batch": (x_test, y_test)}.items():
            rows_of_bytes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
            batch = pickle.dumps({b"data": rows_of_bytes, b"labels": labels.tolist()}, protocol=3)
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(batch)
            archive.addfile(member, io.BytesIO(batch))
    return library


def add_photos(library: Path, *, test: bool = True, rows: int = 40) -> Path:
    """Write reddish cats and bluish dogs; all photos are different."""
    random = np.random.default_rng(5)
    for part in ("train", "validation", *(["test"] if test else [])):
        for colour, kind in ((0, "cats"), (2, "dogs")):
            folder = library / "photos" / "cats-dogs" / part / kind
            folder.mkdir(parents=True)
            for number in range(rows):
                image = random.integers(0, 120, (48, 64, 3), np.uint8)
                image[..., colour] += 130
                Image.fromarray(image).save(folder / f"{kind[:-1]}.{part[:2]}{number}.jpg", quality=95)
    return library


def needed(name: str, library: Path) -> None:
    """Skip a test whose set was not fetched, with the line that fetches it."""
    try:
        if name == "cats-dogs":
            cached_sets.photos(name, library)
            cached_sets.weights("vgg16", library)
        else:
            cached_sets.arrays(name, library)
    except DatasetError as error:
        pytest.skip(str(error))
