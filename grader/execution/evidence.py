"""Comparison of what a notebook's process says of itself with its code and with its own numbers.

The facts come from the student's process. Points for predictions wait for a person where the model that answered was
never seen training, or where ``predict(X)`` knows more than every trained model. Nothing here uses a hidden label.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from grader.i18n.message import Message, message
from grader.models.facts import Attempt, Facts
from grader.notebook.data_flow import calls_training, depends_on_data

PREDICT = "predict(X)"
FAR_BETTER = 0.1  # of the public accuracy or R²: more than another way of calling the same model explains
CLEARLY_BETTER = 0.02
ACCURACIES = ("val_accuracy", "accuracy", "val_acc", "acc", "val_binary_accuracy", "binary_accuracy")


@dataclass(frozen=True, slots=True)
class Code:
    """Code of a submission: its cells, its own modules by file name, and the names of the data's files."""

    cells: Sequence[str]
    modules: dict[str, str]
    data_files: Collection[str] = ()

    def calls_training(self) -> bool:
        return calls_training([*self.cells, *self.modules.values()])

    def learns(self, name: str) -> bool:
        """Return True if the variable ``name`` depends on the data."""
        modules = {PurePosixPath(path).stem for path in self.modules}
        return depends_on_data([*self.cells, *self.modules.values()], name, self.data_files, modules)


@dataclass(frozen=True, slots=True)
class Findings:
    """Reasons why a person must decide or should look, as in ``Run``."""

    withheld: Message | None = None
    contradicted: Message | None = None
    doubts: tuple[Message, ...] = ()


def examine(facts: Facts | None, code: Code, *, predicted: bool) -> Findings:
    """Return what speaks against the facts; ``predicted`` is True if there are predictions."""
    if facts is None:
        return Findings(_never_trained() if predicted else None)
    contradicted = _contradiction(facts, code)
    withheld = _reason_to_withhold(facts, code) if predicted else None
    doubts = [contradicted] if contradicted is not None else []
    if any(figure.cell < 0 for figure in facts.figures):
        doubts.append(message("The notebook's process reports a figure in a cell that does not exist: look at it."))
    if facts.chosen is not None and withheld is None and predicted:
        doubts += _doubts(facts.chosen, facts, code)
    return Findings(withheld, contradicted, tuple(doubts))


def _contradiction(facts: Facts, code: Code) -> Message | None:
    if not (facts.fits or facts.trained_models) or code.calls_training():
        return None
    return message("The notebook's process reports a training, but no cell trains anything: look at the notebook.")


def _reason_to_withhold(facts: Facts, code: Code) -> Message | None:
    chosen, rival = facts.chosen, facts.rival
    if chosen is None:
        return _never_trained()
    name = _variable(chosen)
    if not (chosen.trained and code.calls_training()):
        return None if name is not None and code.learns(name) else _never_trained()
    if chosen.source != PREDICT:
        return None
    if rival is not None and rival.trained:
        return _far_better(chosen, rival)
    return None if code.learns("predict") else _never_trained()


def _never_trained() -> Message:
    return message(
        "The model that answered was never seen training, and its code does not use the data: it may be a rule or "
        "weights from elsewhere. Decide whether it earns the points."
    )


def _far_better(chosen: Attempt, rival: Attempt) -> Message | None:
    if _difference(chosen, rival) <= FAR_BETTER:
        return None
    return message(
        "predict(X) answers the public rows far better ({own:.3f}) than every model that was seen training "
        "({source}: {other:.3f}). Decide whether it earns the points.",
        own=chosen.public_value,
        source=rival.source,
        other=rival.public_value,
    )


def _doubts(chosen: Attempt, facts: Facts, code: Code) -> list[Message]:
    doubts = []
    if not (chosen.trained and code.calls_training()):
        doubts.append(
            message("No training of {source} was recorded: the notebook computes it by itself. Read how.",
                    source=chosen.source)
        )  # fmt: skip
    rival = facts.rival
    if rival is not None and rival.trained and _is_clearly_better(rival, chosen):
        doubts.append(
            message(
                "{source} was graded. {rival} answers the public rows better ({other:.3f} instead of {own:.3f}), "
                "perhaps because it was trained on them: check which model is meant.",
                source=chosen.source, rival=rival.source, own=chosen.public_value, other=rival.public_value,
            )
        )  # fmt: skip
    reported = _reported_accuracy(facts)
    if reported is not None and chosen.public_value is not None and reported - chosen.public_value > FAR_BETTER:
        doubts.append(
            message(
                "The training reported an accuracy of {reported:.3f}, but {source} reaches {own:.3f} on the public "
                "rows: the preparation of its inputs was perhaps not found.",
                reported=reported, source=chosen.source, own=chosen.public_value,
            )
        )  # fmt: skip
    return doubts


def _is_clearly_better(rival: Attempt, chosen: Attempt) -> bool:
    """Return whether the rival is better, also on public rows that it was not trained on where those are known."""
    known = rival.held_out_value
    held_out = known is None or chosen.public_value is None or known - chosen.public_value > CLEARLY_BETTER
    return held_out and _difference(rival, chosen) > CLEARLY_BETTER


def _difference(first: Attempt, second: Attempt) -> float:
    if first.public_value is None or second.public_value is None:
        return 0.0
    return first.public_value - second.public_value


def _reported_accuracy(facts: Facts) -> float | None:
    """Return the best accuracy at the end of a training, on validation data where there are any."""
    curves = [
        next((fit.curves[name] for name in ACCURACIES if fit.curves.get(name)), None)
        for fit in facts.fits
        if not fit.steps
    ]
    return max((curve[-1] for curve in curves if curve), default=None)


def _variable(chosen: Attempt) -> str | None:
    """Return the variable that holds the model, or None for one without a variable."""
    name = "predict" if chosen.source == PREDICT else chosen.source.partition("[")[0]
    return name if name.isidentifier() else None
