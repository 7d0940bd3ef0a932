"""Iterate over the layers of a convolutional network, nested models included, and rebuild the network around them."""

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

# Calls a layer on its tensors and returns its output, or a replacement.
Call = Callable[..., Any]


def layers_of(model: keras.Model) -> Iterator[keras.Layer]:
    """Yield the layers in order, a nested model's own layers in its place; inputs are left out."""
    for layer in model.layers:
        if _is_nested(layer):
            yield from layers_of(layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            yield layer


def layer_named(model: keras.Model, name: str) -> keras.Layer:
    """Return the only layer of that name, at any depth; raise ``ValueError`` if there is none or several."""
    found = [layer for layer in layers_of(model) if layer.name == name]
    if len(found) != 1:
        names = ", ".join(layer.name for layer in layers_of(model))
        raise ValueError(
            f"model {model.name!r} has {len(found)} layers named {name!r}, not one; its layers are: {names}"
        )
    return found[0]


def last_convolution(model: keras.Model) -> keras.Layer:
    """Return the convolution nearest to the output; its maps still have the layout of the picture."""
    convolutions = [layer for layer in layers_of(model) if isinstance(layer, CONVOLUTIONS)]
    if not convolutions:
        names = ", ".join(layer.name for layer in layers_of(model))
        raise ValueError(f"model {model.name!r} has no 2D convolution that could be found; its layers are: {names}")
    return convolutions[-1]


def picture_input(model: keras.Model) -> Any:
    """Return a new symbolic input of the model's input shape, (None, height, width, channels)."""
    if not _is_nested(model):
        raise ValueError(
            f"model {model.name!r} is not a built Sequential or functional model with one input and one output: "
            "begin it with keras.Input, or call it on a picture first"
        )
    shape = model.inputs[0].shape
    if len(shape) != 4:
        raise ValueError(
            f"model {model.name!r} takes inputs of shape {shape}, expected pictures (None, height, width, channels)"
        )
    return keras.Input(batch_shape=(None, *shape[1:]))


def rebuild(model: keras.Model, inputs: Any, call: Call) -> Any:
    """Return the symbolic output of ``model`` on ``inputs``, with each layer called through ``call``.

    Nested models are opened, so ``call`` sees every layer; its result is the input of the next layer.
    """
    latest = inputs

    def opened(layer: Any, *tensors: Any, **options: Any) -> Any:
        nonlocal latest
        latest = rebuild(layer, tensors[0], call) if _is_nested(layer) else call(layer, *tensors, **options)
        return latest

    if isinstance(model, keras.Sequential):
        for layer in model.layers:
            opened(layer, latest)
    else:
        graph = keras.Model(model.inputs, model.outputs)  # not compiled, so that no loss must be cloned
        keras.models.clone_model(
            graph,
            input_tensors=keras.tree.pack_sequence_as(graph.input, [inputs]),
            clone_function=lambda layer: layer,  # the same weights
            call_function=opened,
        )
    # The clone's own output cannot be used: a graph that begins at a tensor is copied, and the copy is not connected.
    # Layers are called in order from the input, so the last result is the output.
    return latest


def before_activation(layer: keras.Layer, tensor: Any) -> Any:
    """Return the layer's output on ``tensor`` without its activation, whose gradient vanishes at saturation."""
    if isinstance(layer, keras.layers.Softmax):
        return tensor
    if getattr(layer, "activation", keras.activations.linear) is keras.activations.linear:
        return layer(tensor)
    linear = type(layer).from_config({**layer.get_config(), "activation": "linear"})
    output = linear(tensor)
    linear.set_weights(layer.get_weights())
    return output


def maps_of_any_size(model: keras.Model, layer: keras.Layer) -> keras.Model:
    """Return the network up to ``layer``, from pictures of any height and width to that layer's maps.

    Only the layers after convolution and pooling, which are cut off here, depend on the size.
    """
    found: list[Any] = []

    def call(current: Any, *tensors: Any, **options: Any) -> Any:
        output = current(*tensors, **options)
        if current is layer:
            found.append(output)
        return output

    inputs = picture_input(model)
    rebuild(model, inputs, call)
    if len(found[-1].shape) != 4:
        raise ValueError(
            f"layer {layer.name!r} returns {found[-1].shape}, expected maps (None, height, width, channels)"
        )
    cut = keras.Model(inputs, found[-1])
    anything = keras.Input((None, None, inputs.shape[-1]))
    return keras.Model(anything, rebuild(cut, anything, lambda part, *tensors, **options: part(*tensors, **options)))


def _is_nested(layer: Any) -> bool:
    """Return whether ``layer`` is a model whose layers can be called one by one; subclassed models cannot."""
    inputs, outputs = getattr(layer, "inputs", None), getattr(layer, "outputs", None)
    return isinstance(layer, keras.Model) and inputs is not None and len(inputs) == len(outputs or ()) == 1
