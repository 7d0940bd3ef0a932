"""Measure the time to grade a class, N copies of a reference notebook, and the grader's own part of it.

    python benchmarks/class.py [--assignment disease] [--copies 8] [--jobs 2]

Prints the wall-clock time per submission, the part in the student's cells, the rest (the grader's overhead), and the
ratio to the same notebook executed by nbclient alone, in one run on one machine.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import statistics
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

from grader.models.assignment import Assignment
from grader.models.grade import Graded
from grader.models.submission import Student, Submission
from grader.pipeline import Settings, grade_class
from grader.sandbox.levels import open_sandbox
from grader.spec.loader import load_assignment

ROOT = Path(__file__).parents[1]
SECRET = b"benchmark: the hidden set is always the same"


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Grade N copies of a reference notebook and print where the time goes."
    )
    parser.add_argument("--assignment", default="disease")
    parser.add_argument("--copies", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--sandbox", default="auto")
    options = parser.parse_args()
    assignment = load_assignment(ROOT / "assignments" / options.assignment)
    solution = jupytext.read(ROOT / "reference" / "solutions" / f"{options.assignment}.py", fmt="py:percent")
    with tempfile.TemporaryDirectory() as folder:
        submissions = copies(solution, options.copies, Path(folder))
        bare = bare_seconds(solution, assignment, Path(folder) / "bare")
        threads = max(1, (os.cpu_count() or 1) // options.jobs)
        settings = Settings(Path(folder) / "out", SECRET, jobs=options.jobs, threads=threads)
        began = time.perf_counter()
        sandbox = open_sandbox(options.sandbox, os.environ, threads=threads)
        warm = time.perf_counter() - began
        results = grade_class(assignment, submissions, sandbox, settings)
        wall = time.perf_counter() - began
        sandbox.close()
    print(f"sandbox {sandbox.confinement}, ready after {warm:.1f} s (once for a class)")
    print_report(results, wall=wall, bare=bare, jobs=options.jobs)


def copies(solution: nbformat.NotebookNode, number: int, folder: Path) -> list[Submission]:
    data = nbformat.writes(solution).encode()
    path = folder / "reference.ipynb"
    path.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    return [Submission(Student(str(n), f"copy {n}"), path, path.name, digest=digest) for n in range(number)]


def bare_seconds(solution: nbformat.NotebookNode, assignment: Assignment, folder: Path) -> float:
    """Return the seconds of the notebook in nbclient alone: a kernel and its cells."""
    folder.mkdir()
    assert assignment.data is not None
    for path in assignment.data.files:
        (folder / path.name).write_bytes(path.read_bytes())
    began = time.perf_counter()
    NotebookClient(solution, resources={"metadata": {"path": str(folder)}}).execute()
    return time.perf_counter() - began


def print_report(results: tuple[Graded, ...], *, wall: float, bare: float, jobs: int) -> None:
    totals = {graded.grade.total for graded in results}
    per_submission = [graded.run.seconds for graded in results]
    cells = [graded.run.cell_seconds for graded in results]
    overhead = [total - in_cells for total, in_cells in zip(per_submission, cells, strict=True)]
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}, ", end="")
    print(", ".join(f"{name} {version(name)}" for name in ("tensorflow-cpu", "tensorflow", "keras") if installed(name)))
    print(f"{len(results)} submissions, {jobs} at a time: {wall:.1f} s, {wall / len(results):.2f} s per submission")
    print(f"  in one notebook: median {statistics.median(per_submission):.2f} s")
    print(f"    its own cells:        {statistics.median(cells):.2f} s (including the imports of TensorFlow and Keras)")
    print(f"    the grader's overhead: {statistics.median(overhead):.2f} s")
    print(f"  nbclient alone: {bare:.2f} s; per submission / nbclient alone = {wall / len(results) / bare:.2f}")
    print(f"  totals: {sorted(totals, key=str)}")


def installed(name: str) -> bool:
    try:
        return bool(version(name))
    except ImportError:
        return False


if __name__ == "__main__":
    main()
