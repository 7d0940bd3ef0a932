"""Memory of a further slot, in proportional set sizes: pages shared with the worker count once."""

from __future__ import annotations

import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
from nbformat import NotebookNode

from contest.here import command
from contest.homework import ROOT, reference, write_class

POLL_SECONDS = 0.2
SLOTS = 3
IDLE = """\
import time
import keras
import matplotlib.pyplot as plt
import pandas as pd
import tensorflow as tf
time.sleep(5)
model = None"""


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory in MB of a further slot: ``idle_slot`` with a notebook that only imports, ``slot`` with the reference."""

    idle_slot: float
    slot: float
    allocated: float  # by the reference notebook after its imports, in a process that shares nothing

    @property
    def above(self) -> float:
        """Memory of a slot without the student's allocations."""
        return self.slot - self.allocated


def further_slots() -> Memory:
    """Measure a slot by the peaks with one and three slots, and the student's part by cold starts of both notebooks."""
    idle = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(IDLE)])
    steps = SLOTS - 1
    alone, many = (peak_mb(idle, "namespaces", slots) for slots in (1, SLOTS))
    trained_alone, trained_many = (peak_mb(reference(), "namespaces", slots) for slots in (1, SLOTS))
    allocated = peak_mb(reference(), "process", 1) - peak_mb(idle, "process", 1)
    return Memory((many - alone) / steps, (trained_many - trained_alone) / steps, allocated)


def peak_mb(notebook: NotebookNode, sandbox: str, slots: int) -> float:
    """Return the peak memory of the command and its descendants, with a notebook running in each slot."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_class(folder / "class", notebook, slots)
        words = command(folder / "class", folder / "out", sandbox=sandbox, slots=slots)
        with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL) as running:
            peak = 0.0
            while running.poll() is None:
                peak = max(peak, tree_mb(running.pid))
                time.sleep(POLL_SECONDS)
    return peak


def tree_mb(pid: int) -> float:
    """Return the memory of a process and all its descendants; a process that ends meanwhile is not counted."""
    total = 0
    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total / (1 << 20)
