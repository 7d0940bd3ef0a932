"""Program ``python supervisor.py DRIVER KERNEL LOG``: run both sides of a job, then kill all that they started.

DRIVER and KERNEL are command lines as JSON lists. Each one's standard input is the other's standard output; LOG takes
the kernel's errors. On Linux the supervisor becomes the parent of orphans below it, so that ``setsid`` and double forks
do not escape. It kills everything when the driver ends, or when its own input is closed, by the grader or by the
grader's death. The grader starts this file by its path.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import threading
import time

import psutil

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
SECONDS_TO_KILL = 10.0


def adopt_orphans() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def start(driver: list[str], kernel: list[str], log: str) -> tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]:
    """Start both sides, connected by two pipes."""
    with open(log, "ab") as errors:  # noqa: PTH123  pathlib would add to the time of every start
        to_kernel, to_driver = os.pipe(), os.pipe()
        kernel_side = subprocess.Popen(kernel, stdin=to_kernel[0], stdout=to_driver[1], stderr=errors)
        driver_side = subprocess.Popen(driver, stdin=to_driver[0], stdout=to_kernel[1])
    for descriptor in (*to_kernel, *to_driver):
        os.close(descriptor)  # the end of one side must reach the other
    return driver_side, kernel_side


def kill_descendants() -> None:
    """Suspend and kill descendants until none is left; suspending first defeats a fork bomb."""
    me = psutil.Process()
    deadline = time.monotonic() + SECONDS_TO_KILL
    while time.monotonic() < deadline:
        left = [process for process in me.children(recursive=True) if _is_alive(process)]
        if not left:
            return
        for act in ("suspend", "kill"):
            for process in left:
                try:
                    getattr(process, act)()
                except psutil.Error:
                    continue
        psutil.wait_procs(left, timeout=0.2)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def main(driver_command: str, kernel_command: str, log: str) -> int:
    adopt_orphans()
    driver, _kernel = start(json.loads(driver_command), json.loads(kernel_command), log)
    stopped = threading.Event()

    def until_input_closes() -> None:
        while os.read(0, 1):
            pass
        stopped.set()

    threading.Thread(target=until_input_closes, daemon=True).start()
    while driver.poll() is None and not stopped.wait(0.02):
        pass
    code = driver.poll()
    kill_descendants()
    # Exit status as in a shell: a signal is 128 + its number.
    return 137 if code is None else 128 - code if code < 0 else code


if __name__ == "__main__":
    os._exit(main(*sys.argv[1:]))  # an ordinary exit would wait for the reading thread
