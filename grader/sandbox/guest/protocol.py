"""Names, sizes and times that host and guest share. Standard library only.

A job has two sides that do not see each other's processes: the driver, which runs no student code, and the kernel.
The parts of a job folder, and who sees them:

    request.json  notebook.ipynb            driver: written by the host before the start
    out/started  out/cells_ended            driver: markers for the host: the kernel answers; the last cell has ended
    out/executed.ipynb  out/ready           driver: the executed notebook; marker that notebook and facts are written
    out/asked                               driver: marker of the host that the hidden inputs are there
    run/                                    both: the kernel's sockets
    work/ home/ tmp/                        kernel: the notebook's own folders
    exchange/public.npz                     kernel: written by the host before the start
    exchange/facts.json                     kernel: claims of the notebook's process, read by the host at ``ready``
    exchange/inputs.npy                     kernel: the hidden inputs, added by the host after ``ready``
    exchange/predictions.npy                kernel: read by the host after every process has been killed
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

REQUEST, NOTEBOOK, PUBLIC = "request.json", "notebook.ipynb", "public.npz"
EXECUTED, FACTS, PREDICTIONS = "executed.ipynb", "facts.json", "predictions.npy"
STARTED, CELLS_ENDED, READY, ASKED = "started", "cells_ended", "ready", "asked"
HIDDEN_INPUTS = "inputs.npy"
OUT, EXCHANGE, RUN = "out", "exchange", "run"
DRIVER_PARTS = (REQUEST, NOTEBOOK, OUT)
KERNEL_FOLDERS = ("work", "home", "tmp", EXCHANGE)
CONNECTION_FILE = "connection.json"  # in ``run``, written before any student code runs
SIDES = {"driver": "run.driver", "kernel": "run.kernel_host"}  # their modules
INTERRUPT = b"i"  # command of the driver on the kernel side's standard input

MAX_EXECUTED_BYTES = 64 << 20
OUTPUT_CUT = "[output cut here: the limit for one cell was reached]"
MAX_FACTS_BYTES = 4 << 20

PUBLIC_ROWS = 1000  # rows with labels, on which the probe tries ways to call the model
# The host repeats some hidden rows to check that predictions do not depend on the other rows of the batch.
SINGLE_ROWS, BATCH_ROWS = 16, 64  # rows predicted one at a time; rows predicted in one batch, in another order
START_SECONDS = 60.0  # for the kernel to start
PROBE_SECONDS = 90.0  # default for finding the model, and again for predicting; a request may set another value
ATTEMPT_SECONDS = 30.0  # for one attempt on the public rows
GRACE_SECONDS = 5.0  # between the first interrupt and the kill
INTERRUPT_EVERY = 0.5  # seconds between interrupts


def batches(rows: int) -> list[slice]:
    """Return the slices in which ``rows`` hidden inputs are predicted.

    The first ``SINGLE_ROWS`` come one at a time, then ``BATCH_ROWS`` at once, then all other rows at once.
    """
    single = [slice(row, row + 1) for row in range(SINGLE_ROWS)]
    return [*single, slice(SINGLE_ROWS, SINGLE_ROWS + BATCH_ROWS), slice(SINGLE_ROWS + BATCH_ROWS, rows)]


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` so that a reader sees either the old file or the complete new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(path)


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as ASCII JSON, atomically. Raises ValueError for NaN and infinity."""
    write_atomically(path, json.dumps(value, ensure_ascii=True, allow_nan=False).encode())


# What a confined /proc shows of the machine: settings, and lists of devices, which a GPU's libraries read.
SHOWN_PROC_ENTRIES = ("devices", "driver", "filesystems", "sys", "version")
# Libraries ask for these, but the values count what all notebooks do. They show the moment of the start.
FROZEN_PROC_FILES = ("cpuinfo", "loadavg", "meminfo", "stat", "uptime")
EMPTY_PROC_FOLDERS = ("sys/fs",)  # numbers of open files and inodes of the machine

# No user packages, no imports from the current folder, no byte code. -I is not used because it would ignore
# PYTHONHASHSEED; the host already controls the environment.
PYTHON_OPTIONS = ("-s", "-P", "-B")

BOOTSTRAP = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("guest", {init!r}, submodule_search_locations=[{folder!r}])
sys.modules["guest"] = package = importlib.util.module_from_spec(spec)
spec.loader.exec_module(package)
from guest.{module} import {function}
{function}(*sys.argv[1:])
"""


def bootstrap(module: str, guest_folder: Path, *, function: str = "main") -> str:
    """Return Python code that loads this package alone from ``guest_folder`` and calls one function of it.

    The package is named ``guest`` wherever it is mounted; ``module`` is relative to it, such as ``run.driver``.
    """
    init = guest_folder / "__init__.py"
    return BOOTSTRAP.format(init=str(init), folder=str(guest_folder), module=module, function=function)
