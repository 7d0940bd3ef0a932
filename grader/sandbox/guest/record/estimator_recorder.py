"""Recorder of the fits and evaluations of scikit-learn's estimators, and of other libraries' that derive from them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from ..safe_call import safe_getattr
from . import trained
from .method_hooks import Method, after, watch_methods
from .recorder import MAX_EPOCHS, FitRecord, evaluations, fits, number, row_count, summarize_all_inputs

FITTING, ASKING = ("fit", "partial_fit"), ("predict", "predict_proba", "decision_function", "score")
CURVES = {"loss_curve_": "loss", "train_score_": "loss", "validation_scores_": "val_accuracy"}
MAX_FITS = 200


def hook(base: ModuleType) -> None:
    """Record the methods of every class below ``BaseEstimator``; ``base`` is the module ``sklearn.base``."""
    watch_methods(base.BaseEstimator, (*FITTING, *ASKING), _wrap)


def _wrap(name: str, method: Method) -> Method:
    return after(method, _record_fit if name in FITTING else _record_score if name == "score" else _record_question)


def _record_fit(estimator: Any, args: tuple[Any, ...], kwargs: dict[str, Any], _result: Any) -> None:
    x = args[0] if args else kwargs.get("X", kwargs.get("x"))
    inputs = summarize_all_inputs(x, trained_share=1.0)
    trained.note_inputs(estimator, inputs)
    if not callable(safe_getattr(type(estimator), "predict")):
        return  # a transformer
    trained.note_training(estimator)
    entry = _entry(estimator)
    if entry is not None:
        entry.samples = entry.trained_on = row_count(x)
        entry.inputs, entry.curves = inputs, _curves(estimator)


def _entry(estimator: Any) -> FitRecord | None:
    """Return the record of the last fit if it was of the same estimator, or a new one; None after too many."""
    if fits and fits[-1].owner == id(estimator):
        return fits[-1]
    if len(fits) >= MAX_FITS:
        return None
    entry = FitRecord(None, type(estimator).__name__[:80], None, None, owner=id(estimator))
    fits.append(entry)
    return entry


def _record_score(estimator: Any, args: tuple[Any, ...], kwargs: dict[str, Any], _result: Any) -> None:
    trained.note_evaluation(estimator)
    evaluations.append(row_count(args[0] if args else kwargs.get("X")))


def _record_question(estimator: Any, *_call: Any) -> None:
    trained.note_evaluation(estimator)


def _curves(estimator: Any) -> dict[str, list[float]]:
    """Return the curves that a network or boosted trees keep, also as the last step of a pipeline."""
    steps = safe_getattr(estimator, "steps")
    model = steps[-1][1] if type(steps) is list and steps and type(steps[-1]) is tuple else estimator
    found = ((key, _curve(safe_getattr(model, attribute))) for attribute, key in CURVES.items())
    return {key: curve for key, curve in found if curve}


def _curve(values: Any) -> list[float]:
    """Return the numbers of a list or a vector, or [] for anything else."""
    if not (isinstance(values, list) or (isinstance(values, np.ndarray) and values.ndim == 1)):
        return []
    return [number(value) for value in values[:MAX_EPOCHS]]
