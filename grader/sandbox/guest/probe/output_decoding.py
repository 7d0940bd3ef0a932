"""Ways to decode a model's output as predictions: its form, its order of the classes, its scale.

A notebook may number the classes in another order. Only its own objects (``class_indices``, ``class_names``,
``classes_``) or public rows that leave no doubt tell the order: a search through all orders would fit noise.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..output_forms import MODEL_FORMS, Array, Form, one_column
from ..safe_call import has_type, safe_getattr
from .candidates import PublicData
from .model_discovery import is_fitted

INVERSE_TRANSFORM, ORDERED = "inverse transform", "ordered"  # by the decoding's variable
FROM_1 = "counted from 1"
FROM_PUBLIC_ROWS = "as the public data shows"
MULTICLASS_FORMS = {name: MODEL_FORMS[name] for name in ("labels", "scores")}

MAX_CLASSES = 1000
MAX_ORDERS = 4
MAX_VARIABLES = 1000
MIN_ROWS, MIN_CLASS_ROWS, MIN_SHARE = 50, 5, 0.8
NO_CLASS = -1

Classes = NDArray[np.int64]
Order = Mapping[int, int]  # number of an output -> class
Decode = Callable[[Array], Array]


@dataclass(frozen=True)
class Decoding:
    """A way to decode raw output ``(n,)`` or ``(n, columns)`` to predictions ``(n,)``."""

    name: str
    decode: Decode  # raises ValueError if the output does not have the form seen first
    guess: bool = False
    variable: str = ""  # of the notebook, that the form uses


def decodings(raw: Array, public: PublicData, variables: list[tuple[str, Any]]) -> Iterator[Decoding]:
    """Yield the ways to decode ``raw``, the output for the public rows, the simplest first."""
    if public.task == "regression":
        if one_column(raw) is not None:
            yield Decoding("values", _column)
            yield from _inverse_transforms(variables)
            yield from _rescalings(public.targets.astype(np.float64))
    elif raw.dtype.kind in "OSU":
        for name, decode in text_decodings(raw, public.targets, variables):
            yield _ordered("labels", name, decode, guess=name == FROM_PUBLIC_ROWS)
    else:
        # The host uses the same rule: a number between two classes is a probability only if there are just two.
        forms = MODEL_FORMS if public.targets.max() < 2 else MULTICLASS_FORMS
        for form, decode_form in forms.items():
            codes = decode_form(raw)
            if codes is not None:
                yield from _class_decodings(form, decode_form, codes, public, variables)


def _class_decodings(
    form: str, decode_form: Form, codes: Array, public: PublicData, variables: list[tuple[str, Any]]
) -> Iterator[Decoding]:
    plain = _strict(decode_form)
    yield Decoding(form, plain)
    for name, order in named_orders(variables):
        yield _in_order(form, plain, name, order)
    last = int(public.targets.max())
    if codes.min() >= 1 and codes.max() == last + 1:
        yield _ordered(form, FROM_1, lambda raw: plain(raw) - 1, guess=True)
    order_seen = order_from_rows(codes, public.targets)
    if order_seen and any(output != number for output, number in order_seen.items()):
        yield _in_order(form, plain, FROM_PUBLIC_ROWS, order_seen)


def _in_order(form: str, plain: Decode, name: str, order: Order) -> Decoding:
    # Always a guess: a list of numbers in the notebook may be about something else.
    return _ordered(form, name, lambda raw: reorder(plain(raw), order), guess=True)


def _ordered(form: str, order: str, decode: Decode, *, guess: bool) -> Decoding:
    """Return a decoding whose classes have the named ``order``: none, one known by rule, or a variable's."""
    if order in ("", FROM_PUBLIC_ROWS, FROM_1):
        return Decoding(f"{form}, {order}" if order else form, decode, guess)
    return Decoding(f"{form}, {ORDERED}", decode, guess, order)


def _strict(decode_form: Form) -> Decode:
    def decode(raw: Array) -> Array:
        predictions = decode_form(raw)
        if predictions is None:
            raise ValueError("the output changed its form")
        return predictions

    return decode


# ------------------------------------------------------------------ scales of a regression


def _column(raw: Array) -> Array:
    column = one_column(raw)
    if column is None:
        raise ValueError("the output changed its form")
    return column


def _inverse_transforms(variables: list[tuple[str, Any]]) -> Iterator[Decoding]:
    """Undo scalers that the notebook may have fitted to its targets."""
    for name, value in variables:
        inverse = safe_getattr(value, "inverse_transform")
        if callable(inverse) and is_fitted(value) and safe_getattr(value, "n_features_in_") == 1:
            yield Decoding(f"values, {INVERSE_TRANSFORM}", functools.partial(_apply_inverse, inverse), variable=name)


def _apply_inverse(inverse: Callable[[Array], Any], raw: Array) -> Array:
    return np.asarray(inverse(np.reshape(_column(raw), (-1, 1))))[:, 0]


def _rescalings(targets: Array) -> Iterator[Decoding]:
    """Undo arithmetic that the notebook may have applied to its targets."""
    formulas = {
        "y * std + mean": (targets.std(), targets.mean()),
        "y * (max - min) + min": (targets.max() - targets.min(), targets.min()),
        "y * max": (targets.max(), 0.0),
    }
    for formula, (factor, offset) in formulas.items():
        yield Decoding(f"values, {formula}", functools.partial(_rescale, float(factor), float(offset)), guess=True)


