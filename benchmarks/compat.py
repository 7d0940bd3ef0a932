"""What it costs a notebook that old names are understood: putting the layer in, in a fork of a warm process.

    python benchmarks/compat.py [--forks 20]

Prints milliseconds for the layer in a fork, and for one call of a wrapped constructor beside the plain one.
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
    parser = argparse.ArgumentParser(description="What the layer for old names costs a notebook.")
    parser.add_argument("--forks", type=int, default=20)
    options = parser.parse_args()
    for name in PRELOADED:
        importlib.import_module(name)

    plain = _making_a_layer()
    costs = [in_a_fork(_put_in) for _ in range(options.forks)]
    wrapped = in_a_fork(lambda: (_put_in(), _making_a_layer())[1])
    print(f"put in, in a fork:            {statistics.median(costs):6.1f} ms, at most {max(costs):.1f} of {len(costs)}")
    print(f"keras.layers.Dense(8):        {plain:6.3f} ms without, {wrapped:.3f} ms with it")


def _put_in() -> float:
    return milliseconds(lambda: install.install_old_names(import_hooks.after_import))


def _making_a_layer(rounds: int = 200) -> float:
    keras = importlib.import_module("keras")
    return milliseconds(lambda: [keras.layers.Dense(8) for _ in range(rounds)]) / rounds


def milliseconds(function: Callable[[], object]) -> float:
    began = time.perf_counter()
    function()
    return (time.perf_counter() - began) * 1000


def in_a_fork(function: Callable[[], float]) -> float:
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
