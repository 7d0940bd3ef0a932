"""System 16: depthwise separable convolutions, compared with the same network of plain ones.

Source: F. Chollet, "Xception: deep learning with depthwise separable convolutions", CVPR 2017.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import keras

from reference.photos import augment_pictures, course_augmentation, fit_and_test, own_pictures, read_own
from reference.systems import Session, Trained


@dataclass(frozen=True)
class Config:
    separable: bool = True
    size: int = 64
    classes: int = 5
    filters: tuple[tuple[int, int], ...] = ((32, 64), (64, 128), (64, 128))
    hidden: int = 32
    batch_size: int = 32


CONFIGS = {"separable": Config(), "separable-plain": Config(separable=False)}


def build_model(config: Config) -> keras.Model:
    """Return a model: ``(n, size, size, 3)`` 0 to 255 -> ``(n, classes)`` probabilities, compiled for class numbers."""
    layers: list[keras.Layer] = [keras.Input((config.size, config.size, 3)), keras.layers.Rescaling(1 / 255)]
    for number, pair in enumerate(config.filters, start=1):
        layers += [_convolution(config, filters) for filters in pair]
        last = number == len(config.filters)
        layers.append(keras.layers.GlobalAveragePooling2D() if last else keras.layers.MaxPooling2D(2))
    layers += [
        keras.layers.Dense(config.hidden, activation="relu"),
        keras.layers.Dense(config.classes, activation="softmax", dtype="float32"),
    ]
    model = keras.Sequential(layers)
    model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _convolution(config: Config, filters: int) -> keras.Layer:
    """Return a convolution whose initial weights keep the scale of its inputs (He et al., ICCV 2015).

    Keras computes the scale of a depthwise kernel as if it read all channels, so the initial weights are far too small:
    after six such layers the signal has vanished and the network never learns. The kernel reads nine numbers.
    """
    if not config.separable:
        return keras.layers.Conv2D(filters, 3, activation="relu", kernel_initializer="he_normal")
    return keras.layers.SeparableConv2D(
        filters, 3, activation="relu",
        depthwise_initializer=keras.initializers.RandomNormal(stddev=1 / 3), pointwise_initializer="he_normal",
    )  # fmt: skip


def train(config: Config, session: Session) -> Trained:
    folder = own_pictures("separable", session)
    keras.utils.set_random_seed(session.seed)
    split = read_own(folder, size=config.size, batch_size=config.batch_size, seed=session.seed)
    model = build_model(replace(config, classes=len(split.classes)))
    pictures = augment_pictures(split.train, course_augmentation(rotation=25, shift=0.1))
    return fit_and_test(model, pictures, split, session)
