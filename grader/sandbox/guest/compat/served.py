"""Names that a module no longer has, served when they are asked for: nothing is imported, and nothing noted, before."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

MISSING = object()


def serve(module: ModuleType, lookup: Callable[[str], Any]) -> None:
    """``lookup(name)`` gives the value or ``MISSING``; or raises AttributeError, which says what to do instead."""
    before = vars(module).get("__getattr__")

    def __getattr__(name: str) -> Any:  # noqa: N807
        if not name.startswith("_") or name == "__all__":
            value = lookup(name)
            if value is not MISSING:
                return value
        if before is not None:
            return before(name)
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

    module.__getattr__ = __getattr__  # type: ignore[method-assign]


def asked_by_the_notebook(depth: int = 2) -> bool:
    """Whether the code that asks is a cell: libraries look for old names too, to find out how old their world is."""
    frame = sys._getframe(depth)
    while frame.f_back is not None and frame.f_globals.get("__name__") in (__name__, "importlib._bootstrap"):
        frame = frame.f_back
    return frame.f_globals.get("__name__") == "__main__"
