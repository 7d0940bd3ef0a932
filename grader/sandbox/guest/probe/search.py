"""Search for the best candidate: model, preparation of its inputs and decoding of its output.

The public rows decide, whose targets are known. A ``predict(X)`` defined by the notebook always wins; then come the
variable ``model``, the model fitted last and the other fitted models. Simpler candidates are tried first, and a guess
must be clearly better than what the notebook itself defines.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..output_forms import ANSWER_FORMS, Array, one_column
from ..record import recorder
from ..safe_call import as_array, collect_in_time, time_limit
from .candidates import (
    MEASURING_SECONDS,
    PREDICT,
    Candidate,
    PublicData,
    Search,
    beats_baseline,
    best_candidate,
    describe_error,
    describe_undecodable,
    try_call,
)
from .input_spec import read_input_spec
from .model_discovery import fitted_models, is_keras, network_of, predictor, variables
from .output_decoding import Decoding, decodings
from .preprocessing import RAW, NotebookHints, Preparation, preparations, read_hints, to_data_frame
from .reshaping import Row

MAX_MODELS = 5
SAME_RANGE = 0.2  # allowed difference, as a share of the range of the inputs that a model was fitted with
MAX_NUMBERS = 1 << 20  # numbers in one call: thousands of rows of a table, or dozens of photos


def find_candidate(namespace: dict[str, Any], public: PublicData, attempts: list[dict[str, Any]]) -> Candidate | None:
    """Return the best candidate, or None if nothing fits; add what was tried to ``attempts``."""
    search = Search(namespace, public.sample(), attempts)
    function = namespace.get("predict")
    if callable(function):
        candidate = _function_candidate(function, search)
        # A function that cannot even be called with X has another purpose. One that returns nonsense is the student's
        # answer.
        if candidate is not None or search.called:
            return candidate and _measure(candidate, public)
    candidate = _model_candidate(search)
    return candidate and _measure(candidate, public)


def _measure(candidate: Candidate, public: PublicData) -> Candidate:
    """Replace the candidate's score by its score on all public rows."""
    try:
        with time_limit(MEASURING_SECONDS):
            candidate.score = public.score(_decode_as_host(candidate.predict(public.inputs), public))
    except Exception:  # noqa: BLE001, S110  the score on the sample stays
        pass
    return candidate


def _decode_as_host(raw: Array, public: PublicData) -> Array:
    """Decode the output of ``predict(X)`` like the host; predictions of a model are decoded already."""
    if public.task == "regression":
        column = one_column(raw)
    else:
        column = next((found for form in ANSWER_FORMS.values() if (found := form(raw)) is not None), None)
    if column is None:
        raise ValueError("the output cannot be decoded as predictions")
    return column


# ------------------------------------------------------------------ predict(X)


def _function_candidate(function: Callable[[Any], Any], search: Search) -> Candidate | None:
    """Call ``predict(X)`` with the raw inputs: an array, a data frame, or a vector for a single column.

    Its output stays as it is, because the host's own strict rules decide what it means.
    """
    public = search.public
    conversions: dict[str, Callable[[Array], Any]] = {RAW: lambda X: X}
    if public.inputs.ndim == 2 and public.inputs.shape[1] == len(public.columns):
        conversions["data frame"] = to_data_frame(public.columns)
    if public.inputs.ndim == 2 and public.inputs.shape[1] == 1:
        conversions["vector"] = lambda X: X[:, 0]
    for name, convert in conversions.items():

        def predict(X: Array, convert: Callable[[Array], Any] = convert) -> Array:
            return as_array(function(convert(X)))

        raw = try_call(predict, search, PREDICT, name)
        if isinstance(raw, Exception):
            continue
        forms = ANSWER_FORMS if public.task == "classification" else {"values": one_column}
        for form, decode in forms.items():
            column = decode(raw)
            if column is not None:
                score = public.score(column)
                search.note(PREDICT, name, form=form, score=score)
                return Candidate(PREDICT, name, form, predict, score)
        search.note(PREDICT, name, problem=describe_undecodable(raw))
    return None


# ------------------------------------------------------------------ models


def _model_candidate(search: Search) -> Candidate | None:
    named = collect_in_time(lambda: variables(search.namespace))
    columns = search.public.columns
    found_hints = collect_in_time(lambda: [read_hints(named, search.namespace.get("In"), columns)])
    hints = found_hints[0] if found_hints else NotebookHints(columns)
    best: Candidate | None = None
    for name, model in collect_in_time(lambda: list(fitted_models(search.namespace)))[:MAX_MODELS]:
        found = best_candidate(_candidates(name, model, named, hints, search), search.public)
        best = max((candidate for candidate in (best, found) if candidate), key=lambda entry: entry.score, default=None)
        if found and beats_baseline(found, search.public) and not _is_untrained(model):
            break
    return best


