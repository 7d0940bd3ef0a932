"""Draw Grad-CAM: a heat map of the places that decided a network's prediction.

Source: R. R. Selvaraju and others, Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization,
ICCV 2017.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from reference.visualization.gradients import input_gradient
from reference.visualization.layers import (
    before_activation,
    last_convolution,
    layer_named,
    layers_of,
    picture_input,
    rebuild,
)
from reference.visualization.pictures import as_inputs, draw, to_displayable


def heatmap(
    model: keras.Model, photo: ArrayLike, *, class_index: int | None = None, layer: str | None = None
) -> NDArray[np.float32]:
    """Return the heat map of a photo for a class, (height, width) in [0, 1]; 1 at the strongest place.

    ``photo`` is (height, width, channels), prepared as the model expects it. ``class_index`` defaults to the predicted
    class; a model with one output has the classes 0 and 1. ``layer`` defaults to the last convolution, also inside a
    nested base. The map is all zeros if no place supports the class, which averaging over places allows.
    """
    shift = _Shift(name="shift")
    network = _with_shift(model, layer_named(model, layer) if layer else last_convolution(model), shift)
    batch = keras.ops.convert_to_tensor(as_inputs(model, np.asarray(photo)[np.newaxis]))
    maps, scores = (keras.ops.convert_to_numpy(output)[0] for output in network(batch, training=False))
    signs = keras.ops.convert_to_tensor(_class_signs(scores, class_index))

    def score(amount: Any) -> Any:
        shift.amount = amount
        return keras.ops.sum(network(batch, training=False)[1] * signs)

    # In the paper, the weight of a map is the mean of the score's gradient over the map's places. Up to a factor common
    # to all maps, that is the gradient with respect to a number added to the whole map.
    gradient = input_gradient(score, keras.ops.zeros((1, 1, 1, maps.shape[-1])))
    weights = keras.ops.convert_to_numpy(gradient)[0]  # (1, 1, channels)
    heat = np.maximum((maps * weights).sum(axis=-1, keepdims=True), 0)
    heat = keras.ops.image.resize(heat, batch.shape[1:3], interpolation="bilinear")
    heat = keras.ops.convert_to_numpy(heat)[..., 0]
    spread: NDArray[np.float32] = heat / (heat.max() or 1)
    return spread


def gradcam_figure(
    model: keras.Model,
    photo: ArrayLike,
    *,
    class_index: int | None = None,
    layer: str | None = None,
    picture: ArrayLike | None = None,
) -> Figure:
    """Return a figure of the photo, its heat map, and both overlaid.

    ``picture`` is drawn in place of ``photo``, for models whose preparation makes pictures unrecognisable (VGG16's).
    """
    heat = heatmap(model, photo, class_index=class_index, layer=layer)
    shown = to_displayable(photo if picture is None else picture)
    figure = Figure(figsize=(10, 3.6), layout="compressed")
    left, middle, right = figure.subplots(1, 3)
    draw(left, shown)
    height, width = shown.shape[:2]
    warm = partial(Axes.imshow, X=heat, cmap="plasma", vmin=0, vmax=1, extent=(-0.5, width - 0.5, height - 0.5, -0.5))
    scale = warm(middle)
    draw(right, shown)
    warm(right, alpha=0.7 * heat)  # cold places stay unchanged
    decided = "the predicted class" if class_index is None else f"class {class_index}"
    for axes, title in zip((left, middle, right), ("photo", f"evidence for {decided}", "overlay"), strict=True):
        axes.set(title=title, xticks=[], yticks=[])
    figure.colorbar(scale, ax=middle, shrink=0.8)
    return figure


class _Shift(keras.Layer):  # type: ignore[misc]  # Keras has no types
    """A layer that adds ``amount``, a number for each channel."""

    amount: Any = 0.0

    def call(self, maps: Any) -> Any:
        return maps + self.amount


def _with_shift(model: keras.Model, convolution: keras.Layer, shift: _Shift) -> keras.Model:
    """Return the network with ``shift`` after ``convolution``; it returns that layer's unshifted maps and the scores.

    This also works if the rest of the network gets more than the maps, as in a residual network. The backend only has
    to provide gradients with respect to an input.
    """
    found: list[Any] = []
    last = list(layers_of(model))[-1]

    def call(layer: Any, *tensors: Any, **options: Any) -> Any:
        output = before_activation(layer, *tensors) if layer is last else layer(*tensors, **options)
        if layer is not convolution:
            return output
        found.append(output)
        return shift(output)

    photo = picture_input(model)
    scores = rebuild(model, photo, call)
    if len(scores.shape) != 2:
        raise ValueError(f"model {model.name!r} gives {scores.shape}, not a score for each class, (None, classes)")
    return keras.Model(photo, [found[-1], scores])


def _class_signs(scores: NDArray[np.float32], class_index: int | None) -> NDArray[np.float32]:
    """Return the weights of the scores (classes,) that select the class, or the most likely class.

    A single score supports class 1, and its negative class 0.
    """
    if not np.isfinite(scores).all():
        raise ValueError(f"the model's scores are {scores}: there is NaN in the photo, or the training has diverged")
    classes = max(len(scores), 2)
    if class_index is None:
        class_index = int(scores.argmax()) if len(scores) > 1 else int(scores[0] > 0)
    if not 0 <= class_index < classes:
        raise ValueError(f"class_index is {class_index}; the model has the classes 0 to {classes - 1}")
    if len(scores) == 1:
        return np.array([2 * class_index - 1], np.float32)
    chosen: NDArray[np.float32] = np.eye(classes, dtype=np.float32)[class_index]
    return chosen
