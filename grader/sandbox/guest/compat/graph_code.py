"""Changes to tensors, models and TensorFlow for the graph code of Keras 1 and 2, besides ``keras.backend``."""

from __future__ import annotations

import functools
import operator
import sys
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from . import symbolic
from .notes import Kind, note

REASSIGNMENTS = ("__iadd__", "__isub__", "__imul__", "__itruediv__")  # ``loss += ...``, which variables refuse


def install(keras: Any) -> None:
    """Let symbolic tensors be indexed as in Keras 2, and give ``Sequential`` its ``input`` and ``output``."""
    tensor, sequential, operation = keras.KerasTensor, keras.Sequential, keras.Operation
    tensor.__getitem__ = _indexing(tensor.__getitem__)
    for name in ("input", "output"):
        setattr(sequential, name, property(functools.partial(_end_of_sequential, name)))
    sequential.build = _noting_nodes(sequential.build)
    operation._get_node_attribute_at_index = _from_newest_node(operation._get_node_attribute_at_index)


_built: weakref.WeakKeyDictionary[Any, weakref.WeakKeyDictionary[Any, int]] = weakref.WeakKeyDictionary()
_newest: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()


def _noting_nodes(build: Callable[..., Any]) -> Callable[..., Any]:
    """Note how often a ``Sequential`` has called each layer: it calls all of them again for each layer that is added.

    Keras 3 returns the outputs of the first call, of which the model's output is not computed.
    """

    @functools.wraps(build)
    def rebuild(self: Any, input_shape: Any = None) -> None:
        before = {layer: len(layer._inbound_nodes) for layer in self._layers}
        build(self, input_shape)
        calls = _built.setdefault(self, weakref.WeakKeyDictionary())
        for layer in self._layers:
            known, now = before.get(layer, 0), len(layer._inbound_nodes)
            if now == known + 1 and calls.get(layer, 0) == known:  # no call from elsewhere
                calls[layer] = now
                _newest[layer] = known

    return rebuild


def _from_newest_node(get: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(get)
    def from_newest_node(self: Any, node_index: int, *words: Any) -> Any:
        return get(self, node_index or _newest.get(self, 0), *words)

    return from_newest_node


def _indexing(get: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(get)
    def __getitem__(self: Any, key: Any) -> Any:  # noqa: N807
        try:
            return get(self, key)
        except ValueError as error:
            if "Unsupported key type" not in str(error):
                raise
        return symbolic.apply(operator.getitem, self, int(key) if isinstance(key, np.integer) else _plain(key))

    return __getitem__


def _plain(key: Any) -> Any:
    """Replace NumPy's integers in a key, which TensorFlow refuses in some places."""
    if isinstance(key, tuple):
        return tuple(int(part) if isinstance(part, np.integer) else part for part in key)
    return key


def _end_of_sequential(name: str, model: Any) -> Any:
    tensors = getattr(model, f"{name}s") if model.built else None
    if not tensors:
        raise AttributeError(f"The model {model.name} has no {name} yet: give its first layer an input shape.")
    return tensors[0] if len(tensors) == 1 else tensors


def install_in_tensorflow(_tensorflow: ModuleType) -> None:
    """Let ``variable += tensor`` take symbolic tensors."""
    operations: Any = sys.modules["tensorflow.python.ops.resource_variable_ops"]
    variable = operations.BaseResourceVariable
    for name in REASSIGNMENTS:
        setattr(variable, name, _reassignment(getattr(variable, name)))


def _reassignment(refuse: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(refuse)
    def reassign(self: Any, other: Any) -> Any:
        return NotImplemented if "keras" in sys.modules and symbolic.is_symbolic(other) else refuse(self, other)

    return reassign


def keep_eager(after_import: Callable[[str, Callable[[Any], None]], None]) -> None:
    """Make ``disable_eager_execution()`` do nothing: graph code of Keras runs without it, and Keras 3 not after it."""

    def disable_eager_execution() -> None:
        note(Kind.IGNORED, "disable_eager_execution()")

    def install(module: Any) -> None:
        module.disable_eager_execution = disable_eager_execution

    for name in ("tensorflow.python.framework.ops", "tensorflow._api.v2.compat.v1", "tensorflow.compat.v1"):
        after_import(name, install)
