"""Names that NumPy, pandas, scikit-learn or SciPy once had, from the listing of their old releases.

``benchmarks/old_library_names.py`` writes the listing. Nothing is added to the libraries for a name that no table of
``old_libraries`` translates: ``hasattr`` is False and a handler sees the library's own error. An error that ends a
cell gets a sentence that says in which release the name was last, and what to write today if that is known.
"""

from __future__ import annotations

import functools
import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType, ModuleType, TracebackType
from typing import Any

from .removed_library_names import ARGUMENTS, METHODS, MODULES, NAMES

# Read at the start: a confined notebook does not see this file. Parsed when a name is missing.
_TEXT = Path(__file__).with_name("library_names.json").read_text("utf-8")
_GUEST_FOLDER = str(Path(__file__).parents[1])
LIBRARIES = {"numpy": "NumPy", "pandas": "pandas", "sklearn": "scikit-learn", "scipy": "SciPy"}

# Functions inside a library that public functions pass their arguments to.
_INNER = {"DatetimeArray._generate_range": "date_range"}
_NAME = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")
_ARGUMENT = re.compile(r"(?:([\w.]+)\(\) )?got an unexpected keyword argument '(\w+)'")


@functools.cache
def listing() -> dict[str, dict[str, dict[str, str]]]:
    """Return the listing as written: kind, owner, last release and names."""
    loaded: dict[str, dict[str, dict[str, str]]] = json.loads(_TEXT)
    return loaded


@functools.cache
def names(kind: str, owner: str) -> Mapping[str, str]:
    """Return the last release of each of the ``owner``'s names; ``kind`` is modules, names, arguments or methods."""
    found = listing()[kind].get(owner, {})
    return {name: last for last, names in found.items() for name in names.split()}


def last_release(kind: str, path: str) -> str:
    """Return the last release with the module or name at ``path``; "" if it was not there."""
    owner, _, name = path.rpartition(".")
    return names(kind, owner).get(name, "")


@functools.cache
def _owners_by_last_part(kind: str) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for owner in listing()[kind]:
        found.setdefault(owner.rpartition(".")[2], []).append(owner)
    return {last: tuple(owners) for last, owners in found.items()}


# ------------------------------------------------------------------ errors


def explain(error: BaseException | None, traceback: TracebackType | None = None) -> None:
    """Give an error about a removed name the sentence about it as its message."""
    if isinstance(error, (AttributeError, ImportError, TypeError)):
        sentence = _removed(error, traceback)
        if sentence and _is_raised_for_the_notebook(traceback):
            error.args = (sentence,)
            if isinstance(error, ImportError):
                error.msg = sentence


def _removed(error: BaseException, traceback: TracebackType | None) -> str:
    """Return the sentence, "" if the error is about something else."""
    if isinstance(error, ModuleNotFoundError):
        return _of_module(error.name or "")
    if isinstance(error, ImportError):
        match = _NAME.match(error.msg or "")
        return _of_name(match[2], match[1]) if match else ""
    if isinstance(error, AttributeError):
        return _of_attribute(error.obj, error.name) if isinstance(error.name, str) else ""
    match = _ARGUMENT.search(str(error))
    function = (match[1] or _wrapped_function(traceback)) if match else ""
    return _of_argument(function, match[2]) if match and not _is_own(function, traceback) else ""


def _of_module(path: str) -> str:
    last = last_release("modules", path) if path.partition(".")[0] in LIBRARIES else ""
    return _sentence(path.partition(".")[0], path, last, _today_of_module(path)) if last else ""


def _today_of_module(path: str) -> str:
    return MODULES.get(path) or (_today_of_module(path.rpartition(".")[0]) if "." in path else "")


def _of_name(module: str, name: str) -> str:
    if module.partition(".")[0] not in LIBRARIES:
        return ""
    path = f"{module}.{name}"
    last = last_release("names", path)
    if not last:
        return _of_module(path)
    return _sentence(
        path.partition(".")[0],
        path,
        last,
        NAMES.get(path) or NAMES.get(_elsewhere(path), "") or _today_of_module(module),
    )


