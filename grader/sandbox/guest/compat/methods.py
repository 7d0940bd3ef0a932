"""Methods and attributes that models, layers and iterators had: ``fit_generator``, ``predict_classes``, ``.next()``."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from . import log, refused
from .argument_renames import EVALUATE, FIT, IMAGES, PREDICT
from .arguments import translated, understand


def start(keras: Any) -> None:
    model = keras.Model
    for method in (fit_generator, evaluate_generator, predict_generator, predict_classes, predict_proba, to_yaml):
        setattr(model, method.__name__, method)
    model.metrics_names = property(functools.partial(_metrics_names, model.metrics_names.fget))
    for name in ("input_shape", "output_shape"):
        setattr(keras.layers.Layer, name, _Shape(name))
    images = importlib.import_module("keras.src.legacy.preprocessing.image")
    images.Iterator.next = _next
    understand(images.ImageDataGenerator, "__init__", IMAGES)


# ------------------------------------------------------------------ generators


def fit_generator(self: Any, generator: Any, steps_per_epoch: int | None = None, epochs: int = 1, **words: Any) -> Any:
    log.translated("model.fit_generator(generator)", "model.fit(generator)")
    words = translated("model.fit_generator", FIT, words)
    epochs = words.pop("epochs", epochs)
    samples = words.pop("samples_per_epoch", None)
    steps = steps_per_epoch if samples is None else _steps("samples_per_epoch", "steps_per_epoch", samples, generator)
    tested = words.pop("validation_data", None)
    samples = words.pop("nb_val_samples", None)
    if samples is not None:
        words["validation_steps"] = _steps("nb_val_samples", "validation_steps", samples, tested)
    if tested is not None:
        words["validation_data"] = _lasting(tested, words.get("validation_steps"))
    return self.fit(_lasting(generator, steps), steps_per_epoch=steps, epochs=epochs, **words)


def evaluate_generator(self: Any, generator: Any, steps: int | None = None, **words: Any) -> Any:
    log.translated("model.evaluate_generator(generator)", "model.evaluate(generator)")
    steps, words = _asked(generator, steps, translated("model.evaluate_generator", EVALUATE, words))
    return self.evaluate(_lasting(generator, steps), steps=steps, **words)


def predict_generator(self: Any, generator: Any, steps: int | None = None, **words: Any) -> Any:
    log.translated("model.predict_generator(generator)", "model.predict(generator)")
    steps, words = _asked(generator, steps, translated("model.predict_generator", PREDICT, words))
    return self.predict(_lasting(generator, steps), steps=steps, **words)


def _asked(generator: Any, steps: int | None, words: dict[str, Any]) -> tuple[int | None, dict[str, Any]]:
    samples = words.pop("val_samples", None)
    words.setdefault("verbose", 0)
    return (steps if samples is None else _steps("val_samples", "steps", samples, generator)), words


def _steps(old: str, new: str, samples: int, generator: Any) -> int:
    """Keras 1 counted photos where today batches are counted."""
    size = getattr(generator, "batch_size", None)
    if not isinstance(size, int):
        raise TypeError(
            f"{old}={samples} counts samples; today batches are counted. Write {new}={samples} // batch_size"
        )
    steps = -(-samples // size)
    log.translated(f"{old}={samples}", f"{new}={steps}")
    return steps


def _lasting(generator: Any, steps: int | None) -> Any:
    """A source of batches that an epoch need not go through exactly, as ``steps`` may ask for.

    Today's ``fit`` ends an epoch where such a source is through, which it never was for ``fit_generator``.
    """
    if steps is None or not hasattr(generator, "__len__") or isinstance(generator, (tuple, list)):
        return generator
    return generator if len(generator) == steps else _endless(generator)


def _endless(generator: Any) -> Iterator[Any]:
    while hasattr(generator, "__next__"):
        yield next(generator)
    while True:
        yield from (generator[batch] for batch in range(len(generator)))
        if hasattr(generator, "on_epoch_end"):
            generator.on_epoch_end()


def _next(self: Any) -> Any:
    log.translated("generator.next()", "next(generator)")
    return next(self)


# ------------------------------------------------------------------ answers


def predict_classes(self: Any, x: Any, batch_size: int | None = None, verbose: int = 0, **words: Any) -> Any:
    answers = self.predict(x, batch_size=batch_size, verbose=verbose, **words)
    if answers.shape[-1] > 1:
        log.translated("model.predict_classes(x)", "model.predict(x).argmax(axis=-1)")
        return answers.argmax(axis=-1)
    log.translated("model.predict_classes(x)", "(model.predict(x) > 0.5).astype('int32')")
    return (answers > 0.5).astype(np.int32)


def predict_proba(self: Any, x: Any, batch_size: int | None = None, verbose: int = 0, **words: Any) -> Any:
    log.translated("model.predict_proba(x)", "model.predict(x)")
    return self.predict(x, batch_size=batch_size, verbose=verbose, **words)


def to_yaml(self: Any, **_words: Any) -> None:
    raise NotImplementedError(f"model.to_yaml() {refused.MODEL['to_yaml']}")


# ------------------------------------------------------------------ attributes


def _asked_by_keras() -> bool:
    """Keras itself asks for such attributes too, and must get what it would get."""
    name = sys._getframe(2).f_globals.get("__name__", "")
    return str(name).partition(".")[0] == "keras"


def _metrics_names(today: Any, self: Any) -> Any:
    """What ``evaluate`` returns, name by name; today's Keras has "compile_metrics" for all metrics together."""
    if _asked_by_keras():
        return today(self)
    names = []
    for metric in self.metrics:
        inner = getattr(metric, "metrics", None)
        names += [one.name for one in inner] if inner else [metric.name]
    if names != [metric.name for metric in self.metrics]:
        log.translated("model.metrics_names", "list(model.get_metrics_result())")
    return names


class _Shape:
    """Reads a layer's shape; what a layer sets itself under this name comes first."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tensor = name.removesuffix("_shape")

    def __get__(self, layer: Any, _owner: Any = None) -> Any:
        if layer is None or _asked_by_keras():
            raise AttributeError(self.name)
        tensors = getattr(layer, self.tensor)
        log.translated(f"layer.{self.name}", f"layer.{self.tensor}.shape")
        if isinstance(tensors, (list, tuple)):
            return [tuple(tensor.shape) for tensor in tensors]
        return tuple(tensors.shape)
