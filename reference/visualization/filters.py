"""Draw the input that activates each filter of a layer most, found by gradient ascent.

Sources: D. Erhan, Y. Bengio, A. Courville, P. Vincent, Visualizing Higher-Layer Features of a Deep Network (2009); the
ascent and its 40 steps are those of F. Chollet, Deep Learning with Python (2017), 5.4.2.
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


def filter_pattern(  # noqa: PLR0913  independent options, all by keyword
    model: keras.Model,
    layer_name: str,
    filter_index: int,
    *,
    size: int = 150,
    steps: int = 40,
    rate: float = 1.0,
    seed: int = 0,
) -> NDArray[np.uint8]:
    """Return the pattern that activates a filter most, (size, size, 3) uint8.

    The channels are the model's own: blue, green, red for VGG16. A filter that the initial noise does not activate has
    no gradient, so its pattern stays noise.
    """
    maps = maps_of_any_size(model, layer_named(model, layer_name))
    start = noise(size, maps.input_shape[-1], seed)[np.newaxis]
    return deprocess(ascend(responses(maps, [filter_index]), start, steps=steps, rate=rate)[0])


def filters_figure(model: keras.Model, layer_name: str, rows: int = 8, columns: int = 8, *, size: int = 64) -> Figure:
    """Return a figure of the patterns of a layer's first filters, each (size, size), computed together."""
    maps = maps_of_any_size(model, layer_named(model, layer_name))
    filters = range(min(rows * columns, maps.output_shape[-1]))
    start = np.repeat(noise(size, maps.input_shape[-1], seed=0)[np.newaxis], len(filters), axis=0)
    patterns = ascend(responses(maps, filters), start, steps=40, rate=1.0)
    tiles = np.stack([deprocess(pattern) for pattern in patterns]).astype(np.float32) / np.float32(255)

    across = min(columns, len(filters))
    figure = Figure(figsize=(across, -(-len(filters) // across) + 0.4), layout="constrained")
    axes = figure.subplots()
    axes.imshow(mosaic(tiles, across, gap=max(2, size // 16), background=1))
    axes.set_title(f"{layer_name}: filters 0–{len(filters) - 1}", fontsize=10, loc="left", parse_math=False)
    axes.set_axis_off()
    return figure


def responses(maps: keras.Model, filters: Sequence[int]) -> Callable[[Any], Any]:
    """Return a function of pictures (n, height, width, channels): the sum of responses of ``filters[i]`` to picture i.

    A response is the mean over places. Pictures are independent, so the gradient of the sum contains each gradient.
    """
    count = maps.output_shape[-1]
    if outside := [index for index in filters if not 0 <= index < count]:
        raise ValueError(f"layer {maps.layers[-1].name!r} has filters 0 to {count - 1}, asked for {outside}")
    chosen = keras.ops.convert_to_tensor(np.eye(count, dtype=np.float32)[list(filters)])  # (n, filters)
    return lambda pictures: keras.ops.sum(keras.ops.mean(maps(pictures, training=False), axis=(1, 2)) * chosen)


def ascend(
    response: Callable[[Any], Any], start: NDArray[np.float32], *, steps: int, rate: float
) -> NDArray[np.float32]:
    """Return the pictures after gradient ascent; each step changes the pixels by ``rate`` in the root mean square."""
    pictures = keras.ops.convert_to_tensor(start)
    for _ in range(steps):
        gradient = input_gradient(response, pictures)
        length = keras.ops.sqrt(keras.ops.mean(keras.ops.square(gradient), axis=(1, 2, 3), keepdims=True))
        pictures = pictures + rate * gradient / (length + keras.config.epsilon())
    climbed: NDArray[np.float32] = keras.ops.convert_to_numpy(pictures)
    return climbed


def noise(size: int, channels: int, seed: int) -> NDArray[np.float32]:
    """Return the initial picture (size, size, channels): uniform noise from -10 to 10.

    It is centred on 0, not on a grey of 128: edge filters respond negatively to uniform brightness, everywhere.
    """
    return np.random.default_rng(seed).uniform(-10, 10, (size, size, channels)).astype(np.float32)


def deprocess(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return RGB (height, width, 3) uint8 around middle grey, clipped at five standard deviations."""
    standard = (picture - picture.mean()) / (picture.std() + keras.config.epsilon())
    pixels = np.clip(0.5 + 0.1 * standard, 0, 1)
    if pixels.shape[-1] != 3:
        pixels = np.repeat(pixels.mean(axis=-1, keepdims=True), 3, axis=-1)
    rounded: NDArray[np.uint8] = np.round(pixels * 255).astype(np.uint8)
    return rounded
