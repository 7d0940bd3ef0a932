"""Discovery of the notebook's fitted models, in the order in which they are tried, and functions that call them."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from ..record import recorder, trained
from ..safe_call import has_type, safe_getattr

MAX_HELD = 20  # entries of one list or dictionary that are examined
MAX_VARIABLES = 5000


def fitted_models(namespace: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield names and fitted models: the variable ``model``, then the last trained ones, then the last variables."""
    named = list(_named_objects(namespace))
    names = {id(value): name for name, value in named}
    objects = [namespace.get("model"), *(entry.model for entry in reversed(recorder.fits)), *reversed(trained.recent)]
    objects += [value for _name, value in reversed(named)]
    seen: set[int] = set()
    for value in sorted(objects, key=_is_own_class):  # the notebook's own classes come last: they are seldom models
        if id(value) not in seen and _can_predict(value):
            seen.add(id(value))
            yield names.get(id(value), type(value).__name__)[:80], value


def variables(namespace: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the notebook's public variables in the order of their creation."""
    return [(name, value) for name, value in islice(list(namespace.items()), MAX_VARIABLES) if not name.startswith("_")]


def _named_objects(namespace: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the variables; before a list or a dictionary, its entries."""
    for name, value in variables(namespace):
        if name in ("In", "Out"):
            continue
        for key, held in islice(_entries(value), MAX_HELD):
            yield f"{name}[{key!r}]"[:80], held
        yield name, value


def _entries(value: Any) -> Iterable[tuple[Any, Any]]:
    if type(value) is dict:
        return ((key, held) for key, held in value.items() if type(key) in (str, int))
    return enumerate(value) if type(value) in (list, tuple) else ()


def _is_own_class(value: Any) -> bool:
    return type(value).__module__ == "__main__" and not (is_keras(value) or is_torch(value) or is_estimator(value))


def _can_predict(value: Any) -> bool:
    try:
        return _is_model(value)
    except Exception:  # noqa: BLE001  an object of the notebook that raises must not hide the others
        return False


def _is_model(value: Any) -> bool:
    """Return True for an object that predicts and is fitted, as far as its kind can tell."""
    if has_type(value, type):
        return False
    if is_torch(value):
        return next(iter(value.parameters()), None) is not None
    if not callable(safe_getattr(value, "predict")):
        return False
    if is_keras(value):
        return bool(value.built)
    return is_fitted(value) or _is_own_class(value)


def is_keras(value: Any) -> bool:
    """Return True for a model of Keras."""
    keras = sys.modules.get("keras")
    return keras is not None and has_type(value, keras.Model)


def network_of(model: Any) -> Any:
    """Return the Keras model inside a scikit-learn wrapper, or ``model`` itself."""
    inside = (safe_getattr(model, "model_"), safe_getattr(model, "model")) if is_estimator(model) else ()
    return next((network for network in inside if is_keras(network)), model)


def is_torch(value: Any) -> bool:
    """Return True for a module of PyTorch that is no model of Keras: on the PyTorch backend those are modules too."""
    module = safe_getattr(sys.modules.get("torch.nn"), "Module")
    return isinstance(module, type) and has_type(value, module) and not is_keras(value)


def is_estimator(value: Any) -> bool:
    """Return True for an estimator of scikit-learn."""
    sklearn = sys.modules.get("sklearn.base")
    return sklearn is not None and has_type(value, sklearn.BaseEstimator)


def is_fitted(value: Any) -> bool:
    """Return True for a fitted estimator, by scikit-learn's own check."""
    if has_type(value, type) or not is_estimator(value):
        return False
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(value)
    except Exception:  # noqa: BLE001  NotFittedError, or anything that an estimator of the notebook raises
        return False
    return True


# ------------------------------------------------------------------ calls


def predictor(model: Any) -> Callable[[Any], Any]:
    """Return the function that calls ``model`` with rows of inputs."""
    if is_torch(model):
        return functools.partial(_predict_torch, model)
    if not is_keras(model):
        return model.predict  # type: ignore[no-any-return]
    predict = functools.partial(model.predict, verbose=0)
    if type(model).predict is not sys.modules["keras"].Model.predict:
        return predict  # the notebook defines its own
    return functools.partial(_predict_keras, model, predict)


def _predict_keras(model: Any, predict: Callable[[Any], Any], X: Any) -> Any:
    """Call the model directly: ``predict`` compiles for every number of rows and takes ten times as long for a few."""
    try:
        return sys.modules["keras"].ops.convert_to_numpy(model(X, training=False))
    except (TypeError, ValueError, AttributeError, KeyError):
        return predict(X)  # it converts other inputs than arrays


def _predict_torch(model: Any, X: Any) -> Any:
    """Call the model in evaluation mode: no dropout, learnt batch statistics, no gradients."""
    torch = sys.modules["torch"]
    weights = next(iter(model.parameters()))
    model.eval()
    rows = torch.as_tensor(X).to(weights.device)
    with torch.no_grad():
        return model(rows if X.dtype.kind in "iu" else rows.to(weights.dtype))
