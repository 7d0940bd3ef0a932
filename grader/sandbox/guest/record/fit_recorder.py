"""Recorder of every Keras ``fit`` and ``evaluate``; it also ends a training that would exceed the notebook's time.

A training ends after an epoch if the next one would not fit into the time, so that the model so far can be graded.
If a single epoch takes too long, the training ends after a batch.
"""

from __future__ import annotations

import functools
import inspect
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any

from . import trained, transform_ledger
from .method_hooks import after, outermost
from .recorder import MAX_EPOCHS, FitRecord, evaluations, fits, number, row_count, summarize_all_inputs

RESERVE = 0.05  # share of the time that is kept for the cells after the training
_GUEST = __name__.removesuffix("record.fit_recorder")


class Budget:
    """Time that a training may take. It must be notified of the start of every cell."""

    def __init__(self, seconds: float, cell_seconds: float | None) -> None:
        self.seconds, self.cell_seconds = seconds, cell_seconds
        self.began: float | None = None
        self.cell_began = 0.0

    def cell_begins(self) -> None:
        """Start the time of a cell, and with the first cell that of the notebook."""
        self.cell_began = time.monotonic()
        self.began = self.cell_began if self.began is None else self.began

    def deadline(self) -> float:
        """Return the time, as of ``time.monotonic()``, at which a training must end."""
        began = self.began if self.began is not None else time.monotonic()
        end = began + self.seconds * (1 - RESERVE)
        return min(end, self.cell_began + self.cell_seconds * (1 - RESERVE)) if self.cell_seconds else end


def hook(keras: ModuleType, budget: Budget) -> None:
    """Replace ``fit`` and ``evaluate`` of ``keras.Model`` by recording wrappers."""
    model_class = keras.Model
    fit, evaluate = model_class.fit, model_class.evaluate
    watcher = _watcher_class(keras)
    signature = inspect.signature(fit)

    @functools.wraps(fit)
    def recorded_fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            bound = signature.bind(self, *args, **kwargs)
        except TypeError:
            return fit(self, *args, **kwargs)  # Keras's own error is clearer
        arguments = bound.arguments
        entry = _new_record(self, arguments)
        fits.append(entry)
        callbacks = arguments.get("callbacks")
        if callbacks is None or isinstance(callbacks, (list, tuple)) or not hasattr(callbacks, "on_epoch_end"):
            own = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks] if callbacks else []
            arguments["callbacks"] = [*own, watcher(entry, budget)]
        began = time.monotonic()
        transform_ledger.begin_training()
        try:
            with outermost():
                return fit(*bound.args, **bound.kwargs)
        finally:
            entry.seconds = time.monotonic() - began
            if entry.curves:
                trained.note_training(self, entry.inputs, shapes=trained.shapes_of(trained.weights_of(self)))
            transform_ledger.end_training(arguments.get("x"), ran=bool(entry.curves))

    @functools.wraps(evaluate)
    def recorded_evaluate(self: Any, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        # fit() itself evaluates on the validation data; that is no evaluation by the student.
        if _calling_package() != "keras":
            evaluations.append(row_count(x))
            trained.note_evaluation(self)
        return evaluate(self, x, *args, **kwargs)

    model_class.fit, model_class.evaluate = recorded_fit, recorded_evaluate
    model_class.predict = after(model_class.predict, lambda model, *_call: trained.note_evaluation(model))


def _calling_package() -> str:
    """Return the top-level package that made the call, without the guest's own wrappers of Keras's methods."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and str(frame.f_globals.get("__name__")).startswith(_GUEST):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__")).partition(".")[0] if frame is not None else ""


def _watcher_class(keras: ModuleType) -> Callable[[FitRecord, Budget], Any]:
    class Watcher(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        """Callback that keeps the results of every epoch, even if interrupted, and ends the training in time."""

        def __init__(self, entry: FitRecord, budget: Budget) -> None:
            super().__init__()
            self.entry, self.budget = entry, budget
            self.epoch_began = 0.0
            self.timer: threading.Timer | None = None

        def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
            self.timer = threading.Timer(max(0.0, self.budget.deadline() - time.monotonic()), self.stop)
            self.timer.daemon = True
            self.timer.start()

        def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
            self.epoch_began = time.monotonic()

        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            for key, value in (logs or {}).items():
                curve = self.entry.curves.setdefault(str(key)[:60], [])
                if len(curve) < MAX_EPOCHS:
                    curve.append(number(value))
            now = time.monotonic()
            more_to_come = epoch + 1 < (self.params or {}).get("epochs", 0)
            if more_to_come and now + (now - self.epoch_began) > self.budget.deadline():
                self.stop()

        def on_train_end(self, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
            if self.timer is not None:
                self.timer.cancel()

        def stop(self) -> None:
            if not self.model.stop_training:
                self.entry.cut_short = True
                self.model.stop_training = True

    return Watcher


def _new_record(model: Any, arguments: dict[str, Any]) -> FitRecord:
    samples = row_count(arguments.get("x"))
    split = arguments.get("validation_split") or 0.0
    planned = arguments.get("epochs", 1)
    return FitRecord(
        model,
        str(model.name)[:80],
        arguments.get("batch_size"),
        samples,
        planned_epochs=max(0, planned) if isinstance(planned, int) else None,
        trained_on=int(samples * (1 - split)) if samples is not None else None,
        # Keras takes the last rows for validation.
        inputs=summarize_all_inputs(arguments.get("x"), trained_share=1.0 - split),
    )
