"""``merge([a, b], mode="concat")`` of Keras 1, which became a module in Keras 2 and is gone: it is both."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from . import log

MODES = {"sum": "add", "mul": "multiply", "ave": "average", "max": "maximum", "concat": "concatenate"}


class Merging(ModuleType):
    def __call__(self, inputs: Any, mode: str = "sum", concat_axis: int = -1, name: str | None = None) -> Any:
        if mode not in MODES:
            raise NotImplementedError(
                f"merge(mode={mode!r}) was Keras 1's and has no function of today that computes the same: "
                "write it with keras.layers.Dot or keras.ops."
            )
        layers = sys.modules["keras"].layers
        today = MODES[mode]
        log.translated(f"merge([a, b], mode={mode!r})", f"keras.layers.{today}([a, b])")
        words = {"axis": concat_axis} if mode == "concat" else {}
        return getattr(layers, today)(inputs, name=name, **words)
