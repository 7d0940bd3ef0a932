"""Where a missing path is read, the file of the same name that was handed out is read instead, and that is noted.

Only what would have failed goes another way: each function is called as it is first. What is written is written where
it says; for a folder of Colab's or Kaggle's the folder is made.
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

from . import log
from .files import Finder
from .kinds import Kind

MISSING = (FileNotFoundError, NotADirectoryError)

Translate = Callable[[Any], Any]
AfterImport = Callable[[str, Callable[[ModuleType], None]], None]


def start(finder: Finder, after_import: AfterImport) -> None:
    def file(path: Any) -> Any:
        return _instead(path, finder, finder.file(path))

    def folder(path: Any) -> Any:
        return _instead(path, finder, finder.folder(path))

    def room(path: Any) -> bool:
        folder = finder.make_room(path)
        if folder is not None:
            log.note(Kind.INSTEAD, os.path.dirname(os.fsdecode(path)), finder.shown(folder))  # noqa: PTH120
        return folder is not None

    opened = _opening(builtins.open, file, room)
    builtins.open = io.open = opened
    _replace_copies(opened)
    os.listdir, os.scandir = _listing(os.listdir, folder), _listing(os.scandir, folder)
    os.chdir = _changing(os.chdir, folder, finder)  # type: ignore[assignment]
    os.supports_fd |= {os.listdir, os.scandir, os.chdir}
    for name in ("copy", "copy2", "copyfile", "unpack_archive"):
        setattr(shutil, name, _translated(getattr(shutil, name), file))
    shutil.copytree = _translated(shutil.copytree, folder)
    _after_imports(after_import, file, folder, room)


def _instead(path: Any, finder: Finder, found: str | None) -> Any:
    """``found``, noted; or ``path`` as it came."""
    if found is None:
        return path
    log.note(Kind.INSTEAD if found == finder.work else Kind.FILE, os.fsdecode(path), finder.shown(found))
    return found


def _replace_copies(opened: Callable[..., Any]) -> None:
    """Modules that keep what ``open`` was: two of Python's own, and IPython, whose copy is the notebook's own."""
    copies: dict[Any, str] = {
        tarfile: "bltn_open",
        bz2: "_builtin_open",
        sys.modules["IPython.core.interactiveshell"]: "io_open",
    }
    for module, name in copies.items():
        setattr(module, name, opened)


def _opening(real: Callable[..., Any], file: Translate, room: Callable[[Any], bool]) -> Callable[..., Any]:
    @functools.wraps(real)
    def open(path: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:  # noqa: A001
        try:
            return real(path, mode, *args, **kwargs)
        except MISSING:
            reads = set("wax+").isdisjoint(mode)
            found = file(path) if reads else path
            if found is path and (reads or not room(path)):
                raise
        return real(found, mode, *args, **kwargs)

    return open


def _listing(real: Callable[..., Any], folder: Translate) -> Callable[..., Any]:
    @functools.wraps(real)
    def listed(path: Any = ".") -> Any:
        try:
            return real(path)
        except MISSING:
            found = folder(path)
            if found is path:
                raise
        return real(found)

    return listed


def _changing(real: Callable[[Any], None], folder: Translate, finder: Finder) -> Callable[[Any], None]:
    """Into a folder of the course; where a path is Colab's or Kaggle's own, the notebook stays where its files are."""

    @functools.wraps(real)
    def chdir(path: Any) -> None:
        try:
            return real(path)
        except MISSING:
            found = folder(path)
            if found is path and not finder.is_elsewhere(path):
                raise
        if found is path:
            found = _instead(path, finder, finder.work)
        return real(found)

    return chdir


def _translated(real: Callable[..., Any], translate: Translate, place: int = 0) -> Callable[..., Any]:
    """``real`` with its argument at ``place`` translated where it names nothing that exists."""

    @functools.wraps(real)
    def called(*args: Any, **kwargs: Any) -> Any:
        if len(args) > place:
            args = (*args[:place], _existing(args[place], translate), *args[place + 1 :])
        return real(*args, **kwargs)

    return called


def _existing(path: Any, translate: Translate) -> Any:
    if not isinstance(path, (str, bytes, os.PathLike)) or os.path.lexists(path):
        return path
    return translate(path)


# ------------------------------------------------------------------ libraries that read by themselves


def _after_imports(after_import: AfterImport, file: Translate, folder: Translate, room: Callable[[Any], bool]) -> None:
    """Code that opens files without Python's ``open``, or looks first whether they are there."""

    def numpy(module: Any) -> None:
        module.open = _opened_by_mode(module.open, file, room)

    def opencv(module: Any) -> None:
        module.imread = _translated(module.imread, file)

    def hdf5(module: Any) -> None:
        module.File.__init__ = _opened_by_mode(module.File.__init__, file, room, place=1)

    def pandas(module: Any) -> None:
        check = module.check_parent_directory

        def check_parent_directory(path: Any) -> None:
            room(path)
            check(path)

        module.check_parent_directory = check_parent_directory

    def fonts(module: Any) -> None:
        module.FontManager.addfont = _with_font(module.FontManager.addfont)

    def keras_folders(module: Any) -> None:
        module.index_directory = _translated(module.index_directory, folder)

    def keras_generators(module: Any) -> None:
        iterator = module.DirectoryIterator
        iterator.__init__ = _translated(iterator.__init__, folder, place=1)

    after_import("numpy.lib._datasource", numpy)
    after_import("cv2", opencv)
    after_import("h5py", hdf5)
    after_import("pandas.io.common", pandas)
    after_import("matplotlib.font_manager", fonts)
    after_import("keras.src.utils.dataset_utils", keras_folders)
    after_import("keras.src.legacy.preprocessing.image", keras_generators)


def _with_font(real: Callable[..., Any]) -> Callable[..., Any]:
    """A font for Chinese is fetched by many notebooks before they draw; the fonts that are here are used instead."""

    @functools.wraps(real)
    def addfont(self: Any, path: Any) -> None:
        try:
            real(self, path)
        except FileNotFoundError:
            log.note(Kind.STAND_IN, f"addfont({os.fsdecode(path)!r})")

    return addfont


def _opened_by_mode(
    real: Callable[..., Any], file: Translate, room: Callable[[Any], bool], place: int = 0
) -> Callable[..., Any]:
    """``real`` takes a path at ``place`` and a mode after it."""
    translated = _translated(real, file, place)

    @functools.wraps(real)
    def opened(*args: Any, **kwargs: Any) -> Any:
        mode = args[place + 1] if len(args) > place + 1 else kwargs.get("mode", "r")
        reads = mode is None or (isinstance(mode, str) and set("wax+").isdisjoint(mode))
        if reads:
            return translated(*args, **kwargs)
        if len(args) > place:
            room(args[place])
        return real(*args, **kwargs)

    return opened
