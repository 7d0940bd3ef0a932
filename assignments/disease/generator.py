"""Draw patients with a made-up disease: the rule behind ``patients.csv``, and any number of new patients.

``draw(rows, seed)`` returns new patients; ``python generator.py`` writes the public table beside this file again.

The rule: degrees are normally distributed around 50 and slightly correlated within a patient. The odds of the disease
rise with a weighted sum of five symptoms, which a linear model finds, and with the absolute *difference* between
depression and flippancy, which no linear model finds. Premenstrual tension has no effect.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

SYMPTOMS = (
    "depression",
    "epilepsy",
    "schizophrenia",
    "flippancy",
    "insolence",
    "criminal_tendency",
    "premenstrual_tension",
    "suicidal_tendency",
)
TARGET = "has_disease"
PUBLIC_ROWS = 800
PUBLIC_SEED = 2024

MIDDLE, SPREAD = 50.0, 22.0  # of every degree, before clipping to 0-100
SHARED = 0.2  # share of the variance that a patient's symptoms have in common
#                   depr  epil  schiz flip  insol crim  pmt   suic
WEIGHTS = np.array([0.00, 0.45, 0.40, 0.00, -0.3, 0.30, 0.00, 0.20])
SWING = np.array([0.80, 0.00, 0.00, -0.8, 0.00, 0.00, 0.00, 0.00])
SWING_WEIGHT, SWING_OFFSET = 1.15, 0.78
CERTAINTY = 4.0  # the larger, the smaller the random part


def draw(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return degrees ``(rows, 8)``, float64, whole numbers in 0-100, and ``has_disease`` ``(rows,)``, int64, 0 or 1."""
    random = _random(seed)
    shared = random.standard_normal((rows, 1))
    own = random.standard_normal((rows, len(SYMPTOMS)))
    degrees = MIDDLE + SPREAD * (np.sqrt(SHARED) * shared + np.sqrt(1 - SHARED) * own)
    inputs = np.clip(np.rint(degrees), 0, 100)
    targets = (random.random_sample(rows) < probability(inputs)).astype(np.int64)
    return inputs, targets


def probability(inputs: np.ndarray) -> np.ndarray:
    """Return the probability of the disease, ``(rows,)`` in 0-1, for degrees ``(rows, 8)``: the best possible prediction."""
    z = (inputs - MIDDLE) / SPREAD
    swing = z @ SWING
    evidence = z @ WEIGHTS + SWING_WEIGHT * (swing**2 - SWING_OFFSET)
    return 1 / (1 + np.exp(-CERTAINTY * evidence))


def write_public(path: Path) -> None:
    """Write the table that students get; the same bytes every time."""
    inputs, targets = draw(PUBLIC_ROWS, PUBLIC_SEED)
    with path.open("w", encoding="ascii", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([*SYMPTOMS, TARGET])
        table.writerows([*map(int, row), int(ill)] for row, ill in zip(inputs, targets, strict=True))


def _random(seed: int) -> np.random.RandomState:
    # NumPy guarantees that this stream never changes, unlike Generator's; a seed sequence accepts seeds of any size.
    return np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))


if __name__ == "__main__":
    write_public(Path(__file__).with_name("patients.csv"))
