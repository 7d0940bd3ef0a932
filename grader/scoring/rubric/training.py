"""Kind ``training``: how the model was trained.

What it checks: the model was validated on data kept from training, with ``validation_split``, ``validation_data``, or
``evaluate`` on other rows. The calls that really ran are recorded; text and comments do not count.
Why it matters: the loss on the training data says nothing about data the model has not seen.
Example: ``kind = "training"``, ``validation = true``, ``points = 10``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grader.i18n.message import Message, message
from grader.models.assignment import Criterion
from grader.models.grade import Score, scored
from grader.models.run import Run


@dataclass(frozen=True)
class Training(Criterion):
    kind: Literal["training"] = "training"
    validation: Literal[True] = True


def score(criterion: Training, run: Run) -> Score:
    """Give all points if any recorded training was validated, otherwise none.

    A person decides if the notebook's code contradicts the record.
    """
    fits = run.facts.fits
    passed = any(fit.validated for fit in fits) or (bool(fits) and run.facts.held_out_evaluations > 0)
    if passed and run.contradicted is not None:
        return scored(criterion, None, _reason(run, passed), passed=None, n=len(fits), review=run.contradicted)
    points = criterion.points if passed else 0.0
    return scored(criterion, points, _reason(run, passed), passed=passed, n=len(fits))


def _reason(run: Run, passed: bool) -> Message:
    if not run.facts.fits:
        return message("No training was recorded. Train a model with fit().")
    if any(fit.validated for fit in run.facts.fits):
        return message("The training used validation data.")
    if passed:
        return message("The model was evaluated on rows that it was not trained on.")
    return message(
        "{n} trainings were recorded, none with validation data. Use validation_split=0.2 or validation_data.",
        n=len(run.facts.fits),
    )
