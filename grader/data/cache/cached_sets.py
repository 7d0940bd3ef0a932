"""What is in the library, opened: arrays, folders of photos, weights, fonts. Nothing is fetched or unpickled."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from grader.data.cache import idx_format
from grader.data.cache.location import ARRAYS, DATASETS, FONTS, MODELS, PHOTOS
from grader.i18n.message import message
from grader.models.errors import DatasetError

Array = npt.NDArray[Any]

FASHION = "fashion-mnist"
FASHION_FILES = {  # as Keras wants them, and each the array that it holds
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
WEIGHT_FILES = {  # (name, with the layers that decide on the 1000 classes)
    ("vgg16", False): f"{MODELS}/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
    ("resnet50", True): f"{MODELS}/resnet50_weights_tf_dim_ordering_tf_kernels.h5",
    ("resnet50", False): f"{MODELS}/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
}
FONT_SET = "bopomofo-fonts"
FONT_SUFFIXES = (".otf", ".ttc", ".ttf")


@dataclass(frozen=True, slots=True)
class Arrays:
    """Pictures are bytes, ``(n, 28, 28)`` or ``(n, 32, 32, 3)``; texts are an object array of lists of word numbers.

    Labels are int64, ``(n,)``.
    """

    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array


def arrays(name: str, library: Path) -> Arrays:
    """``mnist``, ``fashion-mnist``, ``cifar10`` or ``imdb``, in the order of the official files.

    Raises DatasetError where it was not fetched or cannot be read.
    """
    if name != FASHION and name not in ARRAY_FILES:
        raise _unknown(name, (*ARRAY_FILES, FASHION))
    try:
        held = _fashion(library) if name == FASHION else _plain(library / ARRAY_FILES[name])
        if name == "imdb":
            held |= {part: _texts(held[part], held[f"{part}_lengths"]) for part in ("x_train", "x_test")}
        x_train, x_test = held["x_train"], held["x_test"]
        return Arrays(x_train, held["y_train"].astype(np.int64), x_test, held["y_test"].astype(np.int64))
    except FileNotFoundError:
        raise missing(name, library) from None
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
    """A folder with ``train/CLASS/*.jpg`` and, where the set has them, ``validation/`` and ``test/``.

    Pictures are as they were published: a messy set holds other formats and modes too.
    """
    return _there(name, library, library / PHOTOS / name)


def weights(name: str, library: Path, *, top: bool = False) -> Path:
    """The file of ``vgg16`` or ``resnet50`` for ``weights=``, as ``keras.applications`` loads it."""
    if (name, top) not in WEIGHT_FILES:
        known = [f"{one} (top={with_top})" for one, with_top in WEIGHT_FILES]
        raise _unknown(f"{name} (top={top})", known)
    return _there(name, library, library / WEIGHT_FILES[name, top])


def fonts(library: Path) -> tuple[Path, ...]:
    """Open fonts with all 37 Bopomofo symbols, by file name."""
    folder = library / FONTS
    found = tuple(sorted(path for path in folder.glob("*") if path.suffix in FONT_SUFFIXES))
    if not found:
        raise missing(FONT_SET, library)
    return found


def missing(name: str, library: Path) -> DatasetError:
    return DatasetError(
        message("{name} is not in the library at {path}; run: grader data fetch {name}", name=name, path=library)
    )


def _there(name: str, library: Path, path: Path) -> Path:
    if not path.exists():
        raise missing(name, library)
    return path


def _unknown(name: str, known: Iterable[str]) -> DatasetError:
    return DatasetError(message("{name}: there is no such set; there is {known}", name=name, known=", ".join(known)))


def _plain(path: Path) -> dict[str, Array]:
    # Opened here: of a file that is cut off NumPy would leave its own handle open.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
        return {part: held[part] for part in held.files}


def _fashion(library: Path) -> dict[str, Array]:
    folder = library / DATASETS / FASHION
    return {part: idx_format.read(folder / name) for name, part in FASHION_FILES.items()}


def _texts(words: Array, lengths: Array) -> Array:
    """One list of word numbers per text, out of all words in a row and the number of each text's."""
    texts = np.empty(len(lengths), object)
    ends = np.cumsum(lengths)
    texts[:] = [words[end - length : end].tolist() for end, length in zip(ends, lengths, strict=True)]
    return texts
