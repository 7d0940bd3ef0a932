"""An assignment with a ``[pictures]`` section, as a teacher writes it."""

from __future__ import annotations

from pathlib import Path

from grader.models.assignment import Assignment
from grader.spec.loader import load_assignment

TOML = """\
id = "photos"
version = "1"

[title]
en = "Your own pictures"
zh-TW = "自己的圖片"

[pictures]
size = [24, 24]
min_classes = 2
min_per_class = 10
folder = "pictures"
hold_out = 0.2

[limits]
seconds = 60

[[rubric]]
id = "runs"
kind = "executes"
points = 10

[[rubric]]
id = "collected"
kind = "dataset"
points = 20

[[rubric]]
id = "accuracy"
kind = "metric"
metric = "accuracy_score"
points = 60
full_at = 0.9
zero_at = "majority"
"""


def photo_assignment(folder: Path, *changes: tuple[str, str]) -> Assignment:
    """Load the assignment, after replacing each old text, which occurs once, by the new one."""
    text = TOML
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "assignment.toml").write_text(text, "utf-8")
    return load_assignment(folder)
