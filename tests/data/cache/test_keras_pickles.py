from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.data.cache import keras_pickles


def python2_pickle(array: npt.NDArray[Any]) -> bytes:
    """Return a pickle like those in the official files: protocol 2, with the old name of NumPy's function."""
    return pickle.dumps({b"data": array, b"labels": [1, 2]}, protocol=2).replace(
        b"numpy._core.multiarray", b"numpy.core.multiarray"
    )


@pytest.mark.parametrize(
    "write",
    [python2_pickle, lambda array: keras_pickles.dump_arrays({b"data": array, b"labels": [1, 2]})],
    ids=["official", "own"],
)
def test_arrays_and_lists_are_read(write: Any) -> None:
    array = np.arange(12, dtype=np.uint8).reshape(3, 4)
    held = keras_pickles.load_arrays(write(array))
    assert np.array_equal(held[b"data"], array)
    assert held[b"labels"] == [1, 2]


class Call:
    """An object whose pickle calls a function when it is loaded."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = function, arguments

    def __reduce__(self) -> Any:
        return self._call


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(Call(os.system, "touch owned"), id="a command"),
        pytest.param(Call(eval, "open('owned', 'w')"), id="an expression"),
        pytest.param(Call(getattr, np.ndarray, "tofile"), id="an attribute"),
        pytest.param(Call(np.load, "x.npy"), id="another function of NumPy"),
        pytest.param(Call(np.memmap, "owned", "u1", "w+", 0, (9,)), id="a memory-mapped file of NumPy"),
    ],
)
def test_a_pickle_cannot_call_a_function(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="expected nothing but arrays, lists, numbers and texts"):
        keras_pickles.load_arrays(pickle.dumps(call))
    assert list(tmp_path.iterdir()) == []


def test_a_codec_that_unpacks_is_refused() -> None:
    bomb = b"c_codecs\nencode\n(V" + b"0" * 50 + b"\nVzip\ntR."
    with pytest.raises(ValueError, match="expected latin1"):
        keras_pickles.load_arrays(bomb)


@settings(deadline=None)
@given(content=st.binary(max_size=60))
def test_random_bytes_are_plain_data_or_a_value_error(content: bytes) -> None:
    try:
        keras_pickles.load_arrays(content)
    except ValueError as error:
        assert str(error).startswith("is not a pickle of arrays")
