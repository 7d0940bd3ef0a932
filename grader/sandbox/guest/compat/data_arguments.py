"""Data that ``fit``, ``evaluate`` and ``predict`` of Keras 2 took and Keras 3 refuses, converted to arrays.

These are lists of numbers or texts, arrays and columns of texts, and numbers with the dtype ``object``. Data that
Keras 3 takes pass through untouched. Keras 2.15 converted them in ``ListsOfScalarsDataAdapter`` and
``_process_tensorlike`` of ``keras/src/engine/data_adapter.py``, and Keras up to 2.6 also in ``expand_1d``.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arguments import Arguments, Prepare, accept_old_arguments, format_value
from .notes import note_translation

SCALARS = (bool, int, float, str, np.generic)
NUMBERS = "biuf"  # kinds of dtype
NAMES = ("x", "y", "sample_weight", "validation_data")


@dataclass(frozen=True)
class _Argument:
    """The place of an argument in a call, for notes."""

    before: str
    after: str = ")"

    def code(self, value: str) -> str:
        return f"{self.before}{value}{self.after}"

    def note(self, found: str, used: str) -> None:
        note_translation(self.code(found), self.code(used))


def install(keras: Any) -> None:
    """Wrap ``fit``, ``evaluate`` and ``predict`` of models."""
    for name in ("fit", "evaluate", "predict"):
        shown = f"model.{name}"
        prepare = _preparation(getattr(keras.Model, name), shown)
        accept_old_arguments(keras.Model, name, {}, shown=shown, prepare=prepare)


def _preparation(method: Any, shown: str) -> Prepare:
    """Return a function that converts the data among the arguments of ``method``."""
    places = {name: place for place, name in enumerate(inspect.signature(method).parameters) if name in NAMES}

    def prepare(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
        positional, named, model = list(args), dict(kwargs), args[0]
        for name, place in places.items():
            if place < len(args):
                positional[place] = _convert(model, shown, name, args[place])
            elif name in kwargs:
                named[name] = _convert(model, shown, name, kwargs[name])
        return tuple(positional), named

    return prepare


def _convert(model: Any, shown: str, name: str, value: Any) -> Any:
    if name != "validation_data":
        return _convert_part(model, name, value, _Argument(f"{shown}({name}="))
    if not isinstance(value, (list, tuple)) or not 2 <= len(value) <= 3:
        return value
    start = f"{shown}(validation_data=("
    arguments = (_Argument(start, ", y))"), _Argument(f"{start}x, ", "))"), _Argument(f"{start}x, y, ", "))"))
    parts = tuple(map(_convert_part, [model] * 3, NAMES, value, arguments))
    return value if all(new is old for new, old in zip(parts, value, strict=True)) else parts


def _convert_part(model: Any, name: str, value: Any, argument: _Argument) -> Any:
    count = _count(model, "inputs" if name == "x" else "outputs")
    if count > 1:  # a list has an array for each input or output
        is_list = isinstance(value, (list, tuple)) and len(value) == count
        return [_as_array(part, argument) for part in value] if is_list else value
    array = _as_array(value, argument)
    return _with_column(model, array, argument) if name == "x" else array


def _count(model: Any, name: str) -> int:
    try:
        return len(getattr(model, name))
    except (AttributeError, TypeError, ValueError):  # not built yet
        return 0


# ------------------------------------------------------------------ arrays


def _as_array(value: Any, argument: _Argument) -> Any:
    """Return ``value`` as Keras 3 takes it, with a note if that is another object."""
    if isinstance(value, (list, tuple)):
        return _array_of_list(value, argument)
    if isinstance(value, np.ndarray):
        return _array_of_objects(value, argument)
    return _array_of_table(value, argument) if _is_of_pandas(value) else value


def _array_of_list(value: Any, argument: _Argument) -> Any:
    leaf = value
    while isinstance(leaf, (list, tuple)) and leaf:
        leaf = leaf[0]
    if not isinstance(leaf, SCALARS):
        return value  # an array or tensor for each input
    source = format_value(value)
    source = "[...]" if source == "..." else source
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"{argument.code(source)}: the rows of the list have different lengths, so that it is no array. "
            "Give every row the same length, for example with keras.utils.pad_sequences(x)."
        ) from error
    if array.dtype.kind in NUMBERS:
        argument.note(source, f"np.array({source})")
        return array
    if not _is_text(array, value):
        return value
    argument.note(source, f"tf.constant({source})")
    return _text_tensor(array)


def _array_of_objects(array: Any, argument: _Argument) -> Any:
    """Convert texts, and numbers with the dtype ``object``, such as a table of numbers and truth values."""
    if array.dtype.kind not in "OU" or not array.size:
        return array
    if _is_text(array, array):
        if array.dtype.kind == "O" and array.ndim == 1:
            return array  # the one kind that Keras 3 takes
        argument.note("x", "tf.constant(x)")
        return _text_tensor(array)
    flat = np.asarray(array.ravel().tolist(), None if _is_flat(array) else object)
    if flat.dtype.kind not in NUMBERS:
        return array
    argument.note("x", "x.astype('float32')")
    return flat.reshape(array.shape).astype("float32")


def _array_of_table(table: Any, argument: _Argument) -> Any:
    """Convert a table or a column that pandas itself gives as an array of objects."""
    dtypes = list(table.dtypes) if table.ndim == 2 else [table.dtype]
    same = all(dtype == dtypes[0] for dtype in dtypes) and getattr(dtypes[0], "kind", "O") in NUMBERS
    if same or any(dtype == np.float64 for dtype in dtypes):  # Keras 3 casts the columns to one dtype
        return table
    array = table.to_numpy()
    column = array.reshape(len(array), -1)
    converted = _array_of_objects(column, argument)
    return table if converted is column else converted


def _is_flat(array: Any) -> bool:
    return not any(isinstance(element, (list, tuple, np.ndarray)) for element in array.flat)


def _is_text(array: Any, elements: Any) -> bool:
    if array.dtype.kind == "U":  # also of a list that mixes texts and numbers
        return all(isinstance(text, str) for text in np.asarray(elements, object).flat)
    return bool(array.dtype == object) and all(isinstance(text, str) for text in array.flat)


def _text_tensor(array: Any) -> Any:
    return importlib.import_module("tensorflow").constant(array, dtype="string")


def _is_of_pandas(value: Any) -> bool:
    return hasattr(value, "to_numpy") and type(value).__module__.partition(".")[0] == "pandas"


# ------------------------------------------------------------------ one number for each sample


def _with_column(model: Any, x: Any, argument: _Argument) -> Any:
    """Return n numbers as (n, 1), if the first layer of a model without an input shape needs samples with an axis.

    A model that knows its input shape does this itself, also in Keras 3, and Keras 3 does it with a column of pandas.
    """
    if getattr(model, "built", True) or not isinstance(model, sys.modules["keras"].Sequential):
        return x
    needed = getattr(getattr(next(iter(model.layers), None), "input_spec", None), "min_ndim", None)
    if needed != 2 or len(getattr(x, "shape", ())) != 1 or _is_of_pandas(x):
        return x
    argument.note("x", "x.reshape(-1, 1)")
    return x[:, None]
