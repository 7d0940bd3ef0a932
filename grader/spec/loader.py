"""``assignment.toml`` to an ``Assignment``: every problem at once, each with its place in the file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

from nbformat import NotebookNode
from pydantic import BaseModel, ConfigDict, Discriminator, ValidationError, field_validator
from pydantic_core import ErrorDetails

from grader.data.public_sets.definitions import SETS
from grader.grading.lateness import datetimes, rules
from grader.i18n.catalogue import LANGUAGES
from grader.i18n.message import Titles
from grader.models.assignment import Assignment, Criterion, Data, Limits, Pictures, PublicSet
from grader.models.errors import AssignmentError
from grader.models.lateness import LatePolicy
from grader.scoring.metrics import METRICS
from grader.scoring.rubric.dataset import DatasetCollected
from grader.scoring.rubric.kinds import Kind
from grader.scoring.rubric.metric import MetricReached
from grader.spec.listing import FILE_NAME
from grader.spec.validation import section_problems

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
ADDRESS = re.compile(r"(?:https?|ftp)://\S+|[^/\\\s][^/\\]*")
MAX_PROBLEMS = 50


class _File(BaseModel):
    """The file as it is written; paths still relative to its folder."""

    model_config = ConfigDict(extra="forbid")

    id: str
    version: str
    title: dict[str, str]
    rubric: tuple[Annotated[Kind, Discriminator("kind")], ...]
    data: Data | None = None
    public: PublicSet | None = None
    pictures: Pictures | None = None
    limits: Limits = Limits()
    sources: dict[str, str] = {}
    late: LatePolicy | None = None

    @field_validator("late", mode="before")
    @classmethod
    def _due_is_a_moment(cls, raw: object) -> object:
        due = raw.get("due") if isinstance(raw, dict) else None
        if isinstance(due, str):
            due = datetimes.parsed_moment(due)
        if isinstance(raw, dict) and "due" in raw and not isinstance(due, datetime):
            raise ValueError("due to be a date and a time such as 2026-11-30T23:59:00")  # a day alone has no end
        return raw | {"due": due} if isinstance(raw, dict) and "due" in raw else raw


def load_assignment(folder: Path) -> Assignment:
    """The assignment in ``folder``; raises AssignmentError with all its problems."""
    path = folder / FILE_NAME
    assignment = _assignment(_parsed(path), folder.resolve())
    problems = list(_problems(assignment))
    if problems:
        raise AssignmentError([f"{path}: {problem}" for problem in problems])
    return assignment


def _parsed(path: Path) -> _File:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise AssignmentError([f"{path}: not found; an assignment is a folder with an {FILE_NAME}"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise AssignmentError([f"{path}: cannot be read as UTF-8 text: {error}"]) from None
    except tomllib.TOMLDecodeError as error:
        raise AssignmentError([f"{path}: not valid TOML: {error}"]) from None
    try:
        return _File.model_validate(raw)
    except ValidationError as error:
        problems = [f"{path}: {_problem(details)}" for details in error.errors()[:MAX_PROBLEMS]]
        raise AssignmentError(problems) from None


def _problem(details: ErrorDetails) -> str:
    """``rubric[2].kind: found 'metrik', expected ...``"""
    place = [part for part in details["loc"] if not (isinstance(part, str) and part.startswith("function-"))]
    context = details.get("ctx", {})
    found = _shortened(details["input"])
    match details["type"]:
        case "union_tag_invalid":
            return f"{_place(place)}.kind: found {context['tag']!r}, expected one of {context['expected_tags']}"
        case "union_tag_not_found":
            return f"{_place(place)}.kind: missing; expected one of {', '.join(map(repr, _kind_names()))}"
        case "missing":
            return f"{_place(place)}: missing"
        case "extra_forbidden" | "unexpected_keyword_argument":
            return f"{_place(place)}: not known here; check the spelling"
        case _:
            return f"{_place(place)}: found {found}, expected {_expectation(details)}"


def _expectation(details: ErrorDetails) -> str:
    text = details["msg"]
    for prefix in ("Input should be ", "Value error, "):
        text = text.removeprefix(prefix)
    return text


def _place(location: list[Any]) -> str:
    """``("rubric", 1, "metric", "full_at", "float")`` as ``rubric[1].full_at``: a union's tags are no keys."""
    parts = [*location[:2], *location[3:4]] if location[0] == "rubric" else location
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".")


def _kind_names() -> list[str]:
    return sorted(kind.kind for kind in Kind.__args__)


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _assignment(file: _File, folder: Path) -> Assignment:
    return Assignment(
        id=file.id,
        version=file.version,
        folder=folder,
        title=file.title,
        rubric=tuple(replace(criterion, title=criterion.title or {"en": criterion.id}) for criterion in file.rubric),
        data=_in_folder(file.data, folder) if file.data else None,
        public=file.public,
        pictures=file.pictures,
        limits=file.limits,
        sources=file.sources,
        late=file.late,
    )


