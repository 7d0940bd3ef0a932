"""Old names of NumPy, pandas, scikit-learn, Matplotlib and SciPy; only those that mean the same today."""

from __future__ import annotations

import functools
import importlib
import importlib.abc
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np

from . import log, pictures
from .arguments import understand
from .kinds import Kind
from .module_getattr import MISSING, asked_by_a_library, serve

NUMPY: Mapping[str, str] = {
    "int": "int",
    "float": "float",
    "object": "object",
    "str": "str",
    "complex": "complex",
    "float_": "float64",
    "complex_": "complex128",
    "unicode_": "str_",
    "string_": "bytes_",
    "Inf": "inf",
    "Infinity": "inf",
    "infty": "inf",
    "NaN": "nan",
    "NAN": "nan",
    "product": "prod",
    "cumproduct": "cumprod",
    "sometrue": "any",
    "alltrue": "all",
    "in1d": "isin",
    "trapz": "trapezoid",
    "row_stack": "vstack",
    "round_": "round",
}
_BUILT_IN = {"int": int, "float": float, "object": object, "str": str, "complex": complex}

# A module that is gone, and where its names are; only those listed mean the same.
MODULES: Mapping[str, tuple[str, frozenset[str]]] = {
    "sklearn.cross_validation": (
        "sklearn.model_selection",
        frozenset({"train_test_split", "cross_val_score", "cross_val_predict"}),
    ),
    "sklearn.grid_search": (
        "sklearn.model_selection",
        frozenset({"GridSearchCV", "RandomizedSearchCV", "ParameterGrid"}),
    ),
    "sklearn.learning_curve": ("sklearn.model_selection", frozenset({"learning_curve", "validation_curve"})),
    "sklearn.externals.joblib": ("joblib", frozenset({"dump", "load", "Parallel", "delayed", "Memory"})),
}
SKLEARN_METRICS: Mapping[str, str] = {
    "plot_confusion_matrix": "ConfusionMatrixDisplay",
    "plot_roc_curve": "RocCurveDisplay",
    "plot_precision_recall_curve": "PrecisionRecallDisplay",
}
PANDAS: Mapping[str, Mapping[str, str]] = {
    "DataFrame": {"append": "_append", "iteritems": "items", "as_matrix": "to_numpy"},
    "Series": {"append": "_append", "iteritems": "items", "as_matrix": "to_numpy"},
}
_SAID = {"_append": "pd.concat([a, b])", "items": "items()", "to_numpy": "to_numpy()"}

WINDOWS = ("tk", "qt", "gtk", "macosx", "wx", "nbagg")

After = Callable[[str, Callable[[ModuleType], None]], None]


def start(after_import: After) -> None:
    sys.meta_path.append(_Gone())
    _numpy()
    after_import("scipy.misc", lambda misc: serve(misc, pictures.lookup))  # in some versions an empty one
    after_import("pandas", _pandas)
    after_import("sklearn.externals", _sklearn_externals)
    after_import("sklearn.metrics", _sklearn_metrics)
    after_import("sklearn.preprocessing", _sklearn_preprocessing)
    after_import("matplotlib", _matplotlib_windows)
    after_import("matplotlib.cm", _matplotlib_colours)
    after_import("matplotlib.style", _matplotlib_style)


def _numpy() -> None:
    def lookup(name: str) -> Any:
        if name not in NUMPY or asked_by_a_library():
            return MISSING
        value = _BUILT_IN[name] if name in _BUILT_IN else getattr(np, NUMPY[name])
        log.translated(f"np.{name}", NUMPY[name] if name in _BUILT_IN else f"np.{NUMPY[name]}")
        return value

    serve(np, lookup)


