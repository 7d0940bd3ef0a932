"""Finds the notebook's model and how its inputs are prepared, on the public data; then predicts the hidden inputs.

It runs inside the notebook's process, after the last cell. It never sees a hidden label. ``predict(X)`` defined by
the notebook always wins; otherwise the variable ``model``, then the model fitted last, then any other fitted one.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import protocol, record
from .asking import as_array, check, time_limit
from .compat import log
from .forms import ANSWER_FORMS, MODEL_FORMS, Array, one_column
from .models import answering, is_fitted, models

MAX_PUBLIC_ROWS = 1000
MAX_ATTEMPTS = 40
MAX_MODELS = 5
STANDARDISED, SPREAD, DIVIDED = GUESSES = ("(X - mean) / std", "(X - min) / (max - min)", "X / max")
CLEARLY = 0.02  # of public accuracy, or of the coefficient of determination

Predict = Callable[[Array], Any]
Prepare = Callable[[Array], Any]


@dataclass
class Plan:
    """A way from raw inputs to answers, and how good it is on the public rows."""

    source: str
    preparation: str
    form: str
    answer: Callable[[Array], Array]
    value: float


class _State:
    job = Path()
    namespace: dict[str, Any] = {}  # noqa: RUF012  the notebook's own globals
    plan: Plan | None = None
    attempts: list[dict[str, Any]] = []  # noqa: RUF012
    answered = False  # something came back, sensible or not


def start(job: Path, namespace: dict[str, Any]) -> None:
    _State.job, _State.namespace = job, namespace


def report() -> None:
    """Writes ``facts.json``; with a question, looks for the answer on the public rows first."""
    _write_facts()  # already now: what is asked next is the notebook's own code, and may not come back
    path = _State.job / protocol.PUBLIC
    if path.exists():
        with np.load(path, allow_pickle=False) as public:
            question = Question(
                task=str(public["task"]),
                columns=[str(name) for name in public["columns"]],
                inputs=public["inputs"][:MAX_PUBLIC_ROWS],
                targets=public["targets"][:MAX_PUBLIC_ROWS],
            )
        _State.plan = _find_plan(question)
        _write_facts()


def _write_facts() -> None:
    facts = record.facts(_State.namespace)
    facts["adaptations"] = log.notes()
    facts["attempts"] = _State.attempts[:MAX_ATTEMPTS]
    plan = _State.plan
    facts["chosen"] = plan and _attempt(plan.source, plan.preparation, plan.form, plan.value)
    protocol.write_json(_State.job / "out" / protocol.FACTS, facts)


def answer() -> None:
    """Writes ``predictions.npy``, rows in the order asked. A row that cannot be answered alone is NaN."""
    if _State.plan is None:
        return
    inputs = np.load(_State.job / "hidden" / protocol.HIDDEN_INPUTS, allow_pickle=False)
    *again, rest = [_answers(_State.plan, inputs[rows]) for rows in protocol.batches(len(inputs))]
    if rest is None:
        return
    parts = [_like(part, rest, rows) for part, rows in zip(again, protocol.batches(len(inputs)), strict=False)]
    buffer = io.BytesIO()
    np.save(buffer, np.concatenate([*parts, rest]), allow_pickle=False)
    # Never into what lies there: a pipe would wait for a reader.
    protocol.write_atomically(_State.job / "out" / protocol.PREDICTIONS, buffer.getvalue())


def _answers(plan: Plan, inputs: Array) -> Array | None:
    try:
        return plan.answer(inputs)
    except Exception:  # noqa: BLE001  its text may hold hidden inputs: nothing of it is kept
        return None


def _like(part: Array | None, rest: Array, rows: slice) -> Array:
    size = rows.stop - rows.start
    if part is None or part.shape != (size, *rest.shape[1:]):
        return np.full((size, *rest.shape[1:]), np.nan)
    return part


# ------------------------------------------------------------------ finding


@dataclass
class Question:
    task: str
    columns: list[str]
    inputs: Array  # (n, columns)
    targets: Array  # (n,)

    def value(self, answers: Array) -> float:
        """Public accuracy, or the coefficient of determination against the public targets."""
        if self.task == "classification":
            return float(np.mean(answers == self.targets))
        targets = self.targets.astype(np.float64)
        spread = float(np.sum((targets - targets.mean()) ** 2))
        return 1.0 - float(np.sum((targets - answers) ** 2)) / (spread or 1.0)

    def baseline(self) -> float:
        if self.task == "classification":
            return float(np.bincount(self.targets.astype(np.int64)).max() / len(self.targets))
        return 0.0


def _find_plan(question: Question) -> Plan | None:
    function = _State.namespace.get("predict")
    if callable(function):
        plan = next(_function_plans(function, question), None)
        # One that cannot even be called so is another function; one that gives nonsense is the student's answer.
        if plan is not None or _State.answered:
            return plan
    best: Plan | None = None
    for name, model in list(models(_State.namespace))[:MAX_MODELS]:
        found = _best(_model_plans(name, model, question))
        if found and found.value > question.baseline():
            return found
        best = _best(plan for plan in (best, found) if plan)
    return best


def _best(plans: Iterable[Plan]) -> Plan | None:
    """The highest value; of equals the first, which is the plainer one. A guess must be clearly better."""
    return max(plans, key=lambda plan: plan.value - CLEARLY * (plan.preparation in GUESSES), default=None)


def _function_plans(function: Predict, question: Question) -> Iterator[Plan]:
    """``predict(X)`` gets the raw columns: an array, a data frame, or for a single column a plain vector."""
    shapes: list[tuple[str, Prepare]] = [("raw", lambda X: X), ("data frame", _frame_of(question.columns))]
    if len(question.columns) == 1:
        shapes.append(("vector", lambda X: X[:, 0]))
    for name, prepare in shapes:

        def ask(X: Array, prepare: Prepare = prepare) -> Array:
            return as_array(function(prepare(X)))

        forms = list(ANSWER_FORMS) if question.task == "classification" else ["values"]
        plan = next(_plans("predict(X)", name, ask, question, forms=forms), None)
        if plan is not None:
            yield plan
            return


def _frame_of(columns: list[str]) -> Prepare:
    def frame(X: Array) -> Any:
        import pandas

        return pandas.DataFrame(X, columns=columns)

    return frame


def _model_plans(name: str, model: Any, question: Question) -> Iterator[Plan]:
    answer_of = answering(model)
    for preparation, prepare in _preparations(question):

        def ask(X: Array, prepare: Prepare = prepare) -> Array:
            return as_array(answer_of(prepare(X)))

        forms = list(MODEL_FORMS) if question.task == "classification" else ["values", *_undoing()]
        yield from _plans(name, preparation, ask, question, forms=forms)


def _preparations(question: Question) -> Iterator[tuple[str, Prepare]]:
    """Raw first; what the notebook fitted itself; then the usual arithmetic by the public columns' own statistics."""
    inputs = question.inputs
    yield "raw", lambda X: X
    for name, value in list(_State.namespace.items()):
        if name.startswith("_") or not callable(getattr(value, "transform", None)) or hasattr(value, "predict"):
            continue
        if is_fitted(value) and getattr(value, "n_features_in_", None) == inputs.shape[1]:
            yield name[:80], value.transform
    if inputs.shape[1] == 1:
        yield "vector", lambda X: X[:, 0]
    low, high, mean, deviation = inputs.min(0), inputs.max(0), inputs.mean(0), inputs.std(0)
    span = np.where(high > low, high - low, 1.0)
    yield STANDARDISED, lambda X: (X - mean) / np.where(deviation > 0, deviation, 1.0)
    yield SPREAD, lambda X: (X - low) / span
    yield DIVIDED, lambda X: X / np.where(high != 0, high, 1.0)


