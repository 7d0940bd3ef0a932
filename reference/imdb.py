"""System 15: sentiment of film reviews with one-dimensional convolutions.

Data: A. Maas et al., "Learning word vectors for sentiment analysis", ACL 2011.
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
    words: int = 10_000  # the most frequent ones; all others become one word
    length: int = 500  # the last words of a review
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
    """Return a compiled model: ``(n, length)`` word numbers -> ``(n, 1)``, the probability of a positive review."""
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
        pad_reviews(reviews.x_train, config)[order],  # the file is sorted, and the validation split takes the last rows
        reviews.y_train[order],
        validation_split=config.validation_split,
        epochs=session.epochs,
        batch_size=config.batch_size,
        callbacks=list(session.callbacks),
        verbose=0,
    )
    answers = model.predict(pad_reviews(reviews.x_test, config), batch_size=512, verbose=0)[:, 0]
    return Trained(model, fitted.history, answers, reviews.y_test, ("against", "for"))


def pad_reviews(reviews: Iterable[list[int]], config: Config) -> NDArray[np.int32]:
    """Return reviews as ``(n, length)`` int32.

    Words are numbered as in ``keras.datasets.imdb.load_data``: 1 begins a review, words are 3 above the file's numbers.
    """
    numbered = [[1, *(word + 3 if word + 3 < config.words else UNKNOWN for word in review)] for review in reviews]
    sequences: NDArray[np.int32] = keras.utils.pad_sequences(numbered, maxlen=config.length)
    return sequences
