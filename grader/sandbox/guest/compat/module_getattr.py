"""Names that a module no longer has, served when they are asked for: nothing is imported, and nothing noted, before."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType, ModuleType
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


def asked_by_a_library() -> bool:
    """Whether the code that asks is installed: libraries look for old names too, to find out how old their world is."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__package__") == __package__:
        frame = frame.f_back
    return frame is None or frame.f_code.co_filename.startswith((sys.prefix, sys.base_prefix, "<frozen"))
