"""Old arguments of every layer: shapes and weights in constructors, names of weights, initializers without a dtype."""

from __future__ import annotations

import functools
import importlib
import inspect
from typing import Any

from .arguments import format_value
from .notes import note_translation


def install(keras: Any) -> None:
    """Wrap the base class of layers, ``Sequential.add`` and the lookup of initializers."""
    _accept_first_values(keras)
    _accept_names_of_weights(keras)
    _accept_initializers_without_dtype(keras)


def _accept_first_values(keras: Any) -> None:
    """Accept ``batch_input_shape``, ``input_length`` and ``weights`` of every layer.

    The first, mostly of a stateful recurrent layer, puts ``keras.Input(batch_shape=...)`` before the first layer of a
    model. The weights are set as soon as the layer has been built.
    """
    layer_class, sequential = keras.layers.Layer, keras.Sequential
    over_steps = (keras.layers.RNN, keras.layers.Conv1D)
    init, add_layer, after_build = layer_class.__init__, sequential.add, layer_class._post_build

    @functools.wraps(init)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        shape, weights = kwargs.pop("batch_input_shape", None), kwargs.pop("weights", None)
        kwargs.pop("dynamic", None)  # True asked for eager calls; today's layers need none
        if "input_length" in kwargs or ("input_dim" in kwargs and isinstance(self, over_steps)):
            steps, columns = kwargs.pop("input_length", None), kwargs.pop("input_dim", None)
            kwargs["input_shape"] = (steps, columns)
            note_translation(f"input_dim={columns!r}, input_length={steps!r}", f"keras.Input({(steps, columns)})")
        init(self, *args, **kwargs)
        if shape is not None:
            self._batch_input_shape = tuple(shape)
        if weights is not None:
            self._first_weights = [keras.ops.convert_to_numpy(weight) for weight in weights]

    @functools.wraps(add_layer)
    def add(self: Any, layer: Any, rebuild: bool = True) -> None:
        shape = getattr(layer, "_batch_input_shape", None)
        if shape is not None and not self._layers:
            shown = format_value(shape)
            note_translation(f"batch_input_shape={shown}", f"keras.Input(batch_shape={shown})")
            add_layer(self, keras.layers.InputLayer(batch_shape=tuple(shape)), rebuild=rebuild)
        add_layer(self, layer, rebuild=rebuild)

    @functools.wraps(after_build)
    def _post_build(self: Any) -> None:
        after_build(self)
        weights = vars(self).get("_first_weights")
        if weights is not None and self.weights:
            name = type(self).__name__
            note_translation(f"{name}(weights=...)", "layer.set_weights(...) after the layer is built")
            self.set_weights(weights)
            self._first_weights = None

    __init__.__signature__ = inspect.signature(init)  # type: ignore[attr-defined]
    layer_class.__init__, sequential.add, layer_class._post_build = __init__, add, _post_build


def _accept_names_of_weights(keras: Any) -> None:
    """Accept ``add_weight("kernel", shape)`` in layers: in Keras 2 the name came first."""
    add = keras.layers.Layer.add_weight

    @functools.wraps(add)
    def add_weight(self: Any, *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], str) and "name" not in kwargs:
            name, *rest = args
            kwargs |= {"name": name, **dict(zip(("shape", "dtype", "initializer"), rest, strict=False))}
            note_translation(f"add_weight({name!r}, ...)", f"add_weight(..., name={name!r})")
            args = ()
        return add(self, *args, **kwargs)

    keras.layers.Layer.add_weight = add_weight


def _accept_initializers_without_dtype(keras: Any) -> None:
    """Accept functions of a shape alone as initializers: Keras before 2.4 gave them no dtype."""
    initializers: Any = importlib.import_module("keras.src.initializers")
    get = initializers.get

    @functools.wraps(get)
    def get_initializer(identifier: Any) -> Any:
        found = get(identifier)
        if not inspect.isfunction(found):
            return found
        parameters = inspect.signature(found).parameters
        if "dtype" in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
            return found

        @functools.wraps(found)
        def initialize(shape: Any, dtype: Any = None) -> Any:
            note_translation(f"{found.__name__}(shape)", f"{found.__name__}(shape, dtype=None)")
            return keras.ops.cast(found(shape), dtype or keras.config.floatx())

        del vars(initialize)["__wrapped__"]  # it has a signature of its own
        return initialize

    initializers.get = get_initializer
