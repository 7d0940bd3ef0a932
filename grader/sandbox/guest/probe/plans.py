"""Ways from raw inputs to answers: each tried on the public rows, noted for the report, compared with the others."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .. import protocol
from ..output_forms import Array
from ..safe_call import Patience, check, time_limit
from .public_rows import Question

MAX_ATTEMPTS, MAX_ATTEMPTS_OF_ONE = 40, 15
MAX_NAME, MAX_WORDS, MAX_PROBLEM = 80, 200, 300
# So that the last attempt, begun in time, and measuring the best one still fit into PROBE_SECONDS.
SEARCH_SECONDS, MEASURING_SECONDS = protocol.PROBE_SECONDS / 2, protocol.PROBE_SECONDS / 9
CLEARLY = 0.02  # of public accuracy, or of the coefficient of determination
HARDLY = 0.002  # nothing can be clearly better than what is so near to 1
PREDICT = "predict(X)"


@dataclass
class Plan:
    """A way from raw inputs to answers, and how good it is on the public rows."""

    source: str
    preparation: str
    form: str
    answer: Callable[[Array], Array]
    value: float
    guesses: int = 0
    as_seen: bool = False  # its inputs are prepared as those were that the model was fitted with


@dataclass
class Search:
    """One notebook's; ``attempts`` is for the report."""

    namespace: dict[str, Any]
    question: Question
    attempts: list[dict[str, Any]]
    deadline: float = field(default_factory=lambda: time.monotonic() + SEARCH_SECONDS * Patience.times)
    answered: bool = False  # something came back, sensible or not

    def note(self, source: str, preparation: str, **words: Any) -> None:
        same = sum(attempt["source"] == source[:MAX_NAME] for attempt in self.attempts)
        if len(self.attempts) < MAX_ATTEMPTS and same < MAX_ATTEMPTS_OF_ONE:
            self.attempts.append(as_claim(source, preparation, **words))

    @property
    def over(self) -> bool:
        return time.monotonic() > self.deadline


def answers(plan: Plan, question: Question) -> bool:
    """Whether it is better than guessing."""
    return plan.value > question.baseline() + CLEARLY


def best_of(plans: Iterable[Plan], question: Question) -> Plan | None:
    """What the model was seen to be fitted with, if it answers at all; else the highest value.

    Of equals it is the first, which is the plainer one. Each guess in it must be clearly better.
    """

    def weight(plan: Plan) -> tuple[bool, float]:
        return plan.as_seen and answers(plan, question), plan.value - CLEARLY * plan.guesses

    best: Plan | None = None
    for plan in plans:
        if best is None or weight(plan) > weight(best):
            best = plan
        if weight(best)[1] >= 1 - HARDLY:
            break
    return best


def asked(ask: Callable[[Array], Array], search: Search, source: str, preparation: str) -> Array | Exception:
    """The raw output for the question's rows; the error, which is noted, when there is none that could be answers."""
    rows = search.question.inputs
    try:
        with time_limit():
            raw = ask(rows)
        search.answered = True
        is_text = raw.dtype.kind in "OSU" and source != PREDICT and raw.ndim in (1, 2) and raw.size == len(rows)
        if not is_text:
            check(raw, len(rows))
    except Exception as error:  # noqa: BLE001  the notebook's own code: anything may come
        search.note(source, preparation, problem=said(error))
        return error
    return raw


def said(error: Exception) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001  an error of the notebook's own making
        return type(error).__name__


def unreadable(raw: Array) -> str:
    return f"the output has the shape {raw.shape} and the type {raw.dtype}; it cannot be read as answers"


def as_claim(
    source: str, preparation: str, *, form: str = "", value: float | None = None, problem: str = ""
) -> dict[str, Any]:
    """An attempt as ``facts.json`` carries it."""
    return {
        "source": source[:MAX_NAME],
        "preparation": preparation[:MAX_WORDS],
        "form": form[:MAX_WORDS],
        "public_value": value if value is None or math.isfinite(value) else None,
        "problem": json.loads(json.dumps(problem[:MAX_PROBLEM], ensure_ascii=True)),
    }
