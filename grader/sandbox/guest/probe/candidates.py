"""Candidates: ways from raw inputs to predictions, tried on the public data, noted for the report and compared."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import protocol
from ..output_forms import Array
from ..safe_call import TimeScale, check_predictions, time_limit

SAMPLE_ROWS = 300  # rows on which every candidate is tried; the chosen one is measured on all
MAX_ATTEMPTS, MAX_ATTEMPTS_PER_SOURCE = 40, 15
MAX_NAME, MAX_TEXT, MAX_PROBLEM = 80, 200, 300
# PROBE_SECONDS also has to cover the last attempt, which may start just in time, the measurement of the best one and
# the predictions for the hidden rows.
SEARCH_SECONDS, MEASURING_SECONDS = 0.4 * protocol.PROBE_SECONDS, protocol.PROBE_SECONDS / 9
REPORT_SHARE = 0.7  # of the seconds, after which no call for the report may run
SOURCE_SHARE = 0.5  # of the time that is left, for one model
HIDDEN_ROWS = 2000  # assumed: their real number is told after the search
CLEARLY_BETTER = 0.02  # difference of public accuracy, or of the coefficient of determination
NEARLY_PERFECT = 0.002  # within this distance of 1, no other candidate can be clearly better
PREDICT = "predict(X)"


@dataclass(frozen=True)
class PublicData:
    """Public rows with their targets."""

    task: str  # "classification" or "regression"
    columns: tuple[str, ...]
    inputs: Array  # (n, ...): columns of a table, images or sequences
    targets: Array  # (n,)

    def score(self, predictions: Array) -> float:
        """Return the accuracy, or for a regression the coefficient of determination, of predictions ``(n,)``."""
        if self.task == "classification":
            return float(np.mean(predictions == self.targets))
        targets = self.targets.astype(np.float64)
        spread = float(np.sum((targets - targets.mean()) ** 2))
        return 1.0 - float(np.sum((targets - predictions) ** 2)) / (spread or 1.0)

    def baseline(self) -> float:
        """Return the score of a constant prediction: the most frequent class, or the mean."""
        if self.task == "classification":
            return float(np.bincount(self.targets.astype(np.int64)).max() / len(self.targets))
        return 0.0

    def sample(self) -> PublicData:
        """Return up to ``SAMPLE_ROWS`` random rows: a table may be sorted by its targets."""
        rows = np.random.default_rng(0).permutation(len(self.inputs))[:SAMPLE_ROWS]
        return replace(self, inputs=self.inputs[rows], targets=self.targets[rows])


def read_public_data(path: Path) -> PublicData:
    """Read the ``.npz`` file that the host has written."""
    with np.load(path, allow_pickle=False) as public:
        return PublicData(
            task=str(public["task"]),
            columns=tuple(str(name) for name in public["columns"]),
            inputs=public["inputs"],
            targets=public["targets"],
        )


@dataclass
class Candidate:
    """A way from raw inputs to predictions, with its score on the public rows."""

    source: str  # variable of the model, or PREDICT
    preparation: str
    form: str
    predict: Callable[[Array], Array]
    score: float
    guesses: int = 0
    as_fitted: bool = False  # it prepares inputs like those that the model was fitted with
    variable: str = ""  # of the notebook, that the form uses
    model: Any = None  # or the function
    trained: bool = False  # a training of the model was recorded
    final: bool = False  # the notebook named it so or evaluated it
    seconds: float = 0.0  # for the public rows
    prepare: Callable[[Array], Any] | None = None  # raw rows to the model's inputs
    held_out: float | None = None  # score on public rows that the model was not trained on


@dataclass
class Search:
    """State of the search in one notebook; ``attempts`` goes into the report."""

    public: PublicData
    attempts: list[dict[str, Any]]
    deadline: float = field(default_factory=lambda: time.monotonic() + SEARCH_SECONDS * TimeScale.factor)
    must_end: float = field(default_factory=lambda: time.monotonic() + protocol.PROBE_SECONDS * TimeScale.factor)
    source_deadline: float = math.inf  # for one model, so that a slow one leaves time for the others

    def begin_source(self) -> None:
        """Give the next model a share of the time that is left."""
        now = time.monotonic()
        self.source_deadline = now + max(0.0, self.deadline - now) * SOURCE_SHARE

    def reserve(self, seconds: float) -> None:
        """Keep the time that a good candidate, which took ``seconds`` for the public rows, needs for hidden rows."""
        needed = seconds * HIDDEN_ROWS / max(1, len(self.public.inputs))
        self.deadline = min(self.deadline, self.must_end - needed)

    def note(self, source: str, preparation: str, **result: Any) -> None:
        """Add an attempt for the report, up to the limits."""
        self._add(attempt_facts(source, preparation, **result))

    def note_candidate(self, candidate: Candidate) -> None:
        """Add a candidate to the attempts, up to the limits."""
        self._add(candidate_facts(candidate))

    def _add(self, facts: dict[str, Any]) -> None:
        same = sum(attempt["source"] == facts["source"] for attempt in self.attempts)
        if len(self.attempts) < MAX_ATTEMPTS and same < MAX_ATTEMPTS_PER_SOURCE:
            self.attempts.append(facts)

    @property
    def is_over(self) -> bool:
        """True once no further model may be tried."""
        return time.monotonic() > self.deadline

    @property
    def out_of_time(self) -> bool:
        """True once no further attempt of this model may start."""
        return time.monotonic() > min(self.deadline, self.source_deadline)


def beats_baseline(candidate: Candidate, public: PublicData) -> bool:
    """Return True if the candidate is clearly better than a constant prediction."""
    return candidate.score > public.baseline() + CLEARLY_BETTER


def best_candidate(candidates: Iterable[Candidate], public: PublicData) -> Candidate | None:
    """Return the best candidate, or None without any.

    Inputs prepared as in the training win if they beat the baseline; then the highest score wins, where every guess
    must be clearly better. Among equals the first, which is the simplest, wins.
    """

    def rank(candidate: Candidate) -> tuple[bool, float]:
        as_fitted = candidate.as_fitted and beats_baseline(candidate, public)
        return as_fitted, candidate.score - CLEARLY_BETTER * candidate.guesses

    best: Candidate | None = None
    for candidate in candidates:
        if best is None or rank(candidate) > rank(best):
            best = candidate
        if rank(best)[1] >= 1 - NEARLY_PERFECT:
            break
    return best


def try_call(predict: Callable[[Array], Array], search: Search, source: str, preparation: str) -> Array | Exception:
    """Return the raw output for the public rows, or the error, which is noted, if it cannot be predictions."""
    rows = search.public.inputs
    try:
        with time_limit():
            raw = predict(rows)
        is_text = raw.dtype.kind in "OSU" and raw.ndim in (1, 2) and raw.size == len(rows)
        if not is_text:
            check_predictions(raw, len(rows))
    except Exception as error:  # noqa: BLE001  code of the notebook may raise anything
        search.note(source, preparation, problem=describe_error(error))
        return error
    return raw


def describe_error(error: Exception) -> str:
    """Return the type and the text of an error of the notebook."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001  an error class of the notebook
        return type(error).__name__


