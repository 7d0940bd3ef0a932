"""List of the course's trained systems: number, data and the course's own result. It needs no framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol

Metric = Literal["accuracy", "mean_squared_error"]


@dataclass(frozen=True, slots=True)
class System:
    """A system of the course.

    ``reference.<module>`` has ``CONFIGS[name]``, ``build_model(config)`` and ``train(config, session)``.
    """

    number: int  # in the course's table
    name: str
    module: str
    dataset: str  # a set of ``grader data list``, "drawn" for generated data, "own" for the user's folder
    epochs: int  # as in the course; 0 for a closed-form fit
    metric: Metric
    course: str  # the course's own result
    title: str
    parameters: int | None = None  # as in the course


@dataclass(frozen=True, slots=True)
class Session:
    """Settings of a training: epochs, seed and data."""

    epochs: int
    seed: int
    library: Path
    folder: Path | None = None  # the user's pictures, a subfolder for each class
    callbacks: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained model and its predictions for test rows."""

    model: Any  # keras.Model, or scikit-learn's
    history: Mapping[str, list[float]]  # one value per epoch
    answers: Any  # (n,) numbers, or (n, classes) probabilities
    truth: Any  # (n,)
    classes: tuple[str, ...] = ()
    examples: Any = None  # (n, ...) inputs of the predictions, where memory allows
    kept: int = -1  # epoch of the model's weights, an index into the history


class Family(Protocol):
    """A module of reference systems."""

    CONFIGS: Mapping[str, Any]

    def train(self, config: Any, session: Session) -> Trained: ...


SYSTEMS = (
    System(1, "line-linear", "line", "drawn", 0, "mean_squared_error", "the line", "A straight line, scikit-learn", 2),
    System(
        2, "line-dropout", "line", "drawn", 100, "mean_squared_error", "test mse 727.7", "Dense 4-8-1 with dropout", 57
    ),
    System(3, "line-small", "line", "drawn", 100, "mean_squared_error", "test mse 479.4", "Dense 4-8-4-1", 89),
    System(
        4, "line-deep", "line", "drawn", 100, "mean_squared_error", "test mse 14.27", "Dense 4-8-16-32-16-4-1", 1_337
    ),
    System(5, "mnist-wide", "mnist", "mnist", 10, "accuracy", "test 0.9929", "MNIST, a wide head", 843_658),
    System(6, "mnist-three", "mnist", "mnist", 5, "accuracy", "0.99", "MNIST, three convolutions", 93_322),
    System(7, "mnist-sgd", "mnist", "mnist", 12, "accuracy", "test 0.9862", "MNIST, mse and SGD", 325_282),
    System(8, "cifar10", "cifar10", "cifar10", 5, "accuracy", "0.593 after 5 epochs", "CIFAR-10", 9_176_018),
    System(
        9, "cats-dogs-scratch", "cats_dogs", "cats-dogs", 30, "accuracy",
        "validation 0.742", "Cats and dogs, from scratch", 3_453_121,
    ),
    System(
        10, "cats-dogs-augmented", "cats_dogs", "cats-dogs", 50, "accuracy",
        "0.72-0.84", "Cats and dogs, augmentation and dropout", 3_453_121,
    ),
    System(
        11, "transfer-features", "transfer", "cats-dogs", 30, "accuracy",
        "validation 0.903", "VGG16, features cached once", 16_812_353,
    ),
    System(
        11, "transfer-prepared", "transfer", "cats-dogs", 30, "accuracy",
        "not in the course", "The same, prepared as VGG16 was trained", 16_812_353,
    ),
    System(
        12, "transfer-frozen", "transfer", "cats-dogs", 30, "accuracy",
        "0.883-0.96", "VGG16 frozen, end to end, augmented", 16_812_353,
    ),
    System(
        13, "transfer-tuned", "transfer", "cats-dogs", 100, "accuracy",
        "validation 0.938, test 0.97", "VGG16 fine-tuned from block5_conv1", 16_812_353,
    ),
    System(14, "pokedex", "pokedex", "own", 100, "accuracy", "test 0.9707", "A small VGG, five classes"),
    System(15, "imdb", "imdb", "imdb", 10, "accuracy", "none", "Film reviews with Conv1D"),
    System(16, "separable", "separable", "own", 30, "accuracy", "fewer parameters, as good", "Separable convolutions"),
    System(16, "separable-plain", "separable", "own", 30, "accuracy", "the comparison", "The same with plain ones"),
)  # fmt: skip
VIEWS = (
    (17, "Intermediate activations", "python -m reference draw"),
    (18, "Filter patterns", "python -m reference draw"),
    (19, "Class activation heat map (Grad-CAM)", "python -m reference draw"),
    (20, "Confusion table, mistakes, probabilities", "python -m reference train, beside each model"),
)
BY_NAME: Mapping[str, System] = {system.name: system for system in SYSTEMS}


def load_family(system: System) -> Family:
    """Return the module that builds and trains ``system``; imports Keras."""
    module: Any = import_module(f"reference.{system.module}")
    return module  # type: ignore[no-any-return]
