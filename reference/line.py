"""Systems 1 to 4: a line through noisy points, with scikit-learn and with networks without activations.

A network of linear layers is a line, whatever its depth. Depth and dropout only change how well it trains.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression

from reference.systems import Session, Trained

POINTS, TRAINING = 2000, 1500
SLOPE, INTERCEPT, NOISE = 7.8, 78.0, 3.0  # of y = INTERCEPT + SLOPE x + N(0, NOISE), x in [0, 3)


@dataclass(frozen=True)
class Config:
    units: tuple[int, ...]  # of the layers before the last one; empty: scikit-learn's linear regression
    dropout: float = 0.0  # after every layer but the last
    batch_size: int = 200


CONFIGS = {
    "line-linear": Config(()),
    "line-dropout": Config((4, 8), dropout=0.5),
    "line-small": Config((4, 8, 4)),
    "line-deep": Config((4, 8, 16, 32, 16, 4)),
}


def draw_points(seed: int, points: int = POINTS) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ``x`` (points, 1) in [0, 3) and ``y`` (points,): the course's noisy line."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.0, 3.0, points)
    return x[:, np.newaxis], INTERCEPT + SLOPE * x + rng.normal(0.0, NOISE, points)


def build_model(config: Config) -> keras.Model:
    """Return a compiled model ``(n, 1) -> (n, 1)``."""
    layers: list[keras.Layer] = [keras.Input((1,))]
    for units in config.units:
        layers.append(keras.layers.Dense(units))
        if config.dropout:
            layers.append(keras.layers.Dropout(config.dropout))
    model = keras.Sequential([*layers, keras.layers.Dense(1, dtype="float32")])
    model.compile(optimizer="rmsprop", loss="mse")
    return model


def train(config: Config, session: Session) -> Trained:
    x, y = draw_points(session.seed)
    seen, unseen = (x[:TRAINING], y[:TRAINING]), (x[TRAINING:], y[TRAINING:])
    if not config.units:
        line = LinearRegression().fit(*seen)
        return Trained(line, {}, line.predict(unseen[0]), unseen[1], examples=unseen[0])
    keras.utils.set_random_seed(session.seed)
    model = build_model(config)
    fitted = model.fit(
        *seen,
        validation_split=0.2,
        epochs=session.epochs,
        batch_size=config.batch_size,
        callbacks=list(session.callbacks),
        verbose=0,
    )
    answers = model.predict(unseen[0], verbose=0)[:, 0]
    return Trained(model, fitted.history, answers, unseen[1], examples=unseen[0])
