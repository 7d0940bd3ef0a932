"""Small assignments, written into a folder as a teacher would write them."""

from __future__ import annotations

from pathlib import Path

from grader.models.assignment import Assignment, Data
from grader.spec.loader import load_assignment

TOML = """\
id = "coins"
version = "1"

[title]
en = "Coins"
zh-TW = "硬幣"

[data]
files = ["coins.csv", "notes.txt"]
table = "coins.csv"
inputs = ["weight", "width"]
target = "real"
task = "classification"

[data.hidden]
generator = "generator.py"
rows = 100

[limits]
seconds = 60

[[rubric]]
id = "runs"
kind = "executes"
points = 10

[[rubric]]
id = "accuracy"
kind = "metric"
metric = "accuracy_score"
points = 60
full_at = 0.9
zero_at = "majority"
title = { en = "Accuracy", zh-TW = "準確率" }

[[rubric]]
id = "curve"
kind = "figure"
shows = "loss"
points = 10

[[rubric]]
id = "validation"
kind = "training"
points = 10

[[rubric]]
id = "story"
kind = "manual"
points = 10
full_characters = 100
"""

# The answer cannot be worked out from the inputs: a label that turns up somewhere was taken from where labels are.
GENERATOR = """\
import numpy as np


def draw(rows, seed):
    random = np.random.default_rng(seed)
    return random.uniform(0, 10, (rows, 2)), random.integers(0, 2, rows)
"""

TABLE = "weight,width,real\n" + "".join(f"{n % 7},{n % 5}.5,{n % 3 // 2}\n" for n in range(60))


def write_assignment(folder: Path, *changes: tuple[str, str], generator: str = GENERATOR, table: str = TABLE) -> Path:
    """Write the assignment "coins"; each of ``changes`` replaces a text that occurs once in its TOML."""
    text = TOML
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times"
        text = text.replace(old, new)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "assignment.toml").write_text(text, "utf-8")
    (folder / "generator.py").write_text(generator, "utf-8")
    (folder / "coins.csv").write_text(table, "utf-8")
    (folder / "notes.txt").write_text("Weigh them.\n", "utf-8")
    return folder


def coins(folder: Path, *changes: tuple[str, str], generator: str = GENERATOR, table: str = TABLE) -> Assignment:
    """Write and load the assignment "coins"."""
    return load_assignment(write_assignment(folder, *changes, generator=generator, table=table))


def data_of(assignment: Assignment) -> Data:
    assert assignment.data is not None
    return assignment.data
