"""Wrappers that accept old argument names of layers, models, callbacks and functions, driven by ``argument_renames``.

A call with today's names passes through unchanged. An old argument that has no equivalent raises a TypeError that
says why.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import Any

from .argument_renames import CALLBACKS, CLASSES, EVALUATE, FIT, LAYERS, MODEL, PREDICT, Renames
from .notes import Kind, note, note_translation

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
Prepare = Callable[[tuple[Any, ...], dict[str, Any]], Arguments]

MAX_VALUE = 40  # characters of a value in a note


def install(keras: Any) -> dict[str, Callable[..., Any]]:
    """Wrap constructors, and ``fit``, ``evaluate``, ``predict`` and ``add`` of models; return replaced functions."""
    for name, renames in LAYERS.items():
        prepare = functools.partial(_join_kernel_size, name) if name in _KERNEL_SIDES else None
        accept_old_arguments(getattr(keras.layers, name), "__init__", renames, prepare=prepare)
    for name, renames in CALLBACKS.items():
        accept_old_arguments(getattr(keras.callbacks, name), "__init__", renames)
    for name, renames in (("fit", FIT), ("evaluate", EVALUATE), ("predict", PREDICT)):
        accept_old_arguments(keras.Model, name, renames, shown=f"model.{name}")
    for path, renames in CLASSES.items():
        package, name = path.split(".")
        accept_old_arguments(getattr(getattr(keras, package), name), "__init__", renames)
    _accept_model_arguments(keras)
    _accept_batch_input_shape(keras)
    _accept_initializers_without_dtype(keras)
    return {"regularizers.l1_l2": _with_caution(keras.regularizers.L1L2)}


def _with_caution(regularizer: Any) -> Callable[..., Any]:
    """Return ``l1_l2``, which notes a call that left the other number at 0.01 in Keras 1 and 2, and at 0 today."""

    def l1_l2(*args: Any, **kwargs: Any) -> Any:
        given = {**dict(zip(("l1", "l2"), args, strict=False)), **kwargs}
        if len(given) < 2:
            note(Kind.CAUTION, f"l1_l2({format_arguments(given)})", f"l1_l2({format_arguments(_BOTH | given)})")
        return regularizer(*args, **kwargs)

    return l1_l2


_BOTH = {"l1": 0.01, "l2": 0.01}


def _accept_initializers_without_dtype(keras: Any) -> None:
    """Accept functions of a shape alone as initializers: Keras before 2.4 gave them no dtype."""
    initializers: Any = importlib.import_module("keras.src.initializers")
    get = initializers.get

    @functools.wraps(get)
    def get_initializer(identifier: Any) -> Any:
        found = get(identifier)
        if not inspect.isfunction(found):
            return found
        parameters = inspect.signature(found).parameters
        if "dtype" in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
            return found

        @functools.wraps(found)
        def initialize(shape: Any, dtype: Any = None) -> Any:
            note_translation(f"{found.__name__}(shape)", f"{found.__name__}(shape, dtype=None)")
            return keras.ops.cast(found(shape), dtype or keras.config.floatx())

        del vars(initialize)["__wrapped__"]  # it has a signature of its own
        return initialize

    initializers.get = get_initializer


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

_KERNEL_SIDES = {"Conv2D": ("nb_row", "nb_col"), "Conv3D": ("kernel_dim1", "kernel_dim2", "kernel_dim3")}
_KERAS_1 = {"border_mode", "subsample", "init", "dim_ordering", "W_regularizer", "b_regularizer", "nb_filter", "bias"}


def _join_kernel_size(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
    """Translate ``Conv2D(32, 3, 3)``: a 3 x 3 kernel in Keras 1, a kernel of 3 with strides of 3 today.

    The meaning is clear only next to an argument that only Keras 1 had. Otherwise the call stays unchanged, and a
    note warns about it.
    """
    sides = _KERNEL_SIDES[name]
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
    if name == "Conv2D" and sizes[0] == sizes[1] > 1:
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


def _accept_batch_input_shape(keras: Any) -> None:
    """Put ``keras.Input(batch_shape=...)`` before a first layer that has ``batch_input_shape``.

    It is mostly given to a stateful recurrent layer.
    """
    layer_class, sequential = keras.layers.Layer, keras.Sequential
    init, add_layer = layer_class.__init__, sequential.add

    @functools.wraps(init)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        shape = kwargs.pop("batch_input_shape", None)
        init(self, *args, **kwargs)
        if shape is not None:
            self._batch_input_shape = tuple(shape)

    @functools.wraps(add_layer)
    def add(self: Any, layer: Any, rebuild: bool = True) -> None:
        shape = getattr(layer, "_batch_input_shape", None)
        if shape is not None and not self._layers:
            shown = format_value(shape)
            note_translation(f"batch_input_shape={shown}", f"keras.Input(batch_shape={shown})")
            add_layer(self, keras.layers.InputLayer(batch_shape=tuple(shape)), rebuild=rebuild)
        add_layer(self, layer, rebuild=rebuild)

    __init__.__signature__ = inspect.signature(init)  # type: ignore[attr-defined]
    layer_class.__init__, sequential.add = __init__, add
