"""Old names of NumPy, pandas, scikit-learn and Matplotlib; only those that mean the same today."""

from __future__ import annotations

import functools
import importlib
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from . import old_scipy, old_sklearn
from .notes import Kind, note, note_translation
from .stub_modules import MISSING, add_lookup, is_read_by_a_library, provide_missing

NUMPY: Mapping[str, str] = {
    "int": "int",
    "float": "float",
    "object": "object",
    "str": "str",
    "unicode": "str",
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
    "rank": "ndim",
    "mat": "asmatrix",
    "PINF": "inf",
    "bool8": "bool_",
    "int0": "intp",
    "uint0": "uintp",
    "object0": "object_",
    "longfloat": "longdouble",
    "singlecomplex": "complex64",
    "cfloat": "complex128",
    "clongfloat": "clongdouble",
    "longcomplex": "clongdouble",
}
_BUILT_IN = {"int": int, "float": float, "object": object, "str": str, "unicode": str, "complex": complex}


def asscalar(a: Any) -> Any:
    """Return the only element of an array."""
    return np.asarray(a).item()


def asfarray(a: Any, dtype: Any = np.float64) -> Any:
    """Return an array of floating-point numbers; an integer ``dtype`` means float64."""
    return np.asarray(a, dtype if np.issubdtype(dtype, np.inexact) else np.float64)


def msort(a: Any) -> Any:
    """Return a sorted copy along the first axis."""
    return np.sort(a, axis=0)


# Names with the code to write today and their value.
NUMPY_VALUES: Mapping[str, tuple[str, Any]] = {
    "NINF": ("-np.inf", -np.inf),
    "PZERO": ("0.0", 0.0),
    "NZERO": ("-0.0", -0.0),
    "math": ("import math", math),
    "asscalar": ("np.asarray(a).item()", asscalar),
    "asfarray": ("np.asarray(a, dtype=float)", asfarray),
    "msort": ("np.sort(a, axis=0)", msort),
}

# Removed modules: the present module, and the names that still mean the same there.
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
    "sklearn.externals.six": ("io", frozenset({"StringIO", "BytesIO"})),
    "pandas.tools.plotting": (
        "pandas.plotting",
        frozenset(
            {
                "andrews_curves",
                "autocorrelation_plot",
                "bootstrap_plot",
                "lag_plot",
                "parallel_coordinates",
                "radviz",
                "scatter_matrix",
            }
        ),
    ),
    "pandas.util.testing": (
        "pandas.testing",
        frozenset({"assert_frame_equal", "assert_series_equal", "assert_index_equal"}),
    ),
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
# Names of ``pandas`` itself; the functions for moving windows follow below.
PANDAS_NAMES: Mapping[str, str] = {
    "datetime": "datetime.datetime",
    "np": "numpy",
    "scatter_matrix": "pandas.plotting.scatter_matrix",
}
ROLLING = ("max", "mean", "median", "min", "std", "sum", "var")
_PANDAS_TODAY = {"_append": "pd.concat([a, b])", "items": "items()", "to_numpy": "to_numpy()"}

WINDOW_BACKENDS = ("tk", "qt", "gtk", "macosx", "wx", "nbagg")

AfterImport = Callable[[str, Callable[[ModuleType], None]], None]


def install(after_import: AfterImport) -> None:
    """Add the names to NumPy now, and to each other library once it is imported."""
    provide_missing({**dict.fromkeys(MODULES, _fill_removed_module), "pandas.tools": lambda _module: None})
    add_lookup(np, _lookup_numpy)
    after_import("pandas", _extend_pandas)
    after_import("pandas.io.json", lambda json: add_lookup(json, _lookup_pandas_json))
    after_import("sklearn.externals", lambda externals: add_lookup(externals, _lookup_sklearn_externals))
    after_import("sklearn.metrics", _extend_sklearn_metrics)
    old_sklearn.install(after_import)
    old_scipy.install(after_import)
    after_import("matplotlib", _ignore_window_backends)
    after_import("matplotlib.cm", lambda cm: add_lookup(cm, _lookup_matplotlib_cm))
    after_import("matplotlib.style", _rename_seaborn_styles)


def _fill_removed_module(module: ModuleType) -> None:
    home, names = MODULES[module.__name__]
    today = importlib.import_module(home)

    def lookup(name: str) -> Any:
        if name not in names:
            return MISSING
        note_translation(f"{module.__name__}.{name}", f"{home}.{name}")
        return getattr(today, name)

    add_lookup(module, lookup)


# ------------------------------------------------------------------ NumPy and pandas


def _lookup_numpy(name: str) -> Any:
    if (name not in NUMPY and name not in NUMPY_VALUES) or is_read_by_a_library():
        return MISSING
    if name in NUMPY_VALUES:
        note_translation(f"np.{name}", NUMPY_VALUES[name][0])
        return NUMPY_VALUES[name][1]
    value = _BUILT_IN[name] if name in _BUILT_IN else getattr(np, NUMPY[name])
    note_translation(f"np.{name}", NUMPY[name] if name in _BUILT_IN else f"np.{NUMPY[name]}")
    return value


def _extend_pandas(pandas: ModuleType) -> None:
    for owner, names in PANDAS.items():
        for old, today in names.items():
            table = getattr(pandas, owner)
            if not hasattr(table, old) and hasattr(table, today):
                setattr(table, old, _noting(getattr(table, today), f"{owner}.{old}()", _PANDAS_TODAY[today]))

    index = pandas.Index
    if not hasattr(index, "is_monotonic"):
        index.is_monotonic = pandas.Series.is_monotonic = property(_is_monotonic)
    add_lookup(pandas, _lookup_pandas)