def _in_folder(data: Data, folder: Path) -> Data:
    hidden = replace(
        data.hidden,
        generator=folder / data.hidden.generator if data.hidden.generator else None,
        file=folder / data.hidden.file if data.hidden.file else None,
    )
    return replace(
        data,
        files=tuple(folder / path for path in data.files),
        table=folder / data.table,
        hidden=hidden,
    )


def _problems(assignment: Assignment) -> Iterator[str]:
    """What types cannot say."""
    if not NAME.fullmatch(assignment.id):
        yield f"id: found {assignment.id!r}, expected lower-case letters, digits, - and _"
    yield from _title_problems("title", assignment.title)
    for field in fields(Limits):
        value = getattr(assignment.limits, field.name)
        if value is not None and not 0 < value < float("inf"):
            yield f"limits.{field.name}: found {value}, expected a number above 0"
    if assignment.late is not None:
        yield from (f"late.{problem}" for problem in rules.problems(assignment.late))
    yield from section_problems(assignment)
    yield from _source_problems(assignment)
    if not assignment.rubric:
        yield "rubric: empty; expected at least one [[rubric]]"
    seen: set[str] = set()
    for index, criterion in enumerate(assignment.rubric):
        for problem in _criterion_problems(criterion, assignment):
            yield f"rubric[{index}].{problem}"
        if criterion.id in seen:
            yield f"rubric[{index}].id: found {criterion.id!r} a second time, expected one of its own"
        seen.add(criterion.id)


def _title_problems(place: str, title: Titles) -> Iterator[str]:
    if not title.get("en"):
        yield f"{place}.en: missing"
    for language in sorted(title.keys() - set(LANGUAGES)):
        yield f"{place}.{language}: not known here; expected {' or '.join(LANGUAGES)}"


def _source_problems(assignment: Assignment) -> Iterator[str]:
    known = [path.name for path in assignment.data.files if not path.is_dir()] if assignment.data else []
    handed_out = SETS[assignment.public.set].handed_out if assignment.public and assignment.public.set in SETS else ()
    for source, name in assignment.sources.items():
        if name not in (*known, *handed_out):
            yield f'sources."{source}": found {name!r}, expected one of data.files'
        if not ADDRESS.fullmatch(source):
            yield f'sources."{source}": expected an address (https://...) or a file\'s plain name'


def _task(assignment: Assignment) -> str | None:
    """What is asked of the hidden rows, if there are any."""
    if assignment.public is not None or assignment.pictures is not None:
        return "classification"
    return assignment.data.task if assignment.data is not None else None


def _criterion_problems(criterion: Criterion, assignment: Assignment) -> Iterator[str]:
    if not NAME.fullmatch(criterion.id):
        yield f"id: found {criterion.id!r}, expected lower-case letters, digits, - and _"
    if not 0 <= criterion.points < float("inf"):
        yield f"points: found {criterion.points}, expected 0 or more"
    yield from _title_problems("title", criterion.title)
    yield from criterion.problems()
    if isinstance(criterion, MetricReached):
        yield from _metric_problems(criterion, _task(assignment))
    if isinstance(criterion, DatasetCollected) and assignment.pictures is None:
        yield "kind: 'dataset' needs a [pictures] section, which says what is asked of the pictures"


def _metric_problems(criterion: MetricReached, task: str | None) -> Iterator[str]:
    if task is None:
        yield "kind: a metric needs a [data], a [public] or a [pictures] section to predict"
        return
    known = METRICS[task]
    if criterion.metric not in known:
        yield f"metric: found {criterion.metric!r}, expected for {task} one of {', '.join(known)}"
    if criterion.zero_at == "majority" and task != "classification":
        yield "zero_at: 'majority' is for classification; expected a number"
    for name in ("full_at", "zero_at"):
        value = getattr(criterion, name)
        if isinstance(value, float) and not isfinite(value):
            yield f"{name}: found {value}, expected a finite number"
    if criterion.zero_at == criterion.full_at:
        yield f"zero_at: found {criterion.zero_at}, the same as full_at; expected another number"


def recognise(notebook: NotebookNode, assignments: Iterable[Assignment]) -> list[Assignment]:
    """The assignments a notebook may be for: the one its starter names, else those whose data its code speaks of."""
    assignments = list(assignments)
    note = notebook.metadata.get("grader")
    named = note.get("assignment") if isinstance(note, dict) else None
    by_name = [assignment for assignment in assignments if assignment.id == named]
    if by_name:
        return by_name
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return [assignment for assignment in assignments if _is_spoken_of(assignment, code)]


def _is_spoken_of(assignment: Assignment, code: str) -> bool:
    if assignment.public is not None:
        return SETS[assignment.public.set].in_code.search(code) is not None
    return assignment.data is not None and any(path.name in code for path in assignment.data.files)