def describe_undecodable(raw: Array) -> str:
    """Return the problem text for an output that no rule can decode."""
    return f"the output has shape {raw.shape} and dtype {raw.dtype}; it cannot be decoded as predictions"


def attempt_facts(
    source: str, preparation: str, *, form: str = "", score: float | None = None, problem: str = ""
) -> dict[str, Any]:
    """Return an attempt as ``facts.json`` holds it."""
    return {
        "source": source[:MAX_NAME],
        "preparation": preparation[:MAX_TEXT],
        "form": form[:MAX_TEXT],
        "variable": "",
        "trained": False,
        "held_out_value": None,
        "public_value": score if score is None or math.isfinite(score) else None,
        "problem": json.loads(json.dumps(problem[:MAX_PROBLEM], ensure_ascii=True)),
    }


def candidate_facts(candidate: Candidate) -> dict[str, Any]:
    """Return a candidate as ``facts.json`` holds it."""
    facts = attempt_facts(candidate.source, candidate.preparation, form=candidate.form, score=candidate.score)
    held_out = candidate.held_out if candidate.held_out is None or math.isfinite(candidate.held_out) else None
    return facts | {
        "variable": candidate.variable[:MAX_NAME],
        "trained": candidate.trained,
        "held_out_value": held_out,
    }
