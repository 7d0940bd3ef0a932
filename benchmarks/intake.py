"""How fast a large class is read, and in how much memory, against plain unpacking of the same archive.

    python benchmarks/intake.py [--submissions 1000] [--megabytes 2048] [--rounds 2] [--results FILE]

Makes an archive as Moodle does, notebooks with large outputs and attachments, some stored, some deflated, and one with
a tenth of the submissions. Each is read in a process of its own, in turn with ``unzip`` and ``zipfile.extractall``.
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
FEW = 10  # the small archive has one submission for so many of the large one's

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
    """Megabytes are those of the process; ``idle`` has only imported what it needs."""

    seconds: float
    processor: float  # seconds of it, less disturbed by what else the machine does
    idle: float
    peak: float
    submissions: int


def main() -> None:
    parser = argparse.ArgumentParser(description="Read a large class and say how fast, and in how much memory.")
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--megabytes", type=int, default=2048, help="unpacked")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--results", type=Path)
    options = parser.parse_args()
    each = options.megabytes * 2**20 // options.submissions
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        few = make(room / "few.zip", max(1, options.submissions // FEW), each)
        many = make(room / "many.zip", options.submissions, each)
        before = os.getloadavg()[0]
        small = read(few, room)
        rounds = [(read(many, room), extracted(many, room), unzipped(many, room)) for _round in range(options.rounds)]
        lines = list(record(rounds, small, unpacked(many), many.stat().st_size, before))
    text = "\n".join(lines) + "\n"
    print(text)
    if options.results:
        options.results.write_text(text, "utf-8")


# ---------------------------------------------------------------- the archive


def make(path: Path, submissions: int, each: int) -> Path:
    """An archive of ``submissions``, each of ``each`` bytes unpacked: half a notebook, the rest two attachments."""
    noise = random.Random(1)
    # Parts of these, from a place of each student's own, so that no two files are the same.
    photo = noise.randbytes(2 * each)
    table = "".join(f"{noise.gauss(0, 1):.6f},{noise.gauss(0, 1):.6f}\n" for _row in range(each // 9)).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(submissions):
            owner = f"{NAMES[number % len(NAMES)]}_{100_000 + number}_assignsubmission_file"
            at = number * 97 % each
            picture = base64.b64encode(photo[at : at + each * 3 // 8]).decode()
            archive.writestr(f"{owner}/hw1.ipynb", notebook(number, picture))
            archive.writestr(f"{owner}/images/photo.jpg", photo[at : at + each // 4], zipfile.ZIP_STORED)
            archive.writestr(f"{owner}/data/table.csv", table[at : at + each // 4])
    return path


def notebook(number: int, picture: str) -> bytes:
    shown = {"output_type": "display_data", "metadata": {}, "data": {"image/png": picture}}
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "execution_count": 1, "outputs": [shown]}
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{**cell, "source": f"student = {number}"}]}
    return json.dumps(whole).encode()


def unpacked(path: Path) -> int:
    with zipfile.ZipFile(path) as archive:
        return sum(member.file_size for member in archive.infolist())


# ---------------------------------------------------------------- measuring


def read(archive: Path, room: Path) -> Reading:
    return Reading(*_measured([sys.executable, "-c", _READ], archive, room))


def extracted(archive: Path, room: Path) -> Reading:
    return Reading(*_measured([sys.executable, "-c", _EXTRACT], archive, room))


def unzipped(archive: Path, room: Path) -> Reading | None:
    """None where the machine has no ``unzip``."""
    if shutil.which("unzip") is None:
        return None
    into = room / "unzipped"
    _warm(archive)
    began, before = time.perf_counter(), os.times()
    subprocess.run(["unzip", "-q", archive, "-d", into], check=True)
    seconds, after = time.perf_counter() - began, os.times()
    shutil.rmtree(into)
    os.sync()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Reading(seconds, used, 0, 0, 0)


def _warm(archive: Path) -> None:
    """Each finds the archive where the system keeps what was read last, not only those that come after the first."""
    with archive.open("rb") as file:
        while file.read(2**20):
            pass


def _measured(command: Sequence[str], archive: Path, room: Path) -> list[float]:
    into = room / "into"
    _warm(archive)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*command, archive, into], check=True, capture_output=True, text=True, env=environment)
    shutil.rmtree(into)
    os.sync()  # what the disk still has to write is nobody else's time
    found: list[float] = json.loads(done.stdout)
    return found


# ---------------------------------------------------------------- what is kept


def record(
    rounds: Sequence[tuple[Reading, Reading, Reading | None]], small: Reading, size: int, packed: int, before: float
) -> Iterator[str]:
    here, plain, unzip = ([one for one in column if one is not None] for column in zip(*rounds, strict=True))
    yield f"date = {datetime.now(UTC).date()}"
    yield f"machine = {json.dumps(f'{_processor()}, {os.cpu_count()} processors, {platform.system()}')}"
    yield f'python = "{platform.python_version()}"'
    yield f'load_average = {{ before = "{before:.1f}", after = "{os.getloadavg()[0]:.1f}" }}'
    yield f"\n[archive]\nsubmissions = {here[0].submissions}\nfiles = {3 * here[0].submissions}"
    yield f"megabytes = {packed / 2**20:.0f}\nunpacked_megabytes = {size / 2**20:.0f}"
    for name, readings in (("reading", here), ("zipfile.extractall", plain), ("unzip", unzip)):
        if readings:
            seconds = [one.seconds for one in readings]
            yield f"\n[seconds.{json.dumps(name)}]\nmedian = {statistics.median(seconds):.2f}"
            yield f"low = {min(seconds):.2f}\nhigh = {max(seconds):.2f}\nrounds = {len(seconds)}"
            yield f"processor = {statistics.median(one.processor for one in readings):.2f}"
            yield f"megabytes_a_second = {size / 2**20 / statistics.median(seconds):.0f}"
    yield "\n# Of the same round: how many times the seconds of plain unpacking, by the clock and of the processor."
    yield f"[ratio]\nto_extractall = {_ratio(here, plain)}"
    if unzip:
        yield f"to_unzip = {_ratio(here, unzip)}"
    peak = max(one.peak for one in here)
    yield "\n# Of the process that reads; idle is after its imports."
    yield f"[memory_megabytes]\nidle = {here[0].idle:.1f}"
    yield f"peak_{small.submissions}_submissions = {small.peak:.1f}"
    yield f"peak_{here[0].submissions}_submissions = {peak:.1f}"
    yield f"growth_a_submission = {(peak - small.peak) / max(1, here[0].submissions - small.submissions):.4f}"


def _ratio(some: Sequence[Reading], others: Sequence[Reading]) -> str:
    pairs = list(zip(some, others, strict=True))
    clock = statistics.median(one.seconds / other.seconds for one, other in pairs)
    processor = statistics.median(one.processor / other.processor for one, other in pairs)
    return f"{{ clock = {clock:.2f}, processor = {processor:.2f} }}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
