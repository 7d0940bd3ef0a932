"""Systems 11 to 13: VGG16's convolutional base with a new classifier.

Source of the base: K. Simonyan and A. Zisserman, "Very deep convolutional networks for large-scale image recognition",
ICLR 2015, trained on ImageNet. It is used in three ways: its features are computed once; it is frozen, end to end, so
that pictures can be augmented; and its last block is fine-tuned slowly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np

from grader.data.cache.cached_sets import weights
from reference.photos import Split, augment_pictures, course_augmentation, evaluate, fit_and_test, read_split
from reference.systems import Session, Trained

HEAD_RATE = 2e-5  # learning rate of a head on a frozen base


@dataclass(frozen=True)
class Config:
    way: Literal["features", "frozen", "tuned"]
    size: int = 150
    hidden: int = 256
    dropout: float = 0.0  # before the output
    learning_rate: float = HEAD_RATE
    batch_size: int = 20
    tuned_from: str = "block5_conv1"
    head_epochs: int = 20  # of the head alone, on cached features, before fine-tuning
    preprocessing: Literal["unit", "imagenet"] = "unit"  # "unit" as in the course; VGG16 was trained with "imagenet"


CONFIGS = {
    "transfer-features": Config("features", dropout=0.5),
    "transfer-prepared": Config("features", dropout=0.5, preprocessing="imagenet"),
    "transfer-frozen": Config("frozen"),
    "transfer-tuned": Config("tuned", learning_rate=1e-5),
}


def build_base(config: Config, base_weights: Path | None = None) -> keras.Model:
    """Return the base: ``(n, size, size, 3)`` -> features; with random weights if no file is given."""
    return keras.applications.VGG16(
        weights=base_weights, include_top=False, input_shape=(config.size, config.size, 3), name="vgg16"
    )


def feature_shape(config: Config) -> tuple[int, int, int]:
    """Return the shape of a photo's features: sides halved five times; (4, 4, 512) for 150 pixels."""
    return config.size // 32, config.size // 32, 512


def build_head(config: Config) -> keras.Model:
    """Return the head: features ``(n, 4, 4, 512)`` -> ``(n, 1)``, the probability of the second class; not compiled."""
    layers: list[keras.Layer] = [
        keras.Input(feature_shape(config)),
        keras.layers.Flatten(),
        keras.layers.Dense(config.hidden, activation="relu"),
    ]
    if config.dropout:
        layers.append(keras.layers.Dropout(config.dropout))
    return keras.Sequential([*layers, keras.layers.Dense(1, activation="sigmoid", dtype="float32")], name="head")


def build_model(config: Config, base_weights: Path | None = None) -> keras.Model:
    """Return a compiled model of preparation, base and head: ``(n, size, size, 3)`` 0 to 255 -> ``(n, 1)``.

    Of its 30 weights 4 are trainable with a frozen base, 10 with its last block fine-tuned.
    """
    base = build_base(config, base_weights)
    base.trainable = config.way == "tuned"
    if config.way == "tuned":
        tuned = False
        for layer in base.layers:
            tuned = tuned or layer.name == config.tuned_from
            layer.trainable = tuned
    pictures = keras.Input((config.size, config.size, 3))
    return _compiled(keras.Model(pictures, build_head(config)(base(_prepared(pictures, config)))), config)


def _prepared(pictures: Any, config: Config) -> Any:
    if config.preprocessing == "unit":
        return keras.layers.Rescaling(1 / 255)(pictures)
    return keras.applications.vgg16.preprocess_input(pictures)


def _compiled(model: keras.Model, config: Config) -> keras.Model:
    optimizer = keras.optimizers.RMSprop(config.learning_rate)
    model.compile(optimizer=optimizer, loss="binary_crossentropy", metrics=["accuracy"])
    return model


def train(config: Config, session: Session) -> Trained:
    keras.utils.set_random_seed(session.seed)
    split = read_split("cats-dogs", session.library, size=config.size, batch_size=config.batch_size, seed=session.seed)
    base_weights = weights("vgg16", session.library)
    model = build_model(config, base_weights)
    if config.way == "features":
        return evaluate(model, _train_on_features(model, config, session, split), split)
    if config.way == "tuned":
        _train_head_first(model, config, split)
    return fit_and_test(model, augment_pictures(split.train, course_augmentation()), split, session)


def _train_on_features(model: keras.Model, config: Config, session: Session, split: Split) -> dict[str, list[float]]:
    """Train a copy of the head on cached features, so that the base runs once per photo; copy the weights back."""
    extractor = _extractor(model, config)
    head = _compiled(keras.models.clone_model(model.get_layer("head")), config)
    fitted = head.fit(
        *extract(extractor, split.train),
        validation_data=extract(extractor, split.validation),
        epochs=session.epochs,
        batch_size=config.batch_size,
        callbacks=list(session.callbacks),
        verbose=0,
    )
    model.get_layer("head").set_weights(head.get_weights())
    history: dict[str, list[float]] = fitted.history
    return history


def _train_head_first(model: keras.Model, config: Config, split: Split) -> None:
    """Train the head before fine-tuning: the large gradients of a random head would destroy the base's weights."""
    head_alone = replace(config, learning_rate=HEAD_RATE)
    quiet = Session(config.head_epochs, 0, Path())
    _train_on_features(model, head_alone, quiet, split)


def _extractor(model: keras.Model, config: Config) -> keras.Model:
    """Return the base of ``model`` with its preparation: ``(n, size, size, 3)`` 0 to 255 -> ``(n, 4, 4, 512)``."""
    pictures = keras.Input((config.size, config.size, 3))
    return keras.Model(pictures, model.get_layer("vgg16")(_prepared(pictures, config)))


def extract(extractor: keras.Model, pictures: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return features ``(n, 4, 4, 512)`` and labels ``(n,)`` of a dataset, in one pass, since its order may change."""
    found = [(extractor.predict_on_batch(np.asarray(batch)), np.asarray(labels)) for batch, labels in pictures]
    features, labels = zip(*found, strict=True)
    return np.concatenate(features), np.concatenate(labels)
