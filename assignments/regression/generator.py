"""Draw the noisy cosine of ``cosine.csv``, and new points of the curve without noise.

``draw(rows, seed)`` returns hidden points; ``python generator.py`` writes the public table beside this file again.
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
    """Return points ``(rows, 1)`` in the public interval and the curve there, ``(rows,)``, without noise: float64.

    Noise of variance 1 would limit the R² of a perfect model to about 0.8.
    """
    # NumPy guarantees that this stream never changes, unlike Generator's; a seed sequence accepts seeds of any size.
    random = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))
    x = random.uniform(LOW, HIGH, size=(rows, 1))
    return x, curve(x[:, 0])


def curve(x: np.ndarray) -> np.ndarray:
    """Return the curve without noise at ``x``."""
    return AMPLITUDE * np.cos(FREQUENCY * x)


def public() -> tuple[np.ndarray, np.ndarray]:
    """Return the points for students: ``x`` evenly spaced, ``(2000, 1)``, and noisy ``y``, ``(2000,)``."""
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
