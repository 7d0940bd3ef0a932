"""``baselines.toml``: every measured run of a reference system, one after the other, never overwritten."""

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
    """``value`` with its 95 % interval ``low`` to ``high`` over ``n`` rows that the model was not trained on."""

    system: str
    dataset: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    validation: float | None  # of the weights that were kept: the last epoch's, or the best's
    epochs: int
    course_epochs: int
    seed: int
    precision: str  # Keras' dtype policy of the layers; answers are float32 under each
    seconds: float
    parameters: int
    course: str
    hardware: str
    versions: str
    date: date


def measured(system: System, trained: Trained) -> Measured:
    """As the grader measures: accuracy with Wilson's interval, a mean squared error with a bootstrap interval."""
    measure = accuracy_score if system.metric == "accuracy" else mean_squared_error
    return measure(np.asarray(trained.answers), np.asarray(trained.truth))


def answered(trained: Trained) -> np.ndarray:
    """Class numbers ``(n,)`` from probabilities of one class, or of all."""
    answers = np.asarray(trained.answers)
    return answers.argmax(axis=1) if answers.ndim == 2 else (answers > 0.5).astype(int)


def hardware() -> str:
    """The processor by its own name, and how many of it."""
    names = [
        line.partition(":")[2].strip()
        for line in (Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else "").splitlines()
        if line.startswith("model name")
    ]
    processor = names[0] if names else platform.processor() or platform.machine()
    return f"{len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} x {processor}"


def versions() -> str:
    import keras  # noqa: PLC0415  five seconds: not for those who only read the file

    backend = keras.backend.backend()
    return f"Python {platform.python_version()}, Keras {keras.__version__}, {backend} {version(backend)}"


def append(baseline: Baseline, path: Path = FILE) -> None:
    """One ``[[run]]`` more at the end of the file."""
    lines = [f"{name} = {_toml(value)}" for name, value in asdict(baseline).items() if value is not None]
    with path.open("a", encoding="utf-8") as file:
        file.write("\n".join(["[[run]]", *lines, "", ""]))


def _toml(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)


def read(path: Path = FILE) -> tuple[Baseline, ...]:
    """In the order of the file; empty without one."""
    if not path.exists():
        return ()
    return tuple(
        Baseline(**{"validation": None, "precision": "float32", **run})
        for run in tomllib.loads(path.read_text(encoding="utf-8"))["run"]
    )
