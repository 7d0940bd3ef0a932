"""Old methods and attributes of models and iterators: ``fit_generator``, ``predict_classes``, ``.next()``."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from .argument_renames import EVALUATE, FIT, PREDICT
from .arguments import translate
from .layer_attributes import is_read_by_keras
from .moved_names import REMOVED_METHODS
from .notes import note_translation


def install(keras: Any) -> None:
    """Add the methods and attributes to the classes of Keras."""
    model = keras.Model
    for method in (fit_generator, evaluate_generator, predict_generator, predict_classes, predict_proba, to_yaml):
        setattr(model, method.__name__, method)
    model.metrics_names = property(functools.partial(_metrics_names, model.metrics_names.fget))
    model.get_layer = _get_layer_by_old_name(model.get_layer)
    images = importlib.import_module("keras.src.legacy.preprocessing.image")
    images.Iterator.next = _next


# ------------------------------------------------------------------ generators


def fit_generator(self: Any, generator: Any, steps_per_epoch: int | None = None, epochs: int = 1, **kwargs: Any) -> Any:
    note_translation("model.fit_generator(generator)", "model.fit(generator)")
    kwargs = translate("model.fit_generator", FIT, kwargs)
    epochs = kwargs.pop("epochs", epochs)
    samples = kwargs.pop("samples_per_epoch", None)
    if samples is not None:
        steps_per_epoch = _count_steps("samples_per_epoch", "steps_per_epoch", samples, generator)
    validation = kwargs.pop("validation_data", None)
    samples = kwargs.pop("nb_val_samples", None)
    if samples is not None:
        kwargs["validation_steps"] = _count_steps("nb_val_samples", "validation_steps", samples, validation)
    if validation is not None:
        kwargs["validation_data"] = _without_end(validation, kwargs.get("validation_steps"))
    source = _without_end(generator, steps_per_epoch)
    return self.fit(source, steps_per_epoch=steps_per_epoch, epochs=epochs, **kwargs)


def evaluate_generator(self: Any, generator: Any, steps: int | None = None, **kwargs: Any) -> Any:
    note_translation("model.evaluate_generator(generator)", "model.evaluate(generator)")
    kwargs = translate("model.evaluate_generator", EVALUATE, kwargs)
    steps, kwargs = _steps_and_rest(generator, steps, kwargs)
    return self.evaluate(_without_end(generator, steps), steps=steps, **kwargs)


def predict_generator(self: Any, generator: Any, steps: int | None = None, **kwargs: Any) -> Any:
    note_translation("model.predict_generator(generator)", "model.predict(generator)")
    kwargs = translate("model.predict_generator", PREDICT, kwargs)
    steps, kwargs = _steps_and_rest(generator, steps, kwargs)
    return self.predict(_without_end(generator, steps), steps=steps, **kwargs)


def _steps_and_rest(generator: Any, steps: int | None, kwargs: dict[str, Any]) -> tuple[int | None, dict[str, Any]]:
    samples = kwargs.pop("val_samples", None)
    kwargs.setdefault("verbose", 0)
    return (steps if samples is None else _count_steps("val_samples", "steps", samples, generator)), kwargs


def _count_steps(old: str, new: str, samples: int, generator: Any) -> int:
    """Return the number of batches for ``samples`` rows: Keras 1 counted rows, Keras 3 counts batches."""
    size = getattr(generator, "batch_size", None)
    if not isinstance(size, int):
        raise TypeError(f"{old}={samples} counts samples; Keras 3 counts batches. Write {new}={samples} // batch_size.")
    steps = -(-samples // size)
    note_translation(f"{old}={samples}", f"{new}={steps}")
    return steps


def _without_end(generator: Any, steps: int | None) -> Any:
    """Return a source of batches that starts again at its end, if its length is not ``steps``.

    Today's ``fit`` ends an epoch when such a source is exhausted; ``fit_generator`` did not.
    """
    if steps is None or not hasattr(generator, "__len__") or isinstance(generator, (tuple, list)):
        return generator
    return generator if len(generator) == steps else _repeat(generator)


def _repeat(generator: Any) -> Iterator[Any]:
    while hasattr(generator, "__next__"):
        yield next(generator)
    while True:
        yield from (generator[batch] for batch in range(len(generator)))
        if hasattr(generator, "on_epoch_end"):
            generator.on_epoch_end()


def _next(self: Any) -> Any:
    note_translation("generator.next()", "next(generator)")
    return next(self)


# ------------------------------------------------------------------ predictions


def predict_classes(self: Any, x: Any, batch_size: int | None = None, verbose: int = 0, **kwargs: Any) -> Any:
    outputs = self.predict(x, batch_size=batch_size, verbose=verbose, **kwargs)
    if outputs.shape[-1] > 1:
        note_translation("model.predict_classes(x)", "model.predict(x).argmax(axis=-1)")
        return outputs.argmax(axis=-1)
    note_translation("model.predict_classes(x)", "(model.predict(x) > 0.5).astype('int32')")
    return (outputs > 0.5).astype(np.int32)


def predict_proba(self: Any, x: Any, batch_size: int | None = None, verbose: int = 0, **kwargs: Any) -> Any:
    note_translation("model.predict_proba(x)", "model.predict(x)")
    return self.predict(x, batch_size=batch_size, verbose=verbose, **kwargs)


def to_yaml(self: Any, **_kwargs: Any) -> None:
    raise NotImplementedError(f"model.to_yaml() {REMOVED_METHODS['to_yaml']}")


# ------------------------------------------------------------------ attributes


def _get_layer_by_old_name(today: Any) -> Any:
    """Return ``get_layer`` that also finds a layer by the number that Keras before 2.4 gave it.

    There the first convolution was ``conv2d_1``; today it is ``conv2d``, and the second one is ``conv2d_1``.
    """

    @functools.wraps(today)
    def get_layer(self: Any, name: str | None = None, index: int | None = None) -> Any:
        try:
            return today(self, name, index)
        except ValueError:
            base, _, number = name.rpartition("_") if isinstance(name, str) else ("", "", "")
            if index is not None or not (base and number.isdigit() and int(number)):
                raise
            new = base if int(number) == 1 else f"{base}_{int(number) - 1}"
            found = [layer for layer in self.layers if layer.name == new]
            if not found:
                raise
        note_translation(f'get_layer("{name}")', f'get_layer("{new}")')
        return found[0]

    return get_layer


def _metrics_names(today: Any, self: Any) -> Any:
    """Return a name for each value of ``evaluate``; Keras 3 has "compile_metrics" for all metrics together."""
    if is_read_by_keras():
        return today(self)
    names = []
    for metric in self.metrics:
        inner = getattr(metric, "metrics", None)
        names += [part.name for part in inner] if inner else [metric.name]
    if names != [metric.name for metric in self.metrics]:
        note_translation("model.metrics_names", "list(model.get_metrics_result())")
    return names
