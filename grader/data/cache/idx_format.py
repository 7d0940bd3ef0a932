"""The format of MNIST's files: http://yann.lecun.com/exdb/mnist/, as bytes and packed with gzip or not."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_BYTES = 0x08  # the only type of number that occurs
_LARGEST = 1 << 28  # what one file may unpack to


def read(path: Path) -> npt.NDArray[Any]:
    """The array of bytes in the file; raises ValueError where it is no such file or is cut off."""
    packed = path.read_bytes()
    if packed.startswith(b"\x1f\x8b"):
        with gzip.open(path) as file:
            packed = file.read(_LARGEST)
    if len(packed) < 4 or packed[:2] != b"\0\0" or packed[2] != _BYTES:
        raise ValueError(f"{path.name}: found {packed[:4].hex(' ')} at its beginning, expected 00 00 08 and a rank")
    rank = packed[3]
    start = 4 + 4 * rank
    if len(packed) < start:
        raise ValueError(f"{path.name}: is cut off inside its header")
    shape = struct.unpack_from(f">{rank}I", packed, 4)
    size = int(np.prod(shape, dtype=object))
    if len(packed) - start != size:
        raise ValueError(f"{path.name}: found {len(packed) - start} numbers, expected {size}")
    return np.frombuffer(packed, np.uint8, offset=start).reshape(shape)
