"""Check what a machine has for grading: each part is tried, with advice on what is missing."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import nbformat
import psutil
import typer
from rich.table import Table
from rich.text import Text

from grader.cli.arguments import Language
from grader.cli.terminal import EXIT_OPERATOR, choose_translation, config_folder, errors, plain, screen
from grader.data.cache import index
from grader.data.cache.cached_sets import default_library
from grader.data.cache.known_sets import catalogue
from grader.data.needs.libraries import INCLUDED, LARGE, OTHERS, install_command, is_installed
from grader.i18n.catalogue import Translation
from grader.i18n.message import Message, message
from grader.models.assignment import Limits
from grader.models.errors import AssignmentError, GraderError, error_message
from grader.report.advice import CONFINEMENT
from grader.sandbox.base import Job, Sandbox
from grader.sandbox.cgroup import create_memory_group
from grader.sandbox.levels import CONFINED, UNCONFINED, find_level_problem, open_sandbox
from grader.spec.listing import assignment_folders
from grader.spec.loader import load_assignment

TRAINING_STEP = """
import json, keras, numpy as np
model = keras.Sequential([keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(np.ones((8, 2)), np.ones(8), verbose=0)
backend, devices = keras.backend.backend(), []
version = __import__(backend).__version__
if backend == "tensorflow":
    import tensorflow as tf
    gpus = tf.config.list_physical_devices("GPU")
    devices = [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus]
elif backend == "torch":
    import torch
    devices = [torch.cuda.get_device_name(place) for place in range(torch.cuda.device_count())]
elif backend == "jax":
    import jax
    devices = [str(device) for device in jax.devices() if device.platform == "gpu"]
print(json.dumps([keras.__version__, backend, version, devices]))
"""
ENOUGH_MEMORY_MB = 4000
ENOUGH_DISK_MB = 2000


class State(StrEnum):
    OK = "ok"
    NOTE = "note"  # works, with a restriction
    MISSING = "missing"  # grading will not work


STATES = {State.OK: ("✓", "green"), State.NOTE: ("!", "yellow"), State.MISSING: ("✗", "red")}


@dataclass(frozen=True, slots=True)
class Finding:
    part: Message
    state: State
    found: Message
    advice: Message | None = None


def examine_machine(lang: Language | None) -> None:
    """Try every part and print the findings. Exits with ``EXIT_OPERATOR`` if one is missing."""
    translation = choose_translation(lang)
    with errors.status(translation.text("Trying everything; this takes some ten seconds …")):
        findings = examine(assignment_folders(), config_folder(), default_library(), os.environ)
    screen.print(doctor_table(findings, translation))
    if any(finding.state is State.MISSING for finding in findings):
        raise typer.Exit(EXIT_OPERATOR)


def doctor_table(findings: Sequence[Finding], translation: Translation) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(overflow="fold")
    table.add_column(ratio=1, overflow="fold")
    for finding in findings:
        sign, style = STATES[finding.state]
        text = Text(plain(translation.say(finding.found)))
        if finding.advice is not None:
            text.append(f"\n→ {plain(translation.say(finding.advice))}", style="dim")
        table.add_row(Text(sign, style=style), Text(plain(translation.say(finding.part)), style="bold"), text)
    return table


def examine(
    assignments: Mapping[str, Path], secret_folder: Path, library: Path, inherited: Mapping[str, str]
) -> list[Finding]:
    """Return a finding for every part, in the order in which grading needs them.

    Takes about ten seconds, because TensorFlow is imported.
    """
    return [
        _python(),
        *_frameworks(inherited),
        _machine(),
        *_sandbox(inherited),
        _memory_limit(),
        *(_assignment(name, folder) for name, folder in assignments.items()),
        _secret(secret_folder),
        _library(library),
        *_modules(),
    ]


def _python() -> Finding:
    return Finding(
        message("Python"), State.OK, message("{version} at {path}", version=sys.version.split()[0], path=sys.executable)
    )


def _frameworks(inherited: Mapping[str, str]) -> list[Finding]:
    """Take a training step inside the best confinement of this machine, where a GPU has to work too."""
    part, advice = message("TensorFlow and Keras"), message("Install them: pip install tensorflow")
    try:
        keras, backend, version, gpus = _training_step(_any_sandbox(inherited))
    except (GraderError, ValueError) as error:
        return [Finding(part, State.MISSING, message("no training step: {error}", error=error_message(error)), advice)]
    versions = message(
        "Keras {keras} on {backend} {version}; a training step was taken", keras=keras, backend=backend, version=version
    )
    return [Finding(part, State.OK, versions), _gpu(gpus)]


def _any_sandbox(inherited: Mapping[str, str]) -> Sandbox:
    try:
        return open_sandbox("auto", inherited, preload=False)
    except GraderError:
        return open_sandbox(UNCONFINED, inherited, preload=False)


def _training_step(sandbox: Sandbox) -> tuple[str, str, str, list[str]]:
    """Train one step; return Keras's version, the backend's name and version, and its GPUs. ValueError if it failed."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(TRAINING_STEP)])
    try:
        reply = sandbox.run(Job(str(nbformat.writes(notebook)).encode(), {}, Limits(seconds=120)))
    finally:
        sandbox.close()
    executed = nbformat.reads((reply.executed or b"{}").decode(), as_version=4)
    outputs = executed.cells[0].outputs if executed.cells else []
    for output in outputs:
        if output.output_type == "error":
            raise ValueError(f"{output.ename}: {output.evalue}"[:300])
        if output.output_type == "stream" and output.name == "stdout":
            keras, backend, version, gpus = json.loads(output.text.strip().splitlines()[-1])
            return keras, backend, version, gpus
    raise ValueError(reply.ended.value)


def _gpu(gpus: list[str]) -> Finding:
    if gpus:
        return Finding(message("GPU"), State.OK, message("{names}", names=", ".join(gpus)))
    return Finding(
        message("GPU"),
        State.NOTE,
        message("none that Keras can use; the CPU is used"),
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
    """Execute a notebook at every level of confinement."""
    problems = {level: find_level_problem(level, inherited) for level in (*CONFINED, UNCONFINED)}
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


def _memory_limit() -> Finding:
    """Tell whether the kernel enforces the limit of a notebook's memory, or only the grader's measurements do."""
    part = message("Memory limit")
    group = create_memory_group(ENOUGH_MEMORY_MB)
    if group is not None:
        group.close()
        return Finding(part, State.OK, message("enforced by the kernel, for all memory of a notebook"))
    found = message("measured five times a second; a notebook can exceed it for a moment")
    if sys.platform != "linux":
        return Finding(part, State.NOTE, found)
    advice = message("Start it in a group of its own: systemd-run --user --scope grader grade ...")
    return Finding(part, State.NOTE, found, advice)


def _assignment(name: str, folder: Path) -> Finding:
    part = message("Assignment {name}", name=name)
    try:
        assignment = load_assignment(folder)
    except GraderError as error:
        first, *others = error.problems if isinstance(error, AssignmentError) else [error.message]
        return Finding(part, State.MISSING, message("{problem} (and {n} more)", problem=first, n=len(others)))
    found = message("{points:g} points, data there", points=assignment.points)
    if assignment.public is not None:
        found = message(
            "{points:g} points, on {set} out of the library", points=assignment.points, set=assignment.public.set
        )
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


def _modules() -> list[Finding]:
    """Tell about the libraries that belong to the grader, and about the others that a course may use."""
    part = message("Packages of notebooks")
    lost = [name for name in INCLUDED if not is_installed(name)]
    there = [name for name in OTHERS if is_installed(name)]
    found = message(
        "all {n} that learners import most; also here: {names}", n=len(INCLUDED), names=", ".join(there) or "-"
    )
    finding = Finding(part, State.OK, found)
    if lost:
        repair = message("Do: {command}", command=install_command(lost))
        finding = Finding(part, State.NOTE, message("not here: {names}", names=", ".join(lost)), repair)
    large = [name for name in LARGE if not is_installed(name)]
    if not large:
        return [finding]
    advice = message("If your course uses them: {command}", command=install_command(large))
    return [finding, Finding(part, State.NOTE, message("not here: {names}", names=", ".join(large)), advice)]


def _library(folder: Path) -> Finding:
    part = message("Offline library")
    states = {name: index.state(entry, folder) for name, entry in catalogue().items()}
    damaged = [name for name, state in states.items() if state is index.State.DAMAGED]
    if damaged:
        found = message("damaged in {path}: {names}", path=folder, names=", ".join(damaged))
        again = message("Do: grader data fetch --again {names}", names=" ".join(damaged))
        return Finding(part, State.NOTE, found, again)
    there = [name for name, state in states.items() if state is index.State.THERE]
    if there:
        return Finding(part, State.OK, message("{names} in {path}", names=", ".join(there), path=folder))
    return Finding(
        part,
        State.NOTE,
        message("nothing in {path}", path=folder),
        message(
            "keras.datasets and pretrained weights come from there: grader data list shows what can be fetched; files "
            "of a ~/.keras folder do as well."
        ),
    )
