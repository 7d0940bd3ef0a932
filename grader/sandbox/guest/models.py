"""Which of the notebook's variables are fitted models, and in which order they are to be asked."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import record

PIECE = 1 << 20  # numbers that a model is given at once: rows of a table by the thousand, photos by the dozen


def models(namespace: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names and fitted models: the variable ``model``, then what was trained last, then the variables made last."""
    names = {id(value): name for name, value in reversed(list(namespace.items())) if not name.startswith("_")}
    candidates = [namespace.get("model"), *(entry.model for entry in reversed(record.fits))]
    candidates += [value for name, value in reversed(list(namespace.items())) if not name.startswith("_")]
    seen: set[int] = set()
    for value in candidates:
        if id(value) not in seen and _is_fitted_model(value):
            seen.add(id(value))
            yield names.get(id(value), type(value).__name__)[:80], value


def _is_fitted_model(value: Any) -> bool:
    if isinstance(value, type) or not callable(getattr(value, "predict", None)):
        return False
    keras = sys.modules.get("keras")
    if keras is not None and isinstance(value, keras.Model):
        return bool(value.built)
    return is_fitted(value)


def answering(model: Any) -> Callable[[Any], Any]:
    """How ``model`` is asked: Keras is called in pieces rather than through ``predict``, which compiles anew for
    every number of rows and takes ten times as long for a few."""
    keras = sys.modules.get("keras")
    if keras is None or not isinstance(model, keras.Model):
        return model.predict  # type: ignore[no-any-return]
    quietly = functools.partial(model.predict, verbose=0)
    if type(model).predict is not keras.Model.predict:
        return quietly  # its author had something else in mind

    def call(X: Any) -> Any:
        try:
            rows = max(1, PIECE // max(1, np.size(X[:1])))
            pieces = [model(X[start : start + rows], training=False) for start in range(0, len(X), rows)]
            return np.concatenate([keras.ops.convert_to_numpy(piece) for piece in pieces])
        except (TypeError, ValueError, AttributeError, KeyError):
            return quietly(X)  # what it takes other inputs than arrays for, it knows itself

    return call


def is_fitted(value: Any) -> bool:
    """For scikit-learn's estimators, as scikit-learn says it."""
    sklearn = sys.modules.get("sklearn.base")
    if sklearn is None or isinstance(value, type) or not isinstance(value, sklearn.BaseEstimator):
        return False
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(value)
    except (NotFittedError, TypeError):
        return False
    return True
