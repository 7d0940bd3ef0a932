"""``keras.backend`` as K: functions that computed on tensors and still mean the same; the others say why not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from . import log, refused
from .module_getattr import MISSING
from .moved_names import TF_KERAS


def _keras() -> Any:
    return sys.modules["keras"]


def image_dim_ordering() -> str:
    return "th" if _keras().config.image_data_format() == "channels_first" else "tf"


def set_image_dim_ordering(ordering: str) -> None:
    formats = {"tf": "channels_last", "th": "channels_first"}
    if ordering not in formats:
        raise ValueError(f"K.set_image_dim_ordering({ordering!r}): expected 'tf' or 'th'")
    log.translated(
        f"K.set_image_dim_ordering({ordering!r})", f"keras.config.set_image_data_format({formats[ordering]!r})"
    )
    _keras().config.set_image_data_format(formats[ordering])


def get_value(x: Any) -> Any:
    return x.numpy() if hasattr(x, "numpy") else x


def set_value(x: Any, value: Any) -> None:
    x.assign(value)


OWN: Mapping[str, tuple[Callable[..., Any], str]] = {
    "image_dim_ordering": (image_dim_ordering, "keras.config.image_data_format()"),
    "set_image_dim_ordering": (set_image_dim_ordering, "keras.config.set_image_data_format(...)"),
    "get_value": (get_value, "x.numpy()"),
    "eval": (get_value, "x.numpy()"),
    "set_value": (set_value, "x.assign(value)"),
}


def hide(module: Any) -> None:
    """tf.keras.backend has some of these too, and they fail there."""
    for name in (*OWN, *refused.BACKEND):
        vars(module).pop(name, None)


def lookup(prefix: str, name: str) -> Any:
    if name in refused.BACKEND:
        refused.refuse(f"K.{name}", refused.BACKEND[name])
    if name in OWN:
        function, today = OWN[name]
        if "dim_ordering" not in name:
            log.translated(f"K.{name}", today)
        return function
    value = vars(sys.modules[f"{TF_KERAS}.backend"]).get(name, MISSING)
    if value is not MISSING and prefix == "keras":
        today = f"keras.ops.{name}" if hasattr(_keras().ops, name) else f"tf.keras.backend.{name}"
        log.translated(f"K.{name}", today)
    return value
