"""Old names of NumPy, pandas, scikit-learn, Matplotlib and SciPy; only those that mean the same today."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from .arguments import accept_old_arguments
from .notes import Kind, note, note_translation
from .stub_modules import MISSING, add_lookup, is_read_by_a_library, provide_missing

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
_PANDAS_TODAY = {"_append": "pd.concat([a, b])", "items": "items()", "to_numpy": "to_numpy()"}

WINDOW_BACKENDS = ("tk", "qt", "gtk", "macosx", "wx", "nbagg")

AfterImport = Callable[[str, Callable[[ModuleType], None]], None]


def install(after_import: AfterImport) -> None:
    """Add the names to NumPy now, and to each other library once it is imported."""
    provide_missing({**dict.fromkeys(MODULES, _fill_removed_module), "scipy.misc": lambda _module: None})
    add_lookup(np, _lookup_numpy)
    after_import("scipy.misc", lambda misc: add_lookup(misc, _lookup_scipy_misc))  # an empty module in some versions
    after_import("pandas", _extend_pandas)
    after_import("sklearn.externals", lambda externals: add_lookup(externals, _lookup_sklearn_externals))
    after_import("sklearn.metrics", _extend_sklearn_metrics)
    after_import("sklearn.preprocessing", _extend_sklearn_preprocessing)
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
    if name not in NUMPY or is_read_by_a_library():
        return MISSING
    value = _BUILT_IN[name] if name in _BUILT_IN else getattr(np, NUMPY[name])
    note_translation(f"np.{name}", NUMPY[name] if name in _BUILT_IN else f"np.{NUMPY[name]}")
    return value


def _extend_pandas(pandas: ModuleType) -> None:
    for owner, names in PANDAS.items():
        for old, today in names.items():
            table = getattr(pandas, owner)
            if not hasattr(table, old) and hasattr(table, today):
                setattr(table, old, _noting(getattr(table, today), f"{owner}.{old}()", _PANDAS_TODAY[today]))


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


def _extend_sklearn_preprocessing(preprocessing: Any) -> None:
    accept_old_arguments(preprocessing.OneHotEncoder, "__init__", {"sparse": "sparse_output"})


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


# ------------------------------------------------------------------ scipy.misc, by Pillow as it was in SciPy

SCIPY_MISC = {
    "imread": "np.array(PIL.Image.open(name))",
    "imsave": "PIL.Image.fromarray(array).save(name)",
    "imresize": "PIL.Image.fromarray(array).resize((width, height))",
}
_FILTERS = ("nearest", "lanczos", "bilinear", "bicubic")


def _lookup_scipy_misc(name: str) -> Any:
    if name not in SCIPY_MISC:
        return MISSING
    note_translation(f"scipy.misc.{name}", SCIPY_MISC[name])
    return {"imread": imread, "imsave": imsave, "imresize": imresize}[name]


def imread(name: Any, flatten: bool = False, mode: str | None = None) -> Any:
    """Return the image as an array; ``flatten`` makes it grey, as float32."""
    from PIL import Image

    with Image.open(name) as opened:
        if mode is None and opened.mode == "P":
            mode = "RGBA" if "transparency" in opened.info else "RGB"
        image = opened.convert(mode) if mode is not None else opened
        return np.array(image.convert("F") if flatten else image)


def imsave(name: Any, arr: Any, format: str | None = None) -> None:  # noqa: A002
    _to_image("imsave", arr).save(name, format)


def imresize(arr: Any, size: Any, interp: str = "bilinear", mode: str | None = None) -> Any:
    """Resize an image; ``size`` is (height, width), an integer number of percent, or a fraction."""
    from PIL import Image

    image = _to_image("imresize", arr)
    if isinstance(size, int):
        target = tuple((np.array(image.size) * (size / 100)).astype(int))
    elif isinstance(size, float):
        target = tuple((np.array(image.size) * size).astype(int))
    else:
        target = (size[1], size[0])
    if interp not in _FILTERS:
        raise ValueError(f"imresize(interp={interp!r}): expected one of {', '.join(_FILTERS)}")
    image = image.convert(mode) if mode is not None else image
    return np.array(image.resize(target, getattr(Image.Resampling, interp.upper())))


def _to_image(function: str, arr: Any) -> Any:
    from PIL import Image

    array = np.asarray(arr)
    if array.dtype != np.uint8:
        raise TypeError(
            f"scipy.misc.{function} was removed. It stretched {array.dtype} values to 0..255, each image by its own "
            f"range. Convert the values first, for example with (array * 255).astype('uint8'), and use "
            f"{SCIPY_MISC[function]}."
        )
    return Image.fromarray(array)
