"""All kinds of criteria. A new kind is a new module in this package and one line in ``KINDS``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

from grader.models.assignment import Criterion
from grader.models.grade import Score
from grader.models.run import Run
from grader.scoring.rubric import (
    architecture,
    augmentation,
    course_test,
    dataset,
    document,
    executes,
    figure,
    manual,
    metric,
    training,
)
from grader.scoring.rubric.metric import Truth


@dataclass(frozen=True, slots=True)
class CriterionKind:
    """A class of criteria and the function that scores them."""

    criterion: type[Criterion]
    score: Callable[..., Score]  # (criterion, run), or with needs_truth (criterion, run, truth)
    needs_truth: bool = False
    needs_notebook: bool = True  # without a notebook that can run, the criterion earns nothing
    in_assignment_file: bool = True  # assignment.toml may name it

    def judge(self, criterion: Criterion, run: Run, truth: Truth | None) -> Score:
        return self.score(criterion, run, truth) if self.needs_truth else self.score(criterion, run)


KINDS = (
    CriterionKind(architecture.Architecture, architecture.score),
    CriterionKind(augmentation.Augmentation, augmentation.score),
    CriterionKind(course_test.Tested, course_test.score, in_assignment_file=False),
    CriterionKind(dataset.DatasetCollected, dataset.score),
    CriterionKind(document.DocumentHandedIn, document.score, needs_notebook=False),
    CriterionKind(executes.Executes, executes.score),
    CriterionKind(figure.FigureDrawn, figure.score),
    CriterionKind(manual.Manual, manual.score),
    CriterionKind(metric.MetricReached, metric.score, needs_truth=True),
    CriterionKind(training.Training, training.score),
)

_BY_CLASS = {kind.criterion: kind for kind in KINDS}
_IN_FILE = tuple(kind.criterion for kind in KINDS if kind.in_assignment_file)
NAMES = sorted(str(criterion.__dict__["kind"]) for criterion in _IN_FILE)

# The union is for pydantic, which reads an assignment file; a type checker sees the base class.
if TYPE_CHECKING:
    AnyCriterion = Criterion
else:
    AnyCriterion = Union[_IN_FILE]  # noqa: UP007  made of a tuple


def kind_of(criterion: Criterion) -> CriterionKind:
    """Return the kind of ``criterion``; raises ``TypeError`` for a class that is not registered."""
    kind = _BY_CLASS.get(type(criterion))
    if kind is None:
        raise TypeError(f"no judge for {type(criterion).__name__}")
    return kind
