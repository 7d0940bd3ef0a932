"""Convert pictures to a model's input and to what Matplotlib draws."""

from __future__ import annotations

from functools import cache
from typing import Any

import keras
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

# Matplotlib's own font has no Chinese characters; these fonts come with operating systems, best first.
CHINESE = (
    "Noto Sans CJK TC",
    "Noto Sans TC",
    "Noto Sans CJK JP",  # the only name of the file in many distributions
    "PingFang TC",
    "PingFang HK",
    "Heiti TC",
    "Microsoft JhengHei",
    "Noto Serif CJK TC",
    "Noto Serif CJK JP",
    "WenQuanYi Zen Hei",
    "AR PL UMing TW",
)


@cache
def text_style() -> dict[str, Any]:
    """Return text properties for names: this machine's Chinese fonts as fallback, and ``$`` not as math."""
    installed = set(font_manager.get_font_names())
    return {"family": ["DejaVu Sans", *(name for name in CHINESE if name in installed)], "parse_math": False}


def as_inputs(model: keras.Model, pictures: ArrayLike) -> NDArray[np.float32]:
    """Return a batch of the model's input shape, float32; for a grey model, (n, height, width) gets a channel axis."""
    inputs = np.asarray(pictures, np.float32)
    if inputs.ndim == 0 or len(inputs) == 0:
        raise ValueError(f"model {model.name!r} was given no pictures: found a batch of shape {inputs.shape}")
    wanted = getattr(model, "input_shape", inputs.shape)  # unknown for a subclassed model
    if len(wanted) == 4 and wanted[-1] == 1 and inputs.ndim == 3:
        inputs = inputs[..., np.newaxis]
    fits = len(wanted) == inputs.ndim and all(
        size in (None, found) for size, found in zip(wanted, inputs.shape, strict=True)
    )
    if not fits:
        raise ValueError(
            f"model {model.name!r} takes {tuple(wanted)}, found a batch of shape {inputs.shape}: "
            "resize the pictures and prepare them as in training"
        )
    return inputs


def to_displayable(picture: ArrayLike) -> NDArray[np.float32]:
    """Return a picture to draw, (height, width) in grey or (height, width, 3), with values in [0, 1].

    Values in [0, 1] stay, [0, 255] is divided by 255; any other range was prepared for a network and is rescaled.
    """
    given = np.asarray(picture)
    is_integer = np.issubdtype(given.dtype, np.integer)
    pixels: NDArray[np.float32] = given.astype(np.float32)
    if pixels.ndim == 3 and pixels.shape[-1] != 3:
        pixels = pixels.mean(axis=-1)
    low, high = float(pixels.min()), float(pixels.max())
    if low < 0 or high > 255:
        return rescale(pixels)
    return pixels / np.float32(255) if is_integer or high > 1 else pixels


def rescale(values: NDArray[np.float32], axis: tuple[int, ...] | None = None) -> NDArray[np.float32]:
    """Rescale values to [0, 1] from minimum to maximum along ``axis``; zeros if all are the same."""
    low, high = values.min(axis=axis, keepdims=True), values.max(axis=axis, keepdims=True)
    scaled: NDArray[np.float32] = (values - low) / np.where(high > low, high - low, 1)
    return scaled


def mosaic(tiles: NDArray[np.float32], columns: int, *, gap: int, background: float) -> NDArray[np.float32]:
    """Arrange tiles (n, height, width) or (n, height, width, 3) in rows of ``columns``, ``gap`` pixels apart."""
    n, height, width, *channels = tiles.shape
    rows = -(-n // columns)
    sheet = np.full((rows * columns, height + gap, width + gap, *channels), background, np.float32)
    sheet[:n, :height, :width] = tiles
    sheet = sheet.reshape(rows, columns, height + gap, width + gap, *channels).swapaxes(1, 2)
    return sheet.reshape(rows * (height + gap), columns * (width + gap), *channels)[: -gap or None, : -gap or None]


def draw(axes: Axes, picture: ArrayLike) -> None:
    """Draw the picture without ticks."""
    pixels = to_displayable(picture)
    axes.imshow(pixels, cmap="gray" if pixels.ndim == 2 else None, vmin=0, vmax=1)
    axes.set(xticks=[], yticks=[])
