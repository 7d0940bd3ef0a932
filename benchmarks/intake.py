"""Measure the time and memory to read a large class, compared with plain unpacking of the same archive.

    python benchmarks/intake.py [--submissions 1000] [--megabytes 2048] [--rounds 2] [--results FILE]

Creates an archive in Moodle's layout, with large outputs and attachments, some stored and some deflated, and another
with a tenth of the submissions. Each is read in a new process, alternating with ``unzip`` and ``zipfile.extractall``.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMES = ("林小明", "陳美麗", "Jürgen Groß", "Анна Иванова", "김민준", "محمد علي", "Ann Lee", "สมชาย ใจดี")
SMALL_SHARE = 10  # the small archive has a tenth of the submissions

_READ = """
import json, resource, sys, time
from pathlib import Path
from grader.lms.archive.submissions import read_submissions
idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began, started = time.perf_counter(), time.process_time()
read = read_submissions([Path(sys.argv[1])], workspace=Path(sys.argv[2]))
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert all(one.notebook is not None and len(one.attachments) == 2 for one in read), "a file is missing"
print(json.dumps([seconds, time.process_time() - started, idle / 1024, peak / 1024, len(read)]))
"""
_EXTRACT = """
import json, resource, sys, time, zipfile
began, started = time.perf_counter(), time.process_time()
zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])
print(json.dumps([time.perf_counter() - began, time.process_time() - started, 0, 0, 0]))
"""


@dataclass(frozen=True)
class Reading:
    """Measurement of a process, in seconds and megabytes; ``idle`` is the memory after its imports."""

    seconds: float
    processor: float  # CPU seconds, which other processes disturb less
    idle: float
    peak: float
    submissions: int


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the time and memory to read a large class.")
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--megabytes", type=int, default=2048, help="unpacked")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--results", type=Path)
    options = parser.parse_args()
    size = options.megabytes * 2**20 // options.submissions
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        few = make(workspace / "few.zip", max(1, options.submissions // SMALL_SHARE), size)
        many = make(workspace / "many.zip", options.submissions, size)
        before = os.getloadavg()[0]
        small = read(few, workspace)
        rounds = [
            (read(many, workspace), extract(many, workspace), unzip(many, workspace))
            for _round in range(options.rounds)
        ]
        lines = list(record(rounds, small, unpacked_size(many), many.stat().st_size, before))
    text = "\n".join(lines) + "\n"
    print(text)
    if options.results:
        options.results.write_text(text, "utf-8")


# ---------------------------------------------------------------- the archive


def make(path: Path, submissions: int, size: int) -> Path:
    """Create an archive of submissions with ``size`` bytes unpacked: half a notebook, and two attachments."""
    noise = random.Random(1)
    # Each student gets another part of these, so that no two files are equal.
    photo = noise.randbytes(2 * size)
    table = "".join(f"{noise.gauss(0, 1):.6f},{noise.gauss(0, 1):.6f}\n" for _row in range(size // 9)).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(submissions):
            owner = f"{NAMES[number % len(NAMES)]}_{100_000 + number}_assignsubmission_file"
            at = number * 97 % size
            picture = base64.b64encode(photo[at : at + size * 3 // 8]).decode()
            archive.writestr(f"{owner}/hw1.ipynb", notebook(number, picture))
            archive.writestr(f"{owner}/images/photo.jpg", photo[at : at + size // 4], zipfile.ZIP_STORED)
            archive.writestr(f"{owner}/data/table.csv", table[at : at + size // 4])
    return path


def notebook(number: int, picture: str) -> bytes:
    shown = {"output_type": "display_data", "metadata": {}, "data": {"image/png": picture}}
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "execution_count": 1, "outputs": [shown]}
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{**cell, "source": f"student = {number}"}]}
    return json.dumps(content).encode()


def unpacked_size(path: Path) -> int:
    with zipfile.ZipFile(path) as archive:
        return sum(member.file_size for member in archive.infolist())


# ---------------------------------------------------------------- measuring


def read(archive: Path, workspace: Path) -> Reading:
    return Reading(*_measure([sys.executable, "-c", _READ], archive, workspace))


def extract(archive: Path, workspace: Path) -> Reading:
    return Reading(*_measure([sys.executable, "-c", _EXTRACT], archive, workspace))


def unzip(archive: Path, workspace: Path) -> Reading | None:
    """Measure ``unzip``; return None if it is not installed."""
    if shutil.which("unzip") is None:
        return None
    into = workspace / "unzipped"
    _fill_cache(archive)
    began, before = time.perf_counter(), os.times()
    subprocess.run(["unzip", "-q", archive, "-d", into], check=True)
    seconds, after = time.perf_counter() - began, os.times()
    shutil.rmtree(into)
    os.sync()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Reading(seconds, used, 0, 0, 0)


def _fill_cache(archive: Path) -> None:
    """Read the archive into the file cache, so that the first measurement is not slower than the others."""
    with archive.open("rb") as file:
        while file.read(2**20):
            pass


def _measure(command: Sequence[str], archive: Path, workspace: Path) -> list[float]:
    into = workspace / "into"
    _fill_cache(archive)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*command, archive, into], check=True, capture_output=True, text=True, env=environment)
    shutil.rmtree(into)
    os.sync()  # pending writes must not slow the next measurement
    found: list[float] = json.loads(done.stdout)
    return found


# ---------------------------------------------------------------- results


def record(
    rounds: Sequence[tuple[Reading, Reading, Reading | None]],
    small: Reading,
    size: int,
    packed: int,
    load_before: float,
) -> Iterator[str]:
    """Yield the lines of the TOML file with the results."""
    here, plain, unzipped = (
        [reading for reading in column if reading is not None] for column in zip(*rounds, strict=True)
    )
    yield f"date = {datetime.now(UTC).date()}"
    yield f"machine = {json.dumps(f'{_processor()}, {os.cpu_count()} processors, {platform.system()}')}"
    yield f'python = "{platform.python_version()}"'
    yield f'load_average = {{ before = "{load_before:.1f}", after = "{os.getloadavg()[0]:.1f}" }}'
    yield f"\n[archive]\nsubmissions = {here[0].submissions}\nfiles = {3 * here[0].submissions}"
    yield f"megabytes = {packed / 2**20:.0f}\nunpacked_megabytes = {size / 2**20:.0f}"
    for name, readings in (("reading", here), ("zipfile.extractall", plain), ("unzip", unzipped)):
        if readings:
            seconds = [reading.seconds for reading in readings]
            yield f"\n[seconds.{json.dumps(name)}]\nmedian = {statistics.median(seconds):.2f}"
            yield f"low = {min(seconds):.2f}\nhigh = {max(seconds):.2f}\nrounds = {len(seconds)}"
            yield f"processor = {statistics.median(reading.processor for reading in readings):.2f}"
            yield f"megabytes_a_second = {size / 2**20 / statistics.median(seconds):.0f}"
    yield "\n# Ratio to plain unpacking in the same round, by wall clock and by CPU time."
    yield f"[ratio]\nto_extractall = {_ratio(here, plain)}"
    if unzipped:
        yield f"to_unzip = {_ratio(here, unzipped)}"
    peak = max(reading.peak for reading in here)
    yield "\n# Memory of the reading process; idle is after its imports."
    yield f"[memory_megabytes]\nidle = {here[0].idle:.1f}"
    yield f"peak_{small.submissions}_submissions = {small.peak:.1f}"
    yield f"peak_{here[0].submissions}_submissions = {peak:.1f}"
    yield f"growth_a_submission = {(peak - small.peak) / max(1, here[0].submissions - small.submissions):.4f}"


def _ratio(some: Sequence[Reading], others: Sequence[Reading]) -> str:
    pairs = list(zip(some, others, strict=True))
    clock = statistics.median(reading.seconds / other.seconds for reading, other in pairs)
    processor = statistics.median(reading.processor / other.processor for reading, other in pairs)
    return f"{{ clock = {clock:.2f}, processor = {processor:.2f} }}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
