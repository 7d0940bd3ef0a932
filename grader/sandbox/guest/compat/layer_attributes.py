"""Old methods and attributes of layers, metrics and optimizers: ``get_output_at``, ``reset_states``, ``minimize``.

``REMOVED`` has those without an equivalent. They raise an error that says what to write today, when nothing else has
the name: ``hasattr`` is False, ``dir`` does not list them, and a class of the notebook may define them itself.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from .notes import Kind, note, note_translation

_OWN_LOOP = "Write the step in train_step() of a model, or with tf.GradientTape."
_SLOTS = "The variables of an optimizer are optimizer.variables."

REMOVED: Mapping[str, Mapping[str, str]] = {
    "layers.Layer": {
        **dict.fromkeys(
            ("input_mask", "output_mask", "get_input_mask_at", "get_output_mask_at"),
            "Use layer.compute_mask(inputs, mask).",
        ),
        **dict.fromkeys(
            ("add_inbound_node", "create_input_layer", "set_input"), "Call the layer on keras.Input(shape)."
        ),
        **dict.fromkeys(
            ("regularizers", "constraints"), "They are attributes of the layer, such as layer.kernel_regularizer."
        ),
        "assert_input_compatibility": "Keras checks inputs by layer.input_spec.",
        "compute_output_signature": "Use layer.compute_output_spec(inputs).",
        "finalize_state": "Call layer.adapt(data).",
    },
    "metrics.Metric": {
        "merge_state": "Add the variables up with assign_add().",
        **dict.fromkeys(("trainable_weights", "non_trainable_weights"), "Use metric.variables."),
    },
    "models.Model": {
        **dict.fromkeys(
            ("autotune_steps_per_execution", "enable_tune_steps_per_execution", "steps_per_execution"),
            "Use model.compile(steps_per_execution=...).",
        ),
        "get_weight_paths": "Each weight has its path: weight.path.",
        "save_spec": "Use model.input_shape.",
        "uses_learning_phase": "Call the model with training=True or False.",
        **dict.fromkeys(("training_data", "validation_data"), "Keep the data in variables of your own."),
        "flattened_layers": "Use model.layers.",
        **dict.fromkeys(("legacy_from_config", "legacy_get_config"), "Use get_config() and from_config()."),
    },
    "optimizers.Optimizer": {
        **dict.fromkeys(("add_slot", "get_slot", "get_slot_names"), _SLOTS),
        "add_weight": "Use optimizer.add_variable(shape).",
        **dict.fromkeys(("get_gradients", "get_updates", "aggregate_gradients"), _OWN_LOOP),
        **dict.fromkeys(("get_state", "set_state"), "Use optimizer.get_weights() and set_weights()."),
    },
}


def install(keras: Any) -> None:
    """Add the methods and attributes to the classes of Keras."""
    for path, names in REMOVED.items():
        package, name = path.split(".")
        _explain(getattr(getattr(keras, package), name), names)
    layer, optimizer = keras.layers.Layer, keras.optimizers.Optimizer
    for name in ("input_shape", "output_shape"):
        setattr(layer, name, _ShapeAttribute(name))
    for tensor in ("input", "output"):
        setattr(layer, f"get_{tensor}_at", _tensors_at(tensor))
        setattr(layer, f"get_{tensor}_shape_at", _shapes_at(tensor))
    layer.inbound_nodes, layer.outbound_nodes = _Renamed("_inbound_nodes"), _Renamed("_outbound_nodes")
    layer.stateful = layer.dynamic = False
    for method in (apply, get_output_shape_for, add_update, get_losses_for, get_updates_for):
        setattr(layer, method.__name__, method)
    layer.updates = layer.state_updates = _NoUpdates()
    for owner in (keras.Model, keras.layers.RNN, keras.metrics.Metric):
        owner.reset_states = reset_states
    _install_in_optimizers(optimizer)


def _explain(owner: Any, removed: Mapping[str, str]) -> None:
    """Say what to write instead of the ``removed`` attributes of a class, once the lookup of a name has failed."""
    lookup = getattr(owner, "__getattr__", None)  # of a base class

    def __getattr__(self: Any, name: str) -> Any:  # noqa: N807
        if name in removed:
            raise AttributeError(
                f"{owner.__name__}.{name} was part of Keras up to version 2 and was removed. {removed[name]}"
            )
        # The error of a property, or of an unknown name.
        return lookup(self, name) if lookup is not None else object.__getattribute__(self, name)

    owner.__getattr__ = __getattr__


def removed_from(owner: type) -> Iterator[Mapping[str, str]]:
    """Yield the tables of ``REMOVED`` for a class and its bases."""
    names = {base.__name__ for base in owner.__mro__}
    yield from (removed for path, removed in REMOVED.items() if path.partition(".")[2] in names)


class _Renamed:
    """A descriptor of an attribute under its old name."""

    def __init__(self, today: str) -> None:
        self.today = today

    def __get__(self, instance: Any, _owner: Any = None) -> Any:
        return self if instance is None else getattr(instance, self.today)


class _NoUpdates:
    """A descriptor of the updates of a layer, which Keras now applies by itself."""

    def __get__(self, instance: Any, _owner: Any = None) -> Any:
        return self if instance is None else []


# ------------------------------------------------------------------ layers


def is_read_by_keras() -> bool:
    """Check whether Keras itself reads the attribute: it must get the value that it would get without this module."""
    name = sys._getframe(2).f_globals.get("__name__", "")
    return str(name).partition(".")[0] == "keras"


class _ShapeAttribute:
    """A descriptor that reads a layer's shape; a value that the layer sets under this name takes precedence."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tensor = name.removesuffix("_shape")

    def __get__(self, layer: Any, _owner: Any = None) -> Any:
        if layer is None or is_read_by_keras():
            raise AttributeError(self.name)
        note_translation(f"layer.{self.name}", f"layer.{self.tensor}.shape")
        return _shapes(getattr(layer, self.tensor))


