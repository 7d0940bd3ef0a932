"""What host and guest agree on: names in the job folder, sizes, the order of a job. Standard library only.

A job folder:

    request.json  notebook.ipynb  public.npz        written by the host before the start
    work/ home/ tmp/                                where the notebook lives
    run/                                            the kernel's sockets
    out/executed.ipynb  out/facts.json              written by the guest, taken by the host at ``ready``
    out/started  out/cells_ended  out/ready         markers: kernel up; last cell over; notebook and facts written
    hidden/inputs.npy  hidden/complete              put in by the host after ``ready``
    out/predictions.npy                             written by the guest, taken when everything has been killed
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

REQUEST, NOTEBOOK, PUBLIC = "request.json", "notebook.ipynb", "public.npz"
EXECUTED, FACTS, PREDICTIONS = "executed.ipynb", "facts.json", "predictions.npy"
STARTED, CELLS_ENDED, READY = "started", "cells_ended", "ready"
HIDDEN_INPUTS, HIDDEN_COMPLETE = "inputs.npy", "complete"

MAX_EXECUTED_BYTES = 64 << 20
OUTPUT_CUT = "[output cut here: the limit for one cell was reached]"
MAX_FACTS_BYTES = 4 << 20

PUBLIC_ROWS = 1000  # with their answers, for finding how the model wants to be asked
ALONE, TOGETHER = 8, 64  # rows asked one by one, and in another order, before all are asked
START_SECONDS = 60.0  # for the kernel to come up
PROBE_SECONDS = 90.0  # usually for finding the model, and again for predicting; the request says how long here
ATTEMPT_SECONDS = 30.0  # for one way of asking the public rows
IN_THE_WAY = 3  # the driver's exit status when the notebook has put something where the driver must write
GRACE_SECONDS = 5.0  # between the first interruption and the kill
INSIST_EVERY = 0.5  # seconds between interruptions


def batches(rows: int) -> list[slice]:
    """How ``rows`` hidden inputs are asked: ``ALONE`` singly, ``TOGETHER`` at once, then all the others at once."""
    alone = [slice(row, row + 1) for row in range(ALONE)]
    return [*alone, slice(ALONE, ALONE + TOGETHER), slice(ALONE + TOGETHER, rows)]


def write_atomically(path: Path, data: bytes) -> None:
    """A reader sees the old file or the new one, never half of it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_bytes(data)
    fresh.replace(path)


def write_json(path: Path, value: Any) -> None:
    write_atomically(path, json.dumps(value, ensure_ascii=True, allow_nan=False).encode())


# Files of /proc that tell of the machine rather than of the notebook.
COVERED = ("kcore", "keys", "key-users", "kmsg", "latency_stats", "sched_debug", "timer_list", "vmallocinfo")

# No user packages, nothing imported from the current folder, no byte code written. The environment is ours to begin
# with, and holds PYTHONHASHSEED, which -I would ignore.
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
    """Python that loads this package alone, from wherever it is mounted, and calls a function of one of its modules."""
    init = guest_folder / "__init__.py"
    return BOOTSTRAP.format(init=str(init), folder=str(guest_folder), module=module, function=function)
