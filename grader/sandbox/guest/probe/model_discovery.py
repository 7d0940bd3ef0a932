"""Which of the notebook's objects are fitted models, in which order they are to be asked, and how."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from ..record import recorder
from ..safe_call import attribute, is_a

MAX_HELD = 20  # looked at in one list or dictionary of the notebook's
MAX_NAMED = 5000  # variables looked at


def models(namespace: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names and fitted models: the variable ``model``, what was trained last, then the variables made last."""
    named = list(_named(namespace))
    names = {id(value): name for name, value in named}
    candidates = [namespace.get("model"), *(entry.model for entry in reversed(recorder.fits))]
    candidates += [value for _name, value in reversed(named)]
    seen: set[int] = set()
    for value in sorted(candidates, key=_is_own):  # those come last: few mean a model by what they wrote themselves
        if id(value) not in seen and _can_be_asked(value):
            seen.add(id(value))
            yield names.get(id(value), type(value).__name__)[:80], value


def variables(namespace: dict[str, Any]) -> list[tuple[str, Any]]:
    """What the notebook has named, in its order."""
    return [(name, value) for name, value in islice(list(namespace.items()), MAX_NAMED) if not name.startswith("_")]


def _named(namespace: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The variables, each after what lies in it, if it is a list or a dictionary."""
    for name, value in variables(namespace):
        if name in ("In", "Out"):
            continue
        for place, held in islice(_held(value), MAX_HELD):
            yield f"{name}[{place!r}]"[:80], held
        yield name, value


def _held(value: Any) -> Iterable[tuple[Any, Any]]:
    if type(value) is dict:
        return ((place, held) for place, held in value.items() if type(place) in (str, int))
    return enumerate(value) if type(value) in (list, tuple) else ()


def _is_own(value: Any) -> bool:
    return type(value).__module__ == "__main__" and not (is_keras(value) or is_torch(value) or is_estimator(value))


def _can_be_asked(value: Any) -> bool:
    try:
        return _is_model(value)
    except Exception:  # noqa: BLE001  an object of the notebook's own making must not hide the others
        return False


def _is_model(value: Any) -> bool:
    """Whether ``value`` is fitted, as far as its kind can tell."""
    if is_a(value, type):
        return False
    if is_torch(value):
        return next(iter(value.parameters()), None) is not None
    if not callable(attribute(value, "predict")):
        return False
    if is_keras(value):
        return bool(value.built)
    return is_fitted(value) or _is_own(value)


def is_keras(value: Any) -> bool:
    keras = sys.modules.get("keras")
    return keras is not None and is_a(value, keras.Model)


def network_of(model: Any) -> Any:
    """The Keras model inside a wrapper that makes scikit-learn's estimator of it; otherwise ``model`` itself."""
    inside = (attribute(model, "model_"), attribute(model, "model")) if is_estimator(model) else ()
    return next((network for network in inside if is_keras(network)), model)


def is_torch(value: Any) -> bool:
    module = attribute(sys.modules.get("torch.nn"), "Module")
    # On PyTorch's backend a model of Keras is a module as well.
    return isinstance(module, type) and is_a(value, module) and not is_keras(value)


def is_estimator(value: Any) -> bool:
    sklearn = sys.modules.get("sklearn.base")
    return sklearn is not None and is_a(value, sklearn.BaseEstimator)


def is_fitted(value: Any) -> bool:
    """For scikit-learn's estimators, as scikit-learn says it."""
    if is_a(value, type) or not is_estimator(value):
        return False
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(value)
    except Exception:  # noqa: BLE001  NotFittedError, or whatever an estimator of the notebook's own says
        return False
    return True


# ------------------------------------------------------------------ asking one


def answering(model: Any) -> Callable[[Any], Any]:
    """How ``model`` is asked for some rows."""
    if is_torch(model):
        return functools.partial(_torch_answer, model)
    if not is_keras(model):
        return model.predict  # type: ignore[no-any-return]
    quietly = functools.partial(model.predict, verbose=0)
    if type(model).predict is not sys.modules["keras"].Model.predict:
        return quietly  # its author had something else in mind
    return functools.partial(_keras_answer, model, quietly)


def _keras_answer(model: Any, quietly: Callable[[Any], Any], X: Any) -> Any:
    """Called rather than through ``predict``, which compiles anew for every number of rows and takes ten times as
    long for a few."""
    try:
        return sys.modules["keras"].ops.convert_to_numpy(model(X, training=False))
    except (TypeError, ValueError, AttributeError, KeyError):
        return quietly(X)  # what it takes other inputs than arrays for, it knows itself


def _torch_answer(model: Any, X: Any) -> Any:
    """As after training: no dropout, batches normalised by what was learnt, no gradients."""
    torch = sys.modules["torch"]
    weights = next(iter(model.parameters()))
    model.eval()
    rows = torch.as_tensor(X).to(weights.device)
    with torch.no_grad():
        return model(rows if X.dtype.kind in "iu" else rows.to(weights.dtype))
