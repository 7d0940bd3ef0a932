"""Wrappers that accept old argument names of layers, models, callbacks and functions, driven by ``argument_renames``.

A call with today's names passes through unchanged. An old argument that has no equivalent raises a TypeError that
says why.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable
from typing import Any

from .argument_renames import (
    CALLBACKS,
    CLASSES,
    EVALUATE,
    FIT,
    FUNCTIONS,
    LAYERS,
    LEGACY_CLASSES,
    LEGACY_FUNCTIONS,
    METHODS,
    MODEL,
    PREDICT,
    Renames,
)
from .moved_names import TF_KERAS
from .notes import Kind, note, note_translation

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
Prepare = Callable[[tuple[Any, ...], dict[str, Any]], Arguments]

MAX_VALUE = 40  # characters of a value in a note


def install(keras: Any) -> dict[str, Callable[..., Any]]:
    """Wrap constructors, methods and functions; return the replacements of functions by their places."""
    for name, renames in LAYERS.items():
        prepare = functools.partial(_join_kernel_size, name) if name in _KERNEL_SIDES else None
        accept_old_arguments(getattr(keras.layers, name), "__init__", renames, prepare=prepare)
    for name, renames in CALLBACKS.items():
        accept_old_arguments(getattr(keras.callbacks, name), "__init__", renames)
    for name, renames in (("fit", FIT), ("evaluate", EVALUATE), ("predict", PREDICT)):
        accept_old_arguments(keras.Model, name, renames, shown=f"model.{name}")
    for path, renames in CLASSES.items():
        accept_old_arguments(_attribute(keras, path), "__init__", renames)
    for path, renames in METHODS.items():
        owner, _, name = path.rpartition(".")
        # Where it is defined: Keras finds out whether a class has its own compile.
        defining = next(base for base in _attribute(keras, owner).__mro__ if name in vars(base))
        accept_old_arguments(defining, name, renames, shown=f"{owner.rpartition('.')[2]}.{name}")
    _accept_model_arguments(keras)
    _accept_in_legacy_modules()
    to_categorical = _with_dtype(keras.utils.to_categorical)
    return {
        **_functions(keras),
        "utils.to_categorical": with_old_arguments(to_categorical, "to_categorical", {"nb_classes": "num_classes"}),
        "regularizers.l1_l2": _with_caution(keras.regularizers.L1L2),
    }


def _attribute(keras: Any, path: str) -> Any:
    return functools.reduce(getattr, path.split("."), keras)


def _functions(keras: Any) -> dict[str, Callable[..., Any]]:
    replacements: dict[str, Callable[..., Any]] = {}
    for places, renames in FUNCTIONS.items():
        function = _attribute(keras, places[0])
        wrapped = with_old_arguments(function, function.__name__, renames)
        replacements |= dict.fromkeys(places, wrapped)
    return replacements


def _accept_in_legacy_modules() -> None:
    for path, renames in LEGACY_CLASSES.items():
        kind, name = path.split(".")
        accept_old_arguments(getattr(_legacy_module(kind), name), "__init__", renames)
    for path, renames in LEGACY_FUNCTIONS.items():
        kind, name = path.split(".")
        accept_old_arguments(_legacy_module(kind), name, renames, shown=name)
        public = sys.modules.get(f"{TF_KERAS}.preprocessing.{kind}")
        if public is not None:
            setattr(public, name, getattr(_legacy_module(kind), name))


def _legacy_module(kind: str) -> Any:
    return importlib.import_module(f"keras.src.legacy.preprocessing.{kind}")


def _with_dtype(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``to_categorical`` that takes the labels as ``y`` and converts its result to ``dtype``."""

    def to_categorical(y: Any = None, num_classes: int | None = None, dtype: Any = None, *, x: Any = None) -> Any:
        if x is None and y is not None:
            x = y
        result = function(x, num_classes)
        if dtype is None:
            return result
        note_translation(f"to_categorical(y, dtype={format_value(dtype)})", "to_categorical(y).astype(dtype)")
        return result.astype(dtype)

    return to_categorical


def _with_caution(regularizer: Any) -> Callable[..., Any]:
    """Return ``l1_l2``, which notes a call that left the other number at 0.01 in Keras 1 and 2, and at 0 today."""

    def l1_l2(*args: Any, **kwargs: Any) -> Any:
        given = {**dict(zip(("l1", "l2"), args, strict=False)), **kwargs}
        if len(given) < 2:
            note(Kind.CAUTION, f"l1_l2({format_arguments(given)})", f"l1_l2({format_arguments(_BOTH | given)})")
        return regularizer(*args, **kwargs)

    return l1_l2


_BOTH = {"l1": 0.01, "l2": 0.01}


def accept_old_arguments(
    owner: Any, method: str, renames: Renames, *, shown: str = "", prepare: Prepare | None = None
) -> None:
    """Make ``owner.method`` accept the names in ``renames``, also when a subclass passes them up.

    ``shown`` is the name of the method in notes; it defaults to the class. ``prepare`` changes the arguments first.
    """
    wrapped = with_old_arguments(getattr(owner, method), shown or owner.__name__, renames, prepare=prepare)
    setattr(owner, method, wrapped)


