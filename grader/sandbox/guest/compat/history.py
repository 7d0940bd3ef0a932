"""Both names of a metric: ``history.history['acc']`` and ``['accuracy']``, in callbacks' logs and ``monitor=`` too.

The contents, the text and the iteration of a history stay as they are today. Only a name that is missing is looked up
under its other name.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

from .notes import note_translation

PAIRS = (("acc", "accuracy"), ("lr", "learning_rate"))
OTHER_NAMES = {name: other for pair in PAIRS for name, other in (pair, pair[::-1])}


def other_name(name: Any) -> str | None:
    """Return ``val_acc`` for ``val_accuracy`` and the reverse; None for a name without a second name."""
    if not isinstance(name, str):
        return None
    prefix = "val_" if name.startswith("val_") else ""
    renamed = OTHER_NAMES.get(name[len(prefix) :])
    return prefix + renamed if renamed else None


class Curves(dict[str, Any]):
    """A dict that finds a metric by both of its names."""

    def _existing_name(self, name: Any) -> str | None:
        renamed = other_name(name)
        return renamed if renamed is not None and dict.__contains__(self, renamed) else None

    def __missing__(self, name: str) -> Any:
        renamed = self._existing_name(name)
        if renamed is None:
            raise KeyError(name)
        note_translation(f"history[{name!r}]", f"history[{renamed!r}]")
        return self[renamed]

    def __contains__(self, name: object) -> bool:
        return dict.__contains__(self, name) or self._existing_name(name) is not None

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def setdefault(self, name: str, default: Any = None) -> Any:
        if not dict.__contains__(self, name):
            self[name] = default
        return self[name]


def install(keras: Any) -> None:
    """Put ``Curves`` into histories and logs, and translate ``monitor=`` and the file names of checkpoints."""
    callbacks = keras.callbacks
    _wrap_history(callbacks.History)
    logs: Any = importlib.import_module("keras.src.utils.python_utils")
    pythonify = logs.pythonify_logs
    logs.pythonify_logs = functools.wraps(pythonify)(lambda values: Curves(pythonify(values)))
    _wrap_monitor(importlib.import_module("keras.src.callbacks.monitor_callback").MonitorCallback)
    _wrap_file_names(callbacks.ModelCheckpoint)


def _wrap_history(history: Any) -> None:
    init = history.__init__

    @functools.wraps(init)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        init(self, *args, **kwargs)
        self.history = Curves(self.history)

    history.__init__ = __init__


def _wrap_monitor(callback: Any) -> None:
    """Replace a ``monitor`` that the model does not log by its other name, if the model logs that."""
    set_operation = callback._set_monitor_op

    @functools.wraps(set_operation)
    def _set_monitor_op(self: Any) -> None:
        renamed = other_name(self.monitor)
        logged = _metric_names(self.model)
        name = str(self.monitor).removeprefix("val_")
        if renamed is not None and name not in logged and renamed.removeprefix("val_") in logged:
            note_translation(f"monitor={self.monitor!r}", f"monitor={renamed!r}")
            self.monitor = renamed
        set_operation(self)

    callback._set_monitor_op = _set_monitor_op


def _metric_names(model: Any) -> set[str]:
    """Return the names in the logs of a model that was fitted."""
    return {
        name
        for metric in model.metrics
        for name in (metric.name, *(inner.name for inner in getattr(metric, "metrics", ())))
    }


def _wrap_file_names(checkpoint: Any) -> None:
    """Fill both names of a metric into a file name such as ``"best-{val_acc:.2f}.hdf5"``."""
    get_path = checkpoint._get_file_path

    @functools.wraps(get_path)
    def _get_file_path(self: Any, epoch: int, batch: int | None, logs: Any) -> Any:
        both = {renamed: value for name, value in logs.items() if (renamed := other_name(name)) is not None}
        return get_path(self, epoch, batch, {**both, **logs})

    checkpoint._get_file_path = _get_file_path
