"""Conversions from the shape of the data's rows to the shape a model takes: reshape, resize, pad, cut. Pure NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..output_forms import Array

Row = tuple[int, ...]  # shape of one row
InputShape = tuple[int | None, ...]  # shape of one row; None stands for any length

CHANNELS = (1, 3, 4)  # grey, RGB, RGB with transparency
LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as in Pillow, OpenCV and TensorFlow


@dataclass(frozen=True)
class Reshaping:
    """Conversion of rows ``(n, *given)`` to rows ``(n, *row)`` by ``apply``; ``steps`` names it in the report."""

    steps: tuple[str, ...]
    row: Row
    apply: Callable[[Array], Array]
    guess: bool = False


def reshapings(given: Row, target: InputShape | None, *, tokens: bool = False) -> list[Reshaping]:
    """Return the plausible conversions, the simplest first; empty if the two shapes do not match in any way.

    ``target`` is None for a model that does not report its input shape. ``tokens`` says that rows are sequences of
    word numbers, which may be padded with zeros; the columns of a table may not.
    """
    if target is None:
        return _common(given)
    if fits(given, target):
        return [_unchanged(given)]
    if len(given) == 3 and fits((given[2], *given[:2]), target):
        return [_channels_first(given)]
    filled = _fill(target, math.prod(given))
    if filled is not None:
        return [_reshaped(given, filled)]
    if len(given) == len(target) and given[1:] == target[1:] and (tokens or len(given) == 2):
        return _other_length(given, target[0] or given[0])
    return _image(given, target) or _first_columns(given, target)


def fits(row: Row, target: InputShape) -> bool:
    """Return True if ``row`` has the lengths of ``target``."""
    return len(row) == len(target) and all(wanted in (None, length) for length, wanted in zip(row, target, strict=True))


def _common(given: Row) -> list[Reshaping]:
    found = [_unchanged(given)]
    if len(given) == 2:
        found.append(_reshaped(given, (*given, 1)))
    if len(given) > 1:
        found.append(_reshaped(given, (math.prod(given),)))
    return found


def _unchanged(given: Row) -> Reshaping:
    return Reshaping((), given, lambda X: X)


def _channels_first(given: Row) -> Reshaping:
    return Reshaping(("channels first",), (given[2], *given[:2]), lambda X: np.moveaxis(X, -1, 1))


def _reshaped(given: Row, row: Row) -> Reshaping:
    step = "flattened" if len(row) == 1 else "with a channel" if row == (*given, 1) else "reshaped"
    return Reshaping((step,), row, lambda X: np.reshape(X, (len(X), *row)))


def _fill(target: InputShape, size: int) -> Row | None:
    """Return ``target`` with its open length chosen so that it holds exactly ``size`` numbers, or None."""
    known = math.prod(length for length in target if length is not None)
    if target.count(None) > 1 or known == 0 or size % known:
        return None
    filled = tuple(size // known if length is None else length for length in target)
    return filled if math.prod(filled) == size else None


def _other_length(given: Row, length: int) -> list[Reshaping]:
    """Pad with zeros or cut, first at the front as Keras's ``pad_sequences`` does, then at the end."""
    row, missing = (length, *given[1:]), length - given[0]
    if missing < 0:
        return [
            Reshaping(("cut at the front",), row, lambda X: X[:, -length:], guess=True),
            Reshaping(("cut at the end",), row, lambda X: X[:, :length], guess=True),
        ]

    def padded(before: int) -> Callable[[Array], Array]:
        widths = [(0, 0), (before, missing - before), *[(0, 0)] * (len(given) - 1)]
        return lambda X: np.pad(X, widths)

    return [
        Reshaping(("padded at the front",), row, padded(missing), guess=True),
        Reshaping(("padded at the end",), row, padded(0), guess=True),
    ]


def _first_columns(given: Row, target: InputShape) -> list[Reshaping]:
    """Take the first columns of a table for a model that takes fewer, in whatever shape."""
    count = math.prod(length or 1 for length in target)
    if len(given) != 1 or not 0 < count < given[0]:
        return []
    row = tuple(length or 1 for length in target)
    return [Reshaping(("the first columns",), row, lambda X: np.reshape(X[:, :count], (len(X), *row)), guess=True)]


# ------------------------------------------------------------------ images


def _image(given: Row, target: InputShape) -> list[Reshaping]:
    if len(given) not in (2, 3) or (len(given) == 3 and given[2] not in CHANNELS):
        return []
    own = given[2] if len(given) == 3 else 1
    found = _image_target(given[:2], own, target)
    if found is None:
        return []
    height, width, channels, row = found
    first = len(row) == 3 and row != (height, width, channels)
    steps = ["resized"] if (height, width) != given[:2] else []
    steps += [{1: "grey", 3: "RGB"}[channels]] if channels != own else []
    steps += ["channels first"] if first else ["flattened"] if len(row) == 1 else []

    def apply(X: Array) -> Array:
        images = resize(with_channels(np.reshape(X, (len(X), *given[:2], own)), channels), height, width)
        return np.reshape(np.moveaxis(images, -1, 1) if first else images, (len(X), *row))

    return [Reshaping(tuple(steps) or ("reshaped",), row, apply)]


def _image_target(sides: Row, own: int, target: InputShape) -> tuple[int, int, int, Row] | None:
    """Return height, width and channels to convert to, and the final shape of a row."""
    if len(target) == 1:
        for channels in (own, 1, 3):
            side = math.isqrt((target[0] or 0) // channels)
            if side and side * side * channels == target[0] and channels != 4:
                return side, side, channels, (side * side * channels,)
        return None
    first = len(target) == 3 and target[0] in (1, 3) and target[2] not in (1, 3)
    axes = target[1:] if first else target[:2]
    channels = 1 if len(target) == 2 else (target[0] if first else target[2]) or own
    if len(axes) != 2 or len(target) > 3 or (channels != own and channels not in (1, 3)):
        return None
    height, width = axes[0] or sides[0], axes[1] or sides[1]
    row = (channels, height, width) if first else (height, width, channels)[: len(target)]
    return height, width, channels, row


def resize(images: Array, height: int, width: int) -> Array:
    """Resize ``(n, h, w, channels)``, bilinear between pixel centres like ``tf.image.resize``; float32 if changed."""
    return _resize_axis(_resize_axis(images, 1, height), 2, width)


def _resize_axis(images: Array, axis: int, size: int) -> Array:
    old = images.shape[axis]
    if old == size:
        return images
    positions = np.clip((np.arange(size) + 0.5) * old / size - 0.5, 0, old - 1)
    below = np.floor(positions).astype(np.intp)
    above = np.minimum(below + 1, old - 1)
    shape = [-1 if dimension == axis else 1 for dimension in range(images.ndim)]
    share = np.reshape(positions - below, shape).astype(np.float32)
    exact = images.astype(np.float32)
    between: Array = exact.take(below, axis) * (1 - share) + exact.take(above, axis) * share
    return between


def with_channels(images: Array, channels: int) -> Array:
    """Convert ``(n, h, w, c)`` to 1 or 3 channels: repeat grey, weigh colours into grey, drop transparency."""
    own = images.shape[-1]
    if own == channels:
        return images
    if own == 1:
        return np.repeat(images, channels, axis=-1)
    colours = images[..., :3]
    return colours if channels == 3 else (colours.astype(np.float32) @ LUMINANCE)[..., np.newaxis]
