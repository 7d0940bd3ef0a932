"""Pictures as arrays ``(n, height, width, channels)``: another size, another number of channels. Pure NumPy."""

from __future__ import annotations

import numpy as np

from ..output_forms import Array

CHANNELS = (1, 3, 4)  # grey, RGB, RGB with transparency
LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as Pillow, OpenCV and TensorFlow have it
# What networks trained on ImageNet want, as keras.applications' preprocess_input gives it.
IMAGENET_BGR = np.array([103.939, 116.779, 123.68], np.float32)
IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
IMAGENET_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


def resized(pictures: Array, height: int, width: int) -> Array:
    """Bilinear between the centres of the pixels, as ``tf.image.resize`` does; float32 where anything changes."""
    return _along(_along(pictures, 1, height), 2, width)


def _along(pictures: Array, axis: int, size: int) -> Array:
    old = pictures.shape[axis]
    if old == size:
        return pictures
    places = np.clip((np.arange(size) + 0.5) * old / size - 0.5, 0, old - 1)
    below = np.floor(places).astype(np.intp)
    above = np.minimum(below + 1, old - 1)
    share = np.reshape(places - below, [-1 if one == axis else 1 for one in range(pictures.ndim)]).astype(np.float32)
    exact = pictures.astype(np.float32)
    between: Array = exact.take(below, axis) * (1 - share) + exact.take(above, axis) * share
    return between


def with_channels(pictures: Array, channels: int) -> Array:
    """Grey repeated, colours weighed into grey, transparency dropped."""
    own = pictures.shape[-1]
    if own == channels:
        return pictures
    if own == 1:
        return np.repeat(pictures, channels, axis=-1)
    colours = pictures[..., :3]
    return colours if channels == 3 else (colours.astype(np.float32) @ LUMINANCE)[..., np.newaxis]


def without_imagenets_mean(pictures: Array) -> Array:
    """RGB 0 to 255 as VGG and ResNet were trained: BGR, less the mean."""
    return pictures[..., ::-1].astype(np.float32) - IMAGENET_BGR


def by_imagenets_spread(pictures: Array) -> Array:
    """RGB 0 to 255 as DenseNet and PyTorch's models were trained."""
    return (pictures.astype(np.float32) / 255 - IMAGENET_MEAN) / IMAGENET_DEVIATION
