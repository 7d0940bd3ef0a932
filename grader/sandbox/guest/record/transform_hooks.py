"""Hooks on library functions, classes, Keras layers and TensorFlow datasets that transform images.

Each is replaced by a wrapper that calls it and records the transform. Only calls by the notebook itself count: a call
by another library has been counted already, or only draws a plot. A library's version may lack a function or an inner
class of the tables below; that one is then not watched, and nothing else changes.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import weakref
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any

import numpy as np

from . import transform_ledger
from .import_hooks import after_import
from .transform_ledger import AUGMENTATION, RESIZING, Transform

# An argument and its values without effect: name, position, values.
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
# Per module: a function, or "Class.method", and the argument that may make it do nothing.
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
# Modules with classes whose objects are called with an image, and the names of their classes.
TORCHVISION = ("torchvision.transforms", "torchvision.transforms.v2")
ALBUMENTATIONS = "albumentations.core.transforms_interface"
_RESIZES = ("Resize", "SmallestMaxSize", "LongestMaxSize")
_CHANGES_SIZE = (*_RESIZES, "RandomResizedCrop", "RandomSizedCrop", "RandomSizedBBoxSafeCrop")
_NO_AUGMENTATION = (
    *_RESIZES,
    *("Normalize", "ToFloat", "FromFloat", "ToTensor", "ToTensorV2", "ToGray", "ToRGB"),
    *("CenterCrop", "PadIfNeeded", "Pad", "Crop", "NoOp", "Lambda"),
)
_SIZE_LAYERS = ("Resizing", "RandomCrop", "CenterCrop")
# The arguments of ImageDataGenerator that augment, and their values without effect.
_GENERATOR = (
    "rotation_range", "width_shift_range", "height_shift_range", "brightness_range", "shear_range", "zoom_range",
    "channel_shift_range", "horizontal_flip", "vertical_flip",
)  # fmt: skip
_NO_EFFECT = (None, False, 0, 0.0, (0, 0), [0, 0], (1, 1), [1, 1])

_GUEST = __name__.removesuffix("record.transform_hooks")
# Modules that resize on behalf of the notebook, with the name in the report.
_ON_BEHALF = {
    "keras.src.utils.image_utils": "load_img(target_size)",
    f"{_GUEST}compat.old_scipy": "scipy.misc.imresize",
}
_LIBRARIES = ("site-packages", "dist-packages")
_known: weakref.WeakKeyDictionary[Any, list[Transform]] = weakref.WeakKeyDictionary()  # of a layer or a generator


def start() -> None:
    """Install all hooks, each once its library has been imported."""
    for module in dict.fromkeys([*AUGMENTING, *RESIZE]):
        after_import(module, functools.partial(_watch_functions, module))
    for module in TORCHVISION:
        after_import(module, _watch_torchvision)
    after_import(ALBUMENTATIONS, _watch_albumentations)
    after_import("keras", _watch_keras)
    after_import("tensorflow", _watch_datasets)


# ---------------------------------------------------------------- functions


def _watch_functions(name: str, module: ModuleType) -> None:
    prefix = {"tensorflow": "tf", "numpy": "np"}.get(name, name)
    for path, neutral in AUGMENTING.get(name, {}).items():
        _replace(module, path, Transform(AUGMENTATION, f"{prefix}.{path}".replace("_Enhance.", "")), neutral)
    for path in RESIZE.get(name, ()):
        _replace(module, path, Transform(RESIZING, f"{prefix}.{path}"), None)


def _replace(module: ModuleType, path: str, transform: Transform, neutral: _Neutral | None) -> None:
    *owners, name = path.split(".")
    owner: Any = module
    with contextlib.suppress(AttributeError, TypeError):
        for part in owners:
            owner = getattr(owner, part)
        setattr(owner, name, _counting(getattr(owner, name), transform, neutral))


def _counting(function: Callable[..., Any], transform: Transform, neutral: _Neutral | None) -> Callable[..., Any]:
    @functools.wraps(function)
    def counting(*args: Any, **kwargs: Any) -> Any:
        name = _name_by_caller(sys._getframe(1))
        with transform_ledger.outermost_call() as first:
            result = function(*args, **kwargs)
        if first and name is not None and not _has_no_effect(neutral, args, kwargs):
            # These are objects of the notebook: an error in the record must not make its own call fail.
            with contextlib.suppress(Exception):
                images = args[0] if args else next(iter(kwargs.values()), None)
                transform_ledger.record(Transform(transform.kind, name) if name else transform, images)
        return result

    return counting


def _name_by_caller(frame: FrameType | None) -> str | None:
    """Return "" for a call by the notebook, None for a library's own call, or the name of a call on its behalf."""
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("tensorflow.python.autograph"):
        frame = frame.f_back  # a function of the notebook, converted for a graph
    module = str(frame.f_globals.get("__name__")) if frame is not None else ""
    is_guest = module.startswith(_GUEST)
    if frame is None or not (is_guest or any(folder in frame.f_code.co_filename for folder in _LIBRARIES)):
        return ""
    return _ON_BEHALF.get(module)


