"""What a teacher should know of the grades themselves before they go back."""

from __future__ import annotations

import math
from collections.abc import Iterator

from grader.grading.results import Results
from grader.i18n.message import Message, message

_ROUNDING = 0.011  # a total is rounded to two digits


def doubts(results: Results) -> Iterator[Message]:
    """Where a total and its points say different things, as after somebody edited one of them alone."""
    for one in results.submissions:
        points = [each.points for each in one.criteria if each.points is not None]
        if not one.criteria or len(points) < len(one.criteria):
            continue
        if one.total is None:
            yield message(
                "{student}: every criterion has its points ({sum:g}), but the total is open and is not given back; "
                "write it into grades.json.",
                student=one.student.name, sum=sum(points),
            )  # fmt: skip
        elif not math.isclose(one.total + one.taken_off, sum(points), abs_tol=_ROUNDING):
            yield message(
                "{student}: the total of {total:g} is given back, though the points add up to {sum:g}.",
                student=one.student.name, total=one.total, sum=round(sum(points), 2),
            )  # fmt: skip
