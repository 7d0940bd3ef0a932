"""Modules and module attributes that are created on demand instead of being found on disk."""

from __future__ import annotations

import dis
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import Any

Fill = Callable[[ModuleType], None]

MISSING = object()  # the result of a lookup that does not know a name


# ------------------------------------------------------------------ attributes


def add_lookup(module: ModuleType, lookup: Callable[[str], Any]) -> None:
    """Call ``lookup(name)`` for each name that ``module`` lacks; nothing is imported or noted before.

    ``lookup`` returns the value or ``MISSING``, or raises an AttributeError that says what to write instead.
    """
    previous = vars(module).get("__getattr__")

    def __getattr__(name: str) -> Any:  # noqa: N807
        if not name.startswith("_") or name == "__all__":
            try:
                value = lookup(name)
            except AttributeError as error:
                if _is_imported_from(sys._getframe(1)):  # Python would hide the reason
                    raise ImportError(str(error), name=module.__name__) from None
                raise
            if value is not MISSING:
                return value
        if previous is not None:
            return previous(name)
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

    module.__getattr__ = __getattr__  # type: ignore[method-assign]


def _is_imported_from(frame: FrameType) -> bool:
    """Check whether ``frame`` executes ``from module import name``."""
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] == "IMPORT_FROM"


def is_read_by_a_library() -> bool:
    """Check whether installed code reads the name: libraries look for old names to find out versions."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_passed_through(frame):
        frame = frame.f_back
    return frame is None or frame.f_code.co_filename.startswith((sys.prefix, sys.base_prefix, "<frozen"))


def _is_passed_through(frame: FrameType) -> bool:
    """Check whether the frame belongs to this package, or to the import system, which asks for somebody else."""
    is_import = frame.f_code.co_filename.startswith("<frozen importlib")
    return is_import or frame.f_globals.get("__package__") == __package__


# ------------------------------------------------------------------ modules


class _StubFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finder of ``modules``, which maps a full name to the function that fills the module at its first import."""

    def __init__(self, modules: Mapping[str, Fill]) -> None:
        self.modules = modules

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self.modules:
            return None
        is_package = any(name.startswith(f"{fullname}.") for name in self.modules)
        # A loader of its own for each spec: ImportHook wraps the loader's exec_module.
        return ModuleSpec(fullname, _StubFinder(self.modules), is_package=is_package)

    def exec_module(self, module: ModuleType) -> None:
        self.modules[module.__name__](module)


def provide(modules: Mapping[str, Fill]) -> None:
    """Provide ``modules``, even if modules with the same names are installed."""
    sys.meta_path.insert(0, _StubFinder(modules))


def provide_missing(modules: Mapping[str, Fill]) -> None:
    """Provide those of ``modules`` that are not installed."""
    sys.meta_path.append(_StubFinder(modules))


# ------------------------------------------------------------------ contents


def do_nothing(*_args: Any, **_kwargs: Any) -> None:
    """Accept any arguments and return None."""


class Inert:
    """An object that accepts every call and every attribute, and does nothing."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return do_nothing

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_error: object) -> None:
        return None
