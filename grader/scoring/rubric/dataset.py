"""Kind ``dataset``: the pictures that a group collected.

What it checks: five things, each a fifth of the points: enough classes; enough pictures in each; enough that are
different; the smallest class at least half as large as the largest; every file readable. What is enough says the
assignment's ``[pictures]``.
Why it matters: no model is better than what it learns from, and fifty copies of one picture teach what one does.
Example: ``kind = "dataset"``, ``points = 20``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grader.i18n.message import message
from grader.models.assignment import Criterion
from grader.models.grade import Score
from grader.models.photo_survey import PhotoSurvey
from grader.models.run import Run

BALANCED = 0.5  # smallest class to largest, from which all points are given
PARTS = 5


@dataclass(frozen=True)
class DatasetCollected(Criterion):
    kind: Literal["dataset"] = "dataset"


def score(criterion: DatasetCollected, run: Run) -> Score:
    survey = run.photo_survey
    if survey is None:
        reason = message("The pictures were not looked at.")
        return Score(criterion.id, criterion.title, None, criterion.points, None, reason, review=reason)
    shares = _shares(survey)
    return Score(
        criterion=criterion.id,
        title=criterion.title,
        points=round(criterion.points * sum(shares.values()) / PARTS, 2),
        max=criterion.points,
        passed=min(shares.values()) >= 1,
        reason=message(
            "Of {each:g} points each: {classes:g} for {n_classes} classes ({min_classes} were asked for); {counts:g} "
            "for the pictures in each, {smallest} to {largest} ({min_per_class} were asked for); {distinct:g} for "
            "{different} different pictures among {readable}; {balance:g} for balance, the smallest class having "
            "{ratio:.0%} of the largest; {readability:g} for {readable} readable of {found}.",
            **_numbers(survey),
            **{name: round(criterion.points * share / PARTS, 2) for name, share in shares.items()},
            each=round(criterion.points / PARTS, 2),
        ),
        n=survey.readable,
    )


def _shares(survey: PhotoSurvey) -> dict[str, float]:
    """Of the points of each part, 0.0 to 1.0."""
    classes, enough = survey.asked["classes"], survey.asked["per_class"]
    asked = max(classes, len(survey.classes))  # a class too few is one without pictures
    return {
        "classes": min(1.0, _filled(survey) / classes),
        "counts": sum(min(1.0, one.photos / enough) for one in survey.classes) / asked,
        "distinct": sum(min(1.0, one.distinct / enough) for one in survey.classes) / asked,
        "balance": min(1.0, survey.balance / BALANCED) if len(survey.classes) > 1 else 0.0,
        "readability": survey.readable / survey.found if survey.found else 0.0,
    }


def _filled(survey: PhotoSurvey) -> int:
    return sum(one.photos > 0 for one in survey.classes)


def _numbers(survey: PhotoSurvey) -> dict[str, object]:
    counts = [one.photos for one in survey.classes] or [0]
    return {
        "n_classes": _filled(survey),
        "min_classes": survey.asked["classes"],
        "smallest": min(counts),
        "largest": max(counts),
        "min_per_class": survey.asked["per_class"],
        "different": survey.distinct,
        "ratio": survey.balance,
        "readable": survey.readable,
        "found": survey.found,
    }
