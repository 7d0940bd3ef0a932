"""The notebook's own process: seeds, hooks, then IPython."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
from ipykernel.kernelapp import IPKernelApp

from . import probe, record

SEED = 0


def main(connection_file: str, job_folder: str, *_: str) -> None:
    """Further arguments are what nbclient would have told a kernel of its own choice."""
    job = Path(job_folder)
    app = IPKernelApp.instance()
    app.initialize(["-f", connection_file, "--HistoryManager.enabled=False", "--InteractiveShell.colors=nocolor"])
    random.seed(SEED)
    np.random.seed(SEED)  # the notebooks of the course draw from the global generator
    record.start(app.shell, seed=SEED)
    probe.start(job, app.shell.user_ns)
    os.chdir(job / "work")
    app.start()
