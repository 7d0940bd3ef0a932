"""Points for collected pictures: a fifth for each of five parts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.models.photo_survey import PhotoClass, PhotoSurvey
from grader.models.run import Outcome, Run
from grader.scoring.rubric.dataset import DatasetCollected, score

CRITERION = DatasetCollected("collected", 20)
ASKED = {"classes": 3, "per_class": 20}


def survey(*classes: tuple[int, int], unreadable: int = 0) -> PhotoSurvey:
    """Return a survey of classes, each with its number of pictures and of different pictures."""
    rows = tuple(PhotoClass(f"c{n}", pictures, distinct, 0, pictures) for n, (pictures, distinct) in enumerate(classes))
    readable = sum(pictures for pictures, _distinct in classes)
    return PhotoSurvey(rows, found=readable + unreadable, readable=readable, asked=ASKED)


@pytest.mark.parametrize(
    ("found", "points"),
    [
        pytest.param(survey((20, 20), (30, 25), (40, 40)), 20, id="all that was asked for"),
        pytest.param(survey((100, 20), (20, 20), (20, 20)), 20, id="many variations"),
        pytest.param(survey((20, 20), (20, 20)), 4 * 2 / 3 * 3 + 8, id="a class too few"),
        pytest.param(survey((20, 10), (20, 10), (20, 10)), 18, id="half of them copies"),
        pytest.param(survey((10, 10), (10, 10), (10, 10)), 16, id="half as many"),
        pytest.param(survey((20, 20), (100, 100), (100, 100)), 4 * 4 + 4 * 0.4, id="not balanced"),
        pytest.param(survey((20, 20), (20, 20), (20, 20), unreadable=20), 16 + 4 * 0.75, id="a quarter unreadable"),
        pytest.param(survey((300, 1), (300, 1), (300, 1)), 4 * 4 + 4 / 20, id="one picture, 300 times"),
        pytest.param(survey(), 0, id="nothing"),
        pytest.param(survey((0, 0), (0, 0), (0, 0), unreadable=60), 0, id="nothing readable"),
        pytest.param(survey((60, 60)), 4 / 3 * 3 + 4, id="one class"),
        pytest.param(survey((20, 20), (20, 20), (20, 20), (0, 0)), 4 + 2 * 3 + 4, id="and an empty folder"),
    ],
)
def test_points_of_a_survey(found: PhotoSurvey, points: float) -> None:
    result = score(CRITERION, Run(Outcome.OK, photo_survey=found))
    assert result.points == pytest.approx(points, abs=0.01)
    assert result.passed == (points == 20)


def test_the_reason_names_every_part() -> None:
    reason = str(score(CRITERION, Run(Outcome.OK, photo_survey=survey((20, 10), (40, 30), unreadable=4))).reason)
    assert reason == (
        "4 points for each of five parts. Classes: 2.67 (2 found, 3 required). Pictures per class: 2.67 (20 to 40, 20 "
        "required). Different pictures: 2 (40 of 60). Balance: 2.67 (the smallest class has 33% of the largest). "
        "Readable files: 3.75 (60 of 64)."
    )


def test_pictures_that_were_not_examined_need_review() -> None:
    result = score(CRITERION, Run(Outcome.OK))
    assert (result.points, result.max) == (None, 20)
    assert result.review is not None


def test_points_scale_with_the_criterion() -> None:
    result = score(replace(CRITERION, points=5), Run(Outcome.OK, photo_survey=survey((20, 20), (20, 20), (20, 20))))
    assert result.points == 5
