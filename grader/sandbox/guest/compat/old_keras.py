"""Modules and names that Keras and TensorFlow no longer have, looked up when the notebook asks for them.

They work under ``keras``, ``tensorflow.keras`` and ``tf.keras``. A lookup returns the present object, so that
``isinstance``, saving and subclassing see nothing old. A name that cannot be run faithfully raises an error that says
what to write today.
"""

from __future__ import annotations

import functools
import importlib
import importlib.abc
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

from ..record.import_hooks import ImportHook
from . import graph_code, old_listing, removed_names, sklearn_wrappers, symbolic
from .initializations import INITIALIZATIONS
from .moved_names import (
    FAMILIES,
    MODULES,
    NAMES,
    PACKAGES,
    REMOVED_BACKEND,
    REMOVED_CALLS,
    REMOVED_OPTIMIZERS,
    REMOVED_TENSORFLOW,
    TENSORFLOW,
    TF_KERAS,
)
from .notes import note_translation
from .stub_modules import MISSING, add_lookup, provide_missing

PREFIXES = (TF_KERAS, "tensorflow.keras", "keras")  # the longest first: one begins with another
Replacements = Mapping[str, Any]  # by "package.name"

# With the packages around them: "engine" for "engine.topology".
_REMOVED_MODULES = {*MODULES, *(name.rpartition(".")[0] for name in MODULES)} - {"", *PACKAGES}


def install(replacements: Replacements) -> None:
    """Add the old names to the packages of Keras, and put in ``replacements`` of present functions."""
    extension = _PackageExtension(replacements)
    sys.meta_path.insert(0, extension)
    provide_missing({_join(prefix, path): _fill_removed_module for prefix in PREFIXES for path in _REMOVED_MODULES})
    sys.meta_path.append(_ListedModules())
    for prefix in PREFIXES:
        for package in PACKAGES:
            module = sys.modules.get(_join(prefix, package))
            if module is not None:
                extension.extend(module, prefix, package)


def _join(prefix: str, relative: str) -> str:
    return f"{prefix}.{relative}" if relative else prefix


def _split(name: str) -> tuple[str, str] | None:
    """Return the prefix and the relative path of a module of Keras; None for another module."""
    for prefix in PREFIXES:
        if name == prefix or name.startswith(prefix + "."):
            return prefix, name[len(prefix) + 1 :]
    return None


def _shown(path: str) -> str:
    return path.replace(TF_KERAS, "tf.keras")


class _PackageExtension(ImportHook):
    """Import hook that extends the packages of tensorflow.keras, which may be imported later."""

    def __init__(self, replacements: Replacements) -> None:
        self.replacements = replacements

    def matches(self, name: str) -> bool:
        parts = _split(name)
        return parts is not None and parts[1] in PACKAGES

    def loaded(self, module: ModuleType) -> None:
        parts = _split(module.__name__)
        assert parts is not None
        self.extend(module, *parts)

    def extend(self, module: ModuleType, prefix: str, package: str) -> None:
        for path, value in self.replacements.items():
            home, _, name = path.rpartition(".")
            if home == package and hasattr(module, name):
                setattr(module, name, value)
        if package == "backend":  # tf.keras.backend has some of these names, which fail there
            _remove(module, [*BACKEND_FUNCTIONS, *REMOVED_BACKEND])
            symbolic.extend_backend(module)
        if package == "optimizers.legacy":  # its names only raise an error
            _remove(module, [path.rpartition(".")[2] for path in NAMES if path.rpartition(".")[0] == package])
        add_lookup(module, lambda name: _lookup(module, prefix, package, name))


def _remove(module: ModuleType, names: list[str]) -> None:
    for name in names:
        vars(module).pop(name, None)


def _lookup(module: ModuleType, prefix: str, package: str, name: str) -> Any:
    """Look up a name that the present package lacks."""
    path = f"{package}.{name}" if package else name
    if path in _REMOVED_MODULES:
        return importlib.import_module(f"{prefix}.{path}")
    value = _lookup_in_tables(module, prefix, package, name)
    return _lookup_in_listing(prefix, package, name) if value is MISSING else value


def _lookup_in_tables(module: ModuleType, prefix: str, package: str, name: str) -> Any:
    path = f"{package}.{name}" if package else name
    if path in REMOVED_CALLS:
        return RemovedFunction(f"keras.{path}", REMOVED_CALLS[path])
    if path in NAMES:
        home, _, today = NAMES[path].rpartition(".")
        note_translation(_shown(f"{prefix}.{path}"), _shown(f"{prefix}.{NAMES[path]}"))
        return getattr(importlib.import_module(_join(prefix, home)), today)
    if package == "backend":
        return _lookup_backend(prefix, name)
    if prefix != TF_KERAS:
        tf_keras = sys.modules.get(_join(TF_KERAS, package))
        value = getattr(tf_keras, name, MISSING) if tf_keras is not None and tf_keras is not module else MISSING
        if value is not MISSING:
            note_translation(_shown(f"{prefix}.{path}"), f"tf.keras.{path}")
        return value
    return MISSING


