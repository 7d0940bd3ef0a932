"""Search for the best candidate: model, preparation of its inputs and decoding of its output.

All ways of asking are compared on the public rows, whose targets are known: ``predict(X)`` and every fitted model, each
with the preparations found. ``predict(X)`` wins if it is as good as the models that it calls, then what the notebook
named as final or evaluated. Simpler candidates are tried first, and a guess must be clearly better.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from ..output_forms import ANSWER_FORMS, Array, one_column
from ..record import recorder, trained
from ..safe_call import as_array, collect_in_time, time_limit
from .call_watch import Calls, watch_calls
from .candidates import (
    CLEARLY_BETTER,
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
from .input_spec import InputSpec, read_input_spec
from .model_discovery import fitted_models, network_of, predictor, variables
from .output_decoding import Decoding, decodings
from .preprocessing import RAW, NotebookHints, Preparation, preparations, read_hints, to_data_frame
from .reshaping import Row

MAX_MODELS = 40
SAME_RANGE = 0.2  # allowed difference, as a share of the range of the inputs that a model was fitted with
MAX_NUMBERS = 1 << 20  # numbers in one call: thousands of rows of a table, or dozens of photos
FAR_BETTER = 0.1  # difference that predict(X) cannot owe to the way in which a model is called
MIN_HELD_OUT, MIN_KNOWN = 30, 0.1  # public rows that a model was not trained on; share of those that it was
SAME_KEY = 1e-6  # of the range of the keys of rows
FINAL_NAMES = re.compile(r"final|best|chosen|submi", re.IGNORECASE)
AS_CALLED = "as predict(X) calls it"


@dataclass(frozen=True)
class Choice:
    """The candidate that answers, and the best of the others for comparison."""

    chosen: Candidate | None = None
    rival: Candidate | None = None


@dataclass
class _Notebook:
    """Variables of the notebook, the hints that it gives, and its fitted models with their names."""

    named: list[tuple[str, Any]]
    hints: NotebookHints
    models: list[tuple[str, Any]]


def find_choice(namespace: dict[str, Any], public: PublicData, attempts: list[dict[str, Any]]) -> Choice:
    """Return the best of all ways of asking, and its best rival; add what was tried to ``attempts``."""
    search = Search(public.sample(), attempts)
    notebook = _read_notebook(namespace, search.public.columns)
    function = namespace.get("predict")
    own, answered = None, None
    called: set[int] = set()
    if callable(function):
        with watch_calls([model for _name, model in notebook.models]) as calls:
            own = _function_candidate(function, search, notebook)
        called = set(calls.outputs)
        answered = _answer_of_called(calls, search, notebook)
    found = list(_model_candidates(search, notebook))
    if callable(function) and not _suffices(own, found, called, search.public):
        prepared = _prepared_function_candidate(function, search, notebook)
        own = max((one for one in (own, prepared) if one), key=_value, default=None)
    chosen = own if _suffices(own, found, called, search.public) else _best_of([own, *found], search.public)
    others = [one for one in (own, answered, *found) if one is not None and one is not chosen]
    rival = max(others, key=lambda candidate: candidate.score, default=None)
    return _measured(Choice(chosen, rival), public)


def _read_notebook(namespace: dict[str, Any], columns: tuple[str, ...]) -> _Notebook:
    named = collect_in_time(lambda: variables(namespace))
    hints = collect_in_time(lambda: [read_hints(named, namespace.get("In"), columns)])
    models = collect_in_time(lambda: list(islice(fitted_models(namespace), MAX_MODELS)))
    return _Notebook(named, hints[0] if hints else NotebookHints(columns), models)


def _value(candidate: Candidate, *, held_out: bool = False) -> float:
    score = candidate.held_out if held_out and candidate.held_out is not None else candidate.score
    return score - CLEARLY_BETTER * candidate.guesses


def _suffices(own: Candidate | None, found: list[Candidate], called: set[int], public: PublicData) -> bool:
    """Return True if ``predict(X)`` answers as well as the models that it calls can.

    Other models must be far better to replace it: they may only know the public rows by heart.
    """
    if own is None or not beats_baseline(own, public):
        return False
    reached = [_value(candidate) for candidate in found if id(candidate.model) in called]
    others = [_value(candidate, held_out=True) - FAR_BETTER for candidate in found]
    return own.score >= max(reached or others, default=-math.inf) - CLEARLY_BETTER


def _best_of(candidates: Sequence[Candidate | None], public: PublicData) -> Candidate | None:
    """Return the best of the candidates that the notebook means: trained, and named as final or evaluated.

    Among nearly equal ones the first wins: ``predict(X)``, a name such as ``best_model``, ``model``, the last trained.
    """
    meant = sorted((one for one in candidates if one is not None), key=_order)
    for applies in (lambda one: beats_baseline(one, public), lambda one: one.trained, lambda one: one.final):
        meant = [one for one in meant if applies(one)] or meant
    # A model that knows its own training rows by heart is no better for it.
    held_out = all(one.held_out is not None for one in meant)
    values = [_value(one, held_out=held_out) for one in meant]
    return next((one for one, value in zip(meant, values, strict=True) if value >= max(values) - CLEARLY_BETTER), None)


def _order(candidate: Candidate) -> int:
    return 0 if candidate.source == PREDICT else 1 if FINAL_NAMES.search(candidate.source) else 2


def _measured(choice: Choice, public: PublicData) -> Choice:
    """Return the choice with its scores on all public rows instead of a sample."""
    for candidate in (choice.chosen, choice.rival):
        if candidate is not None and candidate.preparation != AS_CALLED:
            try:
                with time_limit(MEASURING_SECONDS):
                    candidate.score = public.score(_decode_as_host(candidate.predict(public.inputs), public))
            except Exception:  # noqa: BLE001, S110  the score on the sample stays
                pass
    return choice


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


def _function_candidate(function: Callable[[Any], Any], search: Search, notebook: _Notebook) -> Candidate | None:
    """Call ``predict(X)`` with the raw inputs: an array, a data frame, or a vector for a single column."""
    public = search.public
    conversions: dict[str, Callable[[Array], Any]] = {RAW: lambda X: X}
    if public.inputs.ndim == 2 and public.inputs.shape[1] == len(public.columns):
        conversions["data frame"] = to_data_frame(public.columns)
    if public.inputs.ndim == 2 and public.inputs.shape[1] == 1:
        conversions["vector"] = lambda X: X[:, 0]
    for name, convert in conversions.items():
        began = time.monotonic()
        found = list(_function_answers(function, search, notebook, Preparation((name,), (), convert)))
        if found:
            best = best_candidate(found, public)
            if best is not None and beats_baseline(best, public):
                search.reserve(time.monotonic() - began)
            return best
    return None


def _prepared_function_candidate(
    function: Callable[[Any], Any], search: Search, notebook: _Notebook
) -> Candidate | None:
    """Call ``predict(X)`` with inputs prepared like those of a model."""
    search.begin_source()
    try:
        with time_limit():
            prepared = preparations(search.public.inputs, InputSpec(), notebook.hints)
    except Exception:  # noqa: BLE001  an object of the notebook
        return None
    candidates = (
        replace(candidate, guesses=candidate.guesses + 1)
        for preparation in prepared
        if preparation.steps and not search.out_of_time
        for candidate in _function_answers(function, search, notebook, preparation)
    )
    return best_candidate(candidates, search.public)


def _function_answers(
    function: Callable[[Any], Any], search: Search, notebook: _Notebook, preparation: Preparation
) -> Iterator[Candidate]:
    """Yield the ways to decode what ``predict(X)`` returns.

    Output in a form that the host takes stays as it is: the host's own strict rules decide what it means.
    """
    public = search.public

    def predict(X: Array) -> Array:
        return as_array(function(preparation.apply(X)))

    raw = try_call(predict, search, PREDICT, preparation.name)
    if isinstance(raw, Exception):
        return
    draft = Candidate(
        PREDICT, preparation.name, "", predict, 0.0, model=function, trained=trained.anything(), final=True
    )
    forms = ANSWER_FORMS if public.task == "classification" else {"values": one_column}
    plain = [(form, column) for form, decode in forms.items() if (column := _decode_form(decode, raw)) is not None][:1]
    for form, column in plain:
        candidate = replace(draft, form=form, score=public.score(column))
        search.note_candidate(candidate)
        yield candidate
        if beats_baseline(candidate, public):
            return
    for candidate in _decode(draft, raw, notebook.named, search):
        if not plain or candidate.form != plain[0][0]:
            yield replace(candidate, guesses=candidate.guesses + 1)


def _decode_form(decode: Callable[[Array], Array | None], raw: Array) -> Array | None:
    return None if raw.dtype.kind in "OSU" else decode(raw)


def _answer_of_called(calls: Calls, search: Search, notebook: _Notebook) -> Candidate | None:
    """Return the best of what the trained models inside ``predict(X)`` answered, for comparison only."""
    rows = len(search.public.inputs)
    answers = [
        replace(candidate, preparation=AS_CALLED)
        for name, model in notebook.models
        if trained.is_trained(network_of(model))
        for raw in calls.answers(model, rows)
        for candidate in _decode(
            Candidate(name, AS_CALLED, "", lambda X: X, 0.0, model=model, trained=True), raw, notebook.named, search
        )
    ]
    return max(answers, key=lambda candidate: candidate.score, default=None)


# ------------------------------------------------------------------ models


def _model_candidates(search: Search, notebook: _Notebook) -> Iterator[Candidate]:
    """Yield the best candidate of each fitted model."""
    for name, model in notebook.models:
        if search.is_over:
            search.note(name, RAW, problem="not tried: the time for the search was over")
            continue
        search.begin_source()
        began = time.monotonic()
        found = best_candidate(_candidates(name, model, notebook, search), search.public)
        if found is not None:
            if beats_baseline(found, search.public):
                search.reserve(min(time.monotonic() - began, found.seconds))
            found.held_out = _held_out_score(found, search.public)
            yield found


def _held_out_score(candidate: Candidate, public: PublicData) -> float | None:
    """Return the score on the public rows that the model was not trained on, None if those are not known or few."""
    fitted = trained.inputs_of(network_of(candidate.model)) or trained.inputs_of(candidate.model)
    try:
        with time_limit():
            if len(fitted) != 1 or fitted[0].keys is None or candidate.prepare is None:
                return None
            keys = recorder.row_keys(as_array(candidate.prepare(public.inputs)))
            if keys is None:
                return None
            new = ~_are_among(keys, fitted[0].keys)
            if not MIN_HELD_OUT <= np.count_nonzero(new) <= (1 - MIN_KNOWN) * len(new):
                return None  # if none is known, the preparation differs too much to tell
            rows = replace(public, inputs=public.inputs[new], targets=public.targets[new])
            return rows.score(candidate.predict(rows.inputs))
    except Exception:  # noqa: BLE001  objects of the notebook
        return None


def _are_among(keys: Array, known: Array) -> Array:
    """Return for each of ``keys`` whether it is among the sorted ``known``, up to the precision of float32."""
    places = np.clip(np.searchsorted(known, keys), 1, max(1, len(known) - 1))
    nearest = np.minimum(np.abs(known[np.minimum(places, len(known) - 1)] - keys), np.abs(known[places - 1] - keys))
    among: Array = nearest <= SAME_KEY * max(float(np.ptp(known)), float(np.abs(known).max()), 1e-12)
    return among


def _candidates(name: str, model: Any, notebook: _Notebook, search: Search) -> Iterator[Candidate]:
    try:
        with time_limit():
            prepared, predict = _preparations(model, notebook.hints, search.public.inputs), predictor(model)
            draft = Candidate(
                name, "", "", lambda X: X, 0.0, model=model, trained=trained.is_trained(network_of(model)),
                final=bool(FINAL_NAMES.search(name)) or trained.is_evaluated(model),
            )  # fmt: skip
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
        began = time.monotonic()
        raw = try_call(predict_raw, search, name, preparation.name)
        if not isinstance(raw, Exception):
            guesses = preparation.guess and not as_fitted
            draft = replace(
                draft,
                preparation=preparation.name,
                prepare=preparation.apply,
                predict=predict_raw,
                guesses=guesses,
                as_fitted=as_fitted,
                seconds=time.monotonic() - began,
            )
            for candidate in _decode(draft, raw, notebook.named, search):
                settled |= as_fitted and beats_baseline(candidate, search.public)
                yield candidate
        elif isinstance(raw, TimeoutError):
            return  # other preparations would take as long
        elif not isinstance(raw, FloatingPointError):  # other numbers of the same shape might not give NaN
            refused.add(preparation.row)


def _preparations(model: Any, hints: NotebookHints, inputs: Array) -> list[tuple[Preparation, bool]]:
    """Return the preparations, each with True if it resembles the inputs of the training; those come first."""
    fitted = trained.inputs_of(network_of(model)) or trained.inputs_of(model)
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


def _resembles(preparation: Preparation, fitted: tuple[recorder.InputSummary, ...], inputs: Array) -> bool:
    """Return True if the prepared inputs have the ranges of the inputs that the model was fitted with."""
    count = min(_batch_size(preparation, inputs), recorder.SAMPLE_ROWS)
    try:
        prepared = preparation.apply(inputs[:count])
        parts = list(prepared.values()) if type(prepared) is dict else prepared
        parts = parts if type(parts) is list else [parts]
        return len(parts) == len(fitted) > 0 and all(map(_has_range, parts, fitted))
    except (TypeError, ValueError, AttributeError, KeyError, IndexError):
        return False  # the attempt itself will note the problem


def _has_range(part: Any, fitted: recorder.InputSummary) -> bool:
    if not math.isfinite(fitted.high - fitted.low):
        return False
    rows = as_array(part).astype(np.float64)
    difference = max(abs(float(rows.min()) - fitted.low), abs(float(rows.max()) - fitted.high))
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
