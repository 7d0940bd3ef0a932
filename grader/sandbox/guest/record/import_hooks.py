"""Told of a module right after it was imported: what hooks and older names are put in by. Standard library only."""

from __future__ import annotations

import importlib.abc
import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType


class AfterImport(importlib.abc.MetaPathFinder):
    """Finds nothing itself: what the other finders find is executed, and then given to ``loaded``."""

    busy = False

    def wants(self, name: str) -> bool:
        raise NotImplementedError

    def execute(self, module: ModuleType, executed: Callable[[ModuleType], None]) -> None:
        """Runs the module's own code."""
        executed(module)

    def loaded(self, module: ModuleType) -> None:
        raise NotImplementedError

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if self.busy or not self.wants(fullname):
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
        if self in sys.meta_path:  # a package may import itself once more while it is being imported: cv2 does
            sys.meta_path.remove(self)
