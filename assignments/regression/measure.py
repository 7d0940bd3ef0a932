"""Print the table in README.md: R² of models trained on ``cosine.csv``, against the curve without noise."""

from __future__ import annotations

import keras
import numpy as np
from generator import curve, draw, public
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

SEEDS = range(1, 6)
ROWS = 2000
EPOCHS, BATCH = 20, 64


def network(x: np.ndarray, y: np.ndarray, *, seed: int, activation: str) -> keras.Model:
    """Return the reference solution's network, fitted to points ``(n, 1)`` and targets ``(n,)``."""
    keras.utils.set_random_seed(seed)
    dense = keras.layers.Dense
    hidden = [dense(64, activation=activation), dense(64, activation=activation)]
    model = keras.Sequential([keras.Input((1,)), keras.layers.Rescaling(1 / 10), *hidden, dense(1)])
    rate = keras.optimizers.schedules.CosineDecay(0.01, EPOCHS * len(x) // BATCH)
    model.compile(keras.optimizers.Adam(rate), "mse")
    model.fit(x, y, epochs=EPOCHS, batch_size=BATCH, verbose=0)
    return model


def main() -> None:
    """Print a line for each model: mean R² over seeds, its 95 % interval (1.96 standard errors), minimum and maximum."""
    points, answers = public()
    kept = np.random.RandomState(0).permutation(len(points))[:1600]  # a fifth is for validation
    line = LinearRegression().fit(points[kept], answers[kept])
    found: dict[str, list[float]] = {}
    for seed in SEEDS:
        x, y = draw(ROWS, 1_000_000 + seed)
        _, noise = public()
        found.setdefault("straight line", []).append(r2_score(y, line.predict(x)))
        found.setdefault("the curve itself, on the noisy public points", []).append(
            r2_score(noise, curve(points[:, 0]))
        )
        for activation in ("relu", "tanh"):
            model = network(points[kept], answers[kept], seed=seed, activation=activation)
            value = r2_score(y, model.predict(x, verbose=0)[:, 0])
            found.setdefault(f"Keras 1-64-64-1, {activation}, 20 epochs", []).append(value)
    print(f"keras {keras.__version__} on {keras.backend.backend()}, numpy {np.__version__}, n = {len(SEEDS)} x {ROWS}")
    for name, values in found.items():
        half, mean = 1.96 * np.std(values, ddof=1) / np.sqrt(len(values)), np.mean(values)
        print(f"{name:46} {mean:.3f} ({mean - half:.3f}-{mean + half:.3f})  {min(values):.3f}-{max(values):.3f}")


if __name__ == "__main__":
    main()
