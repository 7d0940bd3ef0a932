"""End of a training that would exceed the notebook's time or its samples. The model and its history so far are kept.

A training ends after an epoch if the next one would not fit into the time. If a single epoch takes too long, it ends
after a batch, and its validation is cut short as well. If not even a batch ends in time, ``fit`` is interrupted and
returns what it has.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from . import transform_ledger
from .budget import Budget
from .recorder import MAX_EPOCHS, FitRecord, number

KERAS_BATCH = 32
CHECK_EVERY = 0.2  # seconds, while a training is ending
INTERRUPT_AGAIN = 1.0  # seconds: an interrupt that arrives while Python finalizes an object is lost
LEAST_SECONDS = 2.0  # for a batch, before an interrupt


class Watch:
    """Watch over one call of ``fit``: a thread that ends it in time, and a count of its samples."""

    def __init__(self, entry: FitRecord, budget: Budget, x: Any) -> None:
        self.entry, self.budget, self.x = entry, budget, x
        self.model = entry.model
        self.epoch: int | None = None  # that has begun and has no results yet
        self.epoch_began = 0.0
        self.steps_before = 0  # of the optimizer, at the beginning of the epoch
        self.counted = 0  # samples of the epoch that the budget knows of
        self.has_begun = self.has_interrupted = False
        self._can_interrupt = threading.current_thread() is threading.main_thread()
        self._ended = threading.Event()
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Start to watch the time."""
        self.has_begun = True
        threading.Thread(target=self._watch, daemon=True).start()

    def end(self) -> None:
        """Stop watching: ``fit`` has ended."""
        with self._lock:
            self._ended.set()

    def stop(self, *, samples_reached: bool = False) -> None:
        """End the training after the batch that is running."""
        if not self.model.stop_training:
            self.entry.cut_short = True
            self.entry.samples_reached = samples_reached
            self.model.stop_training = True

    def _watch(self) -> None:
        least = time.monotonic() + LEAST_SECONDS
        if self._ended.wait(max(0.0, self.budget.deadline() - time.monotonic())):
            return
        self.stop()
        last = max(self.budget.last_moment(), least)
        validation_ends = (time.monotonic() + last) / 2
        while time.monotonic() < last:
            if time.monotonic() > validation_ends:
                self.model.stop_evaluating = True
            if self._ended.wait(CHECK_EVERY):
                return
        while self._can_interrupt and not self._ended.is_set():
            with self._lock:
                if not self._ended.is_set():
                    self.entry.cut_short = self.has_interrupted = True
                    self._interrupt()
            self._ended.wait(INTERRUPT_AGAIN)

    @staticmethod
    def _interrupt() -> None:
        main = threading.main_thread().ident
        if hasattr(signal, "pthread_kill") and main is not None:
            signal.pthread_kill(main, signal.SIGINT)  # also ends a call that waits
        else:
            signal.raise_signal(signal.SIGINT)

    def count_samples(self, batch: int, steps: int | None) -> None:
        """Count the samples up to ``batch`` of the epoch, from 0; end the training at the limit."""
        if self.budget.samples_left is None:
            return
        done = (batch + 1) * self._batch_rows(steps)
        if self.entry.trained_on is not None:
            done = min(done, self.entry.trained_on)
        self.budget.samples_left -= done - self.counted
        self.counted = done
        if self.budget.samples_left <= 0:
            self.stop(samples_reached=True)

    def _batch_rows(self, steps: int | None) -> int:
        for size in (self.entry.batch_size, getattr(self.x, "batch_size", None)):
            if isinstance(size, int) and size > 0:
                return size
        rows = transform_ledger.training_rows(self.x) if hasattr(self.x, "_inputs") else None
        return math.ceil(rows / steps) if rows and steps else KERAS_BATCH

    def note_results(self, logs: Mapping[str, Any]) -> None:
        """Add the results of an epoch to the record."""
        for key, value in logs.items():
            curve = self.entry.curves.setdefault(str(key)[:60], [])
            if len(curve) < MAX_EPOCHS:
                curve.append(number(value))


def watcher_class(keras: ModuleType) -> Callable[[Watch], Any]:
    """Return the class of the callback through which ``fit`` reports to a watch."""

    class Watcher(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        """Callback that keeps the results of every epoch, even if interrupted, and ends the training in time."""

        def __init__(self, watch: Watch) -> None:
            super().__init__()
            self.watch = watch

        def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
            self.watch.begin()

        def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
            watch = self.watch
            watch.epoch, watch.epoch_began, watch.counted = epoch, time.monotonic(), 0
            watch.steps_before = _steps(self.model)

        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            watch = self.watch
            watch.epoch = None
            watch.note_results(logs or {})
            now = time.monotonic()
            more_to_come = epoch + 1 < (self.params or {}).get("epochs", 0)
            if more_to_come and now + (now - watch.epoch_began) > watch.budget.deadline():
                watch.stop()

        def on_train_end(self, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
            self.watch.end()

    class CountingWatcher(Watcher):
        """Watcher that counts samples too. Keras waits for each batch where a callback asks for it."""

        def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
            self.watch.count_samples(batch, (self.params or {}).get("steps"))

    return lambda watch: (Watcher if watch.budget.samples_left is None else CountingWatcher)(watch)


# ------------------------------------------------------------------ interrupted


def is_validated(arguments: Mapping[str, Any]) -> bool:
    """Check whether the arguments of ``fit`` ask for a validation."""
    return arguments.get("validation_data") is not None or bool(arguments.get("validation_split"))


def kept_history(keras: Any, watch: Watch, *, validated: bool) -> Any:
    """Return the history of an interrupted training.

    An epoch that was interrupted counts with its results so far. What was never measured is NaN, so that the cells
    below find curves of equal length.
    """
    model = watch.model
    model._eval_epoch_iterator = None
    history = model.history if watch.has_begun else None
    if not isinstance(history, keras.callbacks.History):
        history = keras.callbacks.History()
        history.set_model(model)
        history.on_train_begin()
        model.history = history
    if watch.epoch is not None or not history.history:
        results = _results_so_far(model, trained=_steps(model) > watch.steps_before)
        if validated:
            results |= {f"val_{name}": math.nan for name in list(results)}
        watch.note_results(results)
        history.on_epoch_end(watch.epoch or 0, results)
    return history


def _results_so_far(model: Any, *, trained: bool) -> dict[str, float]:
    results = {name: number(value) for name, value in model.get_metrics_result().items()}
    return (results if trained else dict.fromkeys(results, math.nan)) or {"loss": math.nan}


def _steps(model: Any) -> int:
    try:
        return int(model.optimizer.iterations)
    except (AttributeError, TypeError):
        return 0
