"""``KerasClassifier`` and ``KerasRegressor`` of Keras 2: estimators made of a function that builds a model.

An argument of the constructor goes to each of the building function, ``fit``, ``predict`` and ``evaluate`` that
accepts it, so that a grid search can try ``epochs``, ``batch_size`` and the function's own arguments.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from .notes import note_translation
from .stub_modules import MISSING

TODAY = {"KerasClassifier": "keras.wrappers.SKLearnClassifier", "KerasRegressor": "keras.wrappers.SKLearnRegressor"}
NO_ACCURACY = "The model does not compute accuracy. Pass metrics=['accuracy'] to model.compile()."


def lookup(name: str) -> Any:
    """Return the estimator class ``name``, or ``MISSING``."""
    if name not in TODAY:
        return MISSING
    note_translation(f"keras.wrappers.scikit_learn.{name}", TODAY[name])
    return estimators()[name]


@functools.cache
def estimators() -> dict[str, Any]:
    """Return the two classes by name; they are built at the first use because they need scikit-learn."""
    from sklearn.base import BaseEstimator, RegressorMixin

    # Another process has no model to train; sequential runs give the same results.
    importlib.import_module("joblib").parallel_config(backend="sequential")

    class KerasClassifier(_Classifier, BaseEstimator):  # type: ignore[misc]
        def __sklearn_tags__(self) -> Any:
            """Return the tags of a classifier only after fitting.

            Scoring then sees a classifier. Splitting did not see one in Keras 2, so that folds are not stratified.
            """
            tags = super().__sklearn_tags__()
            if hasattr(self, "model"):
                tags.estimator_type = "classifier"
                tags.classifier_tags = importlib.import_module("sklearn.utils").ClassifierTags()
            return tags

    class KerasRegressor(_Regressor, RegressorMixin, BaseEstimator):  # type: ignore[misc]
        pass

    return {"KerasClassifier": KerasClassifier, "KerasRegressor": KerasRegressor}


class _Wrapper:
    """Base of both estimators.

    ``build_fn`` is a function, a callable object, or None for a subclass that is itself callable.
    """

    model: Any

    def __init__(self, build_fn: Any = None, **sk_params: Any) -> None:
        self.build_fn, self.sk_params = build_fn, sk_params
        self._check_parameters(sk_params)

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        return {**self.sk_params, "build_fn": self.build_fn}

    def set_params(self, **params: Any) -> Any:
        self.build_fn = params.pop("build_fn", self.build_fn)
        self._check_parameters(params)
        self.sk_params.update(params)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model")

    def _builder(self) -> Callable[..., Any]:
        if self.build_fn is None:
            return self.__call__  # type: ignore[operator, no-any-return]
        is_function = inspect.isfunction(self.build_fn) or inspect.ismethod(self.build_fn)
        return self.build_fn if is_function else self.build_fn.__call__  # type: ignore[no-any-return]

    def _check_parameters(self, params: dict[str, Any]) -> None:
        model = _model_class()
        functions = (model.fit, model.predict, model.evaluate, self._builder())
        for name in params:
            if name != "nb_epoch" and not any(_accepts(function, name) for function in functions):
                raise ValueError(
                    f"{name} is not a legal parameter: build_fn, fit, predict and evaluate do not accept it"
                )

    def _arguments(self, function: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of the constructor that ``function`` accepts, overridden by ``given``."""
        return {name: value for name, value in self.sk_params.items() if _accepts(function, name)} | given

    def _train(self, X: Any, y: Any, given: dict[str, Any]) -> Any:
        build = self._builder()
        self.model = build(**self._arguments(build, {}))
        arguments = self._arguments(_model_class().fit, given)
        if "nb_epoch" in self.sk_params:
            arguments.setdefault("nb_epoch", self.sk_params["nb_epoch"])
        return self.model.fit(X, self._targets(y), **arguments)

    def _targets(self, y: Any) -> Any:
        """Return ``y`` with one column per class if the loss needs that."""
        loss = getattr(self.model, "loss", None)
        if getattr(loss, "__name__", loss) == "categorical_crossentropy" and np.ndim(y) != 2:
            return sys.modules["keras"].utils.to_categorical(y)
        return y

    def _predict(self, X: Any, given: dict[str, Any]) -> Any:
        return self.model.predict(X, **self._arguments(_model_class().predict, given))

    def _evaluate(self, X: Any, y: Any, given: dict[str, Any]) -> list[Any]:
        values = self.model.evaluate(X, y, **self._arguments(_model_class().evaluate, given))
        return values if isinstance(values, list) else [values]


class _Classifier(_Wrapper):
    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        elif y.ndim <= 2:
            self.classes_ = np.unique(y)
            y = np.searchsorted(self.classes_, y)
        else:
            raise ValueError(f"Invalid shape for y: {y.shape}")
        self.n_classes_ = len(self.classes_)
        return self._train(X, y, kwargs)

    def predict(self, X: Any, **kwargs: Any) -> Any:
        outputs = self._predict(X, kwargs)
        chosen = outputs.argmax(axis=-1) if outputs.shape[-1] > 1 else (outputs > 0.5).astype("int32")
        return self.classes_[chosen]

    def predict_proba(self, X: Any, **kwargs: Any) -> Any:
        outputs = self._predict(X, kwargs)
        return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

    def score(self, X: Any, y: Any, **kwargs: Any) -> float:
        """Return the accuracy; raise ValueError if the model does not compute it."""
        y = np.asarray(y)
        if not (y.ndim == 2 and y.shape[1] > 1):
            y = np.searchsorted(self.classes_, y)
        values = self._evaluate(X, self._targets(y), kwargs)
        for name, value in zip(self.model.metrics_names, values, strict=False):
            if name in ("accuracy", "acc"):
                return float(value)
        raise ValueError(NO_ACCURACY)


class _Regressor(_Wrapper):
    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:
        return self._train(X, y, kwargs)

    def predict(self, X: Any, **kwargs: Any) -> Any:
        return np.squeeze(self._predict(X, kwargs), axis=-1)

    def score(self, X: Any, y: Any, **kwargs: Any) -> float:
        """Return the negative loss: greater is better."""
        return -float(self._evaluate(X, y, kwargs)[0])


def _model_class() -> Any:
    return sys.modules["keras"].Model


def _accepts(function: Callable[..., Any], name: str) -> bool:
    return name in inspect.signature(function).parameters
