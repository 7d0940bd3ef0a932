"""The functions of ``keras.initializations`` of Keras 1, called with a shape: ``normal(shape, scale=0.01)``."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from .arguments import format_arguments
from .notes import note_translation

Arguments = Callable[[float], dict[str, float]]

# Today's class, the default of ``scale``, and today's arguments for it.
_SCALED: Mapping[str, tuple[str, float, Arguments]] = {
    "normal": ("RandomNormal", 0.05, lambda scale: {"stddev": scale}),
    "uniform": ("RandomUniform", 0.05, lambda scale: {"minval": -scale, "maxval": scale}),
    "orthogonal": ("Orthogonal", 1.1, lambda scale: {"gain": scale}),
    "identity": ("Identity", 1.0, lambda scale: {"gain": scale}),
}
_PLAIN = {
    "zero": "Zeros",
    "one": "Ones",
    "glorot_normal": "GlorotNormal",
    "glorot_uniform": "GlorotUniform",
    "he_normal": "HeNormal",
    "he_uniform": "HeUniform",
    "lecun_uniform": "LecunUniform",
}


def _scaled(name: str, today: str, default: float, arguments: Arguments) -> Callable[..., Any]:
    def initialize(shape: Any, scale: float = default, **_options: Any) -> Any:
        return _initialize(name, today, arguments(scale), shape)

    return initialize


def _plain(name: str, today: str) -> Callable[..., Any]:
    def initialize(shape: Any, **_options: Any) -> Any:
        return _initialize(name, today, {}, shape)

    return initialize


def _initialize(name: str, today: str, arguments: dict[str, float], shape: Any) -> Any:
    note_translation(
        f"initializations.{name}(shape)", f"keras.initializers.{today}({format_arguments(arguments)})(shape)"
    )
    return getattr(importlib.import_module("keras.initializers"), today)(**arguments)(shape)


INITIALIZATIONS: Mapping[str, Callable[..., Any]] = {
    **{name: _scaled(name, *entry) for name, entry in _SCALED.items()},
    **{name: _plain(name, today) for name, today in _PLAIN.items()},
}
