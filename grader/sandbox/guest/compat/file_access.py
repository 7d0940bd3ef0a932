"""Reading of a missing path: the handed-out file of the same name is read instead, and that is noted.

Each function is first called unchanged; only a failing call is redirected. Writing goes where the path says; a missing
folder is made for it in the notebook's own folder.
"""

from __future__ import annotations

import builtins
import bz2
import functools
import io
import os
import shutil
import sys
import tarfile
from collections.abc import Callable
from types import ModuleType
from typing import Any

from .handout import FileFinder
from .notes import Kind, note

MISSING = (FileNotFoundError, NotADirectoryError)

Translate = Callable[[Any], Any]
AfterImport = Callable[[str, Callable[[ModuleType], None]], None]


def install(finder: FileFinder, after_import: AfterImport) -> None:
    """Wrap the functions of Python that read files and folders, and those of libraries once they are imported."""

    def find_file(path: Any) -> Any:
        return _replace(path, finder, finder.file(path))

    def find_folder(path: Any) -> Any:
        return _replace(path, finder, finder.folder(path))

    def make_parent(path: Any) -> bool:
        folder = finder.make_parent(path)
        if folder is not None and finder.is_foreign(path):
            note(Kind.INSTEAD, os.path.dirname(os.fsdecode(path)), finder.shown(folder))  # noqa: PTH120
        elif folder is not None:
            note(Kind.FOLDER, finder.shown(folder))
        return folder is not None

    wrapped_open = _wrap_open(builtins.open, find_file, make_parent)
    builtins.open = io.open = wrapped_open
    _replace_copies(wrapped_open)
    os.listdir, os.scandir = _wrap_listing(os.listdir, find_folder), _wrap_listing(os.scandir, find_folder)
    os.chdir = _wrap_chdir(os.chdir, find_folder, finder)  # type: ignore[assignment]
    os.supports_fd |= {os.listdir, os.scandir, os.chdir}
    for name in ("copy", "copy2", "copyfile", "unpack_archive"):
        setattr(shutil, name, _with_path(getattr(shutil, name), find_file))
    shutil.copytree = _with_path(shutil.copytree, find_folder)
    _wrap_libraries(after_import, find_file, find_folder, make_parent)


def _replace(path: Any, finder: FileFinder, found: str | None) -> Any:
    """Note and return ``found``; return ``path`` unchanged if nothing was found."""
    if found is None:
        return path
    note(Kind.INSTEAD if found == finder.work else Kind.FILE, os.fsdecode(path), finder.shown(found))
    return found


def _replace_copies(wrapped_open: Callable[..., Any]) -> None:
    """Replace the copies of ``open`` in two modules of Python and in IPython, whose copy the notebook uses."""
    copies: dict[Any, str] = {
        tarfile: "bltn_open",
        bz2: "_builtin_open",
        sys.modules["IPython.core.interactiveshell"]: "io_open",
    }
    for module, name in copies.items():
        setattr(module, name, wrapped_open)


