"""Record of image transforms (augmentation and resizing), and of the trainings that used them.

Every transformed image is counted. A transform that is traced into a graph runs only once in Python; it is counted
for the training that runs the graph. A transform after the last training has ended was not part of any training.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .recorder import current_count, row_count

MAX_ENTRIES = 100
MAX_DATASETS = 1000  # inputs of one dataset that are followed
AUGMENTATION, RESIZING = "augmentation", "resizing"


@dataclass(frozen=True)
class Transform:
    """Kind of change to images, with its name in the report."""

    kind: str
    name: str
    parameters: str = ""


@dataclass
class Entry:
    """Counts for one transform, first used in the cell ``In [count]``."""

    transform: Transform
    count: int
    images: int = 0
    images_before_end: int = 0  # images transformed before the last training ended
    trained: int = 0  # images in the largest training with this transform in its graph


class _ThreadState(threading.local):
    """State of one thread: image generators run in threads of their own."""

    inside = False  # a watched function is running
    traced: list[list[Entry]] | None = None  # for each dataset function that is being traced


entries: dict[tuple[Transform, int], Entry] = {}
largest_training = [0]  # images
_trainings: list[list[Entry]] = []  # for each running training, the transforms traced into its graph
_by_dataset: weakref.WeakKeyDictionary[Any, list[Entry]] = weakref.WeakKeyDictionary()
_state = _ThreadState()


@contextlib.contextmanager
def outermost_call() -> Iterator[bool]:
    """Give True unless another watched function is running: its inner calls are not counted again."""
    first, _state.inside = not _state.inside, True
    try:
        yield first
    finally:
        _state.inside = not first


def record(transform: Transform, images: Any) -> None:
    """Count ``images``, to which ``transform`` was applied.

    ``images`` is an array or a tensor of one image or of many ``(n, height, width, channels)``, or an image object.
    """
    if type(images).__name__ == "KerasTensor":
        return  # a model is being built: no image is transformed
    if not _is_traced(images):
        entry = _entry(transform)
        if entry is not None:
            entry.images += _image_count(images)
        return
    traced = _state.traced[-1] if _state.traced else _trainings[-1] if _trainings else None
    entry = _entry(transform) if traced is not None else None
    if traced is not None and entry is not None and entry not in traced:
        traced.append(entry)


def entries_of(transform: Transform) -> list[Entry]:
    """Return the entry of a transform that a library adds to a dataset on behalf of the notebook."""
    entry = _entry(transform)
    return [entry] if entry is not None else []


def _entry(transform: Transform) -> Entry | None:
    key = (transform, current_count[0])
    if key not in entries:
        if len(entries) >= MAX_ENTRIES:
            return None
        entries[key] = Entry(*key)
    return entries[key]


def _is_traced(value: Any) -> bool:
    """Return True for a placeholder tensor of a TensorFlow or JAX graph."""
    names = {kind.__name__ for kind in type(value).__mro__}
    return bool(names & {"SymbolicTensor", "Tracer"})


def _image_count(images: Any) -> int:
    shape: Sequence[int] = getattr(images, "shape", ())
    return int(shape[0]) if len(shape) == 4 else 1


# ---------------------------------------------------------------- datasets


@contextlib.contextmanager
def tracing() -> Iterator[list[Entry]]:
    """Collect what is traced meanwhile, as the work of one dataset function."""
    traced: list[Entry] = []
    _state.traced = [*(_state.traced or []), traced]
    try:
        yield traced
    finally:
        _state.traced = _state.traced[:-1]


def attach(dataset: Any, traced: list[Entry]) -> None:
    """Remember the transforms in the function of ``dataset``."""
    if traced:
        _by_dataset[dataset] = traced


def dataset_entries(dataset: Any) -> list[Entry]:
    """Return the transforms in ``dataset`` and in the datasets it is made from."""
    found: list[Entry] = []
    seen: set[int] = set()
    waiting = [dataset]
    while waiting and len(seen) < MAX_DATASETS:
        current = waiting.pop()
        if id(current) in seen or not hasattr(current, "_inputs"):
            continue
        seen.add(id(current))
        found += _by_dataset.get(current, [])
        waiting += current._inputs()
    return found


def record_iteration(dataset: Any) -> None:
    """Count the images of a dataset that is iterated outside a training, into arrays for a later one perhaps."""
    found = [] if _trainings else dataset_entries(dataset)
    rows = (training_rows(dataset) or 0) if found else 0
    for entry in found:
        entry.images += rows


# ---------------------------------------------------------------- trainings


def begin_training() -> None:
    """Start to collect the transforms in the graph of a training."""
    _trainings.append([])


def end_training(x: Any, *, ran: bool) -> None:
    """Count the images of a training on ``x``; ``ran`` is True if it completed an epoch."""
    traced = _trainings.pop()
    with contextlib.suppress(Exception):  # ``x`` may be any object of the notebook, and fit() reports its own errors
        if ran:
            _count_training(x, traced)


def _count_training(x: Any, traced: list[Entry]) -> None:
    rows = training_rows(x) or largest_training[0] or 1
    largest_training[0] = max(largest_training[0], rows)
    for entry in [*traced, *dataset_entries(x)]:
        entry.trained = max(entry.trained, rows)
    for entry in entries.values():
        entry.images_before_end = entry.images


def training_rows(x: Any) -> int | None:
    """Return the images in one epoch, or None if they cannot be counted without consuming ``x``."""
    if hasattr(x, "_inputs"):
        return _dataset_rows(x)
    if isinstance(x, dict):
        x = list(x.values())
    if isinstance(x, (list, tuple)) and x and len(getattr(x[0], "shape", ())) > 1:
        return int(x[0].shape[0])  # several inputs
    if isinstance(getattr(x, "n", None), int):  # an iterator of Keras's ImageDataGenerator
        return int(x.n)
    return row_count(x)


def _dataset_rows(dataset: Any) -> int | None:
    batches = int(dataset.cardinality())
    if batches < 0:
        return None
    batch, waiting = 1, [dataset]
    while waiting and batch == 1:
        current = waiting.pop()
        with contextlib.suppress(TypeError, ValueError, AttributeError):
            batch = int(np.asarray(current._batch_size))
        waiting += current._inputs()
    return batches * batch


def facts() -> list[dict[str, Any]]:
    """Return for ``facts.json`` the transforms before the end of the last training; all without a training."""
    trained = bool(largest_training[0])
    return [
        {
            "kind": entry.transform.kind,
            "name": entry.transform.name[:80],
            "parameters": entry.transform.parameters[:200],
            "count": entry.count,
            "pictures": entry.images_before_end if trained else entry.images,
            "trained": entry.trained,
        }
        for entry in entries.values()
        if entry.trained or entry.images_before_end or (entry.images and not trained)
    ]
