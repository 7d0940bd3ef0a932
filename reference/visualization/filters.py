"""What the filters of a layer look for: the picture that excites each most, found by climbing its gradient.

D. Erhan, Y. Bengio, A. Courville, P. Vincent, Visualizing Higher-Layer Features of a Deep Network (2009); the climb
and its 40 steps are those of F. Chollet, Deep Learning with Python (2017), 5.4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from reference.visualization.gradients import input_gradient
from reference.visualization.layers import layer_named, maps_of_any_size
from reference.visualization.pictures import mosaic


def filter_pattern(  # noqa: PLR0913  a knob each, all by keyword
    model: keras.Model,
    layer_name: str,
    filter_index: int,
    *,
    size: int = 150,
    steps: int = 40,
    rate: float = 1.0,
    seed: int = 0,
) -> NDArray[np.uint8]:
    """The pattern that one filter answers most, (size, size, 3).

    The channels are the model's own: blue, green, red for VGG16. A filter that the noise at the start excites nowhere
    has no gradient and stays noise.
    """
    maps = maps_of_any_size(model, layer_named(model, layer_name))
    start = noise(size, maps.input_shape[-1], seed)[np.newaxis]
    return deprocessed(ascend(responses(maps, [filter_index]), start, steps=steps, rate=rate)[0])


def filters_figure(model: keras.Model, layer_name: str, rows: int = 8, columns: int = 8, *, size: int = 64) -> Figure:
    """A sheet of the patterns of a layer's first filters, each (size, size), found all at once."""
    maps = maps_of_any_size(model, layer_named(model, layer_name))
    filters = range(min(rows * columns, maps.output_shape[-1]))
    start = np.repeat(noise(size, maps.input_shape[-1], seed=0)[np.newaxis], len(filters), axis=0)
    patterns = ascend(responses(maps, filters), start, steps=40, rate=1.0)
    tiles = np.stack([deprocessed(pattern) for pattern in patterns]).astype(np.float32) / np.float32(255)

    across = min(columns, len(filters))
    figure = Figure(figsize=(across, -(-len(filters) // across) + 0.4), layout="constrained")
    axes = figure.subplots()
    axes.imshow(mosaic(tiles, across, gap=max(2, size // 16), background=1))
    axes.set_title(f"{layer_name}: filters 0–{len(filters) - 1}", fontsize=10, loc="left", parse_math=False)
    axes.set_axis_off()
    return figure


def responses(maps: keras.Model, filters: Sequence[int]) -> Callable[[Any], Any]:
    """The sum over pictures (n, height, width, channels) of how far picture i excites filter ``filters[i]`` on average.

    Pictures do not see one another, so the gradient of the sum holds that of each.
    """
    count = maps.output_shape[-1]
    if outside := [index for index in filters if not 0 <= index < count]:
        raise ValueError(f"layer {maps.layers[-1].name!r} has filters 0 to {count - 1}, asked for {outside}")
    chosen = keras.ops.convert_to_tensor(np.eye(count, dtype=np.float32)[list(filters)])  # (n, filters)
    return lambda pictures: keras.ops.sum(keras.ops.mean(maps(pictures, training=False), axis=(1, 2)) * chosen)


def ascend(
    response: Callable[[Any], Any], start: NDArray[np.float32], *, steps: int, rate: float
) -> NDArray[np.float32]:
    """The pictures after climbing; each step moves a picture's pixels by ``rate`` in the quadratic mean."""
    pictures = keras.ops.convert_to_tensor(start)
    for _ in range(steps):
        gradient = input_gradient(response, pictures)
        length = keras.ops.sqrt(keras.ops.mean(keras.ops.square(gradient), axis=(1, 2, 3), keepdims=True))
        pictures = pictures + rate * gradient / (length + keras.config.epsilon())
    climbed: NDArray[np.float32] = keras.ops.convert_to_numpy(pictures)
    return climbed


def noise(size: int, channels: int, seed: int) -> NDArray[np.float32]:
    """The start (size, size, channels): noise from -10 to 10.

    Around 0, not around a grey of 128: a filter for edges answers plain brightness with less than nothing, everywhere.
    """
    return np.random.default_rng(seed).uniform(-10, 10, (size, size, channels)).astype(np.float32)


def deprocessed(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    """RGB (height, width, 3) around middle grey, one standard deviation a tenth of the range, the rest cut off."""
    standard = (picture - picture.mean()) / (picture.std() + keras.config.epsilon())
    pixels = np.clip(0.5 + 0.1 * standard, 0, 1)
    if pixels.shape[-1] != 3:
        pixels = np.repeat(pixels.mean(axis=-1, keepdims=True), 3, axis=-1)
    rounded: NDArray[np.uint8] = np.round(pixels * 255).astype(np.uint8)
    return rounded
