"""Old names of SciPy that mean the same today: the window functions, what moved, and NumPy's names at its top."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from . import library_listing
from .notes import note_translation
from .stub_modules import MISSING, add_lookup, is_read_by_a_library, provide_missing

_WINDOWS = "barthann bartlett blackman blackmanharris bohman boxcar chebwin cosine exponential flattop gaussian"
_WINDOWS += " general_gaussian hamming hann kaiser nuttall parzen triang tukey"

# Names that moved, by their module.
MOVED: Mapping[str, Mapping[str, str]] = {
    "scipy.signal": {
        **{name: f"scipy.signal.windows.{name}" for name in _WINDOWS.split()},
        "hanning": "scipy.signal.windows.hann",
    },
    "scipy.integrate": {
        "trapz": "scipy.integrate.trapezoid",
        "cumtrapz": "scipy.integrate.cumulative_trapezoid",
    },
    "scipy.misc": {
        name: f"scipy.special.{name}" for name in ("comb", "factorial", "factorial2", "factorialk", "logsumexp")
    },
}
# What SciPy's top level took from elsewhere than ``numpy`` itself.
_SCIMATH = {"sqrt", "log", "log2", "logn", "log10", "power", "arccos", "arcsin", "arctanh"}
_OF_PARTS = {"rand": "random.rand", "randn": "random.randn", "ifft": "fft.ifft"}

AfterImport = Callable[[str, Callable[[ModuleType], None]], None]


def install(after_import: AfterImport) -> None:
    provide_missing({"scipy.misc": lambda _module: None})
    after_import("scipy", _add_names_of_numpy)
    for module in MOVED:
        after_import(module, _add_moved_names)
    after_import("scipy.misc", lambda misc: add_lookup(misc, _lookup_misc))  # an empty module in some versions


def _add_moved_names(module: ModuleType) -> None:
    names = MOVED[module.__name__]

    def lookup(name: str) -> Any:
        if name not in names or is_read_by_a_library():
            return MISSING
        home, _, today = names[name].rpartition(".")
        note_translation(f"{module.__name__}.{name}", names[name])
        return getattr(importlib.import_module(home), today)

    add_lookup(module, lookup)


def _add_names_of_numpy(scipy: Any) -> None:
    """Give ``scipy.array`` and the like, which were NumPy's; ``scipy.log(-1)`` is complex, as it was."""
    own = frozenset(getattr(scipy, "__all__", ()))

    def lookup(name: str) -> Any:
        if name in own or is_read_by_a_library() or name not in library_listing.names("names", "scipy"):
            return MISSING
        path = f"emath.{name}" if name in _SCIMATH else _OF_PARTS.get(name, name)
        value: Any = np
        for part in path.split("."):
            value = getattr(value, part, MISSING)
        if value is not MISSING:
            note_translation(f"scipy.{name}", f"np.{path}")
        return value

    add_lookup(scipy, lookup)


# ------------------------------------------------------------------ scipy.misc, by Pillow as it was in SciPy

MISC = {
    "imread": "np.array(PIL.Image.open(name))",
    "imsave": "PIL.Image.fromarray(array).save(name)",
    "imresize": "PIL.Image.fromarray(array).resize((width, height))",
}
_FILTERS = ("nearest", "lanczos", "bilinear", "bicubic")


def _lookup_misc(name: str) -> Any:
    if name not in MISC:
        return MISSING
    note_translation(f"scipy.misc.{name}", MISC[name])
    return {"imread": imread, "imsave": imsave, "imresize": imresize}[name]


def imread(name: Any, flatten: bool = False, mode: str | None = None) -> Any:
    """Return the image as an array; ``flatten`` makes it grey, as float32."""
    from PIL import Image

    with Image.open(name) as opened:
        if mode is None and opened.mode == "P":
            mode = "RGBA" if "transparency" in opened.info else "RGB"
        image = opened.convert(mode) if mode is not None else opened
        return np.array(image.convert("F") if flatten else image)


def imsave(name: Any, arr: Any, format: str | None = None) -> None:  # noqa: A002
    _to_image("imsave", arr).save(name, format)


def imresize(arr: Any, size: Any, interp: str = "bilinear", mode: str | None = None) -> Any:
    """Resize an image; ``size`` is (height, width), an integer number of percent, or a fraction."""
    from PIL import Image

    image = _to_image("imresize", arr)
    if isinstance(size, int):
        target = tuple((np.array(image.size) * (size / 100)).astype(int))
    elif isinstance(size, float):
        target = tuple((np.array(image.size) * size).astype(int))
    else:
        target = (size[1], size[0])
    if interp not in _FILTERS:
        raise ValueError(f"imresize(interp={interp!r}): expected one of {', '.join(_FILTERS)}")
    image = image.convert(mode) if mode is not None else image
    return np.array(image.resize(target, getattr(Image.Resampling, interp.upper())))


def _to_image(function: str, arr: Any) -> Any:
    from PIL import Image

    array = np.asarray(arr)
    if array.dtype != np.uint8:
        raise TypeError(
            f"scipy.misc.{function} was removed. It stretched {array.dtype} values to 0..255, each image by its own "
            f"range. Convert the values first, for example with (array * 255).astype('uint8'), and use "
            f"{MISC[function]}."
        )
    return Image.fromarray(array)
