"""The layers of a convolutional network, those of nested models among them, and the network rebuilt around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras

CONVOLUTIONS = (
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)

# Calls a layer on its tensors and gives its output, or something in its place.
Call = Callable[..., Any]


def layers_of(model: keras.Model) -> Iterator[keras.Layer]:
    """The layers in order, with a nested model's own layers in its place; inputs are left out."""
    for layer in model.layers:
        if _opens(layer):
            yield from layers_of(layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            yield layer


def layer_named(model: keras.Model, name: str) -> keras.Layer:
    """The one layer of that name, wherever it is nested."""
    found = [layer for layer in layers_of(model) if layer.name == name]
    if len(found) != 1:
        names = ", ".join(layer.name for layer in layers_of(model))
        raise ValueError(
            f"model {model.name!r} has {len(found)} layers named {name!r}, not one; its layers are: {names}"
        )
    return found[0]


def last_convolution(model: keras.Model) -> keras.Layer:
    """The convolution nearest to the output: what it sees is still a map of the picture."""
    convolutions = [layer for layer in layers_of(model) if isinstance(layer, CONVOLUTIONS)]
    if not convolutions:
        names = ", ".join(layer.name for layer in layers_of(model))
        raise ValueError(f"model {model.name!r} has no 2D convolution that could be found; its layers are: {names}")
    return convolutions[-1]


def picture_input(model: keras.Model) -> Any:
    """A new symbolic input of the shape that ``model`` takes, (None, height, width, channels)."""
    if not _opens(model):
        raise ValueError(
            f"model {model.name!r} is no Sequential or functional model with one input and one output that has been "
            "built: begin it with keras.Input, or call it on a picture first"
        )
    shape = model.inputs[0].shape
    if len(shape) != 4:
        raise ValueError(
            f"model {model.name!r} takes inputs of shape {shape}, not pictures (None, height, width, channels)"
        )
    return keras.Input(batch_shape=(None, *shape[1:]))


def rebuilt(model: keras.Model, inputs: Any, call: Call) -> Any:
    """The symbolic output of ``model`` on ``inputs``, its own layers called again, one by one, through ``call``.

    Nested models are opened, so ``call`` sees every layer, and what it gives is what the next layer gets.
    """
    latest = inputs

    def opened(layer: Any, *tensors: Any, **options: Any) -> Any:
        nonlocal latest
        latest = rebuilt(layer, tensors[0], call) if _opens(layer) else call(layer, *tensors, **options)
        return latest

    if isinstance(model, keras.Sequential):
        for layer in model.layers:
            opened(layer, latest)
    else:
        graph = keras.Model(model.inputs, model.outputs)  # not compiled: a clone's loss would have to be cloned as well
        keras.models.clone_model(
            graph,
            input_tensors=keras.tree.pack_sequence_as(graph.input, [inputs]),
            clone_function=lambda layer: layer,  # the same weights
            call_function=opened,
        )
    # Not the clone's own output: a graph that begins at a tensor is copied, and the copy hangs on nothing. Layers are
    # called from the input on, so the last one called is the output.
    return latest


def before_activation(layer: keras.Layer, tensor: Any) -> Any:
    """What the layer gives on ``tensor`` but for its activation, whose gradient vanishes where it is saturated."""
    if isinstance(layer, keras.layers.Softmax):
        return tensor
    if getattr(layer, "activation", keras.activations.linear) is keras.activations.linear:
        return layer(tensor)
    linear = type(layer).from_config({**layer.get_config(), "activation": "linear"})
    output = linear(tensor)
    linear.set_weights(layer.get_weights())
    return output


def maps_of_any_size(model: keras.Model, layer: keras.Layer) -> keras.Model:
    """The network up to ``layer``, from pictures of any height and width to that layer's maps.

    Convolution and pooling do not mind the size; only what comes after them, and is cut off here, does.
    """
    found: list[Any] = []

    def call(one: Any, *tensors: Any, **options: Any) -> Any:
        output = one(*tensors, **options)
        if one is layer:
            found.append(output)
        return output

    inputs = picture_input(model)
    rebuilt(model, inputs, call)
    if len(found[-1].shape) != 4:
        raise ValueError(f"layer {layer.name!r} gives {found[-1].shape}, not maps (None, height, width, channels)")
    cut = keras.Model(inputs, found[-1])
    anything = keras.Input((None, None, inputs.shape[-1]))
    return keras.Model(anything, rebuilt(cut, anything, lambda one, *tensors, **options: one(*tensors, **options)))


def _opens(layer: Any) -> bool:
    """Whether it is a model whose layers can be called one by one: a subclassed one keeps its way to itself."""
    inputs, outputs = getattr(layer, "inputs", None), getattr(layer, "outputs", None)
    return isinstance(layer, keras.Model) and inputs is not None and len(inputs) == len(outputs or ()) == 1
