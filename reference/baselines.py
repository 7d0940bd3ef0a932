"""Read and append measured runs of the reference systems in ``baselines.toml``; runs are never overwritten."""

from __future__ import annotations

import json
import os
import platform
import tomllib
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np

from grader.scoring.metrics import Measured, accuracy_score, mean_squared_error
from reference.systems import System, Trained

FILE = Path(__file__).with_name("baselines.toml")


@dataclass(frozen=True, slots=True)
class Baseline:
    """A measure run: ``value`` with its 95 % interval ``low`` to ``high`` over ``n`` test rows."""

    system: str
    dataset: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    validation: float | None  # of the kept weights: those of the last or the best epoch
    epochs: int
    course_epochs: int
    seed: int
    precision: str  # Keras' dtype policy of the layers; predictions are always float32
    seconds: float
    parameters: int
    course: str
    hardware: str
    versions: str
    date: date


def measure(system: System, trained: Trained) -> Measured:
    """Return the grader's own measurement: accuracy with Wilson's interval, or MSE with a bootstrap interval."""
    metric = accuracy_score if system.metric == "accuracy" else mean_squared_error
    return metric(np.asarray(trained.answers), np.asarray(trained.truth))


def predicted_classes(trained: Trained) -> np.ndarray:
    """Return predicted class numbers ``(n,)``; ``trained.answers`` holds probabilities of one class or of all."""
    answers = np.asarray(trained.answers)
    return answers.argmax(axis=1) if answers.ndim == 2 else (answers > 0.5).astype(int)


def describe_hardware() -> str:
    """Return the processor's name and the number of usable cores."""
    names = [
        line.partition(":")[2].strip()
        for line in (Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else "").splitlines()
        if line.startswith("model name")
    ]
    processor = names[0] if names else platform.processor() or platform.machine()
    return f"{len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} x {processor}"


def describe_versions() -> str:
    """Return the versions of Python, Keras and its backend."""
    import keras  # noqa: PLC0415  takes five seconds; reading the file does not need it

    backend = keras.backend.backend()
    return f"Python {platform.python_version()}, Keras {keras.__version__}, {backend} {version(backend)}"


def append_baseline(baseline: Baseline, path: Path = FILE) -> None:
    """Append a ``[[run]]`` to the file."""
    lines = [f"{name} = {_toml(value)}" for name, value in asdict(baseline).items() if value is not None]
    with path.open("a", encoding="utf-8") as file:
        file.write("\n".join(["[[run]]", *lines, "", ""]))


def _toml(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)


def read_baselines(path: Path = FILE) -> tuple[Baseline, ...]:
    """Return the runs in the order of the file; empty if there is no file."""
    if not path.exists():
        return ()
    return tuple(
        Baseline(**{"validation": None, "precision": "float32", **run})
        for run in tomllib.loads(path.read_text(encoding="utf-8"))["run"]
    )
