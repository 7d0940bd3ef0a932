"""The library: one folder of public data and weights for every user of this machine, laid out as Keras' cache.

library/datasets, library/models   as in ``KERAS_HOME``: what ``keras.datasets`` and ``keras.applications`` open
library/arrays                     the same data as plain arrays, where Keras' own file would need pickle
library/photos/SET/SPLIT/CLASS     photos
library/fonts                      fonts
library/index                      what was fetched, from where, with the SHA-256 of every file

The functions here open sets that are in the library. They fetch nothing and unpickle nothing.
"""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import platformdirs

from grader.i18n.message import message
from grader.models.errors import DatasetError

Array = npt.NDArray[Any]

DATASETS, MODELS, ARRAYS, PHOTOS, FONTS, INDEX = "datasets", "models", "arrays", "photos", "fonts", "index"

FASHION = "fashion-mnist"
FASHION_FILES = {  # file name that Keras expects -> array in it
    "train-images-idx3-ubyte.gz": "x_train",
    "train-labels-idx1-ubyte.gz": "y_train",
    "t10k-images-idx3-ubyte.gz": "x_test",
    "t10k-labels-idx1-ubyte.gz": "y_test",
}
ARRAY_FILES = {
    "mnist": f"{DATASETS}/mnist.npz",
    "cifar10": f"{ARRAYS}/cifar10.npz",
    "imdb": f"{ARRAYS}/imdb.npz",
}
WEIGHT_FILES = {  # (name, with the top layers for 1000 classes) -> file
    ("vgg16", False): f"{MODELS}/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
    ("resnet50", True): f"{MODELS}/resnet50_weights_tf_dim_ordering_tf_kernels.h5",
    ("resnet50", False): f"{MODELS}/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
}
FONT_SET = "bopomofo-fonts"
FONT_SUFFIXES = (".otf", ".ttc", ".ttf")

_IDX_BYTES = 0x08  # the only IDX element type that MNIST files use
_IDX_LARGEST = 1 << 28  # bytes that one file may unpack to


def default_library() -> Path:
    return platformdirs.user_cache_path("grader", appauthor=False) / "library"


@dataclass(frozen=True, slots=True)
class Arrays:
    """A dataset in the order of the official files.

    Images are uint8, ``(n, 28, 28)`` or ``(n, 32, 32, 3)``. Texts are an object array of lists of word numbers.
    """

    x_train: Array
    y_train: Array  # (n,) int64
    x_test: Array
    y_test: Array  # (n,) int64


def arrays(name: str, library: Path) -> Arrays:
    """Return ``mnist``, ``fashion-mnist``, ``cifar10`` or ``imdb``.

    Raises DatasetError when the set was not fetched or cannot be read.
    """
    if name != FASHION and name not in ARRAY_FILES:
        raise _unknown_set(name, (*ARRAY_FILES, FASHION))
    try:
        held = _fashion(library) if name == FASHION else _plain_arrays(library / ARRAY_FILES[name])
        if name == "imdb":
            held |= {part: _texts(held[part], held[f"{part}_lengths"]) for part in ("x_train", "x_test")}
        x_train, x_test = held["x_train"], held["x_test"]
        return Arrays(x_train, held["y_train"].astype(np.int64), x_test, held["y_test"].astype(np.int64))
    except FileNotFoundError:
        raise _missing_set(name, library) from None
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise DatasetError(
            message(
                "{name} in the library at {path} cannot be read ({reason}); run: grader data verify {name}",
                name=name,
                path=library,
                reason=str(error),
            )
        ) from error


def photos(name: str, library: Path) -> Path:
    """Return a folder with ``train/CLASS/*.jpg`` and, if the set has them, ``validation/`` and ``test/``.

    Photos are as they were published, so a set may hold other file formats and colour modes. Raises DatasetError when
    the set was not fetched.
    """
    return _existing(name, library, library / PHOTOS / name)


def weights(name: str, library: Path, *, top: bool = False) -> Path:
    """Return the file of ``vgg16`` or ``resnet50`` for ``weights=`` of ``keras.applications``. Raises DatasetError."""
    if (name, top) not in WEIGHT_FILES:
        known = [f"{model} (top={with_top})" for model, with_top in WEIGHT_FILES]
        raise _unknown_set(f"{name} (top={top})", known)
    return _existing(name, library, library / WEIGHT_FILES[name, top])


def fonts(library: Path) -> tuple[Path, ...]:
    """Return open fonts that have all 37 Bopomofo symbols, sorted by file name. Raises DatasetError."""
    folder = library / FONTS
    found = tuple(sorted(path for path in folder.glob("*") if path.suffix in FONT_SUFFIXES))
    if not found:
        raise _missing_set(FONT_SET, library)
    return found


def read_idx(path: Path) -> Array:
    """Return the uint8 array of an IDX file, gzipped or not: http://yann.lecun.com/exdb/mnist/.

    Raises ValueError when the file is in another format or is truncated.
    """
    content = path.read_bytes()
    if content.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(path) as file:
                content = file.read(_IDX_LARGEST)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path.name}: is damaged: {error}") from error
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != _IDX_BYTES:
        raise ValueError(f"{path.name}: starts with {content[:4].hex(' ')}, expected 00 00 08 and a rank")
    rank = content[3]
    start = 4 + 4 * rank
    if len(content) < start:
        raise ValueError(f"{path.name}: is truncated inside its header")
    shape = struct.unpack_from(f">{rank}I", content, 4)
    size = int(np.prod(shape, dtype=object))
    if len(content) - start != size:
        raise ValueError(f"{path.name}: found {len(content) - start} numbers, expected {size}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _missing_set(name: str, library: Path) -> DatasetError:
    return DatasetError(
        message("{name} is not in the library at {path}; run: grader data fetch {name}", name=name, path=library)
    )


def _unknown_set(name: str, known: Iterable[str]) -> DatasetError:
    return DatasetError(message("{name}: there is no such dataset; known: {known}", name=name, known=", ".join(known)))


def _existing(name: str, library: Path, path: Path) -> Path:
    if not path.exists():
        raise _missing_set(name, library)
    return path


def _plain_arrays(path: Path) -> dict[str, Array]:
    # The file is opened here: NumPy would leave its own handle open for a truncated file.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
        return {part: held[part] for part in held.files}


def _fashion(library: Path) -> dict[str, Array]:
    folder = library / DATASETS / FASHION
    return {part: read_idx(folder / name) for name, part in FASHION_FILES.items()}


def _texts(words: Array, lengths: Array) -> Array:
    """Split the concatenated word numbers of all texts into one list per text."""
    texts = np.empty(len(lengths), object)
    ends = np.cumsum(lengths)
    texts[:] = [words[end - length : end].tolist() for end, length in zip(ends, lengths, strict=True)]
    return texts
