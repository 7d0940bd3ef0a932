"""Problems of an assignment that types cannot express, each with its place in ``assignment.toml``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields
from math import isfinite

from grader.data.public_sets.definitions import SETS
from grader.data.tables import ARRAYS
from grader.grading.lateness import rules
from grader.i18n.catalogue import LANGUAGES
from grader.i18n.message import Message, Titles, message, prefixed, unexpected
from grader.models.assignment import Assignment, Criterion, Data, Limits, Pictures, PublicSet
from grader.scoring.metrics import METRICS
from grader.scoring.rubric.dataset import DatasetCollected
from grader.scoring.rubric.metric import MetricReached

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
ADDRESS = re.compile(r"(?:https?|ftp)://\S+|[^/\\\s][^/\\]*")
FOLDER = re.compile(r"[^\W_][\w-]{0,63}")
MIN_PER_CLASS = 3  # distinct pictures: with fewer none can be held out


def assignment_problems(assignment: Assignment) -> Iterator[Message]:
    """Yield every problem of ``assignment``."""
    if not NAME.fullmatch(assignment.id):
        yield _bad_name(assignment.id)
    yield from _title_problems("title", assignment.title)
    for field in fields(Limits):
        value = getattr(assignment.limits, field.name)
        if value is not None and not 0 < value < float("inf"):
            yield unexpected(f"limits.{field.name}", str(value), message("a number above {limit}", limit=0))
    if assignment.late is not None:
        yield from (prefixed("late.", problem) for problem in rules.policy_problems(assignment.late))
    yield from _section_problems(assignment)
    yield from _source_problems(assignment)
    if not assignment.rubric:
        yield message("rubric: empty; expected at least one [[rubric]]")
    seen: set[str] = set()
    for index, criterion in enumerate(assignment.rubric):
        yield from (prefixed(f"rubric[{index}].", problem) for problem in _criterion_problems(criterion, assignment))
        if criterion.id in seen:
            yield message(
                "rubric[{index}].id: found {found} a second time, expected a different id for each criterion",
                index=index,
                found=repr(criterion.id),
            )
        seen.add(criterion.id)


def _bad_name(found: str) -> Message:
    return unexpected("id", repr(found), message("lower-case letters, digits, - and _"))


def _title_problems(place: str, title: Titles) -> Iterator[Message]:
    if not title.get("en"):
        yield message("{place}: missing", place=f"{place}.en")
    for language in sorted(title.keys() - set(LANGUAGES)):
        yield message(
            "{place}: not known here; expected {names}", place=f"{place}.{language}", names=", ".join(LANGUAGES)
        )


# ---------------------------------------------------------------- sections with data


def _section_problems(assignment: Assignment) -> Iterator[Message]:
    """Yield the problems of ``[data]``, ``[public]`` and ``[pictures]``; an assignment has at most one of them."""
    if assignment.data is not None:
        yield from _data_problems(assignment.data)
    if assignment.public is not None:
        yield from _public_problems(assignment.public)
    if assignment.pictures is not None:
        yield from _pictures_problems(assignment.pictures)
    if assignment.data is not None and assignment.public is not None:
        yield message("public: found beside [data]; expected only one of the two: a public set brings its own data")
    if assignment.pictures is not None and (assignment.data is not None or assignment.public is not None):
        yield message("pictures: found beside [data] or [public]; expected only one: a group's pictures are its data")


def _data_problems(data: Data) -> Iterator[Message]:
    yield from _file_problems(data)
    one_file = message("one of data.files")
    if data.table not in data.files:
        yield unexpected("data.table", repr(data.table.name), one_file)
    elif data.table.is_dir():
        yield unexpected("data.table", repr(data.table.name), message("a file, not a folder"))
    if not data.inputs:
        yield message("data.inputs: empty; expected the names of the input columns")
    yield from (
        message("{place}: found {found} more than once", place="data.inputs", found=repr(name))
        for name in _repeated(data.inputs)
    )
    if data.table.suffix == ARRAYS and len(data.inputs) > 1:
        expected = message("the name of one array of {table}", table=data.table.name)
        yield unexpected("data.inputs", str(len(data.inputs)), expected)
    if data.target in data.inputs:
        yield message(
            "data.target: found {found}, which is also an input: students would get the labels",
            found=repr(data.target),
        )
    if data.hidden.file in data.files:
        yield message("data.hidden.file: found among data.files: students would get the hidden rows")
    yield from _hidden_problems(data)


def _file_problems(data: Data) -> Iterator[Message]:
    """Yield problems of ``data.files``, which lists files, and folders with everything in them."""
    kept_back = {"data.hidden.file": data.hidden.file, "data.hidden.generator": data.hidden.generator}
    for index, path in enumerate(data.files):
        if not path.exists():
            yield message("{place}: {path} does not exist", place=f"data.files[{index}]", path=path)
        if path.is_dir():
            for place, secret in kept_back.items():
                if secret is not None and secret.resolve().is_relative_to(path.resolve()):
                    yield message(
                        "{place}: found in the folder {folder} of data.files: students would get it",
                        place=place,
                        folder=repr(path.name),
                    )
    for name in _repeated([path.name for path in data.files]):
        yield message(
            "data.files: found {found} more than once; they are copied into one folder, so each needs its own name",
            found=repr(name),
        )


def _repeated(names: Sequence[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


def _hidden_problems(data: Data) -> Iterator[Message]:
    if (data.hidden.generator is None) == (data.hidden.file is None):
        yield message("data.hidden: expected exactly one of generator and file")
    elif data.hidden.file is not None and data.hidden.file.suffix != data.table.suffix:
        expected = message("a {suffix} file like data.table", suffix=data.table.suffix)
        yield unexpected("data.hidden.file", repr(data.hidden.file.name), expected)
    for name in ("generator", "file"):
        path = getattr(data.hidden, name)
        if path is not None and not path.is_file():
            yield message("{place}: {path} does not exist", place=f"data.hidden.{name}", path=path)
    yield from _out_of_range("data.hidden.rows", data.hidden.rows, 50, 1_000_000)


def _public_problems(public: PublicSet) -> Iterator[Message]:
    if public.set not in SETS:
        yield unexpected("public.set", repr(public.set), message("one of {names}", names=", ".join(SETS)))
    elif SETS[public.set].is_photos and public.size is None:
        yield message("public.size: missing; photos need the height and width of the model's input: size = [150, 150]")
    elif not SETS[public.set].is_photos and public.size is not None:
        yield message(
            "public.size: found {found}, but the pictures of {set} have a fixed size; remove it",
            found=list(public.size),
            set=public.set,
        )
    if public.size is not None:
        yield from _size_problems("public.size", public.size)
    yield from _out_of_range("public.rows", public.rows, 50, 10_000)


def _pictures_problems(pictures: Pictures) -> Iterator[Message]:
    yield from _size_problems("pictures.size", pictures.size)
    yield from _out_of_range("pictures.min_classes", pictures.min_classes, 2, 1000)
    yield from _out_of_range("pictures.min_per_class", pictures.min_per_class, MIN_PER_CLASS, 10_000)
    if not FOLDER.fullmatch(pictures.folder):
        yield unexpected("pictures.folder", repr(pictures.folder), message("a folder's plain name"))
    yield from _out_of_range("pictures.hold_out", pictures.hold_out, 0.05, 0.5)


def _size_problems(place: str, size: tuple[int, int]) -> Iterator[Message]:
    if not all(16 <= side <= 512 for side in size):
        yield unexpected(place, str(list(size)), message("height and width from {low} to {high}", low=16, high=512))


def _out_of_range(place: str, found: float, low: float, high: float) -> Iterator[Message]:
    if not low <= found <= high:  # NaN too is out of range
        yield unexpected(place, str(found), message("{low} to {high}", low=low, high=high))


def _source_problems(assignment: Assignment) -> Iterator[Message]:
    known = [path.name for path in assignment.data.files if not path.is_dir()] if assignment.data else []
    handed_out = SETS[assignment.public.set].handed_out if assignment.public and assignment.public.set in SETS else ()
    for source, name in assignment.sources.items():
        if name not in (*known, *handed_out):
            yield unexpected(f'sources."{source}"', repr(name), message("one of data.files"))
        if not ADDRESS.fullmatch(source):
            yield message(
                "{place}: expected an address (https://...) or a plain file name", place=f'sources."{source}"'
            )


# ---------------------------------------------------------------- rubric


def _criterion_problems(criterion: Criterion, assignment: Assignment) -> Iterator[Message]:
    if not NAME.fullmatch(criterion.id):
        yield _bad_name(criterion.id)
    if not 0 <= criterion.points < float("inf"):
        yield unexpected("points", str(criterion.points), message("0 or more"))
    yield from _title_problems("title", criterion.title)
    yield from criterion.problems()
    if isinstance(criterion, MetricReached):
        yield from _metric_problems(criterion, _task(assignment))
    if isinstance(criterion, DatasetCollected) and assignment.pictures is None:
        yield message("kind: 'dataset' needs a [pictures] section, which sets the requirements for the pictures")


def _task(assignment: Assignment) -> str | None:
    """Return ``classification`` or ``regression``, or None for an assignment without hidden rows."""
    if assignment.public is not None or assignment.pictures is not None:
        return "classification"
    return assignment.data.task if assignment.data is not None else None


def _metric_problems(criterion: MetricReached, task: str | None) -> Iterator[Message]:
    if task is None:
        yield message("kind: a metric needs a [data], a [public] or a [pictures] section to predict")
        return
    known = METRICS[task]
    if criterion.metric not in known:
        expected = message("for {task} one of {names}", task=task, names=", ".join(known))
        yield unexpected("metric", repr(criterion.metric), expected)
    if criterion.zero_at == "majority" and task != "classification":
        yield message("zero_at: 'majority' is for classification; expected a number")
    for name in ("full_at", "zero_at"):
        value = getattr(criterion, name)
        if isinstance(value, float) and not isfinite(value):
            yield unexpected(name, str(value), message("a finite number"))
    if criterion.zero_at == criterion.full_at:
        yield message("zero_at: found {found}, the same as full_at; expected another number", found=criterion.zero_at)
