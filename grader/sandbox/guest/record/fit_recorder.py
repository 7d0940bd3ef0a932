"""Records what every ``fit`` of Keras did, and ends one that would outrun the notebook's time.

A training is ended between two epochs when the next one would not fit any more, so that the model so far is graded;
one whose single epoch is too long is ended at a batch.
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

from . import transform_ledger
from .recorder import MAX_EPOCHS, FitRecord, evaluations, fits, glimpse, number

GUEST_PREFIX = __name__.removesuffix("record.fit_recorder")
RESERVE = 0.05  # of the time, for the cells after the training


class Budget:
    """Until when a training may go on, in ``time.monotonic()``; told when a cell begins."""

    def __init__(self, seconds: float, cell_seconds: float | None) -> None:
        self.seconds, self.cell_seconds = seconds, cell_seconds
        self.began: float | None = None
        self.cell_began = 0.0

    def cell_begins(self) -> None:
        self.cell_began = time.monotonic()
        self.began = self.cell_began if self.began is None else self.began

    def deadline(self) -> float:
        began = self.began if self.began is not None else time.monotonic()
        whole = began + self.seconds * (1 - RESERVE)
        return min(whole, self.cell_began + self.cell_seconds * (1 - RESERVE)) if self.cell_seconds else whole


def hook(keras: ModuleType, budget: Budget) -> None:
    model_class = keras.Model
    fit, evaluate = model_class.fit, model_class.evaluate
    watcher = _watcher(keras)
    takes = inspect.signature(fit)

    @functools.wraps(fit)
    def recorded_fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            given = takes.bind(self, *args, **kwargs)
        except TypeError:
            return fit(self, *args, **kwargs)  # which says better what is wrong
        words = given.arguments
        entry = _entry(self, words)
        fits.append(entry)
        callbacks = words.get("callbacks")
        if callbacks is None or isinstance(callbacks, (list, tuple)) or not hasattr(callbacks, "on_epoch_end"):
            own = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks] if callbacks else []
            words["callbacks"] = [*own, watcher(entry, budget)]
        began = time.monotonic()
        transform_ledger.training_begins()
        try:
            return fit(*given.args, **given.kwargs)
        finally:
            entry.seconds = time.monotonic() - began
            transform_ledger.training_ended(words.get("x"), ran=bool(entry.curves))

    @functools.wraps(evaluate)
    def recorded_evaluate(self: Any, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        # fit() itself evaluates on the validation data; that is no evaluation by the student.
        if _caller() != "keras":
            evaluations.append(_rows(x))
        return evaluate(self, x, *args, **kwargs)

    model_class.fit, model_class.evaluate = recorded_fit, recorded_evaluate


def _caller() -> str:
    """The package whose code made this call, past what wraps Keras's methods here."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and str(frame.f_globals.get("__name__")).startswith(GUEST_PREFIX):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__")).partition(".")[0] if frame is not None else ""


def _watcher(keras: ModuleType) -> Callable[[FitRecord, Budget], Any]:
    class Watcher(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        """Keeps what an epoch gave even when the training is interrupted; ends it when its time is up."""

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


def _entry(model: Any, words: dict[str, Any]) -> FitRecord:
    samples = _rows(words.get("x"))
    split = words.get("validation_split") or 0.0
    planned = words.get("epochs", 1)
    return FitRecord(
        model,
        str(model.name)[:80],
        words.get("batch_size"),
        samples,
        planned_epochs=max(0, planned) if isinstance(planned, int) else None,
        trained_on=int(samples * (1 - split)) if samples is not None else None,
        seen=glimpse(words.get("x")),
    )


def _rows(x: Any) -> int | None:
    shape = getattr(x, "shape", None)
    try:
        return int(shape[0]) if shape is not None else len(x)
    except (TypeError, IndexError):
        return None