def _rescale(factor: float, offset: float, raw: Array) -> Array:
    rescaled: Array = _column(raw).astype(np.float64) * factor + offset
    return rescaled


# ------------------------------------------------------------------ order of the classes


def reorder(codes: Array, order: Order) -> Classes:
    """Return the class of each output number ``(n,)``, and ``NO_CLASS`` for outputs that ``order`` lacks."""
    known = np.array(sorted(order), np.int64)
    positions = np.clip(np.searchsorted(known, codes), 0, len(known) - 1)
    classes = np.array([order[int(code)] for code in known], np.int64)[positions]
    return np.where(known[positions] == codes, classes, NO_CLASS)


def named_orders(variables: Iterable[tuple[str, Any]]) -> list[tuple[str, Order]]:
    """Return the unusual orders that the notebook's objects define, with their names in the report."""
    found: list[tuple[str, Order]] = []
    for name, value in islice(variables, MAX_VARIABLES):
        for suffix, names in _class_names(value):
            order = _order(names)
            if order is not None and order not in [other for _name, other in found]:
                found.append((f"{name}{suffix}", order))
    return found[-MAX_ORDERS:]  # the latest are the most likely


def _class_names(value: Any) -> Iterator[tuple[str, list[Any]]]:
    """Yield lists of class names by the number of the output, with the attribute that holds them."""
    if has_type(value, (type, ModuleType, FunctionType)):
        return
    if type(value) is list and 2 <= len(value) <= MAX_CLASSES and all(type(name) is str for name in value):
        yield "", value
    for suffix, numbers in (("", value), (".class_indices", safe_getattr(value, "class_indices"))):
        if type(numbers) is dict and 2 <= len(numbers) <= MAX_CLASSES:
            by_number = {number: name for name, number in numbers.items() if type(number) is int}
            if by_number.keys() == set(range(len(numbers))):
                yield suffix, [by_number[number] for number in range(len(numbers))]
    for attribute in ("class_names", "classes_"):
        names = safe_getattr(value, attribute)
        if type(names) in (list, np.ndarray) and 2 <= len(names) <= MAX_CLASSES:
            yield f".{attribute}", list(names)


def _order(names: list[Any]) -> Order | None:
    """Return the order of names that are class numbers; in a list of folders, "10" comes before "2"."""
    numbers = [as_number(name) for name in names]
    if None in numbers or len(set(numbers)) != len(numbers):
        return None
    order = {output: number for output, number in enumerate(numbers) if number is not None}
    return None if all(output == number for output, number in order.items()) else order


def as_number(name: Any) -> int | None:
    """Return the class number that ``name`` spells, below 10,000, or None."""
    if isinstance(name, (str, np.str_)):
        return int(name) if name.isascii() and name.isdecimal() and len(name) <= 4 else None
    return int(name) if type(name) in (int, np.int32, np.int64) and 0 <= name < 10**4 else None


def order_from_rows(codes: Array, targets: Array) -> Order | None:
    """Return the order shown by outputs ``(n,)`` and targets ``(n,)``, or None if there is any doubt.

    Nearly all rows of every output must be of one class, and every class must have an output of its own.
    """
    outputs, classes = np.unique(codes), np.unique(targets)
    if len(codes) < MIN_ROWS or not 2 <= len(outputs) == len(classes) <= MAX_CLASSES:
        return None
    order: dict[int, int] = {}
    for output in outputs:
        found, counts = np.unique(targets[codes == output], return_counts=True)
        best = int(np.argmax(counts))
        if counts.sum() < MIN_CLASS_ROWS or counts[best] < MIN_SHARE * counts.sum():
            return None
        order[int(output)] = int(found[best])
    return order if len(set(order.values())) == len(order) else None


# ------------------------------------------------------------------ text


def text_decodings(
    raw: Array, targets: Array, variables: Iterable[tuple[str, Any]]
) -> list[tuple[str, Callable[[Array], Classes]]]:
    """Return ways to decode predictions that are text, with their names in the report.

    The name is "" for text that spells class numbers, the object for names that an encoder defines, and
    ``FROM_PUBLIC_ROWS`` for an order that only the public rows show.
    """
    words, codes = np.unique(np.ravel(raw).astype(str), return_inverse=True)
    if len(words) > MAX_CLASSES:
        return []
    if all(as_number(word) is not None for word in words):
        return [("", _text_decoder({}))]
    found: list[tuple[str, Callable[[Array], Classes]]] = []
    for name, value in islice(variables, MAX_VARIABLES):
        for suffix, names in _class_names(value):
            numbers = {str(label): number for number, label in enumerate(names)}
            if set(map(str, words)) <= numbers.keys():
                found.append((f"{name}{suffix}", _text_decoder(numbers)))
    order = order_from_rows(codes, targets)
    by_rows = {str(words[code]): number for code, number in order.items()} if order else {}
    return [*found[-MAX_ORDERS:], *([(FROM_PUBLIC_ROWS, _text_decoder(by_rows))] if order else [])]


def _text_decoder(classes: Mapping[str, int]) -> Callable[[Array], Classes]:
    def number(word: np.str_) -> int:
        known = classes.get(str(word), as_number(word))
        return NO_CLASS if known is None else known

    return lambda raw: np.array([number(word) for word in np.ravel(raw).astype(str)], np.int64)