def _elsewhere(path: str) -> str:
    """Return the path in the documented package of a name that was imported from a module inside it."""
    package, _, name = path.rpartition(".")
    return f"{package.rpartition('.')[0]}.{name}"


def _of_attribute(owner: Any, name: str) -> str:
    if isinstance(owner, ModuleType):
        return _of_name(owner.__name__, name)
    for base in (owner if isinstance(owner, type) else type(owner)).__mro__:
        library = base.__module__.partition(".")[0]
        if library not in LIBRARIES:
            continue
        for path in _owners_by_last_part("methods").get(base.__name__, ()):
            last = names("methods", path).get(name, "") if path.startswith(f"{library}.") else ""
            if last:
                today = METHODS.get(f"{base.__name__}.{name}") or METHODS.get(f"{library}.{name}", "")
                return _sentence(library, f"{base.__name__}.{name}", last, today)
    return ""


def _of_argument(function: str, name: str) -> str:
    """Return the sentence about an argument; ``function`` is its qualified name, which pandas may define in a base."""
    called = _INNER.get(function, function.removesuffix(".__init__"))
    for owner in _owners_of_argument(called, name, is_class=function.endswith(".__init__")):
        *_, parent, last_part = owner.split(".")
        shown = f"{parent}.{last_part}" if parent[:1].isupper() else last_part
        today = ARGUMENTS.get(f"{shown}({name})") or ARGUMENTS.get(f"{owner.partition('.')[0]}({name})", "")
        return _sentence(owner.partition(".")[0], f"{shown}({name}=...)", names("arguments", owner)[name], today)
    return ""


def _owners_of_argument(called: str, name: str, *, is_class: bool) -> Iterator[str]:
    """Yield the functions and classes that had the argument and that ``called`` is, or is the base of."""
    owner_class, _, last_part = called.rpartition(".")
    with_argument = [owner for owner in listing()["arguments"] if name in names("arguments", owner)]
    for owner in with_argument:
        is_method = owner.split(".")[-2][:1].isupper()
        if owner.rpartition(".")[2] == last_part.lstrip("_") and is_method == bool(owner_class):
            yield owner
    for owner in with_argument if is_class else ():
        package, _, class_name = owner.rpartition(".")
        today = getattr(sys.modules.get(package), class_name, None)
        if called in (base.__qualname__ for base in getattr(today, "__mro__", ())):
            yield owner


def _sentence(library: str, shown: str, last: str, today: str) -> str:
    return f"{shown} was part of {LIBRARIES[library]} up to {last} and was removed. {today}".rstrip()


# ------------------------------------------------------------------ frames


def _frames(traceback: TracebackType | None) -> Iterator[FrameType]:
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


def _is_installed(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith((sys.prefix, sys.base_prefix, _GUEST_FOLDER, "<frozen"))


def _wrapped_function(traceback: TracebackType | None) -> str:
    """Return the name of the function whose arguments scikit-learn was binding."""
    found = [frame.f_locals["func"] for frame in _frames(traceback) if "func" in frame.f_locals]
    return str(getattr(found[-1], "__name__", "")) if found else ""


def _is_raised_for_the_notebook(traceback: TracebackType | None) -> bool:
    """Check whether code of the notebook, or one of these libraries that it called, uses the name."""
    others = {"IPython", "importlib", "inspect", "functools", *LIBRARIES}
    for frame in reversed(list(_frames(traceback))):
        if not _is_installed(frame):
            return True
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package not in others and not frame.f_code.co_filename.startswith((_GUEST_FOLDER, "<frozen")):
            return False
    return True


def _is_own(function: str, traceback: TracebackType | None) -> bool:
    """Check whether the notebook has a function or class of its own with this name."""
    first = function.partition(".")[0]
    for frame in _frames(traceback):
        if not _is_installed(frame):
            value = frame.f_locals.get(first, frame.f_globals.get(first))
            if value is not None and (inspect.isfunction(value) or inspect.isclass(value)):
                return str(value.__module__).partition(".")[0] not in LIBRARIES
    return False
