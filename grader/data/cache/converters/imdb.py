"""Converters for IMDB, 50,000 film reviews (Maas et al., 2011): the files that Keras opens, and plain arrays."""

from __future__ import annotations

import io
import json
import re
import shutil
import zipfile
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from grader.data.cache import keras_pickles
from grader.data.cache.cached_sets import ARRAY_FILES, DATASETS
from grader.data.cache.converters.packages import Material
from grader.i18n.message import message
from grader.models.errors import DatasetError

KERAS_FILE, WORDS_FILE = f"{DATASETS}/imdb.npz", f"{DATASETS}/imdb_word_index.json"
WORDS = 88_584  # size of the official word index
PARTS = ("x_train", "y_train", "x_test", "y_test")
LARGEST = 1 << 28  # bytes of one array
_SEPARATORS = re.compile(r'[!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~\t\n]')  # as in Keras: an apostrophe is part of its word


def official(material: Material) -> None:
    """Convert Google's ``imdb.npz``, and the word index if it is given as well."""
    (file,) = material.named("imdb.npz")
    held = _read_npz(file)
    words = next((path for name, path in material.given.items() if name.endswith("imdb_word_index.json")), None)
    if words is not None:
        shutil.copyfile(words, material.target(WORDS_FILE))
    else:
        material.notes.append(message("imdb_word_index.json is missing: imdb.get_word_index() will not work"))
    shutil.copyfile(file, material.target(KERAS_FILE))
    _write_arrays(held, material)


def reviews(material: Material) -> None:
    """Convert a list of ``{"t": text, "s": 0 or 1}``.

    Its quarters, 12,500 reviews each, are: bad test, bad training, good test, good training. Words are numbered by
    frequency, starting from 1, as in the official file; except for the first few, the numbers differ from that file.
    """
    (file,) = material.named("reviews.json")
    found = json.loads(file.read_bytes())
    quarter = len(found) // 4
    texts = [_SEPARATORS.sub(" ", review["t"].lower()).split() for review in found]
    counted = Counter(chain.from_iterable(texts)).most_common(WORDS)
    index = {word: number for number, (word, _) in enumerate(counted, 1)}
    numbered = [[index[word] for word in text if word in index] for text in texts]
    labels = [int(review["s"]) for review in found]
    held: dict[str, npt.NDArray[Any]] = {}
    for part, first in (("test", 0), ("train", quarter)):
        chosen = [*range(first, first + quarter), *range(first + 2 * quarter, first + 3 * quarter)]
        held[f"x_{part}"] = _ragged([numbered[number] for number in chosen])
        held[f"y_{part}"] = np.array([labels[number] for number in chosen], np.int64)
    material.target(WORDS_FILE).write_text(json.dumps(index), "utf-8")
    np.savez_compressed(material.target(KERAS_FILE), **held)  # type: ignore[arg-type]
    _write_arrays(held, material)


def _ragged(texts: Sequence[Sequence[int]]) -> npt.NDArray[Any]:
    array = np.empty(len(texts), object)
    array[:] = texts
    return array


def _read_npz(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read the arrays without NumPy's reader, which would unpickle any object."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {part: _read_array(archive, f"{part}.npy") for part in PARTS}
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        raise DatasetError(
            message("{name} is not the imdb.npz of Keras: {reason}", name=path.name, reason=str(error))
        ) from error


def _read_array(archive: zipfile.ZipFile, name: str) -> npt.NDArray[Any]:
    with archive.open(name) as file:
        content = file.read(LARGEST)
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) == (1, 0):
        _shape, _fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    else:
        _shape, _fortran, dtype = np.lib.format.read_array_header_2_0(stream)
    if dtype.hasobject:
        return np.asarray(keras_pickles.load_arrays(stream.read()), object)
    return np.asarray(np.lib.format.read_array(io.BytesIO(content), allow_pickle=False))


def _write_arrays(held: dict[str, npt.NDArray[Any]], material: Material) -> None:
    plain: dict[str, npt.NDArray[Any]] = {}
    for part in ("train", "test"):
        texts = held[f"x_{part}"]
        plain[f"x_{part}"] = np.fromiter(chain.from_iterable(texts), np.int32)
        plain[f"x_{part}_lengths"] = np.array([len(text) for text in texts], np.int64)
        plain[f"y_{part}"] = held[f"y_{part}"].astype(np.int64)
    np.savez_compressed(material.target(ARRAY_FILES["imdb"]), **plain)  # type: ignore[arg-type]
