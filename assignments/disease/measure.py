"""Print the table in README.md: accuracies of models trained on ``patients.csv``, for new patients. It takes a few minutes."""

from __future__ import annotations

import keras
import numpy as np
from generator import PUBLIC_ROWS, PUBLIC_SEED, draw, probability
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SEEDS = range(1, 6)
ROWS = 20_000


def network(X: np.ndarray, y: np.ndarray, *, seed: int, epochs: int, rate: float) -> keras.Model:
    """Return the reference solution's network, fitted to degrees ``(n, 8)`` and labels ``(n,)``."""
    keras.utils.set_random_seed(seed)
    scaling = keras.layers.Normalization()
    scaling.adapt(X)
    dense = keras.layers.Dense
    hidden = [dense(32, activation="relu"), dense(16, activation="relu")]
    model = keras.Sequential([keras.Input((8,)), scaling, *hidden, dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy")
    model.fit(X, y, epochs=epochs, batch_size=32, verbose=0)
    return model


def predict_labels(model: object, X: np.ndarray) -> np.ndarray:
    """Return labels ``(n,)`` predicted by a Keras model, from probabilities, or by a scikit-learn model."""
    if isinstance(model, keras.Model):
        return (model.predict(X, batch_size=2000, verbose=0)[:, 0] > 0.5).astype(int)
    return model.predict(X)


def candidates(seed: int) -> dict[str, object]:
    """Return a model of every kind, fitted to the public table with one seed."""
    X, y = draw(PUBLIC_ROWS, PUBLIC_SEED)
    return {
        "logistic regression": LogisticRegression(max_iter=5000).fit(X, y),
        "gradient boosting": HistGradientBoostingClassifier(random_state=seed).fit(X, y),
        "MLPClassifier, scaled": make_pipeline(
            StandardScaler(), MLPClassifier((32, 16), alpha=0.01, max_iter=300, random_state=seed)
        ).fit(X, y),
        "Keras 8-32-16-1, 15 epochs, rate 0.004": network(X, y, seed=seed, epochs=15, rate=0.004),
        "Keras 8-32-16-1, 60 epochs, rate 0.001": network(X, y, seed=seed, epochs=60, rate=0.001),
    }


def main() -> None:
    """Print a line for each model: mean over seeds, its 95 % interval (1.96 standard errors), minimum and maximum."""
    accuracies: dict[str, list[float]] = {}
    for seed in SEEDS:
        X, y = draw(ROWS, 1_000_000 + seed)
        ill = probability(X)
        rows = {"everybody healthy": (y == 0).mean(), "best possible": np.maximum(ill, 1 - ill).mean()}
        rows |= {name: (predict_labels(model, X) == y).mean() for name, model in candidates(seed).items()}
        for name, accuracy in rows.items():
            accuracies.setdefault(name, []).append(float(accuracy))
    print(f"keras {keras.__version__} on {keras.backend.backend()}, numpy {np.__version__}, n = {len(SEEDS)} x {ROWS}")
    for name, values in sorted(accuracies.items(), key=lambda item: np.mean(item[1])):
        half = 1.96 * np.std(values, ddof=1) / np.sqrt(len(values))
        mean = np.mean(values)
        print(f"{name:40} {mean:.3f} ({mean - half:.3f}-{mean + half:.3f})  {min(values):.3f}-{max(values):.3f}")


if __name__ == "__main__":
    main()