def _lookup_in_listing(prefix: str, package: str, name: str) -> Any:
    """Look up a name that no table has; a class that Keras still has in another package is the same."""
    path = f"{package}.{name}" if package else name
    if path in old_listing.modules() and path.partition(".")[0] in FAMILIES:
        return importlib.import_module(f"{prefix}.{path}")
    last = old_listing.modules().get(path) or old_listing.names("names", package).get(name)
    if last is None:
        return MISSING
    home = old_listing.find_home(name)
    if home and name[0].isupper() and path not in removed_names.TODAY:
        note_translation(_shown(f"{prefix}.{path}"), f"keras.{home}.{name}")
        return getattr(sys.modules[f"keras.{home}"], name)
    raise AttributeError(old_listing.refusal(path, last))


# ------------------------------------------------------------------ removed modules


class _ListedModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finder of the modules of old releases that no table has; those without a present package are refused."""

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        parts = _split(fullname)
        if parts is None or parts[1] not in old_listing.modules():
            return None
        relative = parts[1]
        if relative.partition(".")[0] not in FAMILIES:
            reason = old_listing.refusal(relative, old_listing.modules()[relative])
            raise ModuleNotFoundError(reason, name=fullname)
        is_package = any(name.startswith(f"{relative}.") for name in old_listing.modules())
        return ModuleSpec(fullname, _ListedModules(), is_package=is_package)

    def exec_module(self, module: ModuleType) -> None:
        _fill_removed_module(module)


def _fill_removed_module(module: ModuleType) -> None:
    parts = _split(module.__name__)
    assert parts is not None
    prefix, relative = parts
    if relative == "layers.merge":
        module.__class__ = _MergeModule
    if relative == "wrappers.scikit_learn":
        add_lookup(module, lambda name: _lookup_wrapper(prefix, relative, name))
        return
    vars(module).setdefault("__path__", [])  # modules of one release were packages of another
    names = MODULES[relative] if relative in MODULES else FAMILIES.get(relative.partition(".")[0], ())
    homes = [home if home.startswith(TF_KERAS) else _join(prefix, home) for home in names]
    sources = [importlib.import_module(home) for home in homes]
    add_lookup(module, functools.partial(_lookup_in_removed_module, module, relative, sources))


def _lookup_wrapper(prefix: str, relative: str, name: str) -> Any:
    value = sklearn_wrappers.lookup(name)
    return _lookup_in_listing(prefix, relative, name) if value is MISSING else value


def _lookup_in_removed_module(module: ModuleType, relative: str, sources: list[ModuleType], name: str) -> Any:
    path = f"{relative}.{name}"
    if path in _REMOVED_MODULES:
        return importlib.import_module(f"{module.__name__}.{name}")
    if relative == "initializations" and name in INITIALIZATIONS:
        return INITIALIZATIONS[name]
    if path in NAMES:
        home, _, today = NAMES[path].rpartition(".")
        note_translation(f"{_shown(module.__name__)}.{name}", f"keras.{NAMES[path]}")
        return getattr(importlib.import_module(f"keras.{home}"), today)
    if name == "__all__":
        for source in reversed(sources):
            vars(module).update({public: getattr(source, public) for public in _public_names(source)})
        note_translation(f"from {_shown(module.__name__)} import *", f"from {_shown(sources[0].__name__)} import *")
        return _public_names(module)
    for source in sources:
        value = getattr(source, name, MISSING)
        if value is not MISSING:
            if not isinstance(value, RemovedFunction):
                note_translation(f"{_shown(module.__name__)}.{name}", f"{_shown(source.__name__)}.{name}")
            return value
    return _lookup_in_listing(module.__name__.removesuffix(f".{relative}"), relative, name)


def _public_names(module: ModuleType) -> list[str]:
    return [name for name in vars(module) if not name.startswith("_")]


MERGE_MODES = {"sum": "add", "mul": "multiply", "ave": "average", "max": "maximum", "concat": "concatenate"}


class _MergeModule(ModuleType):
    """The module ``keras.layers.merge`` of Keras 2, which can be called as the function of Keras 1.

    That was ``merge([a, b], mode="concat")``.
    """

    def __call__(
        self, inputs: Any, mode: Any = "sum", concat_axis: int = -1, name: str | None = None, **_of_other_modes: Any
    ) -> Any:
        if mode not in MERGE_MODES:
            raise NotImplementedError(
                f"merge(mode={mode!r}) existed only in Keras 1, and no layer computes the same. "
                "Write it with keras.layers.Dot or keras.ops."
            )
        today = MERGE_MODES[mode]
        note_translation(f"merge([a, b], mode={mode!r})", f"keras.layers.{today}([a, b])")
        axis = {"axis": concat_axis} if mode == "concat" else {}
        return getattr(_keras().layers, today)(inputs, name=name, **axis)


# ------------------------------------------------------------------ keras.backend


def _keras() -> Any:
    return sys.modules["keras"]


def image_dim_ordering() -> str:
    return "th" if _keras().config.image_data_format() == "channels_first" else "tf"


def set_image_dim_ordering(ordering: str) -> None:
    formats = {"tf": "channels_last", "th": "channels_first"}
    if ordering not in formats:
        raise ValueError(f"K.set_image_dim_ordering({ordering!r}): expected 'tf' or 'th'")
    today = f"keras.config.set_image_data_format({formats[ordering]!r})"
    note_translation(f"K.set_image_dim_ordering({ordering!r})", today)
    _keras().config.set_image_data_format(formats[ordering])


def get_value(x: Any) -> Any:
    return x.numpy() if hasattr(x, "numpy") else x


def set_value(x: Any, value: Any) -> None:
    x.assign(value)


# By name: the function, and what to write today.
BACKEND_FUNCTIONS: Mapping[str, tuple[Callable[..., Any], str]] = {
    "image_dim_ordering": (image_dim_ordering, "keras.config.image_data_format()"),
    "set_image_dim_ordering": (set_image_dim_ordering, "keras.config.set_image_data_format(...)"),
    "get_value": (get_value, "x.numpy()"),
    "eval": (get_value, "x.numpy()"),
    "set_value": (set_value, "x.assign(value)"),
    "gradients": (symbolic.gradients, "tf.GradientTape()"),
    "function": (symbolic.function, "keras.Model(inputs, outputs)"),
    "placeholder": (symbolic.placeholder, "keras.Input(batch_shape=...)"),
    "learning_phase": (symbolic.learning_phase, "model(x, training=...)"),
    "set_learning_phase": (symbolic.set_learning_phase, "model(x, training=False)"),
}


def _lookup_backend(prefix: str, name: str) -> Any:
    """Look up a function of ``keras.backend``; those that still mean the same on tensors come from tf.keras."""
    if name in REMOVED_BACKEND:
        _refuse(f"K.{name}", REMOVED_BACKEND[name])
    if name in BACKEND_FUNCTIONS:
        function, today = BACKEND_FUNCTIONS[name]
        if "dim_ordering" not in name and name != "set_learning_phase":
            note_translation(f"K.{name}", today)
        return function
    value = vars(sys.modules[f"{TF_KERAS}.backend"]).get(name, MISSING)
    if value is not MISSING and prefix == "keras":
        today = f"keras.ops.{name}" if hasattr(_keras().ops, name) else f"tf.keras.backend.{name}"
        note_translation(f"K.{name}", today)
    return value


# ------------------------------------------------------------------ TensorFlow 1


def install_tensorflow_names(tensorflow: ModuleType) -> None:
    """Add names of TensorFlow 1 to ``tf``: some moved, and the others raise an error."""

    def lookup(name: str) -> Any:
        if name in REMOVED_TENSORFLOW:
            _refuse(f"tf.{name}", REMOVED_TENSORFLOW[name])
        if name not in TENSORFLOW:
            return MISSING
        note_translation(f"tf.{name}", f"tf.{TENSORFLOW[name]}")
        value: Any = tensorflow
        for part in TENSORFLOW[name].split("."):
            value = getattr(value, part)
        return value

    def lookup_train(name: str) -> Any:
        if name in REMOVED_OPTIMIZERS:
            _refuse(f"tf.train.{name}", REMOVED_OPTIMIZERS[name])
        return MISSING

    graph_code.install_in_tensorflow(tensorflow)
    add_lookup(tensorflow, lookup)
    add_lookup(tensorflow.train, lookup_train)


# ------------------------------------------------------------------ refusals


def _refuse(name: str, reason: str) -> NoReturn:
    raise AttributeError(f"{name} {reason}")


class RemovedFunction:
    """A placeholder for a removed function or class; calling it raises an error that gives the reason."""

    def __init__(self, name: str, reason: str) -> None:
        self._name, self._reason = name, reason

    def __call__(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"{self._name} {self._reason}")
