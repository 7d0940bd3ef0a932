"""Looks for the notebook's answers: which of its models, its inputs prepared how, its output read how.

Decided by the public rows, whose answers are known. ``predict(X)`` defined by the notebook always wins; otherwise the
variable ``model``, then the model fitted last, then any other fitted one. Plainer comes first, and a guess must be
clearly better than what the notebook itself tells.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..output_forms import ANSWER_FORMS, Array, one_column
from ..record import recorder
from ..safe_call import as_array, found_in_time, time_limit
from .input_spec import wish_of
from .model_discovery import answering, is_keras, models, network_of, variables
from .output_decoding import Reading, readings
from .plans import MEASURING_SECONDS, PREDICT, Plan, Search, answers, asked, best_of, said, unreadable
from .preprocessing import RAW, Known, Preparation, data_frame, known_from, preparations
from .public_rows import Question
from .reshaping import Row

MAX_MODELS = 5
SAME_RANGE = 0.2  # of the spread of the inputs that a model was fitted with
PIECE = 1 << 20  # numbers that a model is given at once: rows of a table by the thousand, photos by the dozen


def find_plan(namespace: dict[str, Any], question: Question, attempts: list[dict[str, Any]]) -> Plan | None:
    """None when nothing fits; ``attempts`` then says what was tried."""
    search = Search(namespace, question.sample(), attempts)
    function = namespace.get("predict")
    if callable(function):
        plan = _function_plan(function, search)
        # One that cannot even be called so is another function; one that gives nonsense is the student's answer.
        if plan is not None or search.answered:
            return plan and _measured(plan, question)
    plan = _model_plan(search)
    return plan and _measured(plan, question)


def _measured(plan: Plan, question: Question) -> Plan:
    """The same, its value taken on all public rows."""
    try:
        with time_limit(MEASURING_SECONDS):
            plan.value = question.value(_values(plan.answer(question.inputs), question))
    except Exception:  # noqa: BLE001, S110  its value on the fewer rows stands
        pass
    return plan


def _values(raw: Array, question: Question) -> Array:
    """What ``predict(X)`` gave, as the host will read it; a model's answers have been read already."""
    if question.task == "regression":
        column = one_column(raw)
    else:
        column = next((found for form in ANSWER_FORMS.values() if (found := form(raw)) is not None), None)
    if column is None:
        raise ValueError("cannot be read as answers")
    return column


# ------------------------------------------------------------------ predict(X)


def _function_plan(function: Callable[[Any], Any], search: Search) -> Plan | None:
    """``predict(X)`` gets the raw inputs: an array, a data frame, or for a single column a plain vector.

    Its answers are handed on as they are, so that the host's own strict reading decides what they mean.
    """
    question = search.question
    ways: dict[str, Callable[[Array], Any]] = {RAW: lambda X: X}
    if question.inputs.ndim == 2 and question.inputs.shape[1] == len(question.columns):
        ways["data frame"] = data_frame(question.columns)
    if question.inputs.ndim == 2 and question.inputs.shape[1] == 1:
        ways["vector"] = lambda X: X[:, 0]
    for name, prepare in ways.items():

        def ask(X: Array, prepare: Callable[[Array], Any] = prepare) -> Array:
            return as_array(function(prepare(X)))

        raw = asked(ask, search, PREDICT, name)
        if isinstance(raw, Exception):
            continue
        forms = ANSWER_FORMS if question.task == "classification" else {"values": one_column}
        for form, read in forms.items():
            column = read(raw)
            if column is not None:
                value = question.value(column)
                search.note(PREDICT, name, form=form, value=value)
                return Plan(PREDICT, name, form, ask, value)
        search.note(PREDICT, name, problem=unreadable(raw))
    return None


# ------------------------------------------------------------------ models


def _model_plan(search: Search) -> Plan | None:
    named = found_in_time(lambda: variables(search.namespace))
    columns = search.question.columns
    (known,) = found_in_time(lambda: [known_from(named, search.namespace.get("In"), columns)]) or [Known(columns)]
    best: Plan | None = None
    for name, model in found_in_time(lambda: list(models(search.namespace)))[:MAX_MODELS]:
        found = best_of(_model_plans(name, model, named, known, search), search.question)
        best = max((plan for plan in (best, found) if plan), key=lambda plan: plan.value, default=None)
        if found and answers(found, search.question) and not _is_untrained(model):
            break
    return best


