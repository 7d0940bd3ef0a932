from __future__ import annotations

import gzip
import pickle
import shutil
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.data.hidden_sets import hidden_inputs, open_hidden_set, prepare_data, public_table
from grader.data.public_sets.definitions import DIGITS, PHOTOS, SETS, Bounds
from grader.data.public_sets.hidden_rows import draw_replacements, draw_stratified, perturb, random_stream
from grader.models.assignment import Assignment
from grader.models.errors import DatasetError
from tests.support.assignment_folders import data_of
from tests.support.public_sets import (
    OTHER_SECRET,
    SECRET,
    Bytes,
    add_cifar,
    add_mnist,
    add_photos,
    noise,
    public_assignment,
)

LABELS = st.lists(st.integers(0, 4), min_size=20, max_size=200).map(lambda labels: np.array(labels, np.int64))
SEEDS = st.integers(0, 2**64 - 1)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    add_mnist(folder, noise(100, (28, 28), 1), noise(300, (28, 28), 2))
    return add_photos(add_cifar(folder, 300))


@pytest.fixture(scope="module")
def digits(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    return prepare_data(public_assignment(library, "mnist"), SECRET, library, tmp_path_factory.mktemp("digits"))


# ---------------------------------------------------------------- which rows


@settings(max_examples=60, deadline=None)
@given(labels=LABELS, rows=st.integers(1, 250), seed=SEEDS)
def test_rows_are_drawn_without_repetition_and_by_class_share(labels: Any, rows: int, seed: int) -> None:
    places = draw_stratified(labels, rows, random_stream(seed))
    wanted = min(rows, len(labels))
    assert len(places) == len(set(places.tolist())) == wanted
    share = np.bincount(labels, minlength=5) * wanted / len(labels)
    assert (np.abs(np.bincount(labels[places], minlength=5) - share) < 1).all()
    np.testing.assert_array_equal(places, draw_stratified(labels, rows, random_stream(seed)))


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS)
def test_replacements_have_the_same_class_and_are_not_hidden(seed: int) -> None:
    labels = np.arange(90) % 3
    places = draw_stratified(labels, 30, random_stream(seed))
    others = draw_replacements(places, labels, random_stream(seed))
    np.testing.assert_array_equal(labels[others], labels[places])
    assert not set(others.tolist()) & set(places.tolist())


def content(archive: tarfile.TarFile, member: str) -> bytes:
    file = archive.extractfile(member)
    return b"" if file is None else file.read()


def test_the_order_of_rows_does_not_depend_on_their_classes() -> None:
    labels = np.repeat([0, 1], 500)
    places = draw_stratified(labels, 400, random_stream(7))
    assert 150 < np.count_nonzero(np.diff(labels[places])) < 250


# ---------------------------------------------------------------- perturbation


@pytest.mark.parametrize(
    ("bounds", "shape"),
    [(DIGITS, (28, 28)), (PHOTOS, (32, 32, 3)), (PHOTOS, (48, 64, 3))],
    ids=["mnist", "cifar10", "photos"],
)
def test_a_perturbed_image_differs_and_resembles_its_original(bounds: Bounds, shape: tuple[int, ...]) -> None:
    images, _ = noise(80, shape, 9)
    after = perturb(images, bounds, random_stream(1))
    assert (after.shape, after.dtype) == (images.shape, np.uint8)
    assert not {image.tobytes() for image in images} & {image.tobytes() for image in after}
    flat, moved = (array.reshape(80, -1).astype(float) for array in (images, after))
    if bounds.flipped:
        flat = np.concatenate([flat, images[:, :, ::-1].reshape(80, -1).astype(float)])
    likeness = np.corrcoef(moved, flat)[:80, 80:]
    assert np.mean(likeness.argmax(axis=1) % 80 == np.arange(80)) > 0.95


def test_the_background_of_digits_stays_black() -> None:
    images = np.zeros((40, 28, 28), np.uint8)
    images[:, 10:18, 10:18] = 255
    after = perturb(images, DIGITS, random_stream(3))
    assert (after[:, :5] == 0).all() and (after[:, :, 24:] == 0).all()
    assert after.max(axis=(1, 2)).min() >= 200


@pytest.mark.parametrize("seed", [0, 1])
def test_half_of_the_photos_and_no_digits_are_mirrored(seed: int) -> None:
    ramp = np.broadcast_to(np.linspace(0, 200, 32, dtype=np.uint8), (200, 32, 32))
    rises = [int(image[16, 25]) > int(image[16, 6]) for image in perturb(ramp, PHOTOS, random_stream(seed))]
    assert 70 < sum(rises) < 130
    assert all(
        int(digit[14, 22]) > int(digit[14, 5]) for digit in perturb(ramp[:, 2:30, 2:30], DIGITS, random_stream(seed))
    )


