"""Kind ``dataset``: the pictures that a group collected.

What it checks: five parts, each a fifth of the points: enough classes; enough pictures in each; enough different
pictures in each; the smallest class at least half as large as the largest; every file readable. The assignment's
``[pictures]`` sets how many are enough.
Why it matters: a model cannot be better than its data, and fifty copies of one picture teach no more than one.
Example: ``kind = "dataset"``, ``points = 20``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grader.i18n.message import message
from grader.models.assignment import Criterion
from grader.models.grade import Score, scored
from grader.models.photo_survey import PhotoSurvey
from grader.models.run import Run

BALANCED = 0.5  # smallest class to largest; from here on all points for balance
PARTS = 5


@dataclass(frozen=True)
class DatasetCollected(Criterion):
    kind: Literal["dataset"] = "dataset"


def score(criterion: DatasetCollected, run: Run) -> Score:
    """Score each of the five parts; pictures that were not examined are left to a person."""
    survey = run.photo_survey
    if survey is None:
        reason = message("The pictures were not examined.")
        return scored(criterion, None, reason, passed=None, review=reason)
    shares = _shares(survey)
    counts = [row.photos for row in survey.classes] or [0]
    reason = message(
        "{each:g} points for each of five parts. Classes: {classes:g} ({n_classes} found, {min_classes} required). "
        "Pictures per class: {counts:g} ({smallest} to {largest}, {min_per_class} required). Different pictures: "
        "{distinct:g} ({different} of {readable}). Balance: {balance:g} (the smallest class has {ratio:.0%} of the "
        "largest). Readable files: {readability:g} ({readable} of {found}).",
        **{part: round(criterion.points * share / PARTS, 2) for part, share in shares.items()},
        each=round(criterion.points / PARTS, 2),
        n_classes=_classes_with_pictures(survey),
        min_classes=survey.asked["classes"],
        smallest=min(counts),
        largest=max(counts),
        min_per_class=survey.asked["per_class"],
        different=survey.distinct,
        ratio=survey.balance,
        readable=survey.readable,
        found=survey.found,
    )
    points = round(criterion.points * sum(shares.values()) / PARTS, 2)
    return scored(criterion, points, reason, passed=min(shares.values()) >= 1, n=survey.readable)


def _shares(survey: PhotoSurvey) -> dict[str, float]:
    """Return the share of the points that each part earns, 0.0 to 1.0."""
    classes, enough = survey.asked["classes"], survey.asked["per_class"]
    asked = max(classes, len(survey.classes))  # a missing class counts as a class without pictures
    return {
        "classes": min(1.0, _classes_with_pictures(survey) / classes),
        "counts": sum(min(1.0, row.photos / enough) for row in survey.classes) / asked,
        "distinct": sum(min(1.0, row.distinct / enough) for row in survey.classes) / asked,
        "balance": min(1.0, survey.balance / BALANCED) if len(survey.classes) > 1 else 0.0,
        "readability": survey.readable / survey.found if survey.found else 0.0,
    }


def _classes_with_pictures(survey: PhotoSurvey) -> int:
    return sum(row.photos > 0 for row in survey.classes)
