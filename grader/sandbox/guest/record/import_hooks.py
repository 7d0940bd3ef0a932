"""Import hooks: actions on a module right after it was imported."""

from __future__ import annotations

import importlib.abc
import importlib.util
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType

import numpy as np


class ImportHook(importlib.abc.MetaPathFinder):
    """Finder that finds nothing itself: it executes what other finders find and passes the module to ``loaded``."""

    busy = False

    def matches(self, name: str) -> bool:
        """Return True for the modules to act on."""
        raise NotImplementedError

    def execute(self, module: ModuleType, executed: Callable[[ModuleType], None]) -> None:
        """Run the module's own code, by calling ``executed``."""
        executed(module)

    def loaded(self, module: ModuleType) -> None:
        """Act on a module that has just been imported."""
        raise NotImplementedError

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if self.busy or not self.matches(fullname):
            return None
        self.busy = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self.busy = False
        if spec is None or spec.loader is None:
            return None
        executed = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            self.execute(module, executed)
            self.loaded(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def stop(self) -> None:
        """Stop acting on imports."""
        if self in sys.meta_path:  # a package may import itself again while it is being imported, as cv2 does
            sys.meta_path.remove(self)


@contextmanager
def same_random_state() -> Iterator[None]:
    """Restore the global random state of Python and NumPy afterwards."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


class _Once(ImportHook):
    """Hook that calls ``action`` with a module after its first import."""

    def __init__(self, name: str, action: Callable[[ModuleType], None]) -> None:
        self.name, self.action = name, action

    def matches(self, name: str) -> bool:
        return name == self.name

    def execute(self, module: ModuleType, executed: Callable[[ModuleType], None]) -> None:
        # A warm worker has imported the library already and a cold one has not: both must draw the same numbers later.
        with same_random_state():
            executed(module)

    def loaded(self, module: ModuleType) -> None:
        self.stop()
        self.action(module)


def after_import(name: str, action: Callable[[ModuleType], None]) -> None:
    """Call ``action`` with the module ``name``: now if it is imported already, else after its import.

    The import then leaves the global random state as it was.
    """
    if name in sys.modules:
        action(sys.modules[name])
    else:
        sys.meta_path.insert(0, _Once(name, action))
