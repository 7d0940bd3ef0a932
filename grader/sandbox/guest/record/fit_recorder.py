"""Recorder of every Keras ``fit`` and ``evaluate``; it also ends a training that would exceed the notebook's time.

``training_watch`` ends it, so that the model so far can be graded and the cells below find its history.
"""

from __future__ import annotations

import functools
import inspect
import sys
import time
from types import FrameType, ModuleType
from typing import Any

from ..training.fit import reasons_of_last_training
from . import trained, transform_ledger
from .budget import Budget
from .method_hooks import after, outermost
from .recorder import FitRecord, evaluations, fits, row_count, summarize_all_inputs
from .training_watch import Watch, is_validated, kept_history, watcher_class

_GUEST = __name__.removesuffix("record.fit_recorder")


def hook(keras: ModuleType, budget: Budget) -> None:
    """Replace ``fit`` and ``evaluate`` of ``keras.Model`` by recording wrappers."""
    model_class = keras.Model
    fit, evaluate = model_class.fit, model_class.evaluate
    watcher = watcher_class(keras)
    signature = inspect.signature(fit)

    @functools.wraps(fit)
    def recorded_fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            bound = signature.bind(self, *args, **kwargs)
        except TypeError:
            return fit(self, *args, **kwargs)  # Keras's own error is clearer
        budget.training_begins()
        arguments = bound.arguments
        entry = _new_record(self, arguments)
        fits.append(entry)
        watch = Watch(entry, budget, arguments.get("x"))
        callbacks = arguments.get("callbacks")
        if callbacks is None or isinstance(callbacks, (list, tuple)) or not hasattr(callbacks, "on_epoch_end"):
            own = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks] if callbacks else []
            arguments["callbacks"] = [*own, watcher(watch)]
        began = time.monotonic()
        transform_ledger.begin_training()
        try:
            with outermost():
                history = fit(*bound.args, **bound.kwargs)
                watch.end()  # here, because the watch may interrupt until it has ended
                return history
        except KeyboardInterrupt:
            watch.end()
            if not watch.has_interrupted:
                raise
            return kept_history(keras, watch, validated=is_validated(arguments))
        finally:
            watch.end()
            entry.seconds = time.monotonic() - began
            entry.grouped = reasons_of_last_training() == ()
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