def _is_untrained(model: Any) -> bool:
    """Return True for a Keras model that was not trained here while another was; it may come from a file."""
    return is_keras(model) and bool(recorder.fits) and all(entry.model is not model for entry in recorder.fits)


def _candidates(
    name: str, model: Any, named: list[tuple[str, Any]], hints: NotebookHints, search: Search
) -> Iterator[Candidate]:
    try:
        with time_limit():
            prepared, predict = _preparations(model, hints, search.public.inputs), predictor(model)
    except Exception as error:  # noqa: BLE001  properties of the model are code of the notebook
        search.note(name, RAW, problem=describe_error(error))
        return
    refused: set[Row] = set()
    settled = False  # a preparation like that of the training works
    for preparation, as_fitted in prepared:
        if search.out_of_time:
            search.note(name, preparation.name, problem="not tried: the time for the search was over")
            return
        if settled and not as_fitted:
            return
        if preparation.row in refused:
            continue
        predict_raw = _in_batches(preparation, predict)
        raw = try_call(predict_raw, search, name, preparation.name)
        if not isinstance(raw, Exception):
            guesses = preparation.guess and not as_fitted
            draft = Candidate(name, preparation.name, "", predict_raw, 0.0, guesses, as_fitted)
            for candidate in _decode(draft, raw, named, search):
                settled |= as_fitted and beats_baseline(candidate, search.public)
                yield candidate
        elif isinstance(raw, TimeoutError):
            return  # other preparations would take as long
        elif not isinstance(raw, FloatingPointError):  # other numbers of the same shape might not give NaN
            refused.add(preparation.row)


def _preparations(model: Any, hints: NotebookHints, inputs: Array) -> list[tuple[Preparation, bool]]:
    """Return the preparations, each with True if it resembles the inputs of the training; those come first."""
    fitted = recorder.last_inputs(network_of(model))
    spec = read_input_spec(model, fitted)
    found = preparations(inputs, spec, hints)
    if not found:
        raise ValueError(f"the model takes rows of shape {spec.shape}; the data has rows of shape {inputs.shape[1:]}")
    marked = ((preparation, _resembles(preparation, fitted, inputs)) for preparation in found)
    return sorted(marked, key=lambda entry: not entry[1])


def _in_batches(preparation: Preparation, predict: Callable[[Any], Any]) -> Callable[[Array], Array]:
    def predict_raw(X: Array) -> Array:
        size = _batch_size(preparation, X)
        batches = [X[start : start + size] for start in range(0, len(X), size)]
        return np.concatenate([as_array(predict(preparation.apply(batch))) for batch in batches])

    return predict_raw


def _batch_size(preparation: Preparation, X: Array) -> int:
    return max(1, MAX_NUMBERS // max(1, math.prod(preparation.row), math.prod(X.shape[1:])))


def _resembles(preparation: Preparation, fitted: recorder.InputSummary | None, inputs: Array) -> bool:
    """Return True if the prepared inputs have the range of the inputs that the model was fitted with."""
    if fitted is None or not math.isfinite(fitted.high - fitted.low):
        return False
    count = min(_batch_size(preparation, inputs), recorder.SAMPLE_ROWS)
    try:
        rows = as_array(preparation.apply(inputs[:count])).astype(np.float64)
        difference = max(abs(float(rows.min()) - fitted.low), abs(float(rows.max()) - fitted.high))
    except (TypeError, ValueError, AttributeError, KeyError, IndexError):
        return False  # the attempt itself will note the problem
    return difference <= SAME_RANGE * (fitted.high - fitted.low)


def _decode(draft: Candidate, raw: Array, named: list[tuple[str, Any]], search: Search) -> Iterator[Candidate]:
    """Yield a candidate for each way to decode the raw output; note it if there is none."""
    found = collect_in_time(lambda: list(decodings(raw, search.public, named)))
    highest = -math.inf
    for decoding in found:
        candidate = _decoded(draft, decoding, raw, search.public)
        if candidate is not None and candidate.score > highest:  # another decoding that is no better adds nothing
            highest = candidate.score
            search.note_candidate(candidate)
            yield candidate
    if not found:
        search.note(draft.source, draft.preparation, problem=describe_undecodable(raw))


def _decoded(draft: Candidate, decoding: Decoding, raw: Array, public: PublicData) -> Candidate | None:
    predict_raw = draft.predict
    try:
        with time_limit():
            score = public.score(decoding.decode(raw))
    except Exception:  # noqa: BLE001  a scaler of the notebook
        return None
    return replace(
        draft,
        form=decoding.name,
        variable=decoding.variable,
        predict=lambda X: decoding.decode(predict_raw(X)),
        score=score,
        guesses=draft.guesses + decoding.guess,
    )
