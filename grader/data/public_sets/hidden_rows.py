"""Draw the hidden rows of a public set, and perturb their images so that no table of the originals matches them."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import MT19937, RandomState, SeedSequence
from numpy.typing import NDArray

from grader.data.public_sets.definitions import Bounds

Images = NDArray[np.uint8]  # (n, height, width) or (n, height, width, 3)
Places = NDArray[np.intp]
Labels = NDArray[np.int64]

FLIP_SHARE = 0.5


# ---------------------------------------------------------------- which rows


def random_stream(seed: int) -> RandomState:
    """Return a random stream that NumPy guarantees to stay the same for a seed, in every version."""
    return RandomState(MT19937(SeedSequence(seed)))


def draw_stratified(labels: Labels, rows: int, random: RandomState) -> Places:
    """Draw ``(min(rows, n),)`` places in random order; each class gets its share, to within one row."""
    classes, counts = np.unique(labels, return_counts=True)
    exact = counts * (min(rows, len(labels)) / len(labels))
    shares = np.floor(exact).astype(np.intp)
    missing = round(exact.sum()) - shares.sum()
    shares[np.argsort(shares - exact, kind="stable")[:missing]] += 1
    shuffled = [random.permutation(np.flatnonzero(labels == label)) for label in classes]
    return random.permutation(np.concatenate([order[:share] for order, share in zip(shuffled, shares, strict=True)]))


def draw_replacements(places: Places, labels: Labels, random: RandomState) -> Places:
    """Draw, for each place, another place of the same class that is not in ``places``.

    Every class must have at least one row outside ``places``.
    """
    left = np.setdiff1d(np.arange(len(labels)), places)
    return np.array([random.choice(left[labels[left] == labels[place]]) for place in places], np.intp)


# ---------------------------------------------------------------- how they change


def perturb(images: Images, bounds: Bounds, random: RandomState) -> Images:
    """Return slightly changed images of the same shape. Pixels from outside an image repeat its edge."""
    return np.stack([_relight(_warp(image, bounds, random), bounds, random) for image in images])


def _warp_matrix(size: tuple[int, int], bounds: Bounds, random: RandomState) -> NDArray[np.float64]:
    """Return the ``(2, 3)`` affine map from points (x, y) of the new image to points of the old image."""
    height, width = size
    angle, scale = math.radians(random.uniform(-bounds.turn, bounds.turn)), random.uniform(*bounds.scale)
    shift = random.uniform(*bounds.shift, 2) * random.choice((-1, 1), 2) * (width, height)
    side = -1 if bounds.flipped and random.uniform() < FLIP_SHARE else 1
    matrix = scale * np.array([[math.cos(angle) * side, -math.sin(angle)], [math.sin(angle) * side, math.cos(angle)]])
    middle = np.array([width - 1, height - 1]) / 2
    return np.column_stack([matrix, middle + shift - matrix @ middle])


def _warp(image: Images, bounds: Bounds, random: RandomState) -> Images:
    import cv2  # noqa: PLC0415  slow to import, and needed for grading only

    height, width = image.shape[:2]
    # Cubic: linear interpolation would blur a small image, which costs an honest network most.
    matrix, flags = _warp_matrix((height, width), bounds, random), cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(image, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def _relight(image: Images, bounds: Bounds, random: RandomState) -> Images:
    contrast, brightness = random.uniform(*bounds.contrast), random.uniform(-1, 1) * bounds.brightness
    ground = image.mean() if bounds.brightness else 0.0
    lit: NDArray[np.float64] = (image - ground) * contrast + ground + brightness
    return np.clip(np.rint(lit), 0, 255).astype(np.uint8)
