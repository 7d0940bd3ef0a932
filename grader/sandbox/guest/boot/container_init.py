"""Process 1 of a container: installs the system call filter, runs the worker and reaps orphans.

It also ends the container when its standard input ends. A container's engine may live in another process or on another
machine than the client that started it; only the end of the input reports the client's death to the container, and
the end of process 1 ends all other processes.
"""

from __future__ import annotations

import os
import threading

from ..processes import close_own_memory, reap
from . import seccomp, worker

KILLED = 137  # a shell's exit status for SIGKILL: 128 + 9


def main(job_folder: str) -> None:
    """Run the job in a child process and exit with its status."""
    seccomp.install()
    driver = os.fork()
    if driver == 0:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        worker.main(job_folder)
        return
    # A notebook that could open this process's input could keep the container from ending.
    close_own_memory()
    threading.Thread(target=_exit_at_end_of_input, daemon=True).start()
    os._exit(reap(driver))


def _exit_at_end_of_input() -> None:
    while os.read(0, 4096):
        pass
    os._exit(KILLED)
