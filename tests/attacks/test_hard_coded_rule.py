"""The published rule of a generator written into a notebook, and text that nobody sees, in place of learning."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader.data.generators import draw_own_table
from grader.data.tables import write_table
from grader.lms.archive.submissions import read_submissions
from grader.models.grade import Graded, Score
from grader.pipeline import Settings, grade_class
from grader.sandbox.base import Sandbox
from grader.spec.discovery import by_name
from grader.spec.loader import load_assignment
from tests.support.assignment_folders import data_of
from tests.support.notebooks import notebook_bytes

SECRET = b"a teacher's secret, of thirty-two bytes or more"
WARNING = "patients.csv is the published one, so its rule is public"
STORY = "<!-- " + "".join(f"step {n} because of reason {n * 7}; " for n in range(100)) + " -->"

RULE = """
import numpy as np
W = np.array([0, .45, .40, 0, -.3, .30, 0, .20])
def predict(X):
    z = (np.asarray(X, float) - 50) / 22
    return (z @ W + 1.15 * ((.8 * z[:, 0] - .8 * z[:, 3]) ** 2 - .78) > 0).astype(int)
"""
HONEST = """
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
table = np.genfromtxt("patients.csv", delimiter=",", skip_header=1)
model = HistGradientBoostingClassifier(random_state=0).fit(table[:, :-1], table[:, -1])
"""


@pytest.fixture(scope="module")
def graded(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict[str, Graded]]]:
    """Two students, graded with the published table and with the teacher's own."""
    folder = tmp_path_factory.mktemp("rule")
    published, own = by_name("disease"), folder / "own"
    shutil.copytree(published.folder, own, ignore=shutil.ignore_patterns("samples", "__pycache__"))
    table = data_of(load_assignment(own)).table
    write_table(table, data_of(published), draw_own_table(published, SECRET))
    (folder / "in").mkdir()
    (folder / "in" / "rule.ipynb").write_bytes(notebook_bytes(f"#md{STORY}", RULE))
    (folder / "in" / "honest.ipynb").write_bytes(
        notebook_bytes("#mdTrees, because the limits are not straight.", HONEST)
    )
    results = {}
    for name, assignment in (("published", published), ("own", load_assignment(own))):
        work = folder / name
        submissions = read_submissions([folder / "in"], lms="folder", workspace=work / "w", assignment=assignment)
        done = grade_class(assignment, submissions.submissions, sandbox, Settings(work / "out", SECRET))
        results[name] = (work / "out", {one.submission.notebook_name.split(".")[0]: one for one in done})
    return results


def score(graded: Graded, criterion: str) -> Score:
    return next(score for score in graded.grade.scores if score.criterion == criterion)


def test_the_published_rule_earns_little_with_a_table_of_the_teachers_own(
    graded: dict[str, tuple[Path, dict[str, Graded]]],
) -> None:
    _, students = graded["own"]
    assert (score(students["rule"], "accuracy").value or 0) < 0.7
    assert score(students["honest"], "accuracy").points == pytest.approx(60, abs=3)


def test_grading_with_the_published_table_says_that_its_rule_is_public(
    graded: dict[str, tuple[Path, dict[str, Graded]]],
) -> None:
    out, students = graded["published"]
    measured = score(students["rule"], "accuracy")
    assert (measured.value or 0) > 0.88, "which is why it is said"
    assert measured.points is None, "nothing was learnt from the data: a person decides"
    assert WARNING in (out / "index.html").read_text("utf-8")
    assert WARNING not in (graded["own"][0] / "index.html").read_text("utf-8")


def test_a_comment_is_not_paid_as_written_text(graded: dict[str, tuple[Path, dict[str, Graded]]]) -> None:
    for _, students in graded.values():
        assert score(students["rule"], "story").points == 0
        assert (score(students["honest"], "story").points or 0) > 0
