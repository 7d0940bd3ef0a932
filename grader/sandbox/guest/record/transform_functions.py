"""Functions and classes of the libraries that change pictures, each replaced by itself and a count.

Only what the notebook itself calls counts: a library that calls another has been counted already, or draws a plot.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any

from . import transform_ledger
from .transform_ledger import AUGMENTATION, RESIZING, Use

# module -> what in it, a class's method after a point; the arguments that make it do nothing: name, place, value
_Neutral = tuple[str, int, tuple[float, ...]]
_ANGLE: _Neutral = ("angle", 1, (0, 360))
_TURNS: _Neutral = ("k", 1, (0, 4))
_DELTA: _Neutral = ("delta", 1, (0,))
_MAX_DELTA: _Neutral = ("max_delta", 1, (0,))
_FACTOR: _Neutral = ("factor", 1, (1,))

_RANDOM = ("flip_left_right", "flip_up_down", "crop", "contrast", "saturation", "jpeg_quality")
_TENSORFLOW: dict[str, _Neutral | None] = {
    **dict.fromkeys(("flip_left_right", "flip_up_down", "transpose", "adjust_gamma", "adjust_jpeg_quality")),
    **dict.fromkeys(f"random_{name}" for name in _RANDOM),
    **dict.fromkeys(f"stateless_random_{name}" for name in (*_RANDOM, "brightness", "hue")),
    "rot90": _TURNS,
    "random_brightness": _MAX_DELTA,
    "random_hue": _MAX_DELTA,
    "adjust_brightness": _DELTA,
    "adjust_hue": _DELTA,
    "adjust_contrast": ("contrast_factor", 1, (1,)),
    "adjust_saturation": ("saturation_factor", 1, (1,)),
}
AUGMENTING: dict[str, dict[str, _Neutral | None]] = {
    "tensorflow": {f"image.{name}": neutral for name, neutral in _TENSORFLOW.items()},
    "numpy": {"fliplr": None, "flipud": None, "rot90": _TURNS},
    "cv2": {"flip": None, "rotate": None, "warpAffine": None, "warpPerspective": None},
    "PIL.Image": {"Image.rotate": _ANGLE, "Image.transpose": None, "Image.transform": None},
    "PIL.ImageOps": dict.fromkeys(("mirror", "flip", "solarize", "posterize")),
    "PIL.ImageEnhance": {"_Enhance.enhance": _FACTOR},
    "scipy.ndimage": {"rotate": _ANGLE, "shift": ("shift", 1, (0,)), "affine_transform": None},
    "skimage.transform": {"rotate": _ANGLE, "warp": None, "swirl": None},
    "skimage.util": {"random_noise": None},
    "torchvision.transforms.functional": {
        **dict.fromkeys(("hflip", "vflip", "rotate", "affine", "perspective", "erase")),
        **dict.fromkeys(f"adjust_{name}" for name in ("brightness", "contrast", "saturation", "hue", "gamma")),
    },
}
RESIZE: dict[str, tuple[str, ...]] = {
    "tensorflow": ("image.resize", "image.resize_with_pad", "image.resize_with_crop_or_pad", "image.crop_and_resize"),
    "cv2": ("resize",),
    "PIL.Image": ("Image.resize", "Image.thumbnail", "Image.reduce"),
    "PIL.ImageOps": ("fit", "contain", "cover", "pad", "scale"),
    "scipy.ndimage": ("zoom",),
    "skimage.transform": ("resize", "rescale", "downscale_local_mean"),
    "torchvision.transforms.functional": ("resize", "resized_crop"),
}
# Classes whose objects are called with a picture.
CALLED = ("torchvision.transforms", "torchvision.transforms.v2")
ALBUMENTATIONS = "albumentations.core.transforms_interface"
_RESIZES = ("Resize", "SmallestMaxSize", "LongestMaxSize")
_SIZES = (*_RESIZES, "RandomResizedCrop", "RandomSizedCrop", "RandomSizedBBoxSafeCrop")
_NEITHER = (
    *_RESIZES,
    *("Normalize", "ToFloat", "FromFloat", "ToTensor", "ToTensorV2", "ToGray", "ToRGB"),
    *("CenterCrop", "PadIfNeeded", "Pad", "Crop", "NoOp", "Lambda"),
)
_GUEST = __name__.removesuffix("record.transform_functions")
# What resizes in the notebook's name.
_VIA = {
    "keras.src.utils.image_utils": "load_img(target_size)",
    f"{_GUEST}compat.pictures": "scipy.misc.imresize",
}
_LIBRARIES = ("site-packages", "dist-packages")

After = Callable[[str, Callable[[ModuleType], None]], None]


def start(after_import: After) -> None:
    for module in dict.fromkeys([*AUGMENTING, *RESIZE]):
        after_import(module, functools.partial(_watch_functions, module))
    for module in CALLED:
        after_import(module, _watch_called)
    after_import(ALBUMENTATIONS, _watch_albumentations)


def _watch_functions(name: str, module: ModuleType) -> None:
    spoken = {"tensorflow": "tf", "numpy": "np"}.get(name, name)
    for path, neutral in AUGMENTING.get(name, {}).items():
        _replace(module, path, Use(AUGMENTATION, f"{spoken}.{path}".replace("_Enhance.", "")), neutral)
    for path in RESIZE.get(name, ()):
        _replace(module, path, Use(RESIZING, f"{spoken}.{path}"), None)


def _replace(module: ModuleType, path: str, use: Use, neutral: _Neutral | None) -> None:
    """Where a library's version lacks it, nothing is replaced."""
    *owners, name = path.split(".")
    owner: Any = module
    with contextlib.suppress(AttributeError, TypeError):
        for one in owners:
            owner = getattr(owner, one)
        setattr(owner, name, _counting(getattr(owner, name), use, neutral))


