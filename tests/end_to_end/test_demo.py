"""``grader demo`` as a user runs it: a class out of a Moodle archive, each in its own trouble."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import nbformat
import pytest

from grader.grading.results import SCHEMA


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a fixed secret: another hidden set could lie a little further from the threshold."""
    made = tmp_path_factory.mktemp("home")
    secret = made / ".config" / "grader" / "secret"
    secret.parent.mkdir(parents=True)
    secret.write_bytes(b"the hidden set of the demo's own test")
    secret.chmod(0o600)
    return made


@pytest.fixture(scope="module")
def demo(home: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "COLUMNS": "120", "LANG": "C.UTF-8"}
    command = [sys.executable, "-m", "grader", "demo", "--out", "class"]
    return subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, timeout=400, check=False)


@pytest.fixture(scope="module")
def grades(demo: subprocess.CompletedProcess[str], home: Path) -> dict[str, dict[str, Any]]:
    assert demo.returncode == 0, demo.stderr
    document = json.loads((home / "class" / "grades.json").read_text("utf-8"))
    jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")))
    return {entry["student"]["id"]: entry for entry in document["submissions"]}


def points(entry: dict[str, Any], criterion: str) -> float:
    return float(next(row["points"] for row in entry["criteria"] if row["id"] == criterion))


def test_it_prints_a_table_and_the_address_of_the_page(demo: subprocess.CompletedProcess[str], home: Path) -> None:
    assert demo.returncode == 0
    assert "林詠晴" in demo.stdout and "Emma" in demo.stdout
    assert (home / "class" / "index.html").as_uri() in demo.stdout.replace("\n", "")
    assert "Traceback" not in demo.stdout + demo.stderr


@pytest.mark.parametrize(
    ("student", "outcome", "accuracy"),
    [
        pytest.param("20101", "ok", (60, 60), id="strong"),
        pytest.param("20102", "ok", (60, 60), id="scikit-learn"),
        pytest.param("20106", "ok", (1, 45), id="under the threshold"),
        pytest.param("20131", "ok", (60, 60), id="predict function"),
        pytest.param("20108", "ok", (0, 0), id="no model"),
        pytest.param("20304", "error", (50, 60), id="crashes in the middle"),
        pytest.param("20110", "timeout", (0, 60), id="trains forever"),
        pytest.param("20132", "ok", (0, 0), id="garbage"),
        pytest.param("20127", "missing", (0, 0), id="empty"),
        pytest.param("20115", "missing", (0, 0), id="web page"),
        pytest.param("20133", "missing", (0, 0), id="PDF"),
        pytest.param("20119", "ok", (0, 0), id="cheat"),
        pytest.param("20122", "ok", (0, 60), id="written for Keras 2"),
    ],
)
def test_each_submission_gets_the_expected_points(
    grades: dict[str, dict[str, Any]], student: str, outcome: str, accuracy: tuple[float, float]
) -> None:
    entry = grades[student]
    assert entry["outcome"] == outcome
    assert accuracy[0] <= points(entry, "accuracy") <= accuracy[1]


def test_a_result_near_the_threshold_needs_review(grades: dict[str, dict[str, Any]]) -> None:
    near = grades["20113"]
    row = next(row for row in near["criteria"] if row["id"] == "accuracy")
    assert row["low"] < 0.80 <= row["high"]
    assert any("Too close to call" in reason for reason in near["review_reasons"])


def test_every_student_has_a_report_and_the_executed_notebook(grades: dict[str, dict[str, Any]], home: Path) -> None:
    for student, entry in grades.items():
        folder = home / "class" / "students" / student
        page = (folder / "report.html").read_text("utf-8")
        assert "<script" not in page.lower()
        if entry["outcome"] != "missing":
            nbformat.validate(nbformat.read(folder / "executed.ipynb", as_version=4))


def test_the_table_for_spreadsheets_has_every_student(grades: dict[str, dict[str, Any]], home: Path) -> None:
    with (home / "class" / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["id"].lstrip("'"): row for row in csv.DictReader(file)}
    absent = rows.pop("20199")  # in the worksheet alone
    assert (absent["outcome"], absent["total"]) == ("absent", "")
    assert rows.keys() == grades.keys()
    assert {student: float(row["total"]) for student, row in rows.items()} == {
        student: entry["total"] for student, entry in grades.items()
    }


def test_the_secret_is_nowhere_in_what_was_written(grades: dict[str, dict[str, Any]], home: Path) -> None:
    secret = next((home / ".config").rglob("secret")).read_bytes()
    written = [path for path in (home / "class").rglob("*") if path.is_file()]
    assert len(written) > len(grades)
    assert not [path for path in written if secret in path.read_bytes()]
