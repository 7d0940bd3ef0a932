"""Downloads in the notebook's process: the course's copy of the file, or an immediate ConnectionError.

Nothing waits for a missing network. Python's standard library and requests have one wrapped function each. Keras has
another one for files that it would download into its cache, which finds them in the offline library by name.
"""

from __future__ import annotations

import email.message
import functools
import shutil
import sys
import urllib.request
import urllib.response
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from .file_access import AfterImport
from .handout import LIBRARY_FOLDERS, Handout, is_remote, last_name, refusal
from .notes import Kind, note

MAX_LINKS = 5_000
KERAS_ADVICE = "the teacher can put {name} into the offline library"


def install(handout: Handout, home: Path, after_import: AfterImport) -> None:
    """Wrap the functions that download; ``home`` is the notebook's home folder, where Keras keeps its cache."""
    opener = urllib.request.OpenerDirector
    opener.open = _wrap_open(opener.open, handout)  # type: ignore[method-assign]
    cache = home / ".keras"
    if handout.library is not None:
        _link_library(handout.library, cache)
    after_import("keras.src.backend.config", lambda config: setattr(config, "keras_home", _keras_home(cache)))
    after_import("keras.src.utils.file_utils", lambda module: _wrap_keras(module, handout))
    after_import("requests.adapters", lambda module: _wrap_requests(module, handout))
    after_import("tensorflow_datasets", lambda module: _refuse_all(module, "tfds", ("load", "builder")))
    after_import("tensorflow_hub", lambda module: _refuse_all(module, "hub", ("load", "KerasLayer", "resolve")))
    after_import("sklearn.datasets", lambda module: _refuse_all(module, "sklearn.datasets", _fetchers(module)))


def copy_of(address: str, handout: Handout) -> Path:
    """Note and return the local file for ``address``; raise ConnectionError if there is none."""
    path = handout.file_for(address)
    if path is None:
        raise ConnectionError(refusal(address))
    note(Kind.DOWNLOAD, address, path.name)
    return path


def save_copy(address: str, target: str | None, handout: Handout) -> str:
    """Copy the local file for ``address`` to a file or folder; return the path."""
    path = copy_of(address, handout)
    place = Path(target or path.name)
    place = place / path.name if place.is_dir() else place
    if not (place.exists() and place.samefile(path)):
        shutil.copyfile(path, place)
    return str(place)


def refuse(name: str) -> Callable[..., Any]:
    """Return a function that raises a ConnectionError about the call of the function ``name``."""

    def refused(*args: Any, **_kwargs: Any) -> Any:
        texts = ", ".join(repr(arg) for arg in args if isinstance(arg, str))
        raise ConnectionError(refusal(f"{name}({texts})"))

    return refused


def _link_library(library: Path, cache: Path) -> None:
    """Fill the notebook's own cache with links to the library's files, because Keras writes next to them."""
    files = (path for name in LIBRARY_FOLDERS for path in sorted((library / name).rglob("*")))
    for number, path in enumerate(files):
        own = cache / path.relative_to(library)
        if number < MAX_LINKS and path.is_file() and not own.exists():
            own.parent.mkdir(parents=True, exist_ok=True)
            own.symlink_to(path)


def _keras_home(cache: Path) -> Callable[[], str]:
    """Return a replacement for ``keras_home``: a warm process has chosen another folder before this home existed."""

    def keras_home() -> str:
        cache.mkdir(exist_ok=True)
        return str(cache)

    return keras_home


# ------------------------------------------------------------------ standard library and requests


def _wrap_open(real: Callable[..., Any], handout: Handout) -> Callable[..., Any]:
    """Wrap the method that urlopen, urlretrieve, pandas and NumPy call in the end."""

    @functools.wraps(real)
    def open(self: Any, fullurl: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: A001
        address = getattr(fullurl, "full_url", fullurl)
        if not is_remote(address):
            return real(self, fullurl, *args, **kwargs)
        path = copy_of(address, handout)
        headers = email.message.Message()
        headers["Content-Length"] = str(path.stat().st_size)
        return urllib.response.addinfourl(path.open("rb"), headers, address, 200)

    return open


def _wrap_requests(adapters: Any, handout: Handout) -> None:
    real = adapters.HTTPAdapter.send

    @functools.wraps(real)
    def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_remote(request.url):
            return real(self, request, *args, **kwargs)
        try:
            path = copy_of(request.url, handout)
        except ConnectionError as error:
            raise adapters.ConnectionError(str(error), request=request) from None
        headers = {"Content-Length": str(path.stat().st_size)}
        response: Any = sys.modules["urllib3.response"]
        raw = response.HTTPResponse(path.open("rb"), headers=headers, status=200, reason="OK", preload_content=False)
        return self.build_response(request, raw)

    adapters.HTTPAdapter.send = send


# ------------------------------------------------------------------ Keras


def _wrap_keras(file_utils: Any, handout: Handout) -> None:
    """Replace the functions that ``get_file`` calls, because other modules may hold ``get_file`` itself."""
    validate = file_utils.validate_file
    copied: set[str] = set()

    def validate_file(path: Any, *args: Any, **kwargs: Any) -> bool:
        # The library's files have the right content, but not always the same bytes.
        return str(path) in copied or _is_in(path, handout.library) or bool(validate(path, *args, **kwargs))

    def urlretrieve(address: str, target: Any, *args: Any) -> Any:
        if not is_remote(address):
            return urllib.request.urlretrieve(address, target, *args)  # noqa: S310
        name = last_name(address) or Path(target).name
        path = handout.file_for(address)
        if path is None:
            raise ConnectionError(refusal(address, KERAS_ADVICE.format(name=name)))
        note(Kind.DOWNLOAD, address, path.name)
        Path(target).unlink(missing_ok=True)  # never write through a link into the library
        shutil.copyfile(path, target)
        copied.add(str(target))
        return target, None

    file_utils.validate_file, file_utils.urlretrieve = validate_file, urlretrieve
    file_utils.extract_archive = _wrap_extract(file_utils.extract_archive)


def _wrap_extract(real: Callable[..., Any]) -> Callable[..., Any]:
    """Link unpacked files into the cache, where Keras 2 unpacked them; Keras 3 uses a folder for each archive."""

    @functools.wraps(real)
    def extract_archive(file_path: Any, path: Any = ".", *args: Any, **kwargs: Any) -> Any:
        unpacked = real(file_path, path, *args, **kwargs)
        for entry in Path(path).iterdir() if unpacked else ():
            beside = Path(path).parent / entry.name
            if not beside.exists():
                beside.symlink_to(entry)
        return unpacked

    return extract_archive


def _is_in(path: Any, folder: Path | None) -> bool:
    """Check whether ``path`` is in ``folder`` or is a link to a file in it, which may be a link itself."""
    if folder is None:
        return False
    first = Path(path).readlink() if Path(path).is_symlink() else Path(path)
    return first.is_relative_to(folder) or Path(path).resolve().is_relative_to(folder.resolve())


# ------------------------------------------------------------------ libraries with their own servers


def _refuse_all(module: ModuleType, name: str, functions: tuple[str, ...]) -> None:
    for function in functions:
        if hasattr(module, function):
            setattr(module, function, refuse(f"{name}.{function}"))


def _fetchers(module: ModuleType) -> tuple[str, ...]:
    """Return all but ``fetch_file``, which takes any address and so calls ``urlretrieve``."""
    return tuple(name for name in vars(module) if name.startswith("fetch_") and name != "fetch_file")