def _is_untrained(model: Any) -> bool:
    """Built, but another was trained here: it may have been loaded from a file, or been left as it was."""
    return is_keras(model) and bool(recorder.fits) and all(entry.model is not model for entry in recorder.fits)


def _model_plans(name: str, model: Any, named: list[tuple[str, Any]], known: Known, search: Search) -> Iterator[Plan]:
    try:
        with time_limit():
            ways, answer = _ways(model, known, search.question.inputs), answering(model)
    except Exception as error:  # noqa: BLE001  the model's own properties
        search.note(name, RAW, problem=said(error))
        return
    refused: set[Row] = set()
    settled = False  # by what the model was fitted with
    for way, as_seen in ways:
        if search.over:
            search.note(name, way.name, problem="not tried: looking for the answers had taken too long")
            return
        if settled and not as_seen:
            return
        if way.row in refused:
            continue
        ask = _in_pieces(way, answer)
        raw = asked(ask, search, name, way.name)
        if not isinstance(raw, Exception):
            draft = Plan(name, way.name, "", ask, 0.0, way.guess and not as_seen, as_seen)
            for plan in _plans(draft, raw, named, search):
                settled |= as_seen and answers(plan, search.question)
                yield plan
        elif isinstance(raw, TimeoutError):
            return  # nor will it answer another way
        elif not isinstance(raw, FloatingPointError):  # which other numbers might not give
            refused.add(way.row)


def _ways(model: Any, known: Known, inputs: Array) -> list[tuple[Preparation, bool]]:
    """What the inputs can be prepared as, and whether the model was seen to be fitted with such: these come first."""
    seen = recorder.seen(network_of(model))
    wish = wish_of(model, seen)
    found = preparations(inputs, wish, known)
    if not found:
        raise ValueError(f"it takes rows of the shape {wish.shape}; the data has rows of the shape {inputs.shape[1:]}")
    return sorted(((way, _as_seen(way, seen, inputs)) for way in found), key=lambda way: not way[1])


def _in_pieces(way: Preparation, answer: Callable[[Any], Any]) -> Callable[[Array], Array]:
    def ask(X: Array) -> Array:
        numbers = max(1, math.prod(way.row), math.prod(X.shape[1:]))
        rows = max(1, PIECE // numbers)
        return np.concatenate([as_array(answer(way.apply(X[at : at + rows]))) for at in range(0, len(X), rows)])

    return ask


def _as_seen(way: Preparation, seen: recorder.Glimpse | None, inputs: Array) -> bool:
    """Whether the prepared inputs lie where those did that the model was fitted with."""
    if seen is None or not math.isfinite(seen.high - seen.low):
        return False
    some = max(1, PIECE // max(1, math.prod(way.row), math.prod(inputs.shape[1:])))
    try:
        rows = as_array(way.apply(inputs[: min(some, recorder.GLIMPSE_ROWS)])).astype(np.float64)
        off = max(abs(float(rows.min()) - seen.low), abs(float(rows.max()) - seen.high))
    except (TypeError, ValueError, AttributeError, KeyError, IndexError):
        return False  # its turn will come, and its problem will be noted
    return off <= SAME_RANGE * (seen.high - seen.low)


def _plans(draft: Plan, raw: Array, named: list[tuple[str, Any]], search: Search) -> Iterator[Plan]:
    """One plan for each way the raw output can be read; what cannot be read at all is noted."""
    found = found_in_time(lambda: list(readings(raw, search.question, named)))
    highest = -math.inf
    for reading in found:
        plan = _read(draft, reading, raw, search.question)
        if plan is not None and plan.value > highest:  # of the same output, what is no better is of no interest
            highest = plan.value
            search.note(plan.source, plan.preparation, form=plan.form, value=plan.value)
            yield plan
    if not found:
        search.note(draft.source, draft.preparation, problem=unreadable(raw))


def _read(draft: Plan, reading: Reading, raw: Array, question: Question) -> Plan | None:
    ask = draft.answer
    try:
        with time_limit():
            value = question.value(reading.read(raw))
    except Exception:  # noqa: BLE001  a scaler of the notebook's own
        return None
    return replace(
        draft,
        form=reading.name,
        answer=lambda X: reading.read(ask(X)),
        value=value,
        guesses=draft.guesses + reading.guess,
    )