# ---------------------------------------------------------------- hidden rows


@pytest.mark.parametrize(
    ("name", "size", "row"),
    [("mnist", None, (28, 28)), ("cifar10", None, (32, 32, 3)), ("cats-dogs", (24, 40), (24, 40, 3))],
    ids=["mnist", "cifar10", "cats-dogs"],
)
def test_a_public_set_becomes_plain_data(
    library: Path, tmp_path: Path, name: str, size: Any, row: tuple[int, ...]
) -> None:
    assignment = prepare_data(public_assignment(library, name, size=size), SECRET, library, tmp_path)
    inputs, labels, table = (
        hidden_inputs(assignment, SECRET),
        open_hidden_set(assignment, SECRET).labels,
        public_table(data_of(assignment)),
    )
    assert (inputs.shape, inputs.dtype, labels.dtype) == ((60, *row), np.uint8, np.int64)
    assert len(set(np.bincount(labels))) == 1, "balanced as the set is"
    assert table.inputs.shape[1:] == row and len(table.inputs) >= 50
    assert assignment.public is None and assignment.withheld
    assert prepare_data(assignment, SECRET, library, tmp_path) is assignment


@pytest.mark.parametrize("name", ["mnist", "cifar10", "cats-dogs"])
def test_the_hidden_rows_depend_on_the_secret(library: Path, tmp_path: Path, name: str) -> None:
    assignment = public_assignment(library, name, size=(24, 24) if name == "cats-dogs" else None)
    sets = [
        hidden_inputs(prepare_data(assignment, secret, library, tmp_path / str(number)), secret)
        for number, secret in enumerate((SECRET, SECRET, OTHER_SECRET))
    ]
    np.testing.assert_array_equal(sets[0], sets[1])
    assert not {row.tobytes() for row in sets[0]} & {row.tobytes() for row in sets[2]}


@pytest.mark.parametrize(("name", "size"), [("mnist", None), ("cats-dogs", (24, 24))])
def test_small_sets_have_fewer_hidden_rows_than_asked_for(library: Path, tmp_path: Path, name: str, size: Any) -> None:
    assignment = prepare_data(public_assignment(library, name, size=size, rows=2000), SECRET, library, tmp_path)
    assert len(open_hidden_set(assignment, SECRET).labels) == (80 if size else 100)


@pytest.mark.parametrize("place", [None, "empty"])
def test_a_missing_set_is_a_one_line_error(tmp_path: Path, place: str | None) -> None:
    folder = tmp_path / place if place else None
    with pytest.raises(DatasetError, match="mnist") as missing:
        prepare_data(public_assignment(tmp_path, "mnist"), SECRET, folder, tmp_path / "work")
    assert "\n" not in str(missing.value)


# ---------------------------------------------------------------- withheld files


def originals(library: Path, name: str) -> tuple[Bytes, Any]:
    path = library / ("datasets/mnist.npz" if name == "mnist" else "arrays/cifar10.npz")
    with np.load(path) as arrays:
        return arrays["x_test"], arrays["y_test"]


def hidden_of(test: Bytes, shown: Bytes) -> set[bytes]:
    return {row.tobytes() for row in test} - {row.tobytes() for row in shown}


def test_mnist_is_unchanged_except_for_the_hidden_images(library: Path, digits: Assignment) -> None:
    test, labels = originals(library, "mnist")
    with (
        np.load(digits.withheld["datasets/mnist.npz"]) as seen,
        np.load(library / "datasets" / "mnist.npz") as original,
    ):
        assert set(seen.files) == set(original.files)
        for name in ("x_train", "y_train", "y_test"):
            np.testing.assert_array_equal(seen[name], original[name])
        shown = seen["x_test"]
    assert shown.shape == test.shape
    assert len(hidden_of(test, shown)) == 60
    by_bytes = {row.tobytes(): label for row, label in zip(test, labels, strict=True)}
    assert [by_bytes[row.tobytes()] for row in shown] == labels.tolist(), "each image keeps its label"


