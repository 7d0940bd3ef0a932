"""Pickles in Keras' own files of CIFAR-10 and IMDB. No other module reads or writes pickles.

Only two kinds of files are read: files of the official servers, whose hash Keras publishes, and files that an operator
gives as such. The unpickler builds arrays, lists, numbers and texts, and nothing else. No student's file gets here.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np

_REBUILD = np.empty(0).__reduce__()[0]  # NumPy moved it between modules; both names stand for this function
_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _REBUILD,
    ("numpy._core.multiarray", "_reconstruct"): _REBUILD,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        if (module_name, global_name) == ("_codecs", "encode"):
            return _latin1_bytes
        try:
            return _ALLOWED[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"found {module_name}.{global_name}, expected nothing but arrays, lists, numbers and texts"
            ) from None


def _latin1_bytes(text: str, encoding: str = "latin1") -> bytes:
    """Rebuild bytes as protocol 2 and Python 2 write them. Other codecs could unpack to any size."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"found bytes written as {encoding!r}, expected latin1")
    return text.encode("latin1")


def load_arrays(content: bytes) -> Any:
    """Return the content of a pickle, with Python 2's keys as bytes. Raises ValueError unless it is plain data."""
    try:
        return _ArraysOnly(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # a damaged pickle can raise any error
        raise ValueError(f"is not a pickle of arrays: {error}") from error


def dump_arrays(value: object) -> bytes:
    """Return a pickle in protocol 3, which Keras' own allow-list accepts."""
    return pickle.dumps(value, protocol=3)
