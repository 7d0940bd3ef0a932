"""Print the table in README.md: accuracies of models trained on ``patients.csv``, for new patients. A few minutes.

``--rules 40`` measures on 40 drawn rules, a table of patients for each, instead of the published one.
"""

from __future__ import annotations

import argparse

import keras
import numpy as np
from generator import PUBLIC_ROWS, PUBLIC_SEED, PUBLISHED_RULE, draw, probability
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


def candidates(seed: int, rule: int) -> dict[str, object]:
    """Return a model of every kind, fitted to a public table with one seed."""
    X, y = draw(PUBLIC_ROWS, PUBLIC_SEED if rule == PUBLISHED_RULE else rule, rule)
    return {
        "logistic regression": LogisticRegression(max_iter=5000).fit(X, y),
        "gradient boosting": HistGradientBoostingClassifier(random_state=seed).fit(X, y),
        "MLPClassifier, scaled": make_pipeline(
            StandardScaler(), MLPClassifier((32, 16), alpha=0.01, max_iter=300, random_state=seed)
        ).fit(X, y),
        "Keras 8-32-16-1, 15 epochs, rate 0.004": network(X, y, seed=seed, epochs=15, rate=0.004),
        "Keras 8-32-16-1, 60 epochs, rate 0.001": network(X, y, seed=seed, epochs=60, rate=0.001),
    }


def measure(seed: int, rule: int) -> dict[str, float]:
    """Return the accuracy of every model for new patients of a rule; of the published formula, too, if another rules."""
    X, y = draw(ROWS, 1_000_000 + seed, rule)
    ill = probability(X, rule)
    rows = {"everybody healthy": (y == 0).mean(), "best possible": np.maximum(ill, 1 - ill).mean()}
    if rule != PUBLISHED_RULE:
        rows["the published rule, hard-coded"] = ((probability(X) > 0.5) == y).mean()
    return rows | {name: (predict_labels(model, X) == y).mean() for name, model in candidates(seed, rule).items()}


def main() -> None:
    """Print a line for each model: mean over runs, its 95 % interval (1.96 standard errors), sd, minimum and maximum."""
    parser = argparse.ArgumentParser(description="Accuracies of models of the published rule, or of drawn rules.")
    parser.add_argument("--rules", type=int, default=0, help="number of drawn rules; each is another secret")
    number = parser.parse_args().rules
    runs = [(1, 7_919 * (1 + n)) for n in range(number)] or [(seed, PUBLISHED_RULE) for seed in SEEDS]
    accuracies: dict[str, list[float]] = {}
    for seed, rule in runs:
        for name, accuracy in measure(seed, rule).items():
            accuracies.setdefault(name, []).append(float(accuracy))
    print(f"keras {keras.__version__} on {keras.backend.backend()}, numpy {np.__version__}, n = {len(runs)} x {ROWS}")
    for name, values in sorted(accuracies.items(), key=lambda item: np.mean(item[1])):
        spread, mean = np.std(values, ddof=1), np.mean(values)
        half = 1.96 * spread / np.sqrt(len(values))
        interval = f"{mean:.3f} ({mean - half:.3f}-{mean + half:.3f}, sd {spread:.3f})"
        print(f"{name:40} {interval}  {min(values):.3f}-{max(values):.3f}")


if __name__ == "__main__":
    main()
