"""Draw patients with a made-up disease: the rule behind ``patients.csv``, and any number of new patients.

``draw(rows, seed, rule)`` returns new patients. ``rule`` draws the coefficients: every number is another disease, equally
hard to learn. Rule 0 is the published one, of the ``patients.csv`` in this folder; ``python generator.py`` writes it again.

All rules have this form: degrees are normally distributed around 50 and slightly correlated within a patient. The odds
of the disease rise with a weighted sum of five symptoms, which a linear model finds, and with the squared *difference*
between two others, which no linear model finds. One symptom has no effect.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
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
SWING_WEIGHT, SWING_OFFSET = 1.15, 0.78
CERTAINTY = 4.0  # the larger, the smaller the random part

PUBLISHED_RULE = 0
JITTER = 0.15  # a drawn weight differs from the published one by at most this share, before scaling


@dataclass(frozen=True)
class Rule:
    """Weights of the standardised symptoms, ``(8,)`` each."""

    weights: np.ndarray  # of the linear part
    swing: np.ndarray  # of the difference, which is squared


#                  depr  epil  schiz flip  insol crim  pmt   suic
PUBLISHED = Rule(
    np.array([0.00, 0.45, 0.40, 0.00, -0.3, 0.30, 0.00, 0.20]),
    np.array([0.80, 0.00, 0.00, -0.8, 0.00, 0.00, 0.00, 0.00]),
)


def draw(rows: int, seed: int, rule: int = PUBLISHED_RULE) -> tuple[np.ndarray, np.ndarray]:
    """Return degrees ``(rows, 8)``, float64, whole numbers in 0-100, and ``has_disease`` ``(rows,)``, int64, 0 or 1."""
    random = _random(seed)
    shared = random.standard_normal((rows, 1))
    own = random.standard_normal((rows, len(SYMPTOMS)))
    degrees = MIDDLE + SPREAD * (np.sqrt(SHARED) * shared + np.sqrt(1 - SHARED) * own)
    inputs = np.clip(np.rint(degrees), 0, 100)
    targets = (random.random_sample(rows) < probability(inputs, rule)).astype(np.int64)
    return inputs, targets


def probability(inputs: np.ndarray, rule: int = PUBLISHED_RULE) -> np.ndarray:
    """Return the probability of the disease, ``(rows,)`` in 0-1, for degrees ``(rows, 8)``: the best possible prediction."""
    found = draw_rule(rule)
    z = (inputs - MIDDLE) / SPREAD
    swing = z @ found.swing
    evidence = z @ found.weights + SWING_WEIGHT * (swing**2 - SWING_OFFSET)
    return 1 / (1 + np.exp(-CERTAINTY * evidence))


def draw_rule(rule: int) -> Rule:
    """Return the rule of a number: the published one with its symptoms exchanged and its weights changed.

    Symptoms are drawn alike, so exchanging them changes no difficulty. The weights are scaled so that each part of the
    evidence varies as much as in the published rule: the best possible accuracy stays the same.
    """
    if rule == PUBLISHED_RULE:
        return PUBLISHED
    random = _random(rule)
    order = random.permutation(len(SYMPTOMS))
    weights, swing = (
        part[order] * random.uniform(1 - JITTER, 1 + JITTER, len(SYMPTOMS))
        for part in (np.abs(PUBLISHED.weights), PUBLISHED.swing)
    )
    weights[random.choice(np.flatnonzero(weights))] *= -1
    return Rule(
        weights * (_deviation(PUBLISHED.weights) / _deviation(weights)),
        swing * (_deviation(PUBLISHED.swing) / _deviation(swing)),
    )


def _deviation(weights: np.ndarray) -> float:
    """Return the standard deviation of the sum of standardised symptoms with these weights."""
    return float(np.sqrt((1 - SHARED) * weights @ weights + SHARED * weights.sum() ** 2))


def write_public(path: Path) -> None:
    """Write the published table; the same bytes every time."""
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
