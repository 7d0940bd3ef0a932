"""Downloads from the notebook's own process: the course's copy where there is one, and otherwise a refusal at once.

Nothing waits for a network that is not there. Every way of Python's own and of requests ends in one place each; what
Keras would fetch into its cache has a place more, which knows the library by name.
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

from . import log
from .kinds import Kind
from .reading import AfterImport
from .sources import Handout, is_remote, last_name, refusal

MAX_LINKS = 5_000
KERAS_ADVICE = "the teacher can put {name} into the offline library"


def start(handout: Handout, home: Path, after_import: AfterImport) -> None:
    """``home`` is the notebook's own, where Keras keeps its cache."""
    opener = urllib.request.OpenerDirector
    opener.open = _opening(opener.open, handout)  # type: ignore[method-assign]
    cache = home / ".keras"
    if handout.library is not None:
        _link(handout.library, cache)
    after_import("keras.src.backend.config", lambda config: setattr(config, "keras_home", _made(cache)))
    after_import("keras.src.utils.file_utils", lambda module: _hook_keras(module, handout))
    after_import("requests.adapters", lambda module: _hook_requests(module, handout))
    after_import("tensorflow_datasets", lambda module: _refuse(module, "tfds", ("load", "builder")))
    after_import("tensorflow_hub", lambda module: _refuse(module, "hub", ("load", "KerasLayer", "resolve")))
    after_import("sklearn.datasets", lambda module: _refuse(module, "sklearn.datasets", _fetchers(module)))


def copy_of(address: str, handout: Handout) -> Path:
    """The file that ``address`` stands for, noted; raises ConnectionError when there is none."""
    path = handout.file_for(address)
    if path is None:
        raise ConnectionError(refusal(address))
    log.note(Kind.DOWNLOAD, address, path.name)
    return path


def _link(library: Path, cache: Path) -> None:
    """Keras writes beside the files of its cache: folders of the notebook's own, whose files are links."""
    for number, path in enumerate(sorted(library.rglob("*"))):
        own = cache / path.relative_to(library)
        if number < MAX_LINKS and path.is_file() and not own.exists():
            own.parent.mkdir(parents=True, exist_ok=True)
            own.symlink_to(path)


def _made(cache: Path) -> Callable[[], str]:
    """A process that was warm before the notebook's home was there has settled for another place."""

    def keras_home() -> str:
        cache.mkdir(exist_ok=True)
        return str(cache)

    return keras_home


# ------------------------------------------------------------------ Python's own


def _opening(real: Callable[..., Any], handout: Handout) -> Callable[..., Any]:
    """What urlopen, urlretrieve, pandas and NumPy come to in the end."""

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


def _hook_requests(adapters: Any, handout: Handout) -> None:
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


def _hook_keras(file_utils: Any, handout: Handout) -> None:
    """``get_file`` itself stays as it is: it finds these two by name, for every module that has taken it from here."""
    validate = file_utils.validate_file
    served: set[str] = set()

    def validate_file(path: Any, *args: Any, **kwargs: Any) -> bool:
        # The library's files have the right content, and not always the same bytes.
        return str(path) in served or _is_in(path, handout.library) or bool(validate(path, *args, **kwargs))

    def urlretrieve(address: str, target: Any, *args: Any) -> Any:
        if not is_remote(address):
            return urllib.request.urlretrieve(address, target, *args)  # noqa: S310
        name = last_name(address) or Path(target).name
        path = handout.file_for(address)
        if path is None:
            raise ConnectionError(refusal(address, KERAS_ADVICE.format(name=name)))
        log.note(Kind.DOWNLOAD, address, path.name)
        Path(target).unlink(missing_ok=True)  # never through a link into the library
        shutil.copyfile(path, target)
        served.add(str(target))
        return target, None

    file_utils.validate_file, file_utils.urlretrieve = validate_file, urlretrieve
    file_utils.extract_archive = _extracting(file_utils.extract_archive)


def _extracting(real: Callable[..., Any]) -> Callable[..., Any]:
    """What Keras 2 unpacked into the cache itself is in a folder of its own today; it can be found there as well."""

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
    """Or is a link to something in it, which may be a link itself."""
    if folder is None:
        return False
    first = Path(path).readlink() if Path(path).is_symlink() else Path(path)
    return first.is_relative_to(folder) or Path(path).resolve().is_relative_to(folder.resolve())


# ------------------------------------------------------------------ libraries with servers of their own


def _refuse(module: ModuleType, name: str, functions: tuple[str, ...]) -> None:
    for function in functions:
        if hasattr(module, function):
            setattr(module, function, _refusing(f"{name}.{function}"))


def _refusing(name: str) -> Callable[..., Any]:
    def refused(*args: Any, **_kwargs: Any) -> Any:
        what = ", ".join(repr(arg) for arg in args if isinstance(arg, str))
        raise ConnectionError(refusal(f"{name}({what})"))

    return refused


def _fetchers(module: ModuleType) -> tuple[str, ...]:
    """All but the one that takes any address, and so comes to ``urlretrieve``."""
    return tuple(name for name in vars(module) if name.startswith("fetch_") and name != "fetch_file")
