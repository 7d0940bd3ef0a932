"""System 8: a convolutional network for CIFAR-10, with six convolutions and two wide layers.

Data: A. Krizhevsky, "Learning multiple layers of features from tiny images", technical report (2009).
"""

from __future__ import annotations

from dataclasses import dataclass

import keras

from grader.data.cache.cached_sets import arrays
from reference.systems import Session, Trained

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@dataclass(frozen=True)
class Config:
    filters: tuple[int, ...] = (32, 64, 128)  # of each pair of convolutions
    dropout: tuple[float, ...] = (0.25, 0.25, 0.3)  # between the two of a pair
    hidden: tuple[int, ...] = (2500, 1500)
    hidden_dropout: float = 0.3
    batch_size: int = 500
    validation_split: float = 0.2


CONFIGS = {"cifar10": Config()}


def build_model(config: Config) -> keras.Model:
    """Return a model: ``(n, 32, 32, 3)`` bytes 0 to 255 -> ``(n, 10)`` probabilities, compiled for class numbers."""
    layers: list[keras.Layer] = [keras.Input((32, 32, 3)), keras.layers.Rescaling(1 / 255)]
    for filters, dropout in zip(config.filters, config.dropout, strict=True):
        layers += [
            keras.layers.Conv2D(filters, 3, activation="relu", padding="same"),
            keras.layers.Dropout(dropout),
            keras.layers.Conv2D(filters, 3, activation="relu", padding="same"),
            keras.layers.MaxPooling2D(2),
        ]
    layers += [keras.layers.Flatten(), keras.layers.Dropout(config.hidden_dropout)]
    for units in config.hidden:
        layers += [keras.layers.Dense(units, activation="relu"), keras.layers.Dropout(config.hidden_dropout)]
    model = keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax", dtype="float32")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(config: Config, session: Session) -> Trained:
    pictures = arrays("cifar10", session.library)
    keras.utils.set_random_seed(session.seed)
    model = build_model(config)
    fitted = model.fit(
        pictures.x_train,
        pictures.y_train,
        validation_split=config.validation_split,
        epochs=session.epochs,
        batch_size=config.batch_size,
        callbacks=list(session.callbacks),
        verbose=0,
    )
    answers = model.predict(pictures.x_test, batch_size=config.batch_size, verbose=0)
    return Trained(model, fitted.history, answers, pictures.y_test, CLASSES, pictures.x_test)
