"""What the model that answers is built of: its layers by name, its parameters, what it takes."""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from ..safe_call import attribute, found_in_time
from .model_discovery import is_keras, is_torch, models, network_of

MAX_LAYERS, MAX_NAMES = 5000, 100


def described(namespace: dict[str, Any], source: str) -> dict[str, Any] | None:
    """Of the model that the notebook calls ``source``, else of the first that would be asked; None without one."""
    found = found_in_time(lambda: _descriptions(namespace, source))
    return found[0] if found else None


def _descriptions(namespace: dict[str, Any], source: str) -> list[dict[str, Any]]:
    named = [(name, network_of(model)) for name, model in islice(models(namespace), 20)]
    networks = [(name, network) for name, network in named if is_keras(network) or is_torch(network)]
    networks.sort(key=lambda one: one[0] != source)
    return [_keras(name, one) if is_keras(one) else _torch(name, one) for name, one in networks[:1]]


def _keras(name: str, model: Any) -> dict[str, Any]:
    layers = [one for one in islice(_leaves(model), MAX_LAYERS) if attribute(one, "built")]
    return {
        "name": name[:80],
        "layers": _counted(_name_of(one, "keras.") for one in layers),
        "frozen": sum(bool(one.weights) and not one.trainable for one in layers),
        "parameters": sum(_size(weight) for weight in model.weights),
        "trainable": sum(_size(weight) for weight in model.trainable_weights),
        "input_shape": _shape(model),
    }


def _leaves(model: Any) -> Iterator[Any]:
    """Layers that are no models, those of nested models and of wrappers included, each once."""
    seen = {id(model)}
    waiting = [model]
    while waiting and len(seen) < MAX_LAYERS:
        for one in _parts(waiting.pop()):
            if id(one) in seen:
                continue
            seen.add(id(one))
            waiting.append(one)
            if not is_keras(one):
                yield one


def _parts(layer: Any) -> list[Any]:
    # A graph's layers are those it runs; whatever else hangs on the model as an attribute answers nothing.
    layers = attribute(layer, "layers") if is_keras(layer) else attribute(layer, "_layers")
    return list(layers) if isinstance(layers, (list, tuple)) else []


def _name_of(layer: Any, library: str) -> str:
    """The library's own class that it is, or is made from; what is made from scratch is a "Layer"."""
    names = (kind.__name__ for kind in type(layer).__mro__ if kind.__module__.startswith(library))
    return next(names, "Layer")[:80]


def _counted(names: Iterator[str]) -> dict[str, int]:
    return dict(Counter(names).most_common(MAX_NAMES))


def _size(weight: Any) -> int:
    return math.prod(int(length) for length in weight.shape)


def _shape(model: Any) -> str:
    with contextlib.suppress(Exception):  # a model made by subclassing need not know
        return str(model.input_shape)[:200]
    return ""


def _torch(name: str, model: Any) -> dict[str, Any]:
    leaves = [one for one in islice(model.modules(), MAX_LAYERS) if next(one.children(), None) is None]
    weights = [list(one.parameters()) for one in leaves]
    return {
        "name": name[:80],
        "layers": _counted(_name_of(one, "torch.nn") for one in leaves),
        "frozen": sum(bool(own) and not any(weight.requires_grad for weight in own) for own in weights),
        "parameters": sum(int(weight.numel()) for weight in model.parameters()),
        "trainable": sum(int(weight.numel()) for weight in model.parameters() if weight.requires_grad),
        "input_shape": "",
    }
