"""Summary of the network that predicts: its layers by name, its parameters and its input shape."""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from ..safe_call import collect_in_time, safe_getattr
from .model_discovery import fitted_models, is_keras, is_torch, network_of

MAX_MODELS, MAX_LAYERS, MAX_NAMES = 20, 5000, 100


def summarize_network(namespace: dict[str, Any], source: str) -> dict[str, Any] | None:
    """Summarize the model in the variable ``source``, or else the first network that would be tried, if any."""
    found = collect_in_time(lambda: _summaries(namespace, source))
    return found[0] if found else None


def _summaries(namespace: dict[str, Any], source: str) -> list[dict[str, Any]]:
    named = [(name, network_of(model)) for name, model in islice(fitted_models(namespace), MAX_MODELS)]
    networks = [(name, network) for name, network in named if is_keras(network) or is_torch(network)]
    networks.sort(key=lambda entry: entry[0] != source)
    return [
        _keras_summary(name, network) if is_keras(network) else _torch_summary(name, network)
        for name, network in networks[:1]
    ]


def _keras_summary(name: str, model: Any) -> dict[str, Any]:
    layers = [layer for layer in islice(_leaves(model), MAX_LAYERS) if safe_getattr(layer, "built")]
    return {
        "name": name[:80],
        "layers": _counted(_class_name(layer, "keras.") for layer in layers),
        "frozen": sum(bool(layer.weights) and not layer.trainable for layer in layers),
        "parameters": sum(_size(weight) for weight in model.weights),
        "trainable": sum(_size(weight) for weight in model.trainable_weights),
        "input_shape": _input_shape(model),
    }


def _leaves(model: Any) -> Iterator[Any]:
    """Yield every layer that is no model once, also those of nested models and of wrappers."""
    seen = {id(model)}
    waiting = [model]
    while waiting and len(seen) < MAX_LAYERS:
        for layer in _parts(waiting.pop()):
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            waiting.append(layer)
            if not is_keras(layer):
                yield layer


def _parts(layer: Any) -> list[Any]:
    # ``layers`` of a model holds the layers that run. Other layers may be attributes of it and do nothing.
    layers = safe_getattr(layer, "layers") if is_keras(layer) else safe_getattr(layer, "_layers")
    return list(layers) if isinstance(layers, (list, tuple)) else []


def _class_name(layer: Any, library: str) -> str:
    """Return the library's class that the layer's class is or derives from; "Layer" for one built from scratch."""
    names = (kind.__name__ for kind in type(layer).__mro__ if kind.__module__.startswith(library))
    return next(names, "Layer")[:80]


def _counted(names: Iterator[str]) -> dict[str, int]:
    return dict(Counter(names).most_common(MAX_NAMES))


def _size(weight: Any) -> int:
    return math.prod(int(length) for length in weight.shape)


def _input_shape(model: Any) -> str:
    with contextlib.suppress(Exception):  # a subclassed model may not have one
        return str(model.input_shape)[:200]
    return ""


def _torch_summary(name: str, model: Any) -> dict[str, Any]:
    leaves = [module for module in islice(model.modules(), MAX_LAYERS) if next(module.children(), None) is None]
    weights = [list(module.parameters()) for module in leaves]
    return {
        "name": name[:80],
        "layers": _counted(_class_name(module, "torch.nn") for module in leaves),
        "frozen": sum(bool(own) and not any(weight.requires_grad for weight in own) for own in weights),
        "parameters": sum(int(weight.numel()) for weight in model.parameters()),
        "trainable": sum(int(weight.numel()) for weight in model.parameters() if weight.requires_grad),
        "input_shape": "",
    }
