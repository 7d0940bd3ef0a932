"""Registry of the models that were seen training here, and of those that the notebook evaluated.

A model is known by itself, by weights that a training loop has changed, or as a copy: a network with weights of the
same shapes, or an estimator of the same class. Copies come from files, checkpoints and ``clone``.
"""

from __future__ import annotations

import sys
import weakref
from collections import deque
from dataclasses import dataclass
from typing import Any

from ..safe_call import has_type, safe_getattr
from .recorder import InputSummary

MAX_MODELS, MAX_KEPT, MAX_WEIGHTS, MAX_PARTS = 2000, 20, 10_000, 100

Shapes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Training:
    """The last training of one model."""

    model: Any  # weak where possible: a loop over many models must not keep them all
    inputs: tuple[InputSummary, ...]

    def is_of(self, model: Any) -> bool:
        return (self.model() if isinstance(self.model, weakref.ref) else self.model) is model


_trainings: dict[int, Training] = {}  # by the identity of the model
_kinds: set[type] = set()  # of estimators
_weights: dict[int, Any] = {}  # changed by a training loop, by identity
_shapes: set[Shapes] = set()  # of the weights of networks
_evaluated: dict[int, Training] = {}
_fitted: dict[int, Training] = {}  # models and transformers, with the inputs of their last fit
_closed = [False]  # a fit inside predict(X), asked by the probe, is no training by the notebook
recent: deque[Any] = deque(maxlen=MAX_KEPT)  # models, which may be in no variable


def note_training(model: Any, inputs: tuple[InputSummary, ...] = (), *, shapes: Shapes = ()) -> None:
    """Record that ``model`` was trained; ``shapes`` are those of a network's weights."""
    if _closed[0]:
        return
    _note(_trainings, model, ())
    if inputs:
        note_inputs(model, inputs)
    if all(model is not kept for kept in recent):
        recent.append(model)
    if shapes:
        _shapes.add(shapes)
    else:
        _kinds.add(type(model))


def note_inputs(fitted: Any, inputs: tuple[InputSummary, ...]) -> None:
    """Record the inputs that a model or a transformer was fitted with."""
    if not _closed[0]:
        _note(_fitted, fitted, inputs)


def close() -> None:
    """Record nothing more: from now on the probe calls the notebook's code."""
    _closed[0] = True


def note_weights(weights: list[Any]) -> None:
    """Record that a training loop changed ``weights``: variables of Keras or parameters of PyTorch."""
    if _closed[0]:
        return
    for weight in weights[: MAX_WEIGHTS - len(_weights)]:
        _weights[id(weight)] = weight
    _shapes.add(shapes_of(weights))


def note_evaluation(model: Any) -> None:
    """Record that the notebook evaluated ``model`` or had it predict."""
    if not _closed[0]:
        _note(_evaluated, model, ())


def _note(records: dict[int, Training], model: Any, inputs: tuple[InputSummary, ...]) -> None:
    if len(records) >= MAX_MODELS and id(model) not in records:
        return
    try:
        records[id(model)] = Training(weakref.ref(model), inputs)
    except TypeError:
        records[id(model)] = Training(model, inputs)


def anything() -> bool:
    """Return True if any training was seen."""
    return bool(_trainings or _weights)


def count() -> int:
    """Return the number of models that were seen training; a loop that changes weights counts once."""
    return len(_trainings) + bool(_weights)


def inputs_of(model: Any) -> tuple[InputSummary, ...]:
    """Return the inputs of the last recorded fit of a model or a transformer, () if there was none."""
    known = _fitted.get(id(model))
    return known.inputs if known is not None and known.is_of(model) else ()


def is_evaluated(model: Any) -> bool:
    known = _evaluated.get(id(model))
    return known is not None and known.is_of(model)


def is_trained(model: Any) -> bool:
    """Return True if ``model``, a part of it or a model that it is a copy of was seen training."""
    known = _trainings.get(id(model))
    if known is not None and known.is_of(model):
        return True
    weights = weights_of(model)
    if weights:
        return any(id(weight) in _weights for weight in weights) or shapes_of(weights) in _shapes
    return type(model) in _kinds or any(is_trained(part) for part in _networks_in(model))


def _networks_in(model: Any) -> list[Any]:
    """Return the networks that an object of the notebook holds."""
    held = safe_getattr(model, "__dict__")
    parts = list(held.values())[:MAX_PARTS] if type(held) is dict else []
    return [part for part in parts if type(part) in _kinds or weights_of(part)]


def weights_of(model: Any) -> list[Any]:
    """Return the trainable weights of a network of Keras or PyTorch, [] for other objects."""
    keras, torch = sys.modules.get("keras"), sys.modules.get("torch.nn")
    if keras is not None and has_type(model, keras.layers.Layer):
        found = safe_getattr(model, "trainable_variables")
    elif torch is not None and isinstance(safe_getattr(torch, "Module"), type) and has_type(model, torch.Module):
        found = model.parameters()
    else:
        return []
    return list(found or ())[:MAX_WEIGHTS]


def shapes_of(weights: list[Any]) -> Shapes:
    """Return the shapes of ``weights``, by which copies of a network are known."""
    return tuple(tuple(int(length) for length in weight.shape) for weight in weights if hasattr(weight, "shape"))
