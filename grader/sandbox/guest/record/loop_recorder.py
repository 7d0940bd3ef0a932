"""Recorder of training loops that the notebook wrote itself: their losses by batch, and the weights that they changed.

Recorded are ``train_on_batch``, ``GradientTape`` with an optimizer of Keras, and ``backward`` with one of PyTorch.
"""

from __future__ import annotations

import functools
import math
from types import ModuleType
from typing import Any

from . import trained
from .method_hooks import Method, after, outermost, watch_methods
from .recorder import FitRecord, fits, number, summarize_all_inputs

MAX_STEPS = 200_000
_pending: list[float] = []  # losses whose gradients were computed, but not yet applied


def hook_keras(keras: ModuleType) -> None:
    """Record ``train_on_batch`` of models and the steps of optimizers outside ``fit``."""
    model_class = keras.Model
    model_class.train_on_batch = after(model_class.train_on_batch, _record_batch)
    watch_methods(
        keras.optimizers.Optimizer, ("apply_gradients", "apply"), lambda _name, made: after(made, _record_step)
    )


def hook_tensorflow(tensorflow: ModuleType) -> None:
    """Record the loss of which ``GradientTape`` computes gradients."""
    tape = tensorflow.GradientTape
    tape.gradient = _noting_loss(tape.gradient)


def hook_torch(torch: ModuleType) -> None:
    """Record the losses of ``backward`` and the steps of optimizers."""
    torch.Tensor.backward = _noting_loss(torch.Tensor.backward, of_self=True)
    watch_methods(torch.optim.Optimizer, ("step",), lambda _name, made: after(made, _record_torch_step))


def _noting_loss(method: Method, *, of_self: bool = False) -> Method:
    @functools.wraps(method)
    def noting(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = method(self, *args, **kwargs)
        with outermost() as first:
            target = self if of_self else args[0] if args else kwargs.get("target")
            if first and len(_pending) < MAX_STEPS:
                _pending.append(_scalar(target))
        return result

    return noting


def _scalar(loss: Any) -> float:
    """Return a loss as a number; NaN for a placeholder of a graph, which has no value."""
    try:
        return float(loss.detach()) if hasattr(loss, "detach") else float(loss)
    except Exception:  # noqa: BLE001  an object of the notebook: its training must not fail because of the record
        return math.nan


def unapplied() -> list[FitRecord]:
    """Return the losses whose gradients the notebook applied without an optimizer, as one record if there are any."""
    known = [loss for loss in _pending if math.isfinite(loss)]
    return [FitRecord(None, "GradientTape", None, None, {"loss": known}, steps=len(known))] if known else []


def _record_batch(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
    inputs = summarize_all_inputs(args[0] if args else kwargs.get("x"))
    weights = trained.weights_of(model)
    trained.note_training(model, inputs, shapes=trained.shapes_of(weights))
    loss = result.get("loss") if isinstance(result, dict) else result[0] if isinstance(result, list) else result
    entry = _loop(id(model), str(model.name))
    entry.model, entry.inputs = model, entry.inputs or inputs
    _add(entry, [number(loss)])


def _record_step(optimizer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], _result: Any) -> None:
    pairs = args[0] if args else kwargs.get("grads_and_vars", ())
    variables = args[1] if len(args) > 1 else kwargs.get("trainable_variables")
    if variables is None:
        # ``apply_gradients`` may have been given an iterator, which is used up; the optimizer knows its variables.
        variables = [pair[1] for pair in pairs] if isinstance(pairs, list) else []
        variables = variables or list(getattr(optimizer, "_trainable_variables", ()))
    _note_step(optimizer, list(variables))


def _record_torch_step(optimizer: Any, *_call: Any) -> None:
    _note_step(optimizer, [weight for group in optimizer.param_groups for weight in group["params"]])


def _note_step(optimizer: Any, weights: list[Any]) -> None:
    trained.note_weights(weights)
    entry = _loop(id(optimizer), type(optimizer).__name__)
    _add(entry, _pending)
    _pending.clear()


def _loop(owner: int, name: str) -> FitRecord:
    """Return the record of the loop with this ``owner``, the model or the optimizer."""
    found = next((entry for entry in reversed(fits) if entry.owner == owner and entry.steps), None)
    if found is None:
        found = FitRecord(None, name[:80], None, None, owner=owner)
        fits.append(found)
    return found


def _add(entry: FitRecord, losses: list[float]) -> None:
    entry.steps += 1
    curve = entry.curves.setdefault("loss", [])
    curve += losses[: MAX_STEPS - len(curve)]
