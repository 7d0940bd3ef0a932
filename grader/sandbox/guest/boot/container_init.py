"""Number 1 in a container: puts the filter in force, runs the worker, reaps, and ends everything with its input.

A container's engine may live in another process or another machine than the client that was asked to start it. What
reaches from the client's death into the container is the end of the input; a process number 1 takes the rest with it.
"""

from __future__ import annotations

import os
import threading

from ..processes import close_own_memory, reap
from . import seccomp, worker

KILLED = 137  # as a shell says it: 128 + SIGKILL


def main(job_folder: str) -> None:
    seccomp.install()
    driver = os.fork()
    if driver == 0:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        worker.main(job_folder)
        return
    # A notebook that could open this process's input could keep it from ending.
    close_own_memory()
    threading.Thread(target=_end_with_input, daemon=True).start()
    os._exit(reap(driver))


def _end_with_input() -> None:
    while os.read(0, 4096):
        pass
    os._exit(KILLED)
