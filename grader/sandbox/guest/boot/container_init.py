"""First process of a container: installs the system call filter and becomes one side of the job.

Both sides end when their standard input ends. A container's engine may live in another process or on another machine
than the client that started it; only the end of the input reports the client's death to the container, and the end of
process 1 ends all other processes.
"""

from __future__ import annotations

import importlib

from .. import protocol
from . import seccomp


def main(side: str, job_folder: str) -> None:
    """Run ``side``: "driver" or "kernel"."""
    seccomp.install()
    importlib.import_module(f"{__package__.split('.')[0]}.{protocol.SIDES[side]}").main(job_folder)