UNDONE_BY = "values, undone by "


def _undoing() -> list[str]:
    """Forms that take back a scaler which the notebook may have fitted to its targets."""
    return [
        UNDONE_BY + name
        for name, value in list(_State.namespace.items())
        if not name.startswith("_") and callable(getattr(value, "inverse_transform", None)) and is_fitted(value)
        if getattr(value, "n_features_in_", None) == 1
    ]


def _plans(
    source: str, preparation: str, ask: Callable[[Array], Array], question: Question, *, forms: list[str]
) -> Iterator[Plan]:
    """One plan for each form the raw output can be read in; what cannot be read at all is noted."""
    try:
        with time_limit():
            raw = ask(question.inputs)
        _State.answered = True
        check(raw, len(question.inputs))
    except Exception as error:  # noqa: BLE001  the notebook's own code: anything may come
        problem = f"{type(error).__name__}: {error}"
        _State.attempts.append(_attempt(source, preparation, "", None, problem))
        return
    readable = False
    for form in forms:
        plan = _plan(Plan(source, preparation, form, ask, 0.0), raw, question)
        if plan is not None:
            readable = True
            _State.attempts.append(_attempt(source, preparation, form, plan.value))
            yield plan
    if not readable:
        problem = f"the output has the shape {raw.shape} and the type {raw.dtype}; it cannot be read as answers"
        _State.attempts.append(_attempt(source, preparation, "", None, problem))


def _plan(draft: Plan, raw: Array, question: Question) -> Plan | None:
    # predict(X) is handed on as it is, so that the host's own strict reading decides what it means.
    if question.task == "classification":
        read = MODEL_FORMS[draft.form]
        answers = read(raw)
        if answers is None:
            return None
        ask = draft.answer
        if draft.source != "predict(X)":
            draft.answer = lambda X: _must(read(ask(X)))
    else:
        answers = one_column(raw)
        if answers is None:
            return None
        if draft.form.startswith(UNDONE_BY):
            answers, draft.answer = _unscaled(draft, raw)
    draft.value = question.value(answers)
    return draft


def _unscaled(draft: Plan, raw: Array) -> tuple[Array, Callable[[Array], Array]]:
    scaler, ask = _State.namespace[draft.form.removeprefix(UNDONE_BY)], draft.answer

    def undo(values: Array) -> Array:
        return np.asarray(scaler.inverse_transform(np.reshape(values, (-1, 1))))[:, 0]

    return undo(raw), lambda X: undo(ask(X))


def _must(answers: Array | None) -> Array:
    if answers is None:
        raise ValueError("the output changed its form")
    return answers


def _attempt(source: str, preparation: str, form: str, value: float | None, problem: str = "") -> dict[str, Any]:
    text = json.loads(json.dumps(problem[:300], ensure_ascii=True))
    return {
        "source": source[:80],
        "preparation": preparation[:80],
        "form": form[:40],
        "public_value": value if value is None or np.isfinite(value) else None,
        "problem": text,
    }
