"""Which rows of a set are hidden: drawn for a seed, every class with its share."""

from __future__ import annotations

import numpy as np
from numpy.random import MT19937, RandomState, SeedSequence
from numpy.typing import NDArray

Places = NDArray[np.intp]
Labels = NDArray[np.int64]


def stream(seed: int) -> RandomState:
    """Numbers for ever the same for a seed, which NumPy promises of this kind of stream alone."""
    return RandomState(MT19937(SeedSequence(seed)))


def drawn(labels: Labels, rows: int, random: RandomState) -> Places:
    """``(min(rows, n),)`` places in random order; each class has its share of them, to one."""
    classes, counts = np.unique(labels, return_counts=True)
    wanted = counts * (min(rows, len(labels)) / len(labels))
    shares = np.floor(wanted).astype(np.intp)
    missing = round(wanted.sum()) - shares.sum()
    shares[np.argsort(shares - wanted, kind="stable")[:missing]] += 1
    of_class = [random.permutation(np.flatnonzero(labels == one)) for one in classes]
    return random.permutation(np.concatenate([all_[:share] for all_, share in zip(of_class, shares, strict=True)]))


def others_for(places: Places, labels: Labels, random: RandomState) -> Places:
    """For each of ``places`` another one of the same class that is not among them; every class must have one left."""
    left = np.setdiff1d(np.arange(len(labels)), places)
    return np.array([random.choice(left[labels[left] == labels[place]]) for place in places], np.intp)
