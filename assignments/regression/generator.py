"""The noisy cosine of ``cosine.csv``, and fresh points of the curve without its noise.

``draw(rows, seed)`` gives hidden points; ``python generator.py`` writes the public table beside this file again.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

INPUT, TARGET = "x", "y"
LOW, HIGH = -10.0, 10.0
AMPLITUDE, FREQUENCY = 2.9, 0.6
PUBLIC_ROWS = 2000
PUBLIC_SEED = 0


def draw(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points ``(rows, 1)`` anywhere in the public interval, and the curve there, ``(rows,)``, without noise: float64.

    Noise-free answers, because noise of variance 1 would hold even a perfect model's R² near 0.8.
    """
    # NumPy promises this stream for ever (unlike Generator's), and a seed sequence takes a seed of any size.
    random = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))
    x = random.uniform(LOW, HIGH, size=(rows, 1))
    return x, curve(x[:, 0])


def curve(x: np.ndarray) -> np.ndarray:
    """What the noise is added to."""
    return AMPLITUDE * np.cos(FREQUENCY * x)


def public() -> tuple[np.ndarray, np.ndarray]:
    """The points that students get: ``x`` evenly spaced, ``(2000, 1)``, and noisy ``y``, ``(2000,)``."""
    x = np.linspace(LOW, HIGH, num=PUBLIC_ROWS)
    noise = np.random.RandomState(PUBLIC_SEED).normal(size=PUBLIC_ROWS)
    return x[:, np.newaxis], curve(x) + noise


def write_public(path: Path) -> None:
    """Write the public points; every number is written in full, so reading gives the same floats."""
    x, y = public()
    with path.open("w", encoding="ascii", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([INPUT, TARGET])
        table.writerows([float(a), float(b)] for a, b in zip(x[:, 0], y, strict=True))


if __name__ == "__main__":
    write_public(Path(__file__).with_name("cosine.csv"))
