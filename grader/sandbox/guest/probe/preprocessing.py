"""What may have to be done to the raw inputs before a model takes them, by what the model says and the notebook holds.

First what is done to the numbers, then the layout of a row. Every figure comes from the public rows or from what
the notebook fitted itself, so that one row is prepared as many are.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..output_forms import Array
from ..safe_call import as_array, attribute
from . import image_arrays
from .input_spec import Wish, names_of
from .model_discovery import is_fitted
from .reshaping import Layout, Row, layouts

MAX_PREPARATIONS = 40
MAX_FITTED = 4
MAX_TEXT = 1 << 20  # characters of the notebook that are searched
SEVERAL = 64  # columns from which on a table may be of pixels
BRIGHTEST = 255
RAW = "raw"

Prepare = Callable[[Array], Any]


@dataclass(frozen=True)
class Preparation:
    """``apply`` takes raw rows and gives what the model is handed; ``row`` is the shape of one of these."""

    words: tuple[str, ...]
    row: Row
    apply: Prepare
    guess: bool = False

    @property
    def name(self) -> str:
        return ", ".join(self.words) or RAW

    def then(self, word: str, row: Row, step: Prepare, *, guess: bool = False) -> Preparation:
        before = self.apply
        words = (*self.words, word) if word else self.words
        return Preparation(words, row, lambda X: step(before(X)), self.guess or guess)


@dataclass(frozen=True)
class Known:
    """What the notebook tells of its inputs, besides the model."""

    columns: tuple[str, ...]
    fitted: tuple[tuple[str, Any], ...] = ()  # scalers, encoders, decompositions
    imagenet: bool = False  # a network trained on ImageNet is used
    by_255: bool = False  # it speaks of that number


def known_from(variables: list[tuple[str, Any]], sources: Any, columns: tuple[str, ...]) -> Known:
    """``sources``: IPython's list of the cells that ran."""
    fitted = [
        (name[:80], value)
        for name, value in variables
        if isinstance(attribute(value, "n_features_in_"), (int, np.integer))
        and callable(attribute(value, "transform"))
        and attribute(value, "predict") is None
        and is_fitted(value)
    ]
    texts = [text[:MAX_TEXT] for text in sources[:1000] if type(text) is str] if type(sources) is list else []
    imagenet = any("preprocess_input" in text or "0.485" in text for text in texts)
    return Known(columns, tuple(fitted[-MAX_FITTED:]), imagenet, any("255" in text for text in texts))


def preparations(public: Array, wish: Wish, known: Known) -> list[Preparation]:
    """The plainest first. ``public``: raw rows ``(n, ...)``."""
    raw = Preparation((), public.shape[1:], lambda X: X)
    found = []
    if wish.rescales:
        known = replace(known, by_255=False)  # the model does that itself
    for begun in [raw] if wish.tokens else _scaled(raw, public, known):
        found += list(_laid_out(begun, wish, known))
    return found[:MAX_PREPARATIONS]


# ------------------------------------------------------------------ the numbers


def _scaled(raw: Preparation, public: Array, known: Known) -> Iterator[Preparation]:
    pixels = _are_pixels(public)
    by_255 = raw.then("X / 255", raw.row, lambda X: X / np.float32(BRIGHTEST))
    usual = ([by_255, raw] if known.by_255 else [raw, by_255]) if pixels else [raw]
    yield from usual
    for begun in usual:
        yield from _through_fitted(begun, public, known)
    if known.imagenet and pixels and len(raw.row) >= 2:
        yield from _as_imagenet(raw)
    yield from _by_arithmetic(raw, public, known, pixels=pixels)


def _are_pixels(public: Array) -> bool:
    if public.ndim == 2 and public.shape[1] < SEVERAL:
        return False
    return bool(public.dtype == np.uint8 or (public.min() >= 0 and BRIGHTEST / 2 < public.max() <= BRIGHTEST))


def _by_arithmetic(raw: Preparation, public: Array, known: Known, *, pixels: bool) -> Iterator[Preparation]:
    """Of each column of a table; of pictures and sequences all numbers alike, then each place by itself."""
    if pixels:  # their extremes are 0 and 255, or nearly
        yield raw.then("X / 127.5 - 1", raw.row, lambda X: X / np.float32(127.5) - 1, guess=not known.imagenet)
    axes: list[int | None] = [0] if public.ndim == 2 and not pixels else [None, 0]
    for axis in axes:
        together = ", of all together" if axis is None else ""
        low, high = public.min(axis).astype(np.float64), public.max(axis).astype(np.float64)
        mean, deviation = public.mean(axis, dtype=np.float64), public.std(axis, dtype=np.float64)
        steps = {"(X - mean) / std": (mean, deviation)}
        if not pixels and (axis is None or len(axes) == 1):
            steps |= {"(X - min) / (max - min)": (low, high - low), "X / max": (np.zeros_like(high), high)}
        for word, (less, by) in steps.items():
            yield raw.then(word + together, raw.row, functools.partial(_moved, less, by), guess=True)


