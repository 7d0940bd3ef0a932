"""Old words for arguments understood: one wrapper around ``__init__``, ``fit`` and the like, driven by ``words``.

A call in today's words passes through untouched. What cannot be said today raises TypeError and says why.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import Any

from . import log
from .argument_renames import CALLBACKS, EVALUATE, FIT, LAYERS, MODEL, PREDICT, Words
from .kinds import Kind

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
Prepare = Callable[[tuple[Any, ...], dict[str, Any]], Arguments]

MAX_VALUE = 40  # characters of a value in a note


def start(keras: Any) -> None:
    for name, words in LAYERS.items():
        prepare = functools.partial(_with_kernel_size, name) if name in _KERNELS else None
        understand(getattr(keras.layers, name), "__init__", words, prepare=prepare)
    for name, words in CALLBACKS.items():
        understand(getattr(keras.callbacks, name), "__init__", words)
    for name, words in (("fit", FIT), ("evaluate", EVALUATE), ("predict", PREDICT)):
        understand(keras.Model, name, words, shown=f"model.{name}")
    _models(keras)
    _batch_input_shape(keras)


def understand(owner: Any, method: str, words: Words, *, shown: str = "", prepare: Prepare | None = None) -> None:
    """``owner.method`` understands ``words`` from now on, subclasses that pass their words up included."""
    setattr(owner, method, understanding(getattr(owner, method), shown or owner.__name__, words, prepare=prepare))


def understanding(
    function: Callable[..., Any], shown: str, words: Words, *, prepare: Prepare | None = None
) -> Callable[..., Any]:
    signature = inspect.signature(function)

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if prepare is not None:
            args, kwargs = prepare(args, kwargs)
        if not words.keys().isdisjoint(kwargs):
            kwargs = translated(shown, words, kwargs)
        return function(*args, **kwargs)

    # Keras reads signatures, and getfullargspec does not look through wrappers.
    wrapped.__signature__ = signature  # type: ignore[attr-defined]
    return wrapped


def translated(shown: str, words: Words, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Today's words for ``kwargs``; each translation is noted."""
    result = {word: value for word, value in kwargs.items() if word not in words}
    for old in kwargs.keys() & words.keys():
        value, word = kwargs[old], words[old]
        fresh = {} if word is None else {word: value} if isinstance(word, str) else word(value)
        for name in fresh:
            if name in result:
                raise TypeError(f"{shown}() got {old}= and {name}=, which are the same: leave out {old}=")
        result |= fresh
        found = f"{shown}({said({old: value})})"
        if fresh:
            log.translated(found, f"{shown}({said(fresh)})")
        else:
            log.note(Kind.IGNORED, found)
    return result


def said(words: dict[str, Any]) -> str:
    return ", ".join(f"{word}={short(value)}" for word, value in words.items())


def short(value: Any) -> str:
    """A value as it would be typed; dots for what nobody would type."""
    plain = isinstance(value, (str, int, float, bool, type(None), tuple, list))
    text = repr(value) if plain else "..."
    return text if len(text) <= MAX_VALUE else "..."


# ------------------------------------------------------------------ kernel sizes

_KERNELS = {"Conv2D": ("nb_row", "nb_col"), "Conv3D": ("kernel_dim1", "kernel_dim2", "kernel_dim3")}


def _with_kernel_size(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
    """``Conv2D(32, 3, 3)``: Keras 1 meant a kernel of 3 x 3; today it is a kernel of 3 and strides of 3.

    Beside a word that only Keras 1 had it is clear what was meant. Alone it is left as it is, and said.
    """
    sides = _KERNELS[name]
    given = [kwargs[side] for side in sides if side in kwargs]
    positional = args[2:]  # after self and the number of filters
    sizes = [*positional, *given]
    if len(sizes) != len(sides) or not all(type(size) is int for size in sizes):
        return args, kwargs
    filters = args[1] if len(args) > 1 else kwargs.get("nb_filter", kwargs.get("filters"))
    found = f"{name}({short(filters)}, {', '.join(map(str, sizes))})"
    today = f"{name}({short(filters)}, {tuple(sizes)})"
    if given or not _KERAS_1.isdisjoint(kwargs):
        log.translated(found, today)
        rest = {word: value for word, value in kwargs.items() if word not in sides}
        return args[:2], {**rest, "kernel_size": tuple(sizes)}
    if name == "Conv2D" and sizes[0] == sizes[1] > 1:
        log.note(Kind.CAUTION, found, today)
    return args, kwargs


_KERAS_1 = {"border_mode", "subsample", "init", "dim_ordering", "W_regularizer", "b_regularizer", "nb_filter", "bias"}


# ------------------------------------------------------------------ models


def _models(keras: Any) -> None:
    """``Model(input=, output=)``: whether a model is made of tensors is decided already in ``__new__``."""
    model = keras.Model
    make = model.__new__

    @functools.wraps(make)
    def made(cls: Any, *args: Any, **kwargs: Any) -> Any:
        if cls is model:
            kwargs = {MODEL.get(word, word): value for word, value in kwargs.items()}  # type: ignore[misc]
        return make(cls, *args, **kwargs)

    model.__new__ = staticmethod(made)
    understand(importlib.import_module("keras.src.models.functional").Functional, "__init__", MODEL, shown="Model")


def _batch_input_shape(keras: Any) -> None:
    """Of a first layer, mostly of a stateful recurrent one: ``keras.Input(batch_shape=...)`` before it."""
    layer, sequential = keras.layers.Layer, keras.Sequential
    begin, add = layer.__init__, sequential.add

    @functools.wraps(begin)
    def begun(self: Any, *args: Any, **kwargs: Any) -> None:
        shape = kwargs.pop("batch_input_shape", None)
        begin(self, *args, **kwargs)
        if shape is not None:
            self._batch_input_shape = tuple(shape)

    @functools.wraps(add)
    def added(self: Any, layer: Any, rebuild: bool = True) -> None:
        shape = getattr(layer, "_batch_input_shape", None)
        if shape is not None and not self._layers:
            log.translated(f"batch_input_shape={short(shape)}", f"keras.Input(batch_shape={short(shape)})")
            add(self, keras.layers.InputLayer(batch_shape=tuple(shape)), rebuild=rebuild)
        add(self, layer, rebuild=rebuild)

    begun.__signature__ = inspect.signature(begin)  # type: ignore[attr-defined]
    layer.__init__, sequential.add = begun, added
