"""``scipy.misc``'s pictures, by Pillow, which did the work then too: ``imread``, ``imsave``, ``imresize``."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import log
from .module_getattr import MISSING

TODAY = {
    "imread": "np.array(PIL.Image.open(name))",
    "imsave": "PIL.Image.fromarray(array).save(name)",
    "imresize": "PIL.Image.fromarray(array).resize((width, height))",
}
_FILTERS = ("nearest", "lanczos", "bilinear", "bicubic")


def lookup(name: str) -> Any:
    if name not in TODAY:
        return MISSING
    log.translated(f"scipy.misc.{name}", TODAY[name])
    return {"imread": imread, "imsave": imsave, "imresize": imresize}[name]


def imread(name: Any, flatten: bool = False, mode: str | None = None) -> Any:
    from PIL import Image

    with Image.open(name) as opened:
        if mode is None and opened.mode == "P":
            mode = "RGBA" if "transparency" in opened.info else "RGB"
        picture = opened.convert(mode) if mode is not None else opened
        return np.array(picture.convert("F") if flatten else picture)


def imsave(name: Any, arr: Any, format: str | None = None) -> None:  # noqa: A002
    _picture("imsave", arr).save(name, format)


def imresize(arr: Any, size: Any, interp: str = "bilinear", mode: str | None = None) -> Any:
    """``size`` is (height, width), a whole number of percent, or a fraction."""
    from PIL import Image

    picture = _picture("imresize", arr)
    if isinstance(size, int):
        wanted = tuple((np.array(picture.size) * (size / 100)).astype(int))
    elif isinstance(size, float):
        wanted = tuple((np.array(picture.size) * size).astype(int))
    else:
        wanted = (size[1], size[0])
    if interp not in _FILTERS:
        raise ValueError(f"imresize(interp={interp!r}): expected one of {', '.join(_FILTERS)}")
    picture = picture.convert(mode) if mode is not None else picture
    return np.array(picture.resize(wanted, getattr(Image.Resampling, interp.upper())))


def _picture(function: str, arr: Any) -> Any:
    from PIL import Image

    array = np.asarray(arr)
    if array.dtype != np.uint8:
        raise TypeError(
            f"scipy.misc.{function} stretched {array.dtype} numbers to 0..255, each picture by its own range, and is "
            f"gone. Say how you mean it, (array * 255).astype('uint8'), and use {TODAY[function]}."
        )
    return Image.fromarray(array)
