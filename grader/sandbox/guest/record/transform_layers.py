"""Keras's own ways of changing pictures, and TensorFlow's datasets that lead them into a training."""

from __future__ import annotations

import contextlib
import functools
import sys
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from . import transform_functions, transform_ledger
from .transform_ledger import AUGMENTATION, RESIZING, Use

_SIZES = ("Resizing", "RandomCrop", "CenterCrop")
# An argument of ImageDataGenerator and its values that change nothing.
_NOTHING = (None, False, 0, 0.0, (0, 0), [0, 0], (1, 1), [1, 1])
_GENERATOR = (
    "rotation_range", "width_shift_range", "height_shift_range", "brightness_range", "shear_range", "zoom_range",
    "channel_shift_range", "horizontal_flip", "vertical_flip",
)  # fmt: skip
_known: weakref.WeakKeyDictionary[Any, list[Use]] = weakref.WeakKeyDictionary()  # of a layer or a generator


def start(after_import: transform_functions.After) -> None:
    transform_functions.start(after_import)
    after_import("keras", _keras_imported)
    after_import("tensorflow", _tensorflow_imported)


def _keras_imported(keras: ModuleType) -> None:
    # Keras moves its inner parts: where one is not found it is not watched, and nothing else changes.
    with contextlib.suppress(AttributeError, StopIteration):
        base = next(kind for kind in keras.layers.Resizing.__mro__ if kind.__name__ == "BaseImagePreprocessingLayer")
        base.call = _watched_call(base.call)
    images = sys.modules.get("keras.src.legacy.preprocessing.image")
    if images is not None:
        with contextlib.suppress(AttributeError):
            generator, files = images.ImageDataGenerator, images.BatchFromFilesMixin
            generator.apply_transform = _watched_generator(generator.apply_transform)
            batch = "_get_batches_of_transformed_samples"
            setattr(files, batch, _watched_files(getattr(files, batch)))


def _watched_call(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def watched(self: Any, data: Any, training: Any = True) -> Any:
        pictures = data.get("images") if isinstance(data, dict) else data
        with transform_ledger.outermost() as first:
            result = call(self, data, training=training)
        if first:
            trains = isinstance(training, (bool, int)) and bool(training)
            _note(lambda: [use for use in _of_layer(self) if trains or use.kind == RESIZING], pictures)
        return result

    return watched


def _of_layer(layer: Any) -> list[Use]:
    if layer not in _known:
        name = next(kind.__name__ for kind in type(layer).__mro__ if kind.__module__.startswith("keras."))
        config = layer.get_config()
        strengths = {key: config[key] for key in config if key.endswith("factor") and config[key] is not None}
        said = strengths or {key: config[key] for key in ("height", "width", "mode", "alpha") if key in config}
        parameters = ", ".join(f"{key}={value}" for key, value in said.items())
        weak = bool(strengths) and not any(np.any(np.asarray(value)) for value in strengths.values())
        _known[layer] = [Use(RESIZING, name, parameters)] if name in _SIZES else []
        if not weak and (name.startswith("Rand") or name in ("AugMix", "MixUp", "CutMix")):
            _known[layer].append(Use(AUGMENTATION, name, parameters))
    return _known[layer]


def _watched_generator(apply: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(apply)
    def watched(self: Any, x: Any, transform_parameters: Any) -> Any:
        with transform_ledger.outermost():
            result = apply(self, x, transform_parameters)
        _note(lambda: _of_generator(self), x)
        return result

    return watched


def _of_generator(generator: Any) -> list[Use]:
    if generator not in _known:
        given = {name: getattr(generator, name, None) for name in _GENERATOR}
        used = {name: value for name, value in given.items() if not _is_nothing(value)}
        _known[generator] = [
            Use(AUGMENTATION, f"ImageDataGenerator({name})", f"{name}={value}") for name, value in used.items()
        ]
    return _known[generator]


def _is_nothing(value: Any) -> bool:
    return any(value is nothing or (type(value) is type(nothing) and value == nothing) for nothing in _NOTHING)


def _watched_files(batch: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(batch)
    def watched(self: Any, index_array: Any) -> Any:
        size = "x".join(map(str, self.target_size))
        _note(lambda: [Use(RESIZING, "flow_from_directory(target_size)", size)] * len(index_array), None)
        return batch(self, index_array)

    return watched


def _note(uses: Callable[[], list[Use]], pictures: Any) -> None:
    with contextlib.suppress(Exception):  # a layer of the notebook's own: its training must not fail because we looked
        for use in uses():
            transform_ledger.note(use, pictures)


# ---------------------------------------------------------------- datasets


def _tensorflow_imported(tensorflow: ModuleType) -> None:
    with contextlib.suppress(AttributeError):
        dataset = tensorflow.data.Dataset
        for name in ("map", "flat_map", "interleave"):
            setattr(dataset, name, _watched_map(getattr(dataset, name)))
        dataset.__iter__ = _watched_iteration(dataset.__iter__)


def _watched_map(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        with transform_ledger.tracing() as found:
            made = method(self, *args, **kwargs)
            if str(sys._getframe(1).f_globals.get("__name__")).endswith("image_dataset_utils"):
                found.extend(transform_ledger.set_up(Use(RESIZING, "image_dataset_from_directory(image_size)")))
        with contextlib.suppress(TypeError):
            transform_ledger.made(made, found)
        return made

    return watched


def _watched_iteration(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def watched(self: Any) -> Any:
        with contextlib.suppress(Exception):
            transform_ledger.iterated(self)
        return method(self)

    return watched
