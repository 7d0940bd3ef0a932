"""The two formats that are read by hand: idx, and Keras' pickles."""

from __future__ import annotations

import gzip
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from grader.data.cache import idx_format, keras_pickles
from tests.data.cache import tiny


@given(array=arrays(np.uint8, array_shapes(max_dims=4, max_side=5, min_side=0)), packed=st.booleans())
def test_an_array_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, array: npt.NDArray[Any], packed: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "array"
    path.write_bytes(gzip.compress(tiny.idx(array)) if packed else tiny.idx(array))
    assert np.array_equal(idx_format.read(path), array)


@given(content=st.binary(max_size=40) | st.binary(max_size=30).map(lambda rest: b"\0\0\x08\x03" + rest))
def test_anything_else_is_a_value_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "array"
    path.write_bytes(content)
    try:
        idx_format.read(path)
    except ValueError:
        return
    rank = content[3]
    assert len(content) - 4 - 4 * rank == np.prod(struct.unpack_from(f">{rank}I", content, 4))


def test_a_claim_of_more_than_there_is_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "array"
    path.write_bytes(struct.pack(">BBBB3I", 0, 0, 8, 3, *[2**32 - 1] * 3))
    with pytest.raises(ValueError, match="found 0 numbers, expected 79228162458924105385300197375"):
        idx_format.read(path)


# ---------------------------------------------------------------- pickles


def python2_style(array: npt.NDArray[Any]) -> bytes:
    """As the official files: protocol 2, and NumPy's function under its old name."""
    return pickle.dumps({b"data": array, b"labels": [1, 2]}, protocol=2).replace(
        b"numpy._core.multiarray", b"numpy.core.multiarray"
    )


@pytest.mark.parametrize(
    "write", [python2_style, lambda array: keras_pickles.dumped({b"data": array, b"labels": [1, 2]})]
)
def test_arrays_and_lists_are_read(write: Any) -> None:
    array = np.arange(12, dtype=np.uint8).reshape(3, 4)
    held = keras_pickles.loaded(write(array))
    assert np.array_equal(held[b"data"], array)
    assert held[b"labels"] == [1, 2]


class Calls:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = function, arguments

    def __reduce__(self) -> Any:
        return self._call


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(Calls(os.system, "touch owned"), id="a command"),
        pytest.param(Calls(eval, "open('owned', 'w')"), id="an expression"),
        pytest.param(Calls(getattr, np.ndarray, "tofile"), id="an attribute"),
        pytest.param(Calls(np.load, "x.npy"), id="another function of NumPy"),
        pytest.param(Calls(np.memmap, "owned", "u1", "w+", 0, (9,)), id="a file of NumPy's"),
    ],
)
def test_nothing_is_called(call: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="expected nothing but arrays, lists, numbers and texts"):
        keras_pickles.loaded(pickle.dumps(call))
    assert list(tmp_path.iterdir()) == []


def test_bytes_are_spelled_in_one_way() -> None:
    bomb = b"c_codecs\nencode\n(V" + b"0" * 50 + b"\nVzip\ntR."
    with pytest.raises(ValueError, match="expected latin1"):
        keras_pickles.loaded(bomb)


@given(content=st.binary(max_size=60))
def test_noise_is_a_value_error_or_plain_data(content: bytes) -> None:
    try:
        keras_pickles.loaded(content)
    except ValueError as error:
        assert str(error).startswith("is no pickle of arrays")
