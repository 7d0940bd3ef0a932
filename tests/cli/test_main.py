"""The command line as users meet it: help, clear lines for mistakes, exit statuses."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.notebooks import TRAIN, notebook_bytes

ROOT = Path(__file__).parents[2]


def environment(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "COLUMNS": "100", "LANG": "C.UTF-8"}


def grader(home: Path, *arguments: str, lang: str = "C.UTF-8") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grader", *arguments],
        env=environment(home) | {"LANG": lang},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def assert_clear(done: subprocess.CompletedProcess[str], *, says: str) -> None:
    """Check for one clear line, exit status 1 and no traceback."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


COMMANDS = ("demo", "grade", "check", "export", "push", "assignments", "doctor")


@pytest.mark.parametrize("command", ["", *COMMANDS, "data", "data fetch"])
def test_help(tmp_path: Path, command: str) -> None:
    done = grader(tmp_path, *command.split(), "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout
    assert command in done.stdout


def test_every_command_is_in_the_readme_or_the_usage_page() -> None:
    from grader.cli.main import app

    text = "".join((ROOT / page).read_text("utf-8") for page in ("README.md", "docs/usage.md"))
    named = set(re.findall(r"(?:^|[`\s])grader ([a-z]+)", text))
    known = {(command.name or command.callback.__name__) for command in app.registered_commands if command.callback}
    assert known == set(COMMANDS)
    assert named & known == known, "each command is shown there"


def test_assignments_in_both_languages(tmp_path: Path) -> None:
    assert "disease" in grader(tmp_path, "assignments").stdout
    assert "代號" in grader(tmp_path, "assignments", lang="zh_TW.UTF-8").stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(
            ["grade", "dissease", "hw.ipynb"],
            "dissease: no such assignment; expected one of cats-dogs, cifar10, disease, ",
            id="assignment",
        ),
        pytest.param(["grade", "disease", "nowhere"], "nowhere", id="path"),
        pytest.param(["grade", "disease", "empty"], "empty", id="no submission"),
        pytest.param(["grade", "disease", "hw.ipynb", "--out", "hw.ipynb"], "cannot be written", id="output"),
        pytest.param(["check", "nowhere.ipynb"], "nowhere.ipynb: file not found", id="check"),
        pytest.param(["check", "hw.ipynb"], "say --assignment", id="not recognised"),
        pytest.param(["check", "--assignment", "x", "hw.ipynb"], "x: no such assignment", id="check assignment"),
        pytest.param(["grade", "disease", "hw.ipynb", "--lms", "moodle"], "Moodle", id="another LMS"),
        pytest.param(["grade", "disease", "hw.ipynb", "--due", "2026-11-30"], "--due: found 2026-11-30", id="due"),
        pytest.param(["grade", "disease", "hw.ipynb", "--late", "percent:10"], "no due time", id="late"),
        pytest.param(["grade", "disease", "hw.ipynb", "--roster", "hw.ipynb"], "hw.ipynb", id="roster"),
        pytest.param(["grade", "disease", "hw.ipynb", "--extensions", "x.csv"], "no due time", id="extensions"),
        pytest.param(["grade", "disease", "hw.ipynb", "--regrade", "x"], "--regrade x: nobody of", id="regrade"),
        pytest.param(["export", "empty"], "Give the folder that grader grade wrote", id="no results"),
        pytest.param(
            ["push", "graded", "--to", "canvas", "--url", "http://school.example", "--assignment", "1"],
            "expected an address such as https://",
            id="not encrypted",
        ),
        pytest.param(
            ["push", "graded", "--to", "moodle", "--url", "https://school.example", "--assignment", "1"],
            "There is no token for school.example",
            id="no token",
        ),
    ],
)
def test_a_mistake_is_one_clear_line(tmp_path: Path, arguments: list[str], says: str) -> None:
    for folder in ("empty", "graded"):
        (tmp_path / folder).mkdir()
    (tmp_path / "graded" / "grades.json").write_text('{"assignment": "disease", "submissions": []}')
    (tmp_path / "hw.ipynb").write_bytes(notebook_bytes("1"))
    assert_clear(grader(tmp_path, *arguments), says=says)