def _has_no_effect(neutral: _Neutral | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    if neutral is None:
        return False
    name, position, values = neutral
    value = kwargs.get(name, args[position] if len(args) > position else None)
    return isinstance(value, (int, float)) and value in values


# ---------------------------------------------------------------- callable classes


def _watch_torchvision(module: ModuleType) -> None:
    for name, kind in list(vars(module).items()):
        if not isinstance(kind, type) or not (
            name.startswith(("Random", "Color", "Gaussian")) or name in _CHANGES_SIZE
        ):
            continue
        for method in ("forward", "__call__", "transform"):
            if method in vars(kind) and callable(vars(kind)[method]):
                setattr(kind, method, _recording_call(vars(kind)[method], "torchvision"))
                break


def _watch_albumentations(module: ModuleType) -> None:
    transform = getattr(module, "BasicTransform", None)
    if isinstance(transform, type) and "__call__" in vars(transform):
        transform.__call__ = _recording_call(transform.__call__, "albumentations")  # type: ignore[method-assign]


def _recording_call(method: Callable[..., Any], library: str) -> Callable[..., Any]:
    @functools.wraps(method)
    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        with transform_ledger.outermost_call() as first:
            result = method(self, *args, **kwargs)
        if first:
            _record(lambda: _object_transforms(self, library), args[0] if args else kwargs.get("image"))
        return result

    return called


def _object_transforms(transform: Any, library: str) -> list[Transform]:
    name = type(transform).__name__
    found = [Transform(RESIZING, f"{library}.{name}")] if name in _CHANGES_SIZE else []
    no_effect = getattr(transform, "p", None) == 0 or list(getattr(transform, "degrees", None) or [1]) == [0, 0]
    if name in _NO_AUGMENTATION or no_effect:
        return found
    return [*found, Transform(AUGMENTATION, f"{library}.{name}")]


def _record(transforms: Callable[[], list[Transform]], images: Any) -> None:
    with contextlib.suppress(Exception):  # an object of the notebook: its training must not fail because of the record
        for transform in transforms():
            transform_ledger.record(transform, images)


# ---------------------------------------------------------------- Keras


def _watch_keras(keras: ModuleType) -> None:
    with contextlib.suppress(AttributeError, StopIteration):
        base = next(kind for kind in keras.layers.Resizing.__mro__ if kind.__name__ == "BaseImagePreprocessingLayer")
        base.call = _recording_layer(base.call)
    images = sys.modules.get("keras.src.legacy.preprocessing.image")
    if images is not None:
        with contextlib.suppress(AttributeError):
            generator, files = images.ImageDataGenerator, images.BatchFromFilesMixin
            generator.apply_transform = _recording_generator(generator.apply_transform)
            batch = "_get_batches_of_transformed_samples"
            setattr(files, batch, _recording_files(getattr(files, batch)))


def _recording_layer(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def watched(self: Any, data: Any, training: Any = True) -> Any:
        images = data.get("images") if isinstance(data, dict) else data
        with transform_ledger.outermost_call() as first:
            result = call(self, data, training=training)
        if first:
            trains = isinstance(training, (bool, int)) and bool(training)
            _record(lambda: [found for found in _layer_transforms(self) if trains or found.kind == RESIZING], images)
        return result

    return watched


def _layer_transforms(layer: Any) -> list[Transform]:
    if layer not in _known:
        name = next(kind.__name__ for kind in type(layer).__mro__ if kind.__module__.startswith("keras."))
        config = layer.get_config()
        strengths = {key: config[key] for key in config if key.endswith("factor") and config[key] is not None}
        shown = strengths or {key: config[key] for key in ("height", "width", "mode", "alpha") if key in config}
        parameters = ", ".join(f"{key}={value}" for key, value in shown.items())
        no_effect = bool(strengths) and not any(np.any(np.asarray(value)) for value in strengths.values())
        _known[layer] = [Transform(RESIZING, name, parameters)] if name in _SIZE_LAYERS else []
        if not no_effect and (name.startswith("Rand") or name in ("AugMix", "MixUp", "CutMix")):
            _known[layer].append(Transform(AUGMENTATION, name, parameters))
    return _known[layer]


def _recording_generator(apply: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(apply)
    def watched(self: Any, x: Any, transform_parameters: Any) -> Any:
        with transform_ledger.outermost_call():
            result = apply(self, x, transform_parameters)
        _record(lambda: _generator_transforms(self), x)
        return result

    return watched


def _generator_transforms(generator: Any) -> list[Transform]:
    if generator not in _known:
        given = {name: getattr(generator, name, None) for name in _GENERATOR}
        _known[generator] = [
            Transform(AUGMENTATION, f"ImageDataGenerator({name})", f"{name}={value}")
            for name, value in given.items()
            if not any(value is none or (type(value) is type(none) and value == none) for none in _NO_EFFECT)
        ]
    return _known[generator]


def _recording_files(batch: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(batch)
    def watched(self: Any, index_array: Any) -> Any:
        size = "x".join(map(str, self.target_size))
        resizing = Transform(RESIZING, "flow_from_directory(target_size)", size)
        _record(lambda: [resizing] * len(index_array), None)
        return batch(self, index_array)

    return watched


# ---------------------------------------------------------------- TensorFlow datasets


def _watch_datasets(tensorflow: ModuleType) -> None:
    with contextlib.suppress(AttributeError):
        dataset = tensorflow.data.Dataset
        for name in ("map", "flat_map", "interleave"):
            setattr(dataset, name, _recording_map(getattr(dataset, name)))
        dataset.__iter__ = _recording_iteration(dataset.__iter__)


def _recording_map(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        with transform_ledger.tracing() as traced:
            made = method(self, *args, **kwargs)
            if str(sys._getframe(1).f_globals.get("__name__")).endswith("image_dataset_utils"):
                resizing = Transform(RESIZING, "image_dataset_from_directory(image_size)")
                traced.extend(transform_ledger.entries_of(resizing))
        with contextlib.suppress(TypeError):
            transform_ledger.attach(made, traced)
        return made

    return watched


def _recording_iteration(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def watched(self: Any) -> Any:
        with contextlib.suppress(Exception):
            transform_ledger.record_iteration(self)
        return method(self)

    return watched
