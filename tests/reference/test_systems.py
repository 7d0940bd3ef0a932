"""Every system of the course: its shapes, its exact number of parameters, a step of training, saved and loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from reference import line, pokedex, separable, transfer
from reference.systems import BY_NAME, SYSTEMS, family

BUILT = [system for system in SYSTEMS if system.name != "line-linear"]
VGG = [system.name for system in SYSTEMS if system.module == "transfer"]
COUNTED = {
    "line-dropout": 4 * 2 + 8 * 5 + 9,
    "line-small": 89,
    "line-deep": 1_337,
    "mnist-wide": 843_658,
    "mnist-three": 93_322,
    "mnist-sgd": 325_282,
    "cifar10": 9_176_018,
    "cats-dogs-scratch": 3_453_121,
    "cats-dogs-augmented": 3_453_121,
    "transfer-features": 16_812_353,
    "transfer-frozen": 16_812_353,
    "transfer-tuned": 16_812_353,
    "pokedex": 8_678_277,
    "imdb": 1_315_937,
    "separable": 38_784,
    "separable-plain": 282_117,
}


def built(name: str) -> Any:
    module: Any = family(BY_NAME[name])
    return module.build_model(module.CONFIGS[name])


@pytest.fixture(autouse=True)
def _seeded() -> None:
    keras.utils.set_random_seed(3)


@pytest.mark.parametrize("name", [system.name for system in BUILT])
def test_parameters_are_counted_exactly(name: str) -> None:
    assert built(name).count_params() == COUNTED[name]