def _moved(less: Any, by: Any, X: Array) -> Array:
    moved: Array = (X - less) / np.where(by != 0, by, 1.0)
    return moved


def _as_imagenet(raw: Preparation) -> Iterator[Preparation]:
    sides = raw.row[:2]
    channels = raw.row[2] if len(raw.row) == 3 else 1
    if len(raw.row) > 3 or channels not in image_arrays.CHANNELS:
        return
    begun = raw
    if channels != 3:
        begun = raw.then(
            "RGB", (*sides, 3), lambda X: image_arrays.with_channels(np.reshape(X, (len(X), *sides, channels)), 3)
        )
    yield begun.then("BGR - mean of ImageNet", begun.row, image_arrays.without_imagenets_mean)
    yield begun.then("(X / 255 - mean) / std of ImageNet", begun.row, image_arrays.by_imagenets_spread)


def _through_fitted(begun: Preparation, public: Array, known: Known) -> Iterator[Preparation]:
    """Through what the notebook fitted: one thing, or one after another where the widths fit."""
    first = [(name, done) for name, one in known.fitted if (done := _through(begun, name, one, public, known))]
    yield from (done for _name, done in first)
    for name, done in first:
        for other, one in known.fitted:
            again = _through(done, other, one, public, known) if other != name else None
            if again is not None:
                yield again


def _through(begun: Preparation, name: str, fitted: Any, public: Array, known: Known) -> Preparation | None:
    names, width = names_of(fitted), attribute(fitted, "n_features_in_")
    is_table = len(begun.row) == 1
    if names and is_table and set(names) <= set(known.columns) and begun.row == (len(known.columns),):
        ready = begun.then("", (len(names),), functools.partial(_frame, known.columns, names))
    elif width == math.prod(begun.row):
        ready = begun if is_table else begun.then("", (int(width),), lambda X: np.reshape(X, (len(X), -1)))
    else:
        return None

    def transformed(X: Any) -> Any:
        made = fitted.transform(X)
        return made.toarray() if hasattr(made, "toarray") else made

    try:
        row = tuple(int(length) for length in np.shape(transformed(ready.apply(public[:2])))[1:])
    except Exception:  # noqa: BLE001  the notebook's own object; then it is none that these inputs go through
        return None
    back = not is_table and row == (math.prod(begun.row),)
    done = ready.then(name, row, transformed)
    return done.then("", begun.row, lambda X: np.reshape(as_array(X), (len(X), *begun.row))) if back else done


# ------------------------------------------------------------------ the layout


def _laid_out(begun: Preparation, wish: Wish, known: Known) -> Iterator[Preparation]:
    if wish.names and begun.row == (len(known.columns),) and set(wish.names) <= set(known.columns):
        yield _by_name(begun, wish, known)
        return
    for layout in layouts(begun.row, wish.shape, tokens=wish.tokens):
        yield _finished(begun, layout, wish)
    if begun.row == (1,) and wish.shape is None:
        yield begun.then("vector", (), lambda X: as_array(X)[:, 0])


def _by_name(begun: Preparation, wish: Wish, known: Known) -> Preparation:
    """The columns that the model was fitted with, in their order: a network gets their numbers alone."""
    row = (len(wish.names),)
    if wish.floats:
        places = [known.columns.index(name) for name in wish.names]
        word = "" if wish.names == known.columns else "columns by their names"
        return begun.then(word, row, lambda X: as_array(X)[:, places])
    return begun.then("data frame", row, functools.partial(_frame, known.columns, wish.names))


def _frame(columns: tuple[str, ...], names: tuple[str, ...], X: Any) -> Any:
    import pandas

    frame = X if isinstance(X, pandas.DataFrame) else pandas.DataFrame(X, columns=list(columns))
    return frame[list(names)]


def _finished(begun: Preparation, layout: Layout, wish: Wish) -> Preparation:
    def laid_out(X: Any) -> Any:
        if not layout.words and not wish.floats:
            return X  # a data frame stays one
        rows = layout.apply(as_array(X))
        return rows.astype(np.float32) if wish.floats and not wish.tokens and rows.dtype.kind in "biu" else rows

    whole = begun.then("", layout.row, laid_out, guess=layout.guess)
    return replace(whole, words=(*begun.words, *layout.words))


def data_frame(columns: tuple[str, ...]) -> Prepare:
    """What ``predict(X)`` may want in an array's place."""
    return functools.partial(_frame, columns, columns)