def _wrap_open(
    real: Callable[..., Any], find_file: Translate, make_parent: Callable[[Any], bool]
) -> Callable[..., Any]:
    @functools.wraps(real)
    def open(path: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:  # noqa: A001
        try:
            return real(path, mode, *args, **kwargs)
        except MISSING:
            reads = set("wax+").isdisjoint(mode)
            found = find_file(path) if reads else path
            if found is path and (reads or "r" in mode or not make_parent(path)):
                raise
        return real(found, mode, *args, **kwargs)

    return open


def _wrap_listing(real: Callable[..., Any], find_folder: Translate) -> Callable[..., Any]:
    @functools.wraps(real)
    def list_folder(path: Any = ".") -> Any:
        try:
            return real(path)
        except MISSING:
            found = find_folder(path)
            if found is path:
                raise
        return real(found)

    return list_folder


def _wrap_chdir(real: Callable[[Any], None], find_folder: Translate, finder: FileFinder) -> Callable[[Any], None]:
    """Wrap ``chdir``: an unknown path of Colab or Kaggle leads to the notebook's own folder."""

    @functools.wraps(real)
    def chdir(path: Any) -> None:
        try:
            return real(path)
        except MISSING:
            found = find_folder(path)
            if found is path and not finder.is_foreign(path):
                raise
        if found is path:
            found = _replace(path, finder, finder.work)
        return real(found)

    return chdir


def _with_path(real: Callable[..., Any], translate: Translate, index: int = 0) -> Callable[..., Any]:
    """Wrap ``real``: its positional argument at ``index`` is translated if it is a path that does not exist."""

    @functools.wraps(real)
    def called(*args: Any, **kwargs: Any) -> Any:
        if len(args) > index:
            args = (*args[:index], _existing(args[index], translate), *args[index + 1 :])
        return real(*args, **kwargs)

    return called


def _existing(path: Any, translate: Translate) -> Any:
    if not isinstance(path, (str, bytes, os.PathLike)) or os.path.lexists(path):
        return path
    return translate(path)


# ------------------------------------------------------------------ libraries


def _wrap_libraries(
    after_import: AfterImport, find_file: Translate, find_folder: Translate, make_parent: Callable[[Any], bool]
) -> None:
    """Wrap functions that open files without Python's ``open``, or that first check whether a file exists."""

    def numpy(module: Any) -> None:
        module.open = _with_path_by_mode(module.open, find_file, make_parent)

    def opencv(module: Any) -> None:
        module.imread = _with_path(module.imread, find_file)
        module.imwrite = _into_folder(module.imwrite, make_parent)

    def hdf5(module: Any) -> None:
        module.File.__init__ = _with_path_by_mode(module.File.__init__, find_file, make_parent, index=1)

    def pandas(module: Any) -> None:
        check = module.check_parent_directory

        def check_parent_directory(path: Any) -> None:
            make_parent(path)
            check(path)

        module.check_parent_directory = check_parent_directory

    def fonts(module: Any) -> None:
        module.FontManager.addfont = _ignore_missing_font(module.FontManager.addfont)

    def keras_folders(module: Any) -> None:
        module.index_directory = _with_path(module.index_directory, find_folder)

    def keras_generators(module: Any) -> None:
        iterator = module.DirectoryIterator
        iterator.__init__ = _with_path(iterator.__init__, find_folder, index=1)

    after_import("numpy.lib._datasource", numpy)
    after_import("cv2", opencv)
    after_import("h5py", hdf5)
    after_import("pandas.io.common", pandas)
    after_import("matplotlib.font_manager", fonts)
    after_import("keras.src.utils.dataset_utils", keras_folders)
    after_import("keras.src.legacy.preprocessing.image", keras_generators)


def _into_folder(write: Callable[..., Any], make_parent: Callable[[Any], bool]) -> Callable[..., Any]:
    """Make the folder first for a function that only returns False if it is missing."""

    @functools.wraps(write)
    def called(path: Any, *args: Any, **kwargs: Any) -> Any:
        make_parent(path)
        return write(path, *args, **kwargs)

    return called


def _ignore_missing_font(real: Callable[..., Any]) -> Callable[..., Any]:
    """Ignore a missing font: many notebooks download one for Chinese; the installed fonts are used instead."""

    @functools.wraps(real)
    def addfont(self: Any, path: Any) -> None:
        try:
            real(self, path)
        except FileNotFoundError:
            note(Kind.STAND_IN, f"addfont({os.fsdecode(path)!r})")

    return addfont


def _with_path_by_mode(
    real: Callable[..., Any], find_file: Translate, make_parent: Callable[[Any], bool], index: int = 0
) -> Callable[..., Any]:
    """Wrap ``real``, which has a path at ``index`` and a mode after it."""
    read = _with_path(real, find_file, index)

    @functools.wraps(real)
    def open_by_mode(*args: Any, **kwargs: Any) -> Any:
        mode = args[index + 1] if len(args) > index + 1 else kwargs.get("mode", "r")
        reads = mode is None or (isinstance(mode, str) and set("wax+").isdisjoint(mode))
        if reads:
            return read(*args, **kwargs)
        if len(args) > index and "r" not in str(mode):
            make_parent(args[index])
        return real(*args, **kwargs)

    return open_by_mode