def _shapes(tensors: Any) -> Any:
    if isinstance(tensors, (list, tuple)):
        return [tuple(tensor.shape) for tensor in tensors]
    return tuple(tensors.shape)


def _tensors_at(tensor: str) -> Any:
    def get_at(self: Any, node_index: int) -> Any:
        return self._get_node_attribute_at_index(node_index, f"{tensor}_tensors", tensor)

    return get_at


def _shapes_at(tensor: str) -> Any:
    def get_shape_at(self: Any, node_index: int) -> Any:
        return _shapes(self._get_node_attribute_at_index(node_index, f"{tensor}_tensors", tensor))

    return get_shape_at


def apply(self: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
    note_translation("layer.apply(x)", "layer(x)")
    return self(inputs, *args, **kwargs)


def get_output_shape_for(self: Any, input_shape: Any) -> Any:
    note_translation("layer.get_output_shape_for(shape)", "layer.compute_output_shape(shape)")
    return self.compute_output_shape(input_shape)


def add_update(_layer: Any, _updates: Any, _inputs: Any = None, **_kwargs: Any) -> None:
    """Accept updates that were computed when they were assigned."""
    note(Kind.IGNORED, "layer.add_update(...)")


def get_losses_for(self: Any, _inputs: Any = None) -> list[Any]:
    note_translation("layer.get_losses_for(inputs)", "layer.losses")
    return list(self.losses)


def get_updates_for(_layer: Any, _inputs: Any = None) -> list[Any]:
    return []


def reset_states(self: Any, *_args: Any, **_kwargs: Any) -> None:
    """Reset a metric or a recurrent layer, or those of a model."""
    note_translation("reset_states()", "reset_state()")
    stack = list(getattr(self, "layers", None) or [self])
    while stack:
        part = stack.pop()
        stack += getattr(part, "layers", None) or []
        if hasattr(part, "reset_state") and (getattr(part, "stateful", True) is not False):
            part.reset_state()


# ------------------------------------------------------------------ optimizers


def _install_in_optimizers(optimizer: Any) -> None:
    optimizer.minimize = minimize
    optimizer.get_weights = get_weights
    optimizer.weights = property(lambda self: self.variables)


def get_weights(self: Any) -> list[Any]:
    note_translation("optimizer.get_weights()", "optimizer.variables")
    return [variable.numpy() for variable in self.variables]


def minimize(self: Any, loss: Any, var_list: Any, grad_loss: Any = None, **options: Any) -> Any:
    """Apply one step: ``loss`` is a function without arguments, or a tensor that ``tape`` has recorded."""
    tape: Any = options.get("tape")
    note_translation("optimizer.minimize(loss, var_list)", "optimizer.apply_gradients(zip(gradients, var_list))")
    if not callable(loss) and tape is None:
        raise ValueError("minimize() needs the tape that recorded the loss, or a function that computes it.")
    if callable(loss):
        tape = tape or importlib.import_module("tensorflow").GradientTape()
        with tape:
            loss = loss()
    variables = list(var_list() if callable(var_list) else var_list)
    gradients = tape.gradient(loss, variables, output_gradients=grad_loss)
    return self.apply_gradients(zip(gradients, variables, strict=True))
