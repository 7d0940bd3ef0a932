"""The reference solutions earn full marks when graded like any submission; the starters earn nothing for a model."""

from __future__ import annotations

import os
from pathlib import Path

import jupytext
import nbformat
import pytest

from grader.data.cache.cached_sets import default_library
from grader.models.grade import Graded, Score
from grader.pipeline import Settings, grade_class
from grader.sandbox.process import ProcessSandbox
from grader.spec.loader import load_assignment
from tests.support.notebooks import submission_of
from tests.support.public_sets import add_mnist, bars, needed

ROOT = Path(__file__).parents[2]
SECRET = b"the secret of these tests, 32 bytes long"


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("mnist", "cifar10", "cats-dogs")]
STAND_IN = "mnist, bars for digits"


@pytest.fixture(scope="module", params=["disease", "regression", STAND_IN, *SLOW])
def graded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Graded]:
    name, folder = request.param.split(",")[0], tmp_path_factory.mktemp("graded")
    library = default_library()
    if request.param == STAND_IN:
        library = add_mnist(folder / "library", bars(3000, 1), bars(900, 2))
    elif request.param not in ("disease", "regression"):
        needed(name, library)
    assignment = load_assignment(ROOT / "assignments" / name)
    solution = jupytext.read(ROOT / "reference" / "solutions" / f"{name.replace('-', '_')}.py", fmt="py:percent")
    starter = (assignment.folder / "starter.ipynb").read_bytes()
    submissions = [
        submission_of(folder, "reference", nbformat.writes(solution).encode()),
        submission_of(folder, "starter", starter),
    ]
    settings = Settings(folder / "out", SECRET, jobs=2, library=library)
    results = grade_class(assignment, submissions, ProcessSandbox(os.environ), settings)
    return {result.submission.student.id: result for result in results}


def scores(graded: Graded) -> dict[str, Score]:
    return {score.criterion: score for score in graded.grade.scores}


def test_the_reference_earns_full_marks(graded: dict[str, Graded]) -> None:
    lost = {
        score.criterion: str(score.reason) for score in graded["reference"].grade.scores if score.points != score.max
    }
    assert not lost
    assert graded["reference"].grade.total == graded["reference"].grade.max


def test_the_reference_is_clearly_above_its_threshold(graded: dict[str, Graded]) -> None:
    metric = next(score for score in graded["reference"].grade.scores if score.scale is not None)
    assert metric.low is not None and metric.scale is not None
    # Bars in the place of digits are a straight line's work.
    beaten = [value for name, value in metric.scale.baselines.items() if (name, value) != ("linear", 1.0)]
    assert metric.low > metric.scale.full_at > max(beaten)


def test_the_starter_runs_but_earns_nothing_for_its_model(graded: dict[str, Graded]) -> None:
    starter = scores(graded["starter"])
    assert starter["runs"].points == starter["runs"].max, str(graded["starter"].run.reason)
    metric = next(score for score in starter.values() if score.scale is not None)
    assert metric.points == 0
    assert "No trained model was found" in str(metric.reason)


def test_text_of_the_starter_earns_nothing(graded: dict[str, Graded]) -> None:
    story = scores(graded["starter"]).get("story")
    assert story is None or story.points == 0
