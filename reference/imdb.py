"""System 15: film reviews, for or against, by one-dimensional convolutions.

The data: A. Maas et al., "Learning word vectors for sentiment analysis", ACL 2011.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from grader.data.cache.cached_sets import arrays
from reference.systems import Session, Trained


@dataclass(frozen=True)
class Config:
    words: int = 10_000  # the most frequent; all others are one word
    length: int = 500  # words of a review, its last ones
    dimensions: int = 128
    filters: int = 32
    width: int = 7  # words
    pool: int = 5
    learning_rate: float = 1e-4
    batch_size: int = 128
    validation_split: float = 0.2


CONFIGS = {"imdb": Config()}
UNKNOWN = 2  # Keras' number for a word beyond the most frequent


def build_model(config: Config) -> keras.Model:
    """``(n, length)`` word numbers -> ``(n, 1)``, the probability of praise; compiled."""
    model = keras.Sequential(
        [
            keras.Input((config.length,), dtype="int32"),
            keras.layers.Embedding(config.words, config.dimensions),
            keras.layers.Conv1D(config.filters, config.width, activation="relu"),
            keras.layers.MaxPooling1D(config.pool),
            keras.layers.Conv1D(config.filters, config.width, activation="relu"),
            keras.layers.GlobalMaxPooling1D(),
            keras.layers.Dense(1, activation="sigmoid", dtype="float32"),
        ]
    )
    optimizer = keras.optimizers.RMSprop(config.learning_rate)
    model.compile(optimizer=optimizer, loss="binary_crossentropy", metrics=["accuracy"])
    return model


def train(config: Config, session: Session) -> Trained:
    reviews = arrays("imdb", session.library)
    keras.utils.set_random_seed(session.seed)
    order = np.random.default_rng(session.seed).permutation(len(reviews.y_train))
    model = build_model(config)
    fitted = model.fit(
        padded(reviews.x_train, config)[order],  # the file is sorted: the validation split takes the last rows
        reviews.y_train[order],
        validation_split=config.validation_split,
        epochs=session.epochs,
        batch_size=config.batch_size,
        callbacks=list(session.callbacks),
        verbose=0,
    )
    answers = model.predict(padded(reviews.x_test, config), batch_size=512, verbose=0)[:, 0]
    return Trained(model, fitted.history, answers, reviews.y_test, ("against", "for"))


def padded(reviews: Iterable[list[int]], config: Config) -> NDArray[np.int32]:
    """``(n, length)`` int32. As ``keras.datasets.imdb.load_data`` numbers words: 1 begins, 3 more than in the file."""
    numbered = [[1, *(word + 3 if word + 3 < config.words else UNKNOWN for word in review)] for review in reviews]
    sequences: NDArray[np.int32] = keras.utils.pad_sequences(numbered, maxlen=config.length)
    return sequences
