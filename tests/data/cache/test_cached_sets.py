from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from grader.data.cache import cached_sets
from grader.models.errors import DatasetError
from tests.data.cache import tiny_sets as tiny


@pytest.mark.parametrize(
    "open_set",
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
def test_a_missing_set_error_says_how_to_fetch_it(
    tmp_path: Path, open_set: Callable[[Path], object], request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.id
    with pytest.raises(DatasetError) as failure:
        open_set(tmp_path)
    assert str(failure.value) == f"{name} is not in the library at {tmp_path}; run: grader data fetch {name}"


def test_an_unknown_set_error_lists_the_known_sets(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"kmnist: there is no such dataset; known: mnist, cifar10"):
        cached_sets.arrays("kmnist", tmp_path)
    with pytest.raises(DatasetError, match=r"vgg16 \(top=True\): there is no such dataset"):
        cached_sets.weights("vgg16", tmp_path, top=True)


def test_an_array_that_needs_pickle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    objects = np.array([{"a": 1}, [2]], object)
    np.savez(tmp_path / "datasets" / "mnist.npz", x_train=objects, y_train=objects, x_test=objects, y_test=objects)
    with pytest.raises(DatasetError, match="run: grader data verify mnist"):
        cached_sets.arrays("mnist", tmp_path)


def test_an_npz_without_one_of_its_arrays_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    np.savez(tmp_path / "datasets" / "mnist.npz", x_train=np.zeros(3))
    with pytest.raises(DatasetError, match="cannot be read"):
        cached_sets.arrays("mnist", tmp_path)


# ---------------------------------------------------------------- IDX files


@settings(deadline=None)
@given(array=arrays(np.uint8, array_shapes(max_dims=4, max_side=5, min_side=0)), gzipped=st.booleans())
def test_an_idx_array_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, array: npt.NDArray[Any], gzipped: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "array"
    path.write_bytes(gzip.compress(tiny.idx(array)) if gzipped else tiny.idx(array))
    assert np.array_equal(cached_sets.read_idx(path), array)


@settings(deadline=None)
@given(content=st.binary(max_size=40) | st.binary(max_size=30).map(lambda rest: b"\0\0\x08\x03" + rest))
@example(content=b"\x1f\x8b")
@example(content=b"\x1f\x8bnot compressed")
@example(content=gzip.compress(b"\0\0\x08\x01", mtime=0)[:10] + b"\xff" * 9)
@example(content=gzip.compress(tiny.idx(np.zeros(9, np.uint8)))[:-9])
def test_other_content_is_a_value_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "array"
    path.write_bytes(content)
    try:
        cached_sets.read_idx(path)
    except ValueError:
        return
    rank = content[3]
    assert len(content) - 4 - 4 * rank == np.prod(struct.unpack_from(f">{rank}I", content, 4))


def test_a_header_that_claims_too_much_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "array"
    path.write_bytes(struct.pack(">BBBB3I", 0, 0, 8, 3, *[2**32 - 1] * 3))
    with pytest.raises(ValueError, match="found 0 numbers, expected 79228162458924105385300197375"):
        cached_sets.read_idx(path)
