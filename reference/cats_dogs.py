"""Systems 9 and 10: cats and dogs from two thousand photos, from scratch; with augmentation and dropout."""

from __future__ import annotations

from dataclasses import dataclass

import keras

from reference.photos import augment_pictures, course_augmentation, fit_and_test, read_split
from reference.systems import Session, Trained


@dataclass(frozen=True)
class Config:
    size: int = 150  # pixels, both ways
    filters: tuple[int, ...] = (32, 64, 128, 128)
    hidden: int = 512
    dropout: float = 0.0  # before the hidden layer
    augment: bool = False
    keep_best: bool = False  # keep the best epoch's weights: validation varies much with augmentation
    learning_rate: float = 1e-4
    batch_size: int = 20


CONFIGS = {
    "cats-dogs-scratch": Config(),
    "cats-dogs-augmented": Config(dropout=0.5, augment=True, keep_best=True, batch_size=32),
}


def build_model(config: Config) -> keras.Model:
    """Return a compiled model: ``(n, size, size, 3)`` 0 to 255 -> ``(n, 1)``, the probability of the second class."""
    layers: list[keras.Layer] = [keras.Input((config.size, config.size, 3)), keras.layers.Rescaling(1 / 255)]
    for filters in config.filters:
        layers += [keras.layers.Conv2D(filters, 3, activation="relu"), keras.layers.MaxPooling2D(2)]
    layers.append(keras.layers.Flatten())  # (n, 6272) at 150 pixels
    if config.dropout:
        layers.append(keras.layers.Dropout(config.dropout))
    layers += [
        keras.layers.Dense(config.hidden, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid", dtype="float32"),
    ]
    model = keras.Sequential(layers)
    optimizer = keras.optimizers.RMSprop(config.learning_rate)
    model.compile(optimizer=optimizer, loss="binary_crossentropy", metrics=["accuracy"])
    return model


def train(config: Config, session: Session) -> Trained:
    keras.utils.set_random_seed(session.seed)
    split = read_split("cats-dogs", session.library, size=config.size, batch_size=config.batch_size, seed=session.seed)
    pictures = split.train
    if config.augment:
        pictures = augment_pictures(pictures, course_augmentation())
    model = build_model(config)
    return fit_and_test(model, pictures, split, session, keep_best=config.keep_best)
