"""This project's grading command for a class, as a teacher would type it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from contest.homework import ASSIGNMENT, ROOT
from contest.timing import Timed, timed


def command(handed_in: Path, out: Path, *, sandbox: str, slots: int) -> list[str]:
    words = ("grade", ASSIGNMENT, handed_in, "--out", out, "--sandbox", sandbox, "--jobs", slots)
    return [sys.executable, "-m", "grader", *map(str, words)]


def grade(handed_in: Path, out: Path, *, sandbox: str, slots: int) -> Timed:
    began = time.time()
    subprocess.run(
        command(handed_in, out, sandbox=sandbox, slots=slots), cwd=ROOT, check=True, stdout=subprocess.DEVNULL
    )
    ended = time.time()
    executed = sorted(out.glob("students/*/executed.ipynb"))
    points = [entry["total"] for entry in submissions(out)]
    return timed(began, ended, executed, slots=slots, points=points)


def submissions(out: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((out / "grades.json").read_text("utf-8"))["submissions"]
    return found