class _Gone(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """The last to be asked, so that a module that exists is never hidden."""

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        gone = fullname in MODULES or fullname == "scipy.misc"
        return ModuleSpec(fullname, _Gone()) if gone else None  # one of its own: whoever waits for it wraps its loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:  # noqa: ARG002
        return None

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ == "scipy.misc":
            return
        home, names = MODULES[module.__name__]
        today = importlib.import_module(home)

        def lookup(name: str) -> Any:
            if name not in names:
                return MISSING
            log.translated(f"{module.__name__}.{name}", f"{home}.{name}")
            return getattr(today, name)

        serve(module, lookup)


def _pandas(pandas: ModuleType) -> None:
    for owner, names in PANDAS.items():
        for old, today in names.items():
            kind = getattr(pandas, owner)
            if not hasattr(kind, old) and hasattr(kind, today):
                setattr(kind, old, _renamed(getattr(kind, today), f"{owner}.{old}()", _SAID[today]))


def _renamed(function: Callable[..., Any], found: str, used: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def renamed(*args: Any, **kwargs: Any) -> Any:
        log.translated(found, used)
        return function(*args, **kwargs)

    return renamed


def _sklearn_externals(externals: ModuleType) -> None:
    serve(externals, lambda name: importlib.import_module("sklearn.externals.joblib") if name == "joblib" else MISSING)


def _sklearn_metrics(metrics: ModuleType) -> None:
    def lookup(name: str) -> Any:
        if name not in SKLEARN_METRICS:
            return MISSING
        today = f"{SKLEARN_METRICS[name]}.from_estimator"
        log.translated(f"sklearn.metrics.{name}", f"sklearn.metrics.{today}")
        return getattr(metrics, SKLEARN_METRICS[name]).from_estimator

    serve(metrics, lookup)
    _square_root(metrics)


def _square_root(metrics: Any) -> None:
    """``mean_squared_error(squared=False)``, which became a function of its own."""
    mean = metrics.mean_squared_error
    if "squared" in inspect.signature(mean).parameters or not hasattr(metrics, "root_mean_squared_error"):
        return

    @functools.wraps(mean)
    def mean_squared_error(*args: Any, squared: bool = True, **words: Any) -> Any:
        if squared:
            return mean(*args, **words)
        log.translated("mean_squared_error(squared=False)", "root_mean_squared_error()")
        return metrics.root_mean_squared_error(*args, **words)

    metrics.mean_squared_error = mean_squared_error


def _sklearn_preprocessing(preprocessing: Any) -> None:
    understand(preprocessing.OneHotEncoder, "__init__", {"sparse": "sparse_output"})


def _matplotlib_windows(matplotlib: Any) -> None:
    """A backend with windows: there is no screen here, and the figures are in the notebook without one."""
    use = matplotlib.use

    @functools.wraps(use)
    def used(backend: str, **words: Any) -> None:
        if str(backend).lower().startswith(WINDOWS):
            log.note(Kind.IGNORED, f"matplotlib.use({backend!r})")
        else:
            use(backend, **words)

    matplotlib.use = used


def _matplotlib_colours(colours: ModuleType) -> None:
    def lookup(name: str) -> Any:
        if name != "get_cmap":
            return MISSING
        log.translated("plt.cm.get_cmap(name)", "plt.get_cmap(name)")
        return importlib.import_module("matplotlib.pyplot").get_cmap

    serve(colours, lookup)


def _matplotlib_style(style: Any) -> None:
    """Seaborn's styles have the version of Seaborn in their names now."""
    core: Any = importlib.import_module("matplotlib.style.core") if hasattr(style, "core") else style
    use = core.use

    @functools.wraps(use)
    def used(wanted: Any) -> None:
        if isinstance(wanted, str):
            wanted = _style(wanted, style.available)
        elif isinstance(wanted, (list, tuple)):
            wanted = [_style(one, style.available) if isinstance(one, str) else one for one in wanted]
        use(wanted)

    style.use = core.use = used


def _style(name: str, available: Sequence[str]) -> str:
    today = name.replace("seaborn", "seaborn-v0_8", 1)
    if name.startswith("seaborn") and name not in available and today in available:
        log.translated(f"plt.style.use({name!r})", f"plt.style.use({today!r})")
        return today
    return name
