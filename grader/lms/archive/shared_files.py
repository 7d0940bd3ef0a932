"""Files that may lie beside the notebooks of other students than their author: data, and never code.

A file at the top of a class's folder has no known author, and a file that only its own name assigns to a student may
be anyone's. Code among them would run in another student's notebook: ``import seaborn`` finds ``seaborn.pyc`` first.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import IO

import numpy as np

from grader.files import filetype
from grader.files.archives.contents import Entry
from grader.files.archives.zip_reader import UNREADABLE
from grader.files.plain_files import open_plain
from grader.i18n.message import Message, message
from grader.lms.folder import could_be_handed_in

# Kinds that libraries read without running anything in them, also if they are named otherwise than they are.
_TABLES = ("csv", "tsv", "txt", "dat", "data", "names", "json", "jsonl", "xlsx", "xls", "ods", "arff", "parquet", "md")
_ARRAYS = ("npy", "npz", "h5", "hdf5", "mat")
_MEDIA = ("png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff", "wav", "mp3", "flac", "ogg", "mp4")
_FONTS = ("ttf", "otf", "ttc")
_DATA = frozenset(f".{suffix}" for suffix in (*_TABLES, *_ARRAYS, *_MEDIA, *_FONTS))
_IDX = "ubyte"  # MNIST's own files: train-images-idx3-ubyte
_PROGRAMS = (b"MZ", b"\x7fELF", b"#!")
_MODEL = b"model_config"  # the attribute of an HDF5 file that makes it a saved model
_MAX_ARRAYS = 1_000  # in one .npz
_CHUNK = 1 << 20

_NOT_DATA = message("its author is not known, and only data are given to other students' notebooks")


def sharing_problem(entry: Entry, packages: Iterable[str]) -> Message | None:
    """Return why a file must not be given to every notebook of a class, or None for data.

    ``packages`` are the folders that hold Python packages.
    """
    if not is_data(entry.name) or any(entry.name.startswith(f"{folder}/") for folder in packages):
        return _NOT_DATA
    try:
        with open_plain(entry.path) as file:
            harmless = _is_harmless(PurePosixPath(entry.name).suffix.lower(), file)
    except (OSError, *UNREADABLE):
        harmless = False
    return None if harmless else _NOT_DATA


def packages(names: Iterable[str]) -> frozenset[str]:
    """Return the folders that Python would import as packages."""
    paths = map(PurePosixPath, names)
    return frozenset(str(path.parent) for path in paths if path.stem == "__init__" and len(path.parts) > 1)


def is_data(name: str) -> bool:
    """Return whether a file has the name of data."""
    return PurePosixPath(name).suffix.lower() in _DATA or name.endswith(_IDX)


def is_code(name: str) -> bool:
    """Return whether a file is neither data, nor a document, nor an archive."""
    return not is_data(name) and (name.lower().endswith(".py") or not could_be_handed_in(name))


def _is_harmless(suffix: str, file: IO[bytes]) -> bool:
    """Return whether the content is what the suffix says, as far as code could hide in it."""
    if file.read(filetype.HEAD_BYTES).startswith(_PROGRAMS):
        return False
    file.seek(0)
    if suffix == ".npy":
        return _is_plain_array(file)
    if suffix == ".npz":
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()[: _MAX_ARRAYS + 1]
            return len(members) <= _MAX_ARRAYS and all(_is_plain_member(archive, member) for member in members)
    if suffix in (".h5", ".hdf5"):
        return not _contains(file, _MODEL)
    return True


def _is_plain_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    with archive.open(member) as file:
        return member.filename.endswith(".npy") and _is_plain_array(file)


def _is_plain_array(file: IO[bytes]) -> bool:
    """Return whether this is an array of NumPy's format without objects, which are pickled. Reads the header alone."""
    if np.lib.format.read_magic(file) == (1, 0):
        _shape, _order, dtype = np.lib.format.read_array_header_1_0(file)
    else:
        _shape, _order, dtype = np.lib.format.read_array_header_2_0(file)
    return not dtype.hasobject


def _contains(file: IO[bytes], word: bytes) -> bool:
    end = b""
    while chunk := file.read(_CHUNK):
        if word in end + chunk:
            return True
        end = chunk[-len(word) :]
    return False