def test_a_broken_assignment_reports_every_problem(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "assignment.toml").write_text('id = "mine"\n[[rubric]]\nid = "a"\nkind = "metrik"\npoints = "x"\n')
    (tmp_path / "hw.ipynb").write_bytes(notebook_bytes("1"))
    done = grader(tmp_path, "grade", "mine", "hw.ipynb")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    lines = done.stderr.replace("\n", " ")
    assert "rubric[0].kind: found 'metrik'" in lines
    assert "version: missing" in lines and "title: missing" in lines


def test_wrong_usage_is_reported(tmp_path: Path) -> None:
    done = grader(tmp_path, "grade")
    assert done.returncode == 2
    assert "Missing argument" in done.stderr


def test_a_folder_of_notebooks_is_graded(tmp_path: Path) -> None:
    handed_in = tmp_path / "handed in"
    handed_in.mkdir()
    (handed_in / "good.ipynb").write_bytes(notebook_bytes("#md" + "why " * 300, TRAIN))
    (handed_in / "broken.ipynb").write_bytes(b"")
    done = grader(tmp_path, "grade", "disease", "handed in", "--jobs", "2", "--lang", "zh-TW", "--budget", "77")
    assert done.returncode == 0, done.stderr
    grades = json.loads((tmp_path / "grader-out" / "grades.json").read_text("utf-8"))
    outcomes = {entry["student"]["id"]: entry["outcome"] for entry in grades["submissions"]}
    assert outcomes == {"good": "ok", "broken": "missing"}
    assert 'lang="zh-TW"' in (tmp_path / "grader-out" / "index.html").read_text("utf-8")
    assert "77 秒" in (tmp_path / "grader-out" / "students" / "good" / "report.html").read_text("utf-8")
    secret = next((tmp_path / ".config").rglob("secret"))
    assert secret.stat().st_mode & 0o777 == 0o600


def test_students_check_themselves_without_the_secret(tmp_path: Path) -> None:
    (tmp_path / "mine.ipynb").write_bytes(notebook_bytes(TRAIN))
    done = grader(tmp_path, "check", "mine.ipynb")
    assert done.returncode == 0, done.stderr
    assert "practice rows" in done.stdout
    assert not list(tmp_path.rglob("secret")), "no secret is made, none is needed"
    assert (tmp_path / "grader-check" / "students" / "mine" / "report.html").exists()


def test_ctrl_c_leaves_valid_files_for_what_was_finished(tmp_path: Path) -> None:
    handed_in = tmp_path / "handed-in"
    handed_in.mkdir()
    (handed_in / "a.ipynb").write_bytes(notebook_bytes(TRAIN))
    (handed_in / "b.ipynb").write_bytes(notebook_bytes("import time; time.sleep(200)"))
    # Started in the background, as by a script, a program would be told to ignore Ctrl-C.
    listening = ["env", "--default-signal=INT", sys.executable, "-m", "grader"]
    command = [*listening, "grade", "disease", "handed-in", "--jobs", "1", "--out", "out"]
    process = subprocess.Popen(
        command, env=environment(tmp_path), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    report = tmp_path / "out" / "students" / "a" / "report.html"
    deadline = time.monotonic() + 200
    while not report.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert report.exists()
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 130, stderr
    assert "Stopped. 1 of 2 were graded" in stderr.replace("\n", " ")
    assert "Traceback" not in stderr
    grades = json.loads((tmp_path / "out" / "grades.json").read_text("utf-8"))
    assert [entry["student"]["id"] for entry in grades["submissions"]] == ["a"]
    assert not (tmp_path / "out" / "students" / "b").exists()
    (handed_in / "b.ipynb").write_bytes(notebook_bytes("x = 1"))
    again = grader(tmp_path, "grade", "disease", "handed-in", "--out", "out")
    assert again.returncode == 0, again.stderr
    assert "1 of 2 submissions were graded before" in again.stderr.replace("\n", " ")


def test_the_doctor_tries_everything(tmp_path: Path) -> None:
    done = grader(tmp_path, "doctor")
    assert done.returncode == 0, done.stdout
    for part in (
        "Python",
        "training step",
        "GPU",
        "Confinement: namespaces",
        "Memory limit",
        "Assignment disease",
        "Secret",
        "Packages of notebooks",
    ):
        assert part in done.stdout
