"""A class with attackers: their submissions, the planted secrets and their results."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.data import hidden_sets
from grader.lms.archive.submissions import read_submissions
from grader.models.assignment import Assignment, Limits
from grader.models.grade import Graded, Score
from grader.pipeline import Settings, grade_class
from grader.sandbox.base import Sandbox
from grader.spec.loader import load_assignment
from tests.support.notebooks import notebook_bytes

TOML = """\
id = "leaves"
version = "1"
title = { en = "Leaves", "zh-TW" = "葉子" }

[data]
files = ["leaves.csv"]
table = "leaves.csv"
inputs = ["length", "width"]
target = "kind"
task = "classification"
hidden = { generator = "generator.py", rows = 400 }
"""

RUBRIC = """
[[rubric]]
id = "runs"
kind = "executes"
points = 20

[[rubric]]
id = "accuracy"
kind = "metric"
metric = "accuracy_score"
points = 60
full_at = 0.85
zero_at = "majority"

[[rubric]]
id = "curve"
kind = "figure"
points = 10

[[rubric]]
id = "training"
kind = "training"
points = 5

[[rubric]]
id = "story"
kind = "manual"
points = 5
full_characters = 100
"""

GENERATOR = """\
import numpy as np


def draw(rows, seed):
    random = np.random.default_rng(seed)
    X = random.uniform(0, 10, (rows, 2))
    return X, (X[:, 0] > X[:, 1] + random.normal(0, 0.4, rows)).astype(int)
"""

HONEST = """
import numpy as np
table = np.genfromtxt("leaves.csv", delimiter=",", skip_header=1)
weights = np.linalg.lstsq(np.c_[table[:, :2], np.ones(len(table))], table[:, 2], rcond=None)[0]
def predict(X):
    return (np.c_[X, np.ones(len(X))] @ weights > 0.5).astype(int)
"""
HONEST_TOTAL = 80.0  # points for running and predicting, none for curve, training and text

# Earns nothing: any points of an attacker beyond those for running are stolen.
GUESS = "def predict(X):\n    return [0] * len(X)\n"
FORGED = "forged-by-a-student"  # text that attackers write into files of others

# Attackers are given every path and number that could help them.
KNOWING = """
import os, sys
PLACES = {places!r}
def show(path):
    try:
        print(open(path, "rb").read()[:20000])
    except OSError as error:
        print("refused:", type(error).__name__)
