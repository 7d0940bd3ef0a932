"""A file that every notebook of a class reads and nobody gives: told first, and no student loses points by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pytest

from grader.cli.class_survey import survey_class
from grader.cli.commands import grade_command
from grader.cli.commands.grade_command import GradeOptions
from grader.cli.terminal import screen
from grader.data import hidden_sets
from grader.data.needs.files import missing_file
from grader.data.needs.survey import class_wide_files
from grader.grading.results import read_results
from grader.i18n.catalogue import translation
from grader.models.assignment import Assignment
from grader.models.grade import Graded
from grader.models.submission import Submission
from grader.pipeline import ClassFiles, Settings, grade_class
from grader.sandbox.base import Job, Reply, Sandbox
from grader.sandbox.fake import FakeSandbox, finished
from grader.sandbox.guest.output_forms import Array
from tests.support.assignment_folders import coins
from tests.support.fake_runs import FITTED, SECRET
from tests.support.notebooks import notebook_bytes, submission

READ = "import pandas as pd\ntable = pd.read_csv('data/heart.csv')"


@pytest.fixture
def assignment(tmp_path: Path) -> Assignment:
    return coins(tmp_path / "coins")


def points(graded: Graded) -> dict[str, float | None]:
    return {score.criterion: score.points for score in graded.grade.scores}


def graded_class(assignment: Assignment, handed: list[Submission], sandbox: Sandbox, out: Path) -> dict[str, Graded]:
    lacking = class_wide_files(survey_class(handed, assignment, None))
    results = grade_class(assignment, handed, sandbox, Settings(out, SECRET, lacking_files=lacking))
    return {graded.submission.student.id: graded for graded in results}


def failing(job: Job) -> Reply:
    """Reply as a run without the files that its first cell reads, except those of the job."""
    reply = finished(job)
    executed = nbformat.reads((reply.executed or b"").decode(), as_version=4)
    cell = executed.cells[0]
    path = next((path for path in ("own.csv", "coins.csv", "data/heart.csv") if path in cell.source), "coins.csv")
    if path in job.files:
        return reply
    text = f"[Errno 2] No such file or directory: '{path}'"
    cell.outputs = [nbformat.v4.new_output("error", ename="FileNotFoundError", evalue=text, traceback=[])]
    return replace(reply, executed=nbformat.writes(executed).encode())


def answers_of(assignment: Assignment) -> Callable[[Array], Array]:
    """Return a model that knows every hidden answer."""
    inputs = hidden_sets.hidden_inputs(assignment, SECRET)
    labels = hidden_sets.open_hidden_set(assignment, SECRET).labels
    known = {tuple(row): label for row, label in zip(inputs, labels, strict=True)}
    return lambda rows: np.array([known[tuple(row)] for row in rows])


def test_a_file_that_the_whole_class_lacks_costs_no_student_a_point(assignment: Assignment, tmp_path: Path) -> None:
    handed = [
        submission(tmp_path, "ann", READ),
        submission(tmp_path, "bob", f"pd.read_csv('own.csv')\n{READ}"),
        submission(tmp_path, "cai", f"{READ}  # cai's model answers all the same"),
        submission(tmp_path, "dot", "#md Nothing yet"),
    ]

    def script(job: Job) -> Reply:
        if b"cai's model" not in job.notebook:
            return failing(job)
        predictions = finished(job, answers=answers_of(assignment), facts=FITTED)
        return replace(predictions, executed=failing(job).executed)

    results = graded_class(assignment, handed, FakeSandbox(script), tmp_path / "out")
    ann, bob, cai = results["ann"], results["bob"], results["cai"]
    assert (points(ann)["runs"], points(ann)["accuracy"], ann.grade.total) == (None, None, None)
    assert any("Every notebook of the class reads heart.csv" in str(reason) for reason in ann.grade.review_reasons)
    assert (points(bob)["runs"], points(bob)["accuracy"]) == (0, 0), "own.csv is bob's own matter"
    assert (points(cai)["runs"], points(cai)["accuracy"]) == (None, 60), "what was measured stays"
    assert points(results["dot"])["accuracy"] == 0
    assert not any("Every notebook" in str(reason) for reason in bob.grade.review_reasons)


def test_one_student_alone_cannot_leave_zeros_open(assignment: Assignment, tmp_path: Path) -> None:
    handed = [submission(tmp_path, name, "pd.read_csv('coins.csv')") for name in ("ann", "bob", "cai")]
    handed.append(submission(tmp_path, "eve", READ))
    results = graded_class(assignment, handed, FakeSandbox(failing), tmp_path / "out")
    assert points(results["eve"])["runs"] == points(results["eve"])["accuracy"] == 0
    assert results["eve"].run.lacking is None


def test_real_errors_name_the_file(assignment: Assignment, tmp_path: Path, sandbox: Sandbox) -> None:
    cells = [
        READ,
        "import numpy as np\nnp.loadtxt('heart.csv')",
        "import h5py\nh5py.File('heart.h5', 'r')",
        "from PIL import Image\nImage.open('/content/heart.png')",
        "import os\nos.listdir('photos/train/')",
        "from skimage.io import imread\nimread('heart.png')",
    ]
    handed = [submission(tmp_path, name, *cells) for name in ("ann", "bob", "cai")]
    lacking = class_wide_files(survey_class(handed, assignment, None))
    assert lacking == {"heart.csv", "heart.h5", "heart.png", "train"}
    settings = Settings(tmp_path / "out", SECRET, lacking_files=lacking)
    (ann,) = grade_class(assignment, handed[:1], sandbox, settings)
    errors = [cell.error for cell in ann.run.cells if cell.error is not None]
    found = [missing_file(error.name, error.message) for error in errors]
    assert found == ["heart.csv", "heart.csv", "heart.h5", "heart.png", "train", "heart.png"]
    assert (points(ann)["runs"], points(ann)["accuracy"], ann.grade.total) == (None, None, None)


def test_the_command_says_it_before_anything_runs(
    assignment: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(screen, "width", 200)
    folder = tmp_path / "handed-in"
    for name in ("ann", "bob", "cai"):
        (folder / name).mkdir(parents=True)
        (folder / name / "hw.ipynb").write_bytes(notebook_bytes(f"import torchaudio\n{READ}"))
    given, options = ClassFiles((folder,)), GradeOptions(tmp_path / "out", "auto", 1)
    sandbox = FakeSandbox(failing)
    grade_command.grade(assignment, given, options, translation("en"), lambda *_, **__: sandbox)
    lines = capsys.readouterr().out.splitlines()
    first = next(number for number, line in enumerate(lines) if "Asked for by the notebooks" in line)
    assert "heart.csv" in lines[first + 2] and "every notebook reads it" in lines[first + 2]
    assert "torchaudio" in lines[first + 3]
    assert any(line.startswith("Every notebook of the class reads heart.csv") for line in lines)
    assert {row.total for row in read_results(tmp_path / "out").submissions} == {None}
