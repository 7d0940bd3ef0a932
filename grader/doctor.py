"""What a machine has for grading: each part really tried, with what to do where it is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from grader.advice import CONFINEMENT
from grader.errors import GraderError
from grader.records import Message, message
from grader.sandbox.confine import CONFINED, UNCONFINED, why_not
from grader.spec import load_assignment

TENSORFLOW_CHECK = """
import warnings; warnings.simplefilter("ignore")
import keras, tensorflow as tf
gpus = tf.config.list_physical_devices("GPU")
names = [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus]
print("|".join([tf.__version__, keras.__version__, keras.backend.backend(), *names]))
"""
ENOUGH_MEMORY_MB = 4000
ENOUGH_DISK_MB = 2000


class State(StrEnum):
    OK = "ok"
    NOTE = "note"  # works, with a restriction
    MISSING = "missing"  # grading will not work


@dataclass(frozen=True, slots=True)
class Finding:
    part: Message
    state: State
    found: Message
    advice: Message | None = None


def examine(assignments: Mapping[str, Path], secret_folder: Path, inherited: Mapping[str, str]) -> list[Finding]:
    """Every part, in the order in which they are needed. Takes some ten seconds: TensorFlow is imported."""
    return [
        _python(),
        *_frameworks(inherited),
        _machine(),
        *_sandbox(inherited),
        *(_assignment(name, folder) for name, folder in assignments.items()),
        _secret(secret_folder),
    ]


def _python() -> Finding:
    return Finding(
        message("Python"), State.OK, message("{version} at {path}", version=sys.version.split()[0], path=sys.executable)
    )


def _frameworks(inherited: Mapping[str, str]) -> list[Finding]:
    environment = {**inherited, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", TENSORFLOW_CHECK]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=True)
    except (subprocess.SubprocessError, OSError) as error:
        detail = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1:]
        return [
            Finding(
                message("TensorFlow and Keras"),
                State.MISSING,
                message("cannot be imported: {error}", error="".join(detail)),
                message("Install them: pip install tensorflow"),
            )
        ]
    tensorflow, keras, backend, *gpus = done.stdout.strip().splitlines()[-1].split("|")
    versions = message(
        "TensorFlow {tensorflow}, Keras {keras} on {backend}", tensorflow=tensorflow, keras=keras, backend=backend
    )
    return [Finding(message("TensorFlow and Keras"), State.OK, versions), _gpu(gpus)]


def _gpu(gpus: list[str]) -> Finding:
    if gpus:
        return Finding(message("GPU"), State.OK, message("{names}", names=", ".join(gpus)))
    return Finding(
        message("GPU"),
        State.NOTE,
        message("none that TensorFlow can use; the CPU is used"),
        message("With an NVIDIA card on Linux: pip install 'tensorflow[and-cuda]'"),
    )


def _machine() -> Finding:
    memory = psutil.virtual_memory().available / 2**20
    disk = psutil.disk_usage(os.path.curdir).free / 2**20
    found = message(
        "{cores} processors, {memory:.1f} GB of memory and {disk:.0f} GB of disk free",
        cores=os.cpu_count() or 1,
        memory=memory / 1024,
        disk=disk / 1024,
    )
    if memory < ENOUGH_MEMORY_MB or disk < ENOUGH_DISK_MB:
        return Finding(message("Machine"), State.NOTE, found, message("Little is free: grade with --jobs 1."))
    return Finding(message("Machine"), State.OK, found)


def _sandbox(inherited: Mapping[str, str]) -> list[Finding]:
    """A notebook is really executed at every level."""
    problems = {level: why_not(level, inherited) for level in (*CONFINED, UNCONFINED)}
    findings = [
        Finding(
            message("Confinement: {level}", level=level),
            State.OK if problem is None else State.NOTE,
            CONFINEMENT[level] if problem is None else problem,
        )
        for level, problem in problems.items()
    ]
    if all(problems[level] is not None for level in CONFINED):
        advice = message("Without one of these only your own notebooks are run: install bubblewrap or podman.")
        findings.append(Finding(message("Confinement"), State.MISSING, message("none works here"), advice))
    return findings


def _assignment(name: str, folder: Path) -> Finding:
    part = message("Assignment {name}", name=name)
    try:
        assignment = load_assignment(folder)
    except GraderError as error:
        first, *others = str(error).splitlines()
        return Finding(part, State.MISSING, message("{problem} (and {n} more)", problem=first, n=len(others)))
    found = message("{points:g} points, data there", points=assignment.points)
    return Finding(part, State.OK, found)


def _secret(folder: Path) -> Finding:
    path = folder / "secret"
    if not path.exists():
        return Finding(
            message("Secret for hidden data"),
            State.OK,
            message("none yet; it is made at the first grading: {path}", path=path),
        )
    mode = path.stat().st_mode & 0o777
    if sys.platform != "win32" and mode & 0o077:
        return Finding(
            message("Secret for hidden data"),
            State.NOTE,
            message("{path} can be read by others", path=path),
            message("Do: chmod 600 {path}", path=path),
        )
    return Finding(message("Secret for hidden data"), State.OK, message("{path}, readable by you alone", path=path))
