"""``history.history['acc']`` and ``['accuracy']`` are the same curve; so are callbacks' logs and ``monitor=``.

What a history holds, prints and iterates over stays as it is today: only a name that is not there is looked for
under its other name.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

from . import log

PAIRS = (("acc", "accuracy"), ("lr", "learning_rate"))
OTHER = {old: new for pair in PAIRS for old, new in (pair, pair[::-1])}


def other(name: Any) -> str | None:
    """``val_acc`` for ``val_accuracy``, and the other way round."""
    if not isinstance(name, str):
        return None
    start = "val_" if name.startswith("val_") else ""
    renamed = OTHER.get(name[len(start) :])
    return start + renamed if renamed else None


class Curves(dict[str, Any]):
    """A dict that knows a metric by both of its names."""

    def _known(self, name: Any) -> str | None:
        renamed = other(name)
        return renamed if renamed is not None and dict.__contains__(self, renamed) else None

    def __missing__(self, name: str) -> Any:
        renamed = self._known(name)
        if renamed is None:
            raise KeyError(name)
        log.translated(f"history[{name!r}]", f"history[{renamed!r}]")
        return self[renamed]

    def __contains__(self, name: object) -> bool:
        return dict.__contains__(self, name) or self._known(name) is not None

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def setdefault(self, name: str, default: Any = None) -> Any:
        if not dict.__contains__(self, name):
            self[name] = default
        return self[name]


def start(keras: Any) -> None:
    callbacks = keras.callbacks
    _history(callbacks.History)
    logs: Any = importlib.import_module("keras.src.utils.python_utils")
    plain = logs.pythonify_logs
    logs.pythonify_logs = functools.wraps(plain)(lambda given: Curves(plain(given)))
    monitor = importlib.import_module("keras.src.callbacks.monitor_callback").MonitorCallback
    _monitor(monitor)
    _file_names(callbacks.ModelCheckpoint)


def _history(history: Any) -> None:
    begin = history.__init__

    @functools.wraps(begin)
    def begun(self: Any, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        self.history = Curves(self.history)

    history.__init__ = begun


def _monitor(callback: Any) -> None:
    choose = callback._set_monitor_op

    @functools.wraps(choose)
    def chosen(self: Any) -> None:
        today = other(self.monitor)
        names = _metrics_of(self.model)
        name = str(self.monitor).removeprefix("val_")
        if today is not None and name not in names and today.removeprefix("val_") in names:
            log.translated(f"monitor={self.monitor!r}", f"monitor={today!r}")
            self.monitor = today
        choose(self)

    callback._set_monitor_op = chosen


def _metrics_of(model: Any) -> set[str]:
    """The names that a fitted model's logs have."""
    return {
        name for metric in model.metrics for name in (metric.name, *(m.name for m in getattr(metric, "metrics", ())))
    }


def _file_names(checkpoint: Any) -> None:
    """``"best-{val_acc:.2f}.hdf5"``"""
    fill = checkpoint._get_file_path

    @functools.wraps(fill)
    def filled(self: Any, epoch: int, batch: int | None, logs: Any) -> Any:
        both = {renamed: value for name, value in logs.items() if (renamed := other(name)) is not None}
        return fill(self, epoch, batch, {**both, **logs})

    checkpoint._get_file_path = filled