"""


@dataclass(frozen=True, eq=False)
class Handed:
    """Submission of one attacker: a ``notebook``, or code cells; ``files`` are submitted with it."""

    name: str
    cells: Sequence[str] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    notebook: bytes | None = None

    def content(self, places: Mapping[str, Any]) -> bytes:
        if self.notebook is not None:
            return self.notebook
        knowing = any("PLACES" in cell for cell in self.cells)
        told = {name: place for name, place in places.items() if name not in ("loaded", "secret")}
        return notebook_bytes(*([KNOWING.format(places=told)] * knowing), *self.cells)


def cells(name: str, *sources: str, files: Mapping[str, bytes] | None = None) -> Handed:
    return Handed(name, sources, files or {})


def hands_in(*handed: Handed) -> pytest.MarkDecorator:
    """Parametrize a test with the ``attacker`` of each submission. All of a module are graded as one class."""
    return pytest.mark.parametrize(
        "attacker", [pytest.param(submission, id=submission.name) for submission in handed], indirect=True
    )


@dataclass(frozen=True)
class Places:
    """Paths of secrets; each file contains ``canary``."""

    root: Path
    canary: str = field(default_factory=lambda: f"canary{secrets.token_hex(8)}")
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def out(self) -> Path:
        return self.root / "out"

    @property
    def class_folder(self) -> Path:
        return self.root / "class"

    def known(self) -> dict[str, Any]:
        """Return the values that attackers are given."""
        return {
            "root": str(self.root),
            "out": str(self.out),
            "neighbour": str(self.class_folder / "00 honest" / "homework.ipynb"),
            "neighbours_notes": str(self.class_folder / "00 honest" / "notes.txt"),
            "neighbours_out": str(self.out / "students" / "00 honest"),
            "config": str(self.root / "config" / "secret"),
            "assignment": str(self.root / "assignment"),
            "marker": str(self.root / "marker"),
            "forged": FORGED,
            **self.more,
        }


def write_assignment(folder: Path, limits: Limits) -> Assignment:
    folder.mkdir(parents=True, exist_ok=True)
    bounds = {name: getattr(limits, name) for name in Limits.__dataclass_fields__ if getattr(limits, name) is not None}
    text = TOML + "\n[limits]\n" + "".join(f"{name} = {value}\n" for name, value in bounds.items()) + RUBRIC
    (folder / "assignment.toml").write_text(text, "utf-8")
    (folder / "generator.py").write_text(GENERATOR, "utf-8")
    X, y = _draw(300, 1)
    rows = "".join(f"{a!r},{b!r},{kind}\n" for (a, b), kind in zip(X.tolist(), y.tolist(), strict=True))
    (folder / "leaves.csv").write_text(f"length,width,kind\n{rows}", "utf-8")
    return load_assignment(folder)


def _draw(rows: int, seed: int) -> tuple[Any, Any]:
    namespace: dict[str, Any] = {}
    exec(GENERATOR, namespace)
    drawn: tuple[Any, Any] = namespace["draw"](rows, seed)
    return drawn


@dataclass(frozen=True)
class Attacker:
    """Results of one attacker."""

    graded: Graded
    classroom: Classroom

    def score(self, criterion: str) -> Score:
        return next(score for score in self.graded.grade.scores if score.criterion == criterion)

    def points(self, criterion: str) -> float:
        points = self.score(criterion).points
        assert points is not None, "a fault of the grader"
        return points

    @property
    def total(self) -> float | None:
        return self.graded.grade.total

    @property
    def outcome(self) -> str:
        return self.graded.run.outcome.value

    @property
    def reason(self) -> str:
        return str(self.graded.run.reason)

    @property
    def folder(self) -> Path:
        return self.classroom.places.out / "students" / self.graded.submission.student.id

    @cached_property
    def cells(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((self.folder / "executed.ipynb").read_text("utf-8"))["cells"]
        return found

    @property
    def printed(self) -> str:
        """Everything that the notebook printed, displayed and raised."""
        return "\n".join(_text(output) for cell in self.cells for output in cell.get("outputs", ()))

    @property
    def report(self) -> str:
        return (self.folder / "report.html").read_text("utf-8")

    @property
    def everything(self) -> bytes:
        """All files kept for the student, which might be returned."""
        return b"\n".join(path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file())


def _text(output: Mapping[str, Any]) -> str:
    parts = [output.get("text", ""), output.get("evalue", ""), *output.get("data", {}).values()]
    return "\n".join("".join(part) if isinstance(part, list) else str(part) for part in parts)


@dataclass
class Classroom:
    """A class of honest students and attackers, graded once."""

    places: Places
    assignment: Assignment
    secret: bytes
    results: dict[str, Graded] = field(default_factory=dict)

    def grade(self, handed: Sequence[Handed], sandbox: Sandbox, *, jobs: int = 4) -> None:
        known = {**self.places.known(), "loaded": self.assignment, "secret": self.secret}
        for attacker in (Handed("00 honest", [HONEST]), *handed, Handed("zz honest", [HONEST])):
            folder = self.places.class_folder / attacker.name
            for name, content in {"homework.ipynb": attacker.content(known), **attacker.files}.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)
        (self.places.class_folder / "00 honest" / "notes.txt").write_text(self.places.canary)
        submissions = read_submissions(
            [self.places.class_folder], lms="folder", workspace=self.places.root / "intake"
        ).submissions
        settings = Settings(self.places.out, self.secret, jobs=jobs)
        results = grade_class(self.assignment, submissions, sandbox, settings)
        self.results = {graded.submission.student.name: graded for graded in results}

    def __getitem__(self, name: str) -> Attacker:
        return Attacker(self.results[name], self)

    @property
    def grades(self) -> dict[str, Any]:
        """Entries of ``grades.json`` by student."""
        text = (self.places.out / "grades.json").read_text("utf-8")
        return {entry["student"]["name"]: entry for entry in json.loads(text)["submissions"]}

    @property
    def hidden_labels(self) -> np.ndarray[Any, Any]:
        return hidden_sets.open_hidden_set(self.assignment, self.secret).labels

    @property
    def hidden_inputs(self) -> np.ndarray[Any, Any]:
        return hidden_sets.hidden_inputs(self.assignment, self.secret)
