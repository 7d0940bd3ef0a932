"""How a model's output may be read as answers to the question: its forms, its order of the classes, its scale."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..output_forms import MODEL_FORMS, Array, Form, one_column
from ..safe_call import attribute
from .class_order import SHOWN, Order, named_orders, reordered, text_readings, unmistakable_order
from .model_discovery import is_fitted
from .public_rows import Question

UNDONE_BY, IN_THE_ORDER_OF = "undone by ", "in the order of "
FROM_1 = "counted from 1"
OF_MANY = {name: MODEL_FORMS[name] for name in ("labels", "scores")}

Read = Callable[[Array], Array]


@dataclass(frozen=True)
class Reading:
    name: str
    read: Read  # raises ValueError where the output has changed its form
    guess: bool = False


def readings(raw: Array, question: Question, variables: list[tuple[str, Any]]) -> Iterator[Reading]:
    """The plainest first; none when ``raw``, the output for the question's rows, cannot be read as answers."""
    if question.task == "regression":
        if one_column(raw) is not None:
            yield Reading("values", _column)
            yield from _unscaled(variables)
            yield from _rescaled(question.targets.astype(np.float64))
    elif raw.dtype.kind in "OSU":
        for name, text in text_readings(raw, question.targets, variables):
            yield Reading(_joined("labels", name), text, guess=name == SHOWN)
    else:
        # As the host has it, a number between two classes is a probability only where there are but two.
        forms = MODEL_FORMS if question.targets.max() < 2 else OF_MANY
        for form, read in forms.items():
            codes = read(raw)
            if codes is not None:
                yield from _ordered(form, read, codes, question, variables)


def _ordered(
    form: str, read: Form, codes: Array, question: Question, variables: list[tuple[str, Any]]
) -> Iterator[Reading]:
    plain = _must(read)
    yield Reading(form, plain)
    for name, order in named_orders(variables):
        yield _in_order(form, plain, name, order)
    last = int(question.targets.max())
    if codes.min() >= 1 and codes.max() == last + 1:
        yield Reading(_joined(form, FROM_1), lambda raw: plain(raw) - 1, guess=True)
    shown = unmistakable_order(codes, question.targets)
    if shown and any(place != number for place, number in shown.items()):
        yield _in_order(form, plain, SHOWN, shown)


def _in_order(form: str, plain: Read, name: str, order: Order) -> Reading:
    # Whoever named it: a list of numbers in the notebook may be about something else.
    return Reading(_joined(form, name), lambda raw: reordered(plain(raw), order), guess=True)


def _joined(form: str, order: str) -> str:
    known = order in ("", SHOWN, FROM_1)
    return ", ".join(part for part in (form, order if known else IN_THE_ORDER_OF + order) if part)


def _must(read: Form) -> Read:
    def strictly(raw: Array) -> Array:
        answers = read(raw)
        if answers is None:
            raise ValueError("the output changed its form")
        return answers

    return strictly


def _column(raw: Array) -> Array:
    column = one_column(raw)
    if column is None:
        raise ValueError("the output changed its form")
    return column


def _unscaled(variables: list[tuple[str, Any]]) -> Iterator[Reading]:
    """Taking back a scaler which the notebook may have fitted to its targets."""
    for name, value in variables:
        undo = attribute(value, "inverse_transform")
        if callable(undo) and is_fitted(value) and attribute(value, "n_features_in_") == 1:
            yield Reading(f"values, {UNDONE_BY}{name}", functools.partial(_undone, undo))


def _undone(undo: Callable[[Array], Any], raw: Array) -> Array:
    return np.asarray(undo(np.reshape(_column(raw), (-1, 1))))[:, 0]


def _rescaled(targets: Array) -> Iterator[Reading]:
    """Taking back what the notebook may have done to its targets by hand."""
    ways = {
        "y * std + mean": (targets.std(), targets.mean()),
        "y * (max - min) + min": (targets.max() - targets.min(), targets.min()),
        "y * max": (targets.max(), 0.0),
    }
    for word, (times, plus) in ways.items():
        yield Reading(f"values, {word}", functools.partial(_line, float(times), float(plus)), guess=True)


def _line(times: float, plus: float, raw: Array) -> Array:
    line: Array = _column(raw).astype(np.float64) * times + plus
    return line
