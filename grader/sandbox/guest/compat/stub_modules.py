"""Modules that are made here instead of found on disk: an import of one of them gets it, and never anything else."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Fill = Callable[[ModuleType], None]


class Made(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """``modules`` maps a full name to what fills the module, at its first import."""

    def __init__(self, modules: Mapping[str, Fill]) -> None:
        self.modules = modules

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self.modules:
            return None
        is_package = any(name.startswith(f"{fullname}.") for name in self.modules)
        return ModuleSpec(fullname, self, is_package=is_package)

    def exec_module(self, module: ModuleType) -> None:
        self.modules[module.__name__](module)


def offer(modules: Mapping[str, Fill]) -> None:
    """Before all others: names that only exist elsewhere."""
    sys.meta_path.insert(0, Made(modules))


def offer_missing(modules: Mapping[str, Fill]) -> None:
    """After all others: what is installed is taken from there."""
    sys.meta_path.append(Made(modules))


def nothing(*_args: Any, **_kwargs: Any) -> None:
    """What a call of something without effect does."""


class Anything:
    """An object that takes every call and every attribute, and does nothing."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        self.__dict__.update(kept={})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return nothing

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_error: object) -> None:
        return None
