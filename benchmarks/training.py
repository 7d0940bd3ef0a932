"""Measure trainings in pieces against Keras alone: CPU seconds and wall time, alternating in one process.

    python benchmarks/training.py [--rounds 2] [--only NAME ...] [--results FILE]

The data are random and of the shapes of the real ones; the speed does not depend on their values. Each training has a
new model, so that the preparation of its graph counts. Both must give the same weights.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1]))

import keras
import numpy as np

from grader.sandbox.guest.training import fit as grouped
from reference import cifar10, imdb, mnist

NUMBERS = np.random.default_rng(0)


@dataclass(frozen=True)
class Case:
    """A training; ``build`` returns a compiled model."""

    build: Callable[[], Any]
    x: Any
    y: Any
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Measured:
    processor: float
    clock: float
    weights: bytes


def dense(*units: int, inputs: int, activation: str | None, loss: str) -> Any:
    layers = [keras.layers.Dense(count, activation="relu") for count in units]
    model = keras.Sequential([keras.Input((inputs,)), *layers, keras.layers.Dense(1, activation=activation)])
    model.compile(keras.optimizers.Adam(0.004), loss, metrics=["accuracy"] if activation else [])
    return model


def disease() -> Any:
    return dense(32, 16, inputs=8, activation="sigmoid", loss="binary_crossentropy")


def pictures(rows: int, *shape: int) -> Any:
    return NUMBERS.integers(0, 256, size=(rows, *shape), dtype=np.uint8)


def cases() -> dict[str, Case]:
    patients, ill = NUMBERS.normal(size=(800, 8)), NUMBERS.integers(0, 2, 800)
    points = NUMBERS.uniform(-10, 10, size=(2000, 1))
    split: dict[str, Any] = {"validation_split": 0.15}
    three, cifar, reviews = mnist.CONFIGS["mnist-three"], cifar10.Config(), imdb.Config()
    digits = np.eye(10)[NUMBERS.integers(0, 10, 12_000)]
    words = NUMBERS.integers(0, reviews.words, size=(2000, reviews.length), dtype=np.int32)
    return {
        "regression, 20 epochs": Case(
            lambda: dense(64, 64, inputs=1, activation=None, loss="mse"),
            points, np.sin(points), {"epochs": 20, "batch_size": 64, "validation_split": 0.2},
        ),
        "disease, 15 epochs": Case(disease, patients, ill, {"epochs": 15, "batch_size": 32} | split),
        "disease, 100 epochs of batches of 16": Case(disease, patients, ill, {"epochs": 100, "batch_size": 16} | split),
        "MNIST, three convolutions, 12,000 rows": Case(
            lambda: mnist.build_model(three), pictures(12_000, 28, 28, 1), digits, {"batch_size": three.batch_size}
        ),
        "CIFAR-10, 5,000 rows": Case(
            lambda: cifar10.build_model(cifar), pictures(5000, 32, 32, 3), NUMBERS.integers(0, 10, 5000),
            {"batch_size": cifar.batch_size},
        ),
        "IMDB, one-dimensional convolutions, 2,000 rows": Case(
            lambda: imdb.build_model(reviews), words, NUMBERS.integers(0, 2, 2000), {"batch_size": reviews.batch_size}
        ),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=[], help="beginnings of names")
    parser.add_argument("--results", type=Path)
    options = parser.parse_args()
    load, lines = os.getloadavg()[0], []
    plain = keras.Model.fit
    grouped.hook(keras)
    fits = {"keras": plain, "pieces": keras.Model.fit}
    _train(cases()["disease, 15 epochs"], plain)  # the first training of a process also loads parts of TensorFlow
    for name, case in cases().items():
        if not options.only or name.startswith(tuple(options.only)):
            rounds = [{kind: _train(case, fit) for kind, fit in fits.items()} for _ in range(options.rounds)]
            lines += ["", *_record(name, rounds, grouped.reasons_of_last_training())]
            print("\n".join(lines[-5:]), flush=True)
    if options.results:
        options.results.write_text("\n".join([*_head(load), *lines, ""]), "utf-8")


def _train(case: Case, fit: Any) -> Measured:
    keras.utils.set_random_seed(0)
    model = case.build()
    processor, clock = time.process_time(), time.monotonic()
    fit(model, case.x, case.y, verbose=0, **case.arguments)
    processor, clock = time.process_time() - processor, time.monotonic() - clock
    return Measured(processor, clock, b"".join(weights.tobytes() for weights in model.get_weights()))


def _head(load: float) -> Iterator[str]:
    yield f"date = {datetime.now(UTC).date()}"
    yield f"machine = {json.dumps(f'{platform.machine()}, {os.cpu_count()} processors, {platform.system()}')}"
    yield f'python = "{platform.python_version()}"'
    yield f'keras = "{keras.__version__}"'
    yield f'tensorflow = "{sys.modules["tensorflow"].__version__}"'
    yield f'load_average = {{ before = "{load:.1f}", after = "{os.getloadavg()[0]:.1f}" }}'


def _record(name: str, rounds: Sequence[dict[str, Measured]], reasons: tuple[str, ...] | None) -> Iterator[str]:
    assert all(one["keras"].weights == one["pieces"].weights for one in rounds), f"{name}: other weights"
    yield f"[{json.dumps(name)}]"
    yield f"in_pieces = {json.dumps(not reasons)}"
    for kind in ("processor", "clock"):
        keras_alone, pieces = ([getattr(one[way], kind) for one in rounds] for way in ("keras", "pieces"))
        ratio = statistics.median(alone / other for alone, other in zip(keras_alone, pieces, strict=True))
        seconds = f"keras = {statistics.median(keras_alone):.2f}, pieces = {statistics.median(pieces):.2f}"
        yield f"{kind} = {{ ratio = {ratio:.2f}, {seconds} }}"


if __name__ == "__main__":
    main()
