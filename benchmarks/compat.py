"""Measure the cost of the adaptations for old notebooks: their installation in a fork of a warm process.

    python benchmarks/compat.py [--forks 20]

Prints the milliseconds of the installation in a fork, and of a constructor call with and without its wrapper.
"""

from __future__ import annotations

import argparse
import importlib
import os
import statistics
import struct
import time
from collections.abc import Callable

from grader.sandbox.guest.boot.worker import PRELOADED
from grader.sandbox.guest.compat import install
from grader.sandbox.guest.record import import_hooks


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the cost of the adaptations for old notebooks.")
    parser.add_argument("--forks", type=int, default=20)
    options = parser.parse_args()
    for name in PRELOADED:
        importlib.import_module(name)

    plain = _construct_layers()
    costs = [run_in_fork(_install) for _ in range(options.forks)]
    wrapped = run_in_fork(lambda: (_install(), _construct_layers())[1])
    print(f"installed in a fork:          {statistics.median(costs):6.1f} ms, maximum {max(costs):.1f} of {len(costs)}")
    print(f"keras.layers.Dense(8):        {plain:6.3f} ms without, {wrapped:.3f} ms with it")


def _install() -> float:
    return milliseconds(lambda: install.install_old_names(import_hooks.after_import))


def _construct_layers(rounds: int = 200) -> float:
    keras = importlib.import_module("keras")
    return milliseconds(lambda: [keras.layers.Dense(8) for _ in range(rounds)]) / rounds


def milliseconds(function: Callable[[], object]) -> float:
    began = time.perf_counter()
    function()
    return (time.perf_counter() - began) * 1000


def run_in_fork(function: Callable[[], float]) -> float:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, struct.pack("d", function()))
        os._exit(0)
    os.close(writing)
    os.waitpid(pid, 0)
    with os.fdopen(reading, "rb") as answer:
        return float(struct.unpack("d", answer.read())[0])


if __name__ == "__main__":
    main()