@pytest.mark.parametrize("form", ["w", "w:gz"])
def test_the_cifar_archive_is_unchanged_except_for_the_hidden_images(tmp_path: Path, form: str) -> None:
    library = add_cifar(tmp_path / "library", form=form)
    assignment = prepare_data(public_assignment(tmp_path, "cifar10"), SECRET, library, tmp_path / "work")
    name = "datasets/cifar-10-batches-py-target_archive"
    with tarfile.open(library / name) as original, tarfile.open(assignment.withheld[name]) as seen:
        assert original.getnames() == seen.getnames()
        same = {member: content(original, member) == content(seen, member) for member in original.getnames()}
        batch = pickle.loads(content(seen, "cifar-10-batches-py/test_batch"))
    assert [member for member, is_same in same.items() if not is_same] == ["cifar-10-batches-py/test_batch"]
    test, labels = originals(library, "cifar10")
    shown = batch[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    assert len(hidden_of(test, np.ascontiguousarray(shown))) == 60
    assert batch[b"labels"] == labels.tolist()
    assert assignment.withheld["arrays/cifar10.npz"].read_bytes() == b""


def test_other_files_named_like_the_set_are_empty(library: Path, tmp_path: Path) -> None:
    copy = tmp_path / "library"
    shutil.copytree(library, copy)
    others = ["datasets/fashion-mnist/t10k.gz", "datasets/imdb.npz", "models/vgg16.h5", "datasets/kmnist.npz"]
    own = ["datasets/MNIST_data/t10k.gz", "mnist/raw/x", "datasets/mnist.pkl.gz", "arrays/mnist.npz"]
    for name in (*others, *own):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(gzip.compress(b"pictures"))
    found = prepare_data(public_assignment(tmp_path, "mnist"), SECRET, copy, tmp_path / "work").withheld
    assert set(found) == {
        "datasets/MNIST_data",
        "mnist",
        "datasets/mnist.pkl.gz",
        "arrays/mnist.npz",
        "datasets/mnist.npz",
    }
    assert found["mnist"].is_dir() and list(found["mnist"].iterdir()) == []
    assert found["arrays/mnist.npz"].read_bytes() == b""


@pytest.mark.parametrize("content", ["none", "other pictures"])
def test_an_archive_without_the_expected_rows_is_an_error(tmp_path: Path, content: str) -> None:
    library = add_cifar(tmp_path / "library")
    if content == "none":
        (library / SETS["cifar10"].rewritten).write_bytes(b"no archive")
    else:
        (add_cifar(tmp_path / "other", 100) / SETS["cifar10"].rewritten).replace(library / SETS["cifar10"].rewritten)
    with pytest.raises(DatasetError, match="hidden rows cannot be removed from this file"):
        prepare_data(public_assignment(tmp_path, "cifar10"), SECRET, library, tmp_path / "work")


# ---------------------------------------------------------------- photos


@pytest.mark.parametrize("has_test", [True, False])
def test_hidden_photos_are_in_no_file_of_the_notebook(tmp_path: Path, has_test: bool) -> None:
    library = add_photos(tmp_path / "library", test=has_test)
    assignment = prepare_data(
        public_assignment(tmp_path, "cats-dogs", rows=30, size=(24, 24)), SECRET, library, tmp_path / "work"
    )
    folder, archive = data_of(assignment).files
    photos = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.jpg")}
    with zipfile.ZipFile(archive) as zipped:
        packed = {name.removeprefix("cats_and_dogs_filtered/"): zipped.read(name) for name in zipped.namelist()}
    assert photos == packed
    assert {name.rpartition("/")[0] for name in photos} == {
        f"{part}/{kind}" for part in ("train", "validation") for kind in ("cats", "dogs")
    }
    original = {
        path.read_bytes() for part in ("train", "validation") for path in (library / "photos").rglob(f"{part}/*/*")
    }
    assert len(original) - len(set(photos.values())) == (0 if has_test else 30)
    assert len(open_hidden_set(assignment, SECRET).labels) == 30
    assert set(assignment.withheld) == {"photos"}


def test_a_broken_photo_is_named(tmp_path: Path) -> None:
    library = add_photos(tmp_path / "library", rows=5)
    for path in (library / "photos" / "cats-dogs" / "test" / "cats").iterdir():
        path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DatasetError, match=r"test/cats/cat\.te\d\.jpg: cannot be read as an image"):
        prepare_data(public_assignment(tmp_path, "cats-dogs", size=(24, 24)), SECRET, library, tmp_path / "work")


def test_a_folder_without_classes_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "library" / "photos" / "cats-dogs" / "train").mkdir(parents=True)
    with pytest.raises(DatasetError, match="found 0 folders, expected one with photos for each class"):
        prepare_data(
            public_assignment(tmp_path, "cats-dogs", size=(24, 24)), SECRET, tmp_path / "library", tmp_path / "w"
        )
