"""Pictures changed a little, each differently: what they show stays, and no table of the originals knows them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]  # (n, height, width) or (n, height, width, 3)

HALF = 0.5


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between what each change is drawn, evenly. The least shift is above 0, so that no picture stays as it was."""

    shift: tuple[float, float]  # in each direction, of the width and height
    turn: float  # degrees, either way
    scale: tuple[float, float]  # of the part that is shown, to the whole: below 1 it is a crop
    contrast: tuple[float, float]  # around the picture's own mean; of digits around black
    brightness: float = 0.0  # either way, of 255; 0: the ground is black and stays so
    flipped: bool = False  # left for right, every other one


def changed(pictures: Pictures, bounds: Bounds, random: RandomState) -> Pictures:
    """The same shape; what was outside a picture is as its edge is."""
    return np.stack([_lit(_moved(picture, bounds, random), bounds, random) for picture in pictures])


def _place(size: tuple[int, int], bounds: Bounds, random: RandomState) -> NDArray[np.float64]:
    """``(2, 3)``: from where in the old picture each point (x, y) of the new one is taken."""
    height, width = size
    angle, scale = math.radians(random.uniform(-bounds.turn, bounds.turn)), random.uniform(*bounds.scale)
    shift = random.uniform(*bounds.shift, 2) * random.choice((-1, 1), 2) * (width, height)
    side = -1 if bounds.flipped and random.uniform() < HALF else 1
    matrix = scale * np.array([[math.cos(angle) * side, -math.sin(angle)], [math.sin(angle) * side, math.cos(angle)]])
    middle = np.array([width - 1, height - 1]) / 2
    return np.column_stack([matrix, middle + shift - matrix @ middle])


def _moved(picture: Pictures, bounds: Bounds, random: RandomState) -> Pictures:
    import cv2  # noqa: PLC0415  for those who grade; not for those who list assignments or ask for help

    height, width = picture.shape[:2]
    # Cubic: between four neighbours alone a small picture would be blurred, which costs an honest network most.
    place, how = _place((height, width), bounds, random), cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(picture, place, (width, height), flags=how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def _lit(picture: Pictures, bounds: Bounds, random: RandomState) -> Pictures:
    contrast, brightness = random.uniform(*bounds.contrast), random.uniform(-1, 1) * bounds.brightness
    ground = picture.mean() if bounds.brightness else 0.0
    lit: NDArray[np.float64] = (picture - ground) * contrast + ground + brightness
    return np.clip(np.rint(lit), 0, 255).astype(np.uint8)
