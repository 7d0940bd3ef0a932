"""Which class each of a model's outputs stands for, where the notebook numbers the classes in another way.

Only the notebook's own word for it counts (``class_indices``, ``class_names``, ``classes_``), or public rows that
leave no doubt: a search through all orders would fit noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..output_forms import Array
from ..safe_call import attribute, is_a

Classes = NDArray[np.int64]
Order = Mapping[int, int]  # number of an output -> class

MAX_CLASSES = 1000
MAX_ORDERS = 4
VARIABLES_LOOKED_AT = 1000
MIN_ROWS, MIN_OF_A_CLASS, MIN_SHARE = 50, 5, 0.8
NO_CLASS = -1
SHOWN = "as the public data shows"


def reordered(codes: Array, order: Order) -> Classes:
    """The class of each output; those without one are none that could be right."""
    known = np.array(sorted(order), np.int64)
    places = np.clip(np.searchsorted(known, codes), 0, len(known) - 1)
    classes = np.array([order[int(code)] for code in known], np.int64)[places]
    return np.where(known[places] == codes, classes, NO_CLASS)


def named_orders(variables: Iterable[tuple[str, Any]]) -> list[tuple[str, Order]]:
    """The orders that the notebook's objects tell of, each with the name to report; the usual order is none."""
    found: list[tuple[str, Order]] = []
    for name, value in islice(variables, VARIABLES_LOOKED_AT):
        for place, names in _class_names(value):
            order = _order(names)
            if order is not None and order not in [other for _name, other in found]:
                found.append((f"{name}{place}", order))
    return found[-MAX_ORDERS:]  # the latest are the likelier


def _class_names(value: Any) -> Iterator[tuple[str, list[Any]]]:
    """Names by number of the output."""
    if is_a(value, (type, ModuleType, FunctionType)):
        return
    if type(value) is list and 2 <= len(value) <= MAX_CLASSES and all(type(one) is str for one in value):
        yield "", value
    for place, numbers in (("", value), (".class_indices", attribute(value, "class_indices"))):
        if type(numbers) is dict and 2 <= len(numbers) <= MAX_CLASSES:
            by_number = {number: name for name, number in numbers.items() if type(number) is int}
            if by_number.keys() == set(range(len(numbers))):
                yield place, [by_number[number] for number in range(len(numbers))]
    for place in ("class_names", "classes_"):
        names = attribute(value, place)
        if type(names) in (list, np.ndarray) and 2 <= len(names) <= MAX_CLASSES:
            yield f".{place}", list(names)


def _order(names: list[Any]) -> Order | None:
    """For names that are class numbers themselves: "10" comes before "2" in a list of folders."""
    numbers = [as_number(name) for name in names]
    if None in numbers or len(set(numbers)) != len(numbers):
        return None
    order = {place: number for place, number in enumerate(numbers) if number is not None}
    return None if all(place == number for place, number in order.items()) else order


def as_number(name: Any) -> int | None:
    """The class that ``name`` is the number of."""
    if isinstance(name, (str, np.str_)):
        return int(name) if name.isascii() and name.isdecimal() and len(name) <= 4 else None
    return int(name) if type(name) in (int, np.int32, np.int64) and 0 <= name < 10**4 else None


def unmistakable_order(codes: Array, targets: Array) -> Order | None:
    """The order in which nearly all rows of every output are of one class, each class having an output of its own."""
    outputs, classes = np.unique(codes), np.unique(targets)
    if len(codes) < MIN_ROWS or not 2 <= len(outputs) == len(classes) <= MAX_CLASSES:
        return None
    order: dict[int, int] = {}
    for output in outputs:
        found, counts = np.unique(targets[codes == output], return_counts=True)
        best = int(np.argmax(counts))
        if counts.sum() < MIN_OF_A_CLASS or counts[best] < MIN_SHARE * counts.sum():
            return None
        order[int(output)] = int(found[best])
    return order if len(set(order.values())) == len(order) else None


def text_readings(
    raw: Array, targets: Array, variables: Iterable[tuple[str, Any]]
) -> list[tuple[str, Callable[[Array], Classes]]]:
    """Ways to read answers that are words, each with the name to report: as numbers, by an encoder, by the public rows.

    The name is empty for words that are class numbers themselves, and SHOWN for what the public rows alone tell.
    """
    words, codes = np.unique(np.ravel(raw).astype(str), return_inverse=True)
    if len(words) > MAX_CLASSES:
        return []
    numbers = [as_number(word) for word in words]
    if None not in numbers:
        return [("", _reading({}))]
    found: list[tuple[str, Callable[[Array], Classes]]] = []
    for name, value in islice(variables, VARIABLES_LOOKED_AT):
        for place, names in _class_names(value):
            by_place = {str(one): number for number, one in enumerate(names)}
            if set(map(str, words)) <= by_place.keys():
                found.append((f"{name}{place}", _reading(by_place)))
    order = unmistakable_order(codes, targets)
    shown = [(SHOWN, _reading({str(words[code]): number for code, number in order.items()}))] if order else []
    return [*found[-MAX_ORDERS:], *shown]


def _reading(classes: Mapping[str, int]) -> Callable[[Array], Classes]:
    def number(word: np.str_) -> int:
        known = classes.get(str(word), as_number(word))
        return NO_CLASS if known is None else known

    return lambda raw: np.array([number(word) for word in np.ravel(raw).astype(str)], np.int64)