def _is_monotonic(table: Any) -> bool:
    note_translation("is_monotonic", "is_monotonic_increasing")
    return bool(table.is_monotonic_increasing)


def _lookup_pandas(name: str) -> Any:
    word, _, function = name.partition("_")
    if (name not in PANDAS_NAMES and not (word == "rolling" and function in ROLLING)) or is_read_by_a_library():
        return MISSING
    if word == "rolling":
        note_translation(f"pd.{name}(x, window)", f"x.rolling(window).{function}()")
        return functools.partial(_apply_to_window, function)
    home, _, today = PANDAS_NAMES[name].rpartition(".")
    note_translation(f"pd.{name}", PANDAS_NAMES[name])
    return getattr(importlib.import_module(home), today) if home else importlib.import_module(today)


def _apply_to_window(
    function: str, arg: Any, window: int, min_periods: int | None = None, *, center: bool = False, **options: Any
) -> Any:
    """Compute ``pd.rolling_mean`` and the like; an array gives an array."""
    pandas: Any = importlib.import_module("pandas")
    unknown = sorted(options.keys() - ({"ddof"} if function in ("std", "var") else set()))
    if unknown:
        raise TypeError(f"pd.rolling_{function}({unknown[0]}=...) was removed. Use x.rolling(window).{function}().")
    is_table = isinstance(arg, (pandas.Series, pandas.DataFrame))
    table = arg if is_table else pandas.Series(arg) if np.ndim(arg) == 1 else pandas.DataFrame(arg)
    result = getattr(table.rolling(window, min_periods=min_periods, center=center), function)(**options)
    return result if is_table else result.to_numpy()


def _lookup_pandas_json(name: str) -> Any:
    if name != "json_normalize" or is_read_by_a_library():
        return MISSING
    note_translation("pandas.io.json.json_normalize", "pd.json_normalize")
    return importlib.import_module("pandas").json_normalize


def _noting(function: Callable[..., Any], found: str, used: str) -> Callable[..., Any]:
    """Return ``function`` with a note of each call."""

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        note_translation(found, used)
        return function(*args, **kwargs)

    return called


# ------------------------------------------------------------------ scikit-learn


def _lookup_sklearn_externals(name: str) -> Any:
    return importlib.import_module("sklearn.externals.joblib") if name == "joblib" else MISSING


def _extend_sklearn_metrics(metrics: ModuleType) -> None:
    def lookup(name: str) -> Any:
        if name not in SKLEARN_METRICS:
            return MISSING
        today = f"{SKLEARN_METRICS[name]}.from_estimator"
        note_translation(f"sklearn.metrics.{name}", f"sklearn.metrics.{today}")
        return getattr(metrics, SKLEARN_METRICS[name]).from_estimator

    add_lookup(metrics, lookup)
    _accept_squared(metrics)


def _accept_squared(metrics: Any) -> None:
    """Accept ``mean_squared_error(squared=False)``, which became ``root_mean_squared_error``."""
    squared_error = metrics.mean_squared_error
    if "squared" in inspect.signature(squared_error).parameters or not hasattr(metrics, "root_mean_squared_error"):
        return

    @functools.wraps(squared_error)
    def mean_squared_error(*args: Any, squared: bool = True, **kwargs: Any) -> Any:
        if squared:
            return squared_error(*args, **kwargs)
        note_translation("mean_squared_error(squared=False)", "root_mean_squared_error()")
        return metrics.root_mean_squared_error(*args, **kwargs)

    metrics.mean_squared_error = mean_squared_error


# ------------------------------------------------------------------ Matplotlib


def _ignore_window_backends(matplotlib: Any) -> None:
    """Ignore a backend with windows: there is no screen, and the notebook shows its figures without one."""
    use_backend = matplotlib.use

    @functools.wraps(use_backend)
    def use(backend: str, **kwargs: Any) -> None:
        if str(backend).lower().startswith(WINDOW_BACKENDS):
            note(Kind.IGNORED, f"matplotlib.use({backend!r})")
        else:
            use_backend(backend, **kwargs)

    matplotlib.use = use


def _lookup_matplotlib_cm(name: str) -> Any:
    if name != "get_cmap":
        return MISSING
    note_translation("plt.cm.get_cmap(name)", "plt.get_cmap(name)")
    return importlib.import_module("matplotlib.pyplot").get_cmap


def _rename_seaborn_styles(style: Any) -> None:
    """Accept the old names of seaborn's styles, which now contain the version of seaborn."""
    core: Any = importlib.import_module("matplotlib.style.core") if hasattr(style, "core") else style
    use_style = core.use

    @functools.wraps(use_style)
    def use(wanted: Any) -> None:
        if isinstance(wanted, str):
            wanted = _style_name(wanted, style.available)
        elif isinstance(wanted, (list, tuple)):
            wanted = [_style_name(name, style.available) if isinstance(name, str) else name for name in wanted]
        use_style(wanted)

    style.use = core.use = use


def _style_name(name: str, available: Sequence[str]) -> str:
    today = name.replace("seaborn", "seaborn-v0_8", 1)
    if name.startswith("seaborn") and name not in available and today in available:
        note_translation(f"plt.style.use({name!r})", f"plt.style.use({today!r})")
        return today
    return name
