"""Pictures in and out of networks: as a model takes them, and as Matplotlib draws them."""

from __future__ import annotations

from functools import cache
from typing import Any

import keras
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

# Matplotlib's own font has no Chinese characters; these are what systems come with, in the order of their merit.
CHINESE = (
    "Noto Sans CJK TC",
    "Noto Sans TC",
    "Noto Sans CJK JP",  # one file in many distributions, under the first of its names
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
def lettering() -> dict[str, Any]:
    """How names that people give are set: in fonts of this machine that know Chinese, ``$`` beginning no formula."""
    installed = set(font_manager.get_font_names())
    return {"family": ["DejaVu Sans", *(name for name in CHINESE if name in installed)], "parse_math": False}


def as_inputs(model: keras.Model, pictures: ArrayLike) -> NDArray[np.float32]:
    """A batch as ``model`` takes it; for a grey model, (n, height, width) gets its channel."""
    inputs = np.asarray(pictures, np.float32)
    if inputs.ndim == 0 or len(inputs) == 0:
        raise ValueError(f"model {model.name!r} was given no pictures: found a batch of shape {inputs.shape}")
    wanted = getattr(model, "input_shape", inputs.shape)  # a subclassed model does not say
    if len(wanted) == 4 and wanted[-1] == 1 and inputs.ndim == 3:
        inputs = inputs[..., np.newaxis]
    fits = len(wanted) == inputs.ndim and all(
        want in (None, is_) for want, is_ in zip(wanted, inputs.shape, strict=True)
    )
    if not fits:
        raise ValueError(
            f"model {model.name!r} takes {tuple(wanted)}, found a batch of shape {inputs.shape}: "
            "resize the pictures and prepare them as in training"
        )
    return inputs


def displayed(picture: ArrayLike) -> NDArray[np.float32]:
    """A picture to draw, (height, width) in grey or (height, width, 3), with values in [0, 1].

    Values of [0, 1] stay, [0, 255] is divided; any other range was prepared for a network and is stretched.
    """
    given = np.asarray(picture)
    whole = np.issubdtype(given.dtype, np.integer)
    pixels: NDArray[np.float32] = given.astype(np.float32)
    if pixels.ndim == 3 and pixels.shape[-1] != 3:
        pixels = pixels.mean(axis=-1)
    low, high = float(pixels.min()), float(pixels.max())
    if low < 0 or high > 255:
        return stretched(pixels)
    return pixels / np.float32(255) if whole or high > 1 else pixels


def stretched(values: NDArray[np.float32], axis: tuple[int, ...] | None = None) -> NDArray[np.float32]:
    """Values brought to [0, 1], from the least to the greatest along ``axis``; zeros where all are the same."""
    low, high = values.min(axis=axis, keepdims=True), values.max(axis=axis, keepdims=True)
    scaled: NDArray[np.float32] = (values - low) / np.where(high > low, high - low, 1)
    return scaled


def mosaic(tiles: NDArray[np.float32], columns: int, *, gap: int, background: float) -> NDArray[np.float32]:
    """Tiles (n, height, width) or (n, height, width, 3) in rows of ``columns``, ``gap`` pixels between them."""
    n, height, width, *channels = tiles.shape
    rows = -(-n // columns)
    sheet = np.full((rows * columns, height + gap, width + gap, *channels), background, np.float32)
    sheet[:n, :height, :width] = tiles
    sheet = sheet.reshape(rows, columns, height + gap, width + gap, *channels).swapaxes(1, 2)
    return sheet.reshape(rows * (height + gap), columns * (width + gap), *channels)[: -gap or None, : -gap or None]


def draw(axes: Axes, picture: ArrayLike) -> None:
    """The picture, without ticks."""
    pixels = displayed(picture)
    axes.imshow(pixels, cmap="gray" if pixels.ndim == 2 else None, vmin=0, vmax=1)
    axes.set(xticks=[], yticks=[])
