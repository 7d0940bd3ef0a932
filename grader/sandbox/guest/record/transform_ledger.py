"""What was done to pictures, and whether a training had them: kept while the notebook runs, for ``record``.

A picture that passes is counted; what is traced into a graph passes once for all, and counts where a training runs the
graph. What happens after the last training has ended was not for it.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .recorder import current_count

MAX_ENTRIES = 100
AUGMENTATION, RESIZING = "augmentation", "resizing"


@dataclass(frozen=True)
class Use:
    """One way of changing pictures; what names it in the report."""

    kind: str
    name: str
    parameters: str = ""


@dataclass
class Entry:
    use: Use
    count: int  # In [count] of the cell where it was seen first
    pictures: int = 0
    in_time: int = 0  # of these, before the last training ended
    trained: int = 0  # pictures of the largest training that had it in its graph


class _Here(threading.local):
    """Of one thread: generators of pictures run in threads of their own."""

    inside = False  # what is being watched calls others of its kind
    traced: list[list[Entry]] | None = None  # for each function of a dataset that is being traced


entries: dict[tuple[Use, int], Entry] = {}
largest = [0]  # pictures of the largest training
_trainings: list[list[Entry]] = []  # those that run, each with what its graph was seen to do
_made: weakref.WeakKeyDictionary[Any, list[Entry]] = weakref.WeakKeyDictionary()  # by the functions of a dataset
_here = _Here()


@contextlib.contextmanager
def outermost() -> Iterator[bool]:
    """Whether nothing that is watched is at work already: what one calls in turn is not counted again."""
    first, _here.inside = not _here.inside, True
    try:
        yield first
    finally:
        _here.inside = not first


def note(use: Use, pictures: Any) -> None:
    """``use`` was applied to ``pictures``: an array or a tensor of one or of many, or an object that is one picture."""
    if type(pictures).__name__ == "KerasTensor":
        return  # a model is being built: nothing passes
    if not _is_traced(pictures):
        entry = _entry(use)
        if entry is not None:
            entry.pictures += _rows(pictures)
        return
    waiting = _here.traced[-1] if _here.traced else _trainings[-1] if _trainings else None
    entry = _entry(use) if waiting is not None else None
    if waiting is not None and entry is not None and entry not in waiting:
        waiting.append(entry)


def set_up(use: Use) -> list[Entry]:
    """For what a library does to a dataset in the notebook's name."""
    entry = _entry(use)
    return [entry] if entry is not None else []


def _entry(use: Use) -> Entry | None:
    key = (use, current_count[0])
    if key not in entries:
        if len(entries) >= MAX_ENTRIES:
            return None
        entries[key] = Entry(*key)
    return entries[key]


def _is_traced(value: Any) -> bool:
    """A tensor that stands for what will come: of TensorFlow's graphs or of JAX's."""
    names = {kind.__name__ for kind in type(value).__mro__}
    return bool(names & {"SymbolicTensor", "Tracer"})


def _rows(pictures: Any) -> int:
    shape: Sequence[int] = getattr(pictures, "shape", ())
    return int(shape[0]) if len(shape) == 4 else 1


# ---------------------------------------------------------------- datasets


@contextlib.contextmanager
def tracing() -> Iterator[list[Entry]]:
    """What is traced meanwhile is the work of one dataset's function."""
    found: list[Entry] = []
    _here.traced = [*(_here.traced or []), found]
    try:
        yield found
    finally:
        _here.traced = _here.traced[:-1]


def made(dataset: Any, found: list[Entry]) -> None:
    if found:
        _made[dataset] = found


def behind(dataset: Any) -> list[Entry]:
    """What the functions of ``dataset``, and of those it is made of, do."""
    found: list[Entry] = []
    seen: set[int] = set()
    waiting = [dataset]
    while waiting and len(seen) < 1000:
        one = waiting.pop()
        if id(one) in seen or not hasattr(one, "_inputs"):
            continue
        seen.add(id(one))
        found += _made.get(one, [])
        waiting += one._inputs()
    return found


def iterated(dataset: Any) -> None:
    """Outside a training: into arrays, for example, that are trained on later."""
    found = [] if _trainings else behind(dataset)
    rows = (_training_rows(dataset) or 0) if found else 0
    for entry in found:
        entry.pictures += rows


# ---------------------------------------------------------------- trainings


def training_begins() -> None:
    _trainings.append([])


def training_ended(x: Any, *, ran: bool) -> None:
    """``x`` is what it was given; ``ran`` says that it reached the end of an epoch."""
    had = _trainings.pop()
    with contextlib.suppress(Exception):  # ``x`` may be anything of the notebook's own, and fit() has its own errors
        if ran:
            _had(x, had)


def _had(x: Any, had: list[Entry]) -> None:
    rows = _training_rows(x) or largest[0] or 1
    largest[0] = max(largest[0], rows)
    for entry in [*had, *behind(x)]:
        entry.trained = max(entry.trained, rows)
    for entry in entries.values():
        entry.in_time = entry.pictures


def _training_rows(x: Any) -> int | None:
    """Pictures in one epoch, as far as can be told without using them up."""
    if hasattr(x, "_inputs"):
        return _dataset_rows(x)
    if isinstance(x, dict):
        x = list(x.values())
    if isinstance(x, (list, tuple)) and x and len(getattr(x[0], "shape", ())) > 1:
        return int(x[0].shape[0])  # several inputs
    if isinstance(getattr(x, "n", None), int):  # of an iterator of Keras's ImageDataGenerator
        return int(x.n)
    shape = getattr(x, "shape", None)
    with contextlib.suppress(TypeError, IndexError):
        return int(shape[0]) if shape is not None else len(x)
    return None


def _dataset_rows(dataset: Any) -> int | None:
    batches = int(dataset.cardinality())
    if batches < 0:
        return None
    batch, waiting = 1, [dataset]
    while waiting and batch == 1:
        one = waiting.pop()
        with contextlib.suppress(TypeError, ValueError, AttributeError):
            batch = int(np.asarray(one._batch_size))
        waiting += one._inputs()
    return batches * batch


def facts() -> list[dict[str, Any]]:
    """Everything seen in time for a training; without a training, everything seen."""
    return [
        {
            "kind": entry.use.kind,
            "name": entry.use.name[:80],
            "parameters": entry.use.parameters[:200],
            "count": entry.count,
            "pictures": entry.in_time if largest[0] else entry.pictures,
            "trained": entry.trained,
        }
        for entry in entries.values()
        if entry.trained or entry.in_time or (entry.pictures and not largest[0])
    ]
