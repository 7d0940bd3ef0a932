"""Keras' own ``fit`` with another iterator over the data: several steps in one graph call, with the same result."""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import threading
import types
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from .pieces import FEWEST_STEPS, Training, iterator_class

SWITCH = "GRADER_PLAIN_KERAS"

# Methods that must be those of Keras: the loop stands for what they do between two steps.
_METHODS = (
    *("fit", "evaluate", "train_step", "test_step", "make_train_function", "make_test_function", "_make_function"),
    *("compute_metrics", "get_metrics_result", "reset_metrics", "_get_metrics_result_or_logs"),
)
_ON_BATCHES = (
    *("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end"),
    *("on_test_batch_begin", "on_test_batch_end"),
)
_BATCH_ARGUMENTS = ("steps_per_epoch", "validation_steps")  # leave an epoch of Keras unfinished


class _Last(threading.local):
    """Reasons why parts of this thread's last training ran batch by batch; None before the first training."""

    reasons: tuple[str, ...] | None = None


_last = _Last()


def reasons_of_last_training() -> tuple[str, ...] | None:
    """Return the reasons why parts of this thread's last training ran batch by batch, and forget them.

    They are empty if several steps ran in one graph call everywhere, and None if Keras' ``fit`` was not called.
    """
    reasons, _last.reasons = _last.reasons, None
    return reasons


def hook(keras: ModuleType, *, fewest_steps: int = FEWEST_STEPS) -> None:
    """Let ``keras.Model.fit`` run several steps in one graph call where that gives the same result.

    A training of fewer steps than ``fewest_steps`` runs batch by batch, which is then faster.
    """
    if keras.config.backend() != "tensorflow":
        return
    trainer = importlib.import_module("keras.src.backend.tensorflow.trainer")
    adapters = importlib.import_module("keras.src.trainers.data_adapters.array_data_adapter")
    model_class, fit = keras.Model, keras.Model.fit
    own = Own(trainer, keras)
    iterator = iterator_class(trainer, adapters, fewest_steps)
    signature = inspect.signature(fit)

    @functools.wraps(fit)
    def grouped_fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            arguments = signature.bind(self, *args, **kwargs).arguments
        except TypeError:
            return fit(self, *args, **kwargs)  # with Keras' own error
        reason = reason_for_plain_keras(self, arguments, own)
        if reason:
            _last.reasons = (reason,)
            return fit(self, *args, **kwargs)
        epochs = max(0, arguments.get("epochs", 1) - (self._initial_epoch or arguments.get("initial_epoch", 0)))
        training = Training(self, epochs)
        try:
            return own.fit_with(functools.partial(iterator, training=training), self, *args, **kwargs)
        finally:
            _last.reasons = tuple(training.reasons)

    model_class.fit = grouped_fit


class Own:
    """Functions of Keras and TensorFlow before the notebook can have replaced them."""

    def __init__(self, trainer: ModuleType, keras: ModuleType) -> None:
        self.trainer, self.tf, self.function = trainer, trainer.tf, trainer.tf.function
        self.methods = {name: inspect.unwrap(getattr(keras.Model, name)) for name in _METHODS}
        self.callback, self.progress_bar = keras.callbacks.Callback, keras.callbacks.ProgbarLogger
        self.checkpoint = keras.callbacks.ModelCheckpoint
        constants = self.methods["_make_function"].__code__.co_consts
        self.step_code = next(part for part in constants if getattr(part, "co_name", "") == "function")
        self.on_batches = {name: getattr(self.callback, name) for name in _ON_BATCHES}
        self.filter_traceback: Any = trainer.traceback_utils.filter_traceback

    def fit_with(self, iterator: Any, *args: Any, **kwargs: Any) -> Any:
        """Call Keras' ``fit`` with ``iterator`` in the place of its own iterator over the batches."""
        fit = self.methods["fit"]
        names = {**fit.__globals__, "TFEpochIterator": iterator}
        own_fit = types.FunctionType(fit.__code__, names, fit.__name__, fit.__defaults__, fit.__closure__)
        return self.filter_traceback(own_fit)(*args, **kwargs)


def reason_for_plain_keras(model: Any, arguments: Mapping[str, Any], own: Own) -> str:
    """Return the reason why Keras has to train ``model`` batch by batch, or an empty text.

    The data are looked at later, by the iterator.
    """
    tf = own.tf
    reasons = {
        "switched off": os.environ.get(SWITCH, "") not in ("", "0"),
        "TensorFlow was changed": tf.function is not own.function,
        "methods of the model were changed": not has_methods_of_keras(model, own),
        "the model is not compiled": not model.compiled or model.optimizer is None,
        "the model runs eagerly": model.run_eagerly or not tf.executing_eagerly() or tf.config.functions_run_eagerly(),
        "several steps per call": model.steps_per_execution != 1 or any(map(arguments.get, _BATCH_ARGUMENTS)),
        "several devices": model._distribute_strategy is not None or tf.distribute.has_strategy(),
        "a GPU": bool(tf.config.list_logical_devices("GPU")),
        "callbacks that act on batches": not acts_between_epochs(arguments.get("callbacks"), own),
        "epochs are no numbers": not all(type(arguments.get(name, 0)) is int for name in ("epochs", "initial_epoch")),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def has_methods_of_keras(model: Any, own: Own) -> bool:
    """Return True if neither a class nor the notebook replaced a function that the loop stands for."""
    if any(name in vars(model) for name in _METHODS):
        return False
    functions = [part for part in (model.train_function, model.test_function) if part is not None]
    if not all(hasattr(part, "loop") or getattr(part, "__code__", None) is own.step_code for part in functions):
        return False
    return all(inspect.unwrap(getattr(type(model), name)) is method for name, method in own.methods.items())


def acts_between_epochs(callbacks: Any, own: Own) -> bool:
    """Return True if no callback has methods for batches, as that which counts samples up to a limit has."""
    several = callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]
    return all(_acts_between_epochs(callback, own) for callback in several if callback is not None)


def _acts_between_epochs(callback: Any, own: Own) -> bool:
    if type(callback) is own.progress_bar:
        return True
    if type(callback) is own.checkpoint and callback.save_freq == "epoch":
        return True
    return isinstance(callback, own.callback) and all(
        getattr(getattr(callback, name), "__func__", None) is method for name, method in own.on_batches.items()
    )
