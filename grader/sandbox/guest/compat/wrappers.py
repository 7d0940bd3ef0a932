"""``KerasClassifier`` and ``KerasRegressor`` as Keras 2 had them: a function that builds a model, as an estimator.

A word of the constructor goes to whichever of the building function, ``fit``, ``predict`` and ``evaluate`` takes it,
so that a grid search can try ``epochs``, ``batch_size`` and the function's own arguments.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from . import log
from .module_getattr import MISSING

TODAY = {"KerasClassifier": "keras.wrappers.SKLearnClassifier", "KerasRegressor": "keras.wrappers.SKLearnRegressor"}
NO_ACCURACY = "The model does not compute accuracy: pass metrics=['accuracy'] to model.compile()."


def lookup(name: str) -> Any:
    if name not in TODAY:
        return MISSING
    log.translated(f"keras.wrappers.scikit_learn.{name}", TODAY[name])
    return estimators()[name]


@functools.cache
def estimators() -> dict[str, Any]:
    """Made when they are asked for: only then is scikit-learn needed."""
    from sklearn.base import BaseEstimator, RegressorMixin

    # Another process has no model to train; one after the other gives the same results.
    importlib.import_module("joblib").parallel_config(backend="sequential")

    class KerasClassifier(_Classifying, BaseEstimator):  # type: ignore[misc]
        def __sklearn_tags__(self) -> Any:
            """A classifier for whoever scores it; for who splits data it never was one: folds are not stratified."""
            tags = super().__sklearn_tags__()
            if hasattr(self, "model"):
                tags.estimator_type = "classifier"
                tags.classifier_tags = importlib.import_module("sklearn.utils").ClassifierTags()
            return tags

    class KerasRegressor(_Regressing, RegressorMixin, BaseEstimator):  # type: ignore[misc]
        pass

    return {"KerasClassifier": KerasClassifier, "KerasRegressor": KerasRegressor}


class _Building:
    """``build_fn`` is a function, an object that can be called, or left out by a subclass that is one itself."""

    model: Any

    def __init__(self, build_fn: Any = None, **sk_params: Any) -> None:
        self.build_fn, self.sk_params = build_fn, sk_params
        self._check(sk_params)

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        return {**self.sk_params, "build_fn": self.build_fn}

    def set_params(self, **params: Any) -> Any:
        self.build_fn = params.pop("build_fn", self.build_fn)
        self._check(params)
        self.sk_params.update(params)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model")

    def _builder(self) -> Callable[..., Any]:
        if self.build_fn is None:
            return self.__call__  # type: ignore[operator, no-any-return]
        plain = inspect.isfunction(self.build_fn) or inspect.ismethod(self.build_fn)
        return self.build_fn if plain else self.build_fn.__call__  # type: ignore[no-any-return]

    def _check(self, params: dict[str, Any]) -> None:
        model = _model()
        takers = (model.fit, model.predict, model.evaluate, self._builder())
        for name in params:
            if name != "nb_epoch" and not any(_takes(function, name) for function in takers):
                raise ValueError(
                    f"{name} is not a legal parameter: neither build_fn nor fit, predict, evaluate takes it"
                )

    def _words(self, function: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
        """Those of the constructor that ``function`` takes; ``given`` wins."""
        return {name: value for name, value in self.sk_params.items() if _takes(function, name)} | given

    def _train(self, X: Any, y: Any, given: dict[str, Any]) -> Any:
        build = self._builder()
        self.model = build(**self._words(build, {}))
        words = self._words(_model().fit, given)
        if "nb_epoch" in self.sk_params:
            words.setdefault("nb_epoch", self.sk_params["nb_epoch"])
        return self.model.fit(X, self._targets(y), **words)

    def _targets(self, y: Any) -> Any:
        """One column for each class where the loss wants it."""
        loss = getattr(self.model, "loss", None)
        if getattr(loss, "__name__", loss) == "categorical_crossentropy" and np.ndim(y) != 2:
            return sys.modules["keras"].utils.to_categorical(y)
        return y

    def _predicted(self, X: Any, given: dict[str, Any]) -> Any:
        return self.model.predict(X, **self._words(_model().predict, given))

    def _evaluated(self, X: Any, y: Any, given: dict[str, Any]) -> list[Any]:
        values = self.model.evaluate(X, y, **self._words(_model().evaluate, given))
        return values if isinstance(values, list) else [values]


class _Classifying(_Building):
    def fit(self, X: Any, y: Any, **words: Any) -> Any:
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        elif y.ndim <= 2:
            self.classes_ = np.unique(y)
            y = np.searchsorted(self.classes_, y)
        else:
            raise ValueError(f"Invalid shape for y: {y.shape}")
        self.n_classes_ = len(self.classes_)
        return self._train(X, y, words)

    def predict(self, X: Any, **words: Any) -> Any:
        answers = self._predicted(X, words)
        chosen = answers.argmax(axis=-1) if answers.shape[-1] > 1 else (answers > 0.5).astype("int32")
        return self.classes_[chosen]

    def predict_proba(self, X: Any, **words: Any) -> Any:
        answers = self._predicted(X, words)
        return np.hstack([1 - answers, answers]) if answers.shape[1] == 1 else answers

    def score(self, X: Any, y: Any, **words: Any) -> float:
        y = np.asarray(y)
        if not (y.ndim == 2 and y.shape[1] > 1):
            y = np.searchsorted(self.classes_, y)
        values = self._evaluated(X, self._targets(y), words)
        for name, value in zip(self.model.metrics_names, values, strict=False):
            if name in ("accuracy", "acc"):
                return float(value)
        raise ValueError(NO_ACCURACY)


class _Regressing(_Building):
    def fit(self, X: Any, y: Any, **words: Any) -> Any:
        return self._train(X, y, words)

    def predict(self, X: Any, **words: Any) -> Any:
        return np.squeeze(self._predicted(X, words), axis=-1)

    def score(self, X: Any, y: Any, **words: Any) -> float:
        """Minus the loss: greater is better."""
        return -float(self._evaluated(X, y, words)[0])


def _model() -> Any:
    return sys.modules["keras"].Model


def _takes(function: Callable[..., Any], name: str) -> bool:
    return name in inspect.signature(function).parameters