def with_old_arguments(
    function: Callable[..., Any], shown: str, renames: Renames, *, prepare: Prepare | None = None
) -> Callable[..., Any]:
    """Return ``function`` wrapped so that it accepts the names in ``renames`` too."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if prepare is not None:
            args, kwargs = prepare(args, kwargs)
        if not renames.keys().isdisjoint(kwargs):
            kwargs = translate(shown, renames, kwargs)
        return function(*args, **kwargs)

    # Keras reads signatures, and getfullargspec does not look through wrappers.
    wrapped.__signature__ = signature  # type: ignore[attr-defined]
    wrapped.old_arguments = {*renames, *getattr(function, "old_arguments", ())}  # type: ignore[attr-defined]
    return wrapped


def translate(shown: str, renames: Renames, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return ``kwargs`` with today's names, and note each translation; raise TypeError if a name is given twice."""
    result = {name: value for name, value in kwargs.items() if name not in renames}
    for old in kwargs.keys() & renames.keys():
        value, rename = kwargs[old], renames[old]
        renamed = {} if rename is None else {rename: value} if isinstance(rename, str) else rename(value)
        for name in renamed:
            if name in result:
                raise TypeError(f"{shown}() got both {old}= and {name}=, which mean the same. Remove {old}=.")
        result |= renamed
        found = f"{shown}({format_arguments({old: value})})"
        if renamed:
            note_translation(found, f"{shown}({format_arguments(renamed)})")
        else:
            note(Kind.IGNORED, found)
    return result


def format_arguments(arguments: dict[str, Any]) -> str:
    """Return keyword arguments as source code."""
    return ", ".join(f"{name}={format_value(value)}" for name, value in arguments.items())


def format_value(value: Any) -> str:
    """Return ``value`` as source code; dots for a long value or one that has no short literal."""
    is_literal = isinstance(value, (str, int, float, bool, type(None), tuple, list))
    text = repr(value) if is_literal else "..."
    return text if len(text) <= MAX_VALUE else "..."


# ------------------------------------------------------------------ kernel sizes

_KERNEL_SIDES = {
    **dict.fromkeys(("Conv2D", "SeparableConv2D", "Conv2DTranspose", "ConvLSTM2D"), ("nb_row", "nb_col")),
    "Conv3D": ("kernel_dim1", "kernel_dim2", "kernel_dim3"),
}
_KERAS_1 = {
    "border_mode",
    "subsample",
    "init",
    "dim_ordering",
    "W_regularizer",
    "b_regularizer",
    "nb_filter",
    "bias",
    "output_shape",
}


def _join_kernel_size(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
    """Translate ``Conv2D(32, 3, 3)``: a 3 x 3 kernel in Keras 1, a kernel of 3 with strides of 3 today.

    The meaning is clear only next to an argument that only Keras 1 had. Otherwise the call stays unchanged, and a
    note warns about it.
    """
    sides = _KERNEL_SIDES[name]
    if name == "Conv2DTranspose" and len(args) > 4 and isinstance(args[4], (tuple, list)):
        args, kwargs = args[:4], {"output_shape": args[4], **kwargs}  # the fourth argument of Keras 1
    by_name = [kwargs[side] for side in sides if side in kwargs]
    sizes = [*args[2:], *by_name]  # args[:2] are self and the number of filters
    if len(sizes) != len(sides) or not all(type(size) is int for size in sizes):
        return args, kwargs
    filters = args[1] if len(args) > 1 else kwargs.get("nb_filter", kwargs.get("filters"))
    found = f"{name}({format_value(filters)}, {', '.join(map(str, sizes))})"
    today = f"{name}({format_value(filters)}, {tuple(sizes)})"
    if by_name or not _KERAS_1.isdisjoint(kwargs):
        note_translation(found, today)
        rest = {key: value for key, value in kwargs.items() if key not in sides}
        return args[:2], {**rest, "kernel_size": tuple(sizes)}
    if len(sides) == 2 and sizes[0] == sizes[1] > 1:
        note(Kind.CAUTION, found, today)
    return args, kwargs


# ------------------------------------------------------------------ models


def _accept_model_arguments(keras: Any) -> None:
    """Accept ``Model(input=, output=)``; ``Model.__new__`` already decides by the names of its arguments."""
    model = keras.Model
    make = model.__new__

    @functools.wraps(make)
    def __new__(cls: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        if cls is model:
            kwargs = {MODEL.get(name, name): value for name, value in kwargs.items()}  # type: ignore[misc]
        return make(cls, *args, **kwargs)

    model.__new__ = staticmethod(__new__)
    functional = importlib.import_module("keras.src.models.functional").Functional
    accept_old_arguments(functional, "__init__", MODEL, shown="Model")
