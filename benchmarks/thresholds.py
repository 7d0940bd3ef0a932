"""Measure the margin of a reference solution over its assignment's thresholds, graded with several seeds.

``python benchmarks/thresholds.py mnist`` prints a line for each metric criterion: mean and standard deviation over
seeds 1 to 5, and the distance to the threshold in standard deviations. Each seed takes a training.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
from pathlib import Path

import jupytext
import nbformat
import numpy as np

from grader.data.cache.cached_sets import default_library
from grader.data.hidden_sets import PRACTICE_SECRET
from grader.models.grade import Grade, Graded
from grader.models.submission import Student, Submission
from grader.pipeline import Settings, grade_class
from grader.sandbox.process import ProcessSandbox
from grader.spec.loader import load_assignment

ROOT = Path(__file__).parents[1]
SEEDED = "set_random_seed(7)"


def submission(folder: Path, name: str, seed: int) -> Submission:
    """Write the reference solution with another seed, as a submission."""
    text = (ROOT / "reference" / "solutions" / f"{name.replace('-', '_')}.py").read_text("utf-8")
    assert text.count(SEEDED) == 1
    solution = jupytext.reads(text.replace(SEEDED, f"set_random_seed({seed})"), fmt="py:percent")
    path = folder / f"{seed}.ipynb"
    path.write_text(nbformat.writes(solution), "utf-8")
    return Submission(
        Student(str(seed), str(seed)), path, path.name, digest=hashlib.sha256(path.read_bytes()).hexdigest()
    )


def main() -> None:
    """Grade a notebook at a time, with all processors, and print the margins."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("assignment", help="mnist, cifar10 or cats-dogs")
    parser.add_argument("--seeds", type=int, default=5, help="number of trainings")
    parser.add_argument(
        "--library", type=Path, default=default_library(), help="offline library (default: the grader's own)"
    )
    options = parser.parse_args()
    assignment = load_assignment(ROOT / "assignments" / options.assignment)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        settings = Settings(folder / "out", PRACTICE_SECRET, threads=os.cpu_count() or 1, library=options.library)
        handed_in = [submission(folder, options.assignment, seed) for seed in range(1, options.seeds + 1)]
        results = grade_class(assignment, handed_in, ProcessSandbox(os.environ), settings, progress=print_seconds)
    for place, criterion in enumerate(assignment.rubric):
        scores = [result.grade.scores[place] for result in results]
        values = [score.value for score in scores if score.value is not None and score.scale is not None]
        if not values or scores[0].scale is None:
            continue
        mean, deviation = np.mean(values), np.std(values, ddof=1) if len(values) > 1 else float("nan")
        above = (mean - scores[0].scale.full_at) / deviation
        print(f"{criterion.id}: n = {len(values)} x {scores[0].n}, mean {mean:.4f}, sd {deviation:.4f},", end=" ")
        print(f"{min(values):.3f}-{max(values):.3f}; {above:.1f} sd above {scores[0].scale.full_at:g}")


def print_seconds(result: Graded) -> None:
    """Print the time, memory and points of a training as it ends."""
    run, grade = result.run, result.grade
    print(f"{run.outcome}: {run.cell_seconds:.0f} s in its cells, {run.peak_memory_mb:.0f} MB,", end=" ")
    print(f"{grade.total} of {grade.max:g} points; " + ", ".join(measured(grade)), flush=True)


def measured(grade: Grade) -> list[str]:
    """Return the name and the value of each metric criterion."""
    return [f"{score.criterion} {score.value:.4f}" for score in grade.scores if score.scale and score.value is not None]


if __name__ == "__main__":
    main()
