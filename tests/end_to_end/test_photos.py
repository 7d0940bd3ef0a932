"""The course's third homework as a teacher grades it: groups with pictures of their own, a notebook and a report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.support import photos_class
from tests.support.photos_class import CLASSES, PER_CLASS

ROOT = Path(__file__).parents[2]
GROUPS = {"Reference": photos_class.reference, "Copied": photos_class.copied, "Trouble": photos_class.in_trouble}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a fixed secret, so that the same photos are held out."""
    made = tmp_path_factory.mktemp("home")
    secret = made / ".config" / "grader" / "secret"
    secret.parent.mkdir(parents=True)
    secret.write_bytes(b"what is held out in the tests of the photo homework")
    secret.chmod(0o600)
    photos_class.write_class(made / "photos.zip", {name: files() for name, files in GROUPS.items()})
    return made


@pytest.fixture(scope="module")
def grades(home: Path) -> dict[str, dict[str, Any]]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "COLUMNS": "120", "LANG": "C.UTF-8"}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-m", "grader", "grade", "photos", "photos.zip", "--out", "class"]
    done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    document = json.loads((home / "class" / "grades.json").read_text("utf-8"))
    return {entry["student"]["name"]: entry for entry in document["submissions"]}


def criterion(entry: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in entry["criteria"] if row["id"] == name)
    return found


def page(home: Path, entry: dict[str, Any]) -> str:
    return (home / "class" / "students" / entry["student"]["id"] / "report.html").read_text("utf-8")


def test_the_reference_earns_all_points(grades: dict[str, dict[str, Any]]) -> None:
    lost = {row["id"]: row["reason"] for row in grades["Reference"]["criteria"] if row["points"] != row["max"]}

    assert not lost


def test_the_mascot_is_shown_to_the_teacher(grades: dict[str, dict[str, Any]]) -> None:
    assert any("mascot" in reason and "王小明" in reason for reason in grades["Reference"]["review_reasons"])


def test_a_fifth_of_each_class_is_asked(grades: dict[str, dict[str, Any]]) -> None:
    assert criterion(grades["Reference"], "accuracy")["n"] == len(CLASSES) * round(PER_CLASS / 5)


def test_copies_of_few_pictures_are_few_pictures(grades: dict[str, dict[str, Any]]) -> None:
    pictures, accuracy = criterion(grades["Copied"], "pictures"), criterion(grades["Copied"], "accuracy")

    assert pictures["points"] < pictures["max"] - 2
    assert accuracy["n"] <= 2 * len(CLASSES), "what is asked is not asked six times"


def test_the_notebook_finds_only_the_training_side_in_the_zip_too(
    grades: dict[str, dict[str, Any]], home: Path
) -> None:
    executed = home / "class" / "students" / grades["Trouble"]["student"]["id"] / "executed.ipynb"
    outputs = [output for cell in nbformat.read(executed, as_version=4).cells for output in cell.get("outputs", [])]
    printed = "".join(output.get("text", "") for output in outputs)
    seen = 3 * PER_CLASS - 1 + 3 - criterion(grades["Trouble"], "accuracy")["n"]  # one is broken, one class has three

    assert f"{seen} pictures, in archives {{'pictures.zip': {seen}}}" in printed


def test_each_problem_is_named(grades: dict[str, dict[str, Any]], home: Path) -> None:
    trouble = grades["Trouble"]
    report = criterion(trouble, "report")

    assert trouble["outcome"] == "ok", "a broken picture is no reason not to run the notebook"
    assert report["points"] == 0 and "is a Word document" in report["reason"]
    assert "(74 of 75)" in criterion(trouble, "pictures")["reason"]
    assert "pictures/ㄅ/000.jpg" in page(home, trouble)