def _counting(function: Callable[..., Any], use: Use, neutral: _Neutral | None) -> Callable[..., Any]:
    @functools.wraps(function)
    def counting(*args: Any, **kwargs: Any) -> Any:
        via = _by(sys._getframe(1))
        with transform_ledger.outermost() as first:
            result = function(*args, **kwargs)
        if first and via is not None and not _does_nothing(neutral, args, kwargs):
            # The notebook's own objects: its work must not fail because we looked.
            with contextlib.suppress(Exception):
                pictures = args[0] if args else next(iter(kwargs.values()), None)
                transform_ledger.note(Use(use.kind, via) if via else use, pictures)
        return result

    return counting


def _by(frame: FrameType | None) -> str | None:
    """None for a library's call; the name to give it for one that a library makes for the notebook, else empty."""
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("tensorflow.python.autograph"):
        frame = frame.f_back  # the notebook's own functions, rewritten for a graph
    module = str(frame.f_globals.get("__name__")) if frame is not None else ""
    ours = module.startswith(_GUEST)
    if frame is None or not (ours or any(place in frame.f_code.co_filename for place in _LIBRARIES)):
        return ""
    return _VIA.get(module)


def _does_nothing(neutral: _Neutral | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    if neutral is None:
        return False
    name, place, values = neutral
    given = kwargs.get(name, args[place] if len(args) > place else None)
    return isinstance(given, (int, float)) and given in values


# ---------------------------------------------------------------- classes that are called with a picture


def _watch_called(module: ModuleType) -> None:
    for name, kind in list(vars(module).items()):
        if not isinstance(kind, type) or not (name.startswith(("Random", "Color", "Gaussian")) or name in _SIZES):
            continue
        for method in ("forward", "__call__", "transform"):
            if method in vars(kind) and callable(vars(kind)[method]):
                setattr(kind, method, _called(vars(kind)[method], "torchvision"))
                break


def _watch_albumentations(module: ModuleType) -> None:
    transform = getattr(module, "BasicTransform", None)
    if isinstance(transform, type) and "__call__" in vars(transform):
        transform.__call__ = _called(transform.__call__, "albumentations")  # type: ignore[method-assign]


def _called(method: Callable[..., Any], library: str) -> Callable[..., Any]:
    @functools.wraps(method)
    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        with transform_ledger.outermost() as first:
            result = method(self, *args, **kwargs)
        if first:
            with contextlib.suppress(Exception):
                for use in _uses(self, library):
                    transform_ledger.note(use, args[0] if args else kwargs.get("image"))
        return result

    return called


def _uses(transform: Any, library: str) -> list[Use]:
    name = type(transform).__name__
    found = [Use(RESIZING, f"{library}.{name}")] if name in _SIZES else []
    weak = getattr(transform, "p", None) == 0 or list(getattr(transform, "degrees", None) or [1]) == [0, 0]
    return found if name in _NEITHER or weak else [*found, Use(AUGMENTATION, f"{library}.{name}")]
