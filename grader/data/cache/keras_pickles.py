"""The one place that reads and writes pickles: Keras' own files of CIFAR-10 and IMDB hold them.

Read are only files of the official servers, whose hash Keras publishes, and what an operator gives as such; even of
these nothing but arrays, lists, numbers and texts is built. No student's file ever comes here.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np

_REBUILD = np.empty(0).__reduce__()[0]  # numpy moved it between modules; both names stand for this function
_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _REBUILD,
    ("numpy._core.multiarray", "_reconstruct"): _REBUILD,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        if (module_name, global_name) == ("_codecs", "encode"):
            return _bytes_of
        try:
            return _ALLOWED[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"found {module_name}.{global_name}, expected nothing but arrays, lists, numbers and texts"
            ) from None


def _bytes_of(text: str, encoding: str = "latin1") -> bytes:
    """How Python 2 and protocol 2 spell bytes; other codecs could unpack to anything."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"found bytes written as {encoding!r}, expected latin1")
    return text.encode("latin1")


def loaded(content: bytes) -> Any:
    """What the pickle holds, keys of Python 2 as bytes; raises ValueError for anything that isn't plain data."""
    try:
        return _ArraysOnly(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # a damaged pickle raises whatever it happens to run into
        raise ValueError(f"is no pickle of arrays: {error}") from error


def dumped(value: object) -> bytes:
    """Protocol 3, which Keras' own allow-list takes."""
    return pickle.dumps(value, protocol=3)
