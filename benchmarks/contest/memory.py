"""What a further slot costs in memory: proportional set sizes, so that pages shared with the worker count once."""

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

SECONDS_BETWEEN_LOOKS = 0.2
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
    """MB. ``idle_slot``: with a notebook that imports and waits; ``slot``: with the reference notebook."""

    idle_slot: float
    slot: float
    allocated: float  # by the reference notebook's own cells after its imports, in a process that shares nothing

    @property
    def above(self) -> float:
        """What a slot costs beside what the student allocates."""
        return self.slot - self.allocated


def further_slots() -> Memory:
    """From the peaks with one slot and with three; the student's part from the cold start of both notebooks."""
    idle = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(IDLE)])
    steps = SLOTS - 1
    alone, many = (peak_mb(idle, "namespaces", slots) for slots in (1, SLOTS))
    trained_alone, trained_many = (peak_mb(reference(), "namespaces", slots) for slots in (1, SLOTS))
    allocated = peak_mb(reference(), "process", 1) - peak_mb(idle, "process", 1)
    return Memory((many - alone) / steps, (trained_many - trained_alone) / steps, allocated)


def peak_mb(notebook: NotebookNode, sandbox: str, slots: int) -> float:
    """The most that the command and all below it held at one time, as many notebooks running as there are slots."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_class(folder / "class", notebook, slots)
        words = command(folder / "class", folder / "out", sandbox=sandbox, slots=slots)
        with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL) as running:
            peak = 0.0
            while running.poll() is None:
                peak = max(peak, tree_mb(running.pid))
                time.sleep(SECONDS_BETWEEN_LOOKS)
    return peak


def tree_mb(pid: int) -> float:
    """A process and all its descendants; one that ends meanwhile counts nothing."""
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
