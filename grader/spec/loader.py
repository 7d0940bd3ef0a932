"""Parse ``assignment.toml`` into an ``Assignment``; report every problem at once, each with its place in the file."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, ValidationError, field_validator
from pydantic_core import ErrorDetails

from grader.grading.lateness import datetimes
from grader.i18n.message import Message, message, prefixed, unexpected
from grader.models.assignment import Assignment, Data, Limits, Pictures, PublicSet
from grader.models.errors import AssignmentError
from grader.models.lateness import LatePolicy
from grader.scoring.rubric import kinds
from grader.spec.listing import FILE_NAME
from grader.spec.validation import assignment_problems

MAX_PROBLEMS = 50

# In TOML's own words; by the first part of pydantic's error type.
_EXPECTED_TYPES = {
    "string": message("a string"),
    "int": message("an integer"),
    "float": message("a number"),
    "bool": message("true or false"),
    "tuple": message("an array"),
    "dict": message("a table"),
    "dataclass": message("a table"),
    "model": message("a table"),
}


class _File(BaseModel):
    """The content of the file; its paths are still relative to its folder."""

    model_config = ConfigDict(extra="forbid")

    id: str
    version: str
    title: dict[str, str]
    rubric: tuple[Annotated[kinds.AnyCriterion, Discriminator("kind")], ...]
    data: Data | None = None
    public: PublicSet | None = None
    pictures: Pictures | None = None
    limits: Limits = Limits()
    sources: dict[str, str] = {}
    late: LatePolicy | None = None

    @field_validator("late", mode="before")
    @classmethod
    def _parse_due_time(cls, raw: object) -> object:
        due = raw.get("due") if isinstance(raw, dict) else None
        if isinstance(due, str):
            due = datetimes.parse_datetime(due)
        if isinstance(raw, dict) and "due" in raw and not isinstance(due, datetime):
            # A date alone does not say at what time of the day the deadline is.
            raise ValueError(message("due to be a date and a time such as 2026-11-30T23:59:00"))
        return raw | {"due": due} if isinstance(raw, dict) and "due" in raw else raw


def load_assignment(folder: Path) -> Assignment:
    """Return the assignment in ``folder``; raise ``AssignmentError`` with all its problems."""
    path = folder / FILE_NAME
    assignment = _assignment(_read(path), folder.resolve())
    problems = list(assignment_problems(assignment))
    if problems:
        raise AssignmentError([prefixed(f"{path}: ", problem) for problem in problems])
    return assignment


def _read(path: Path) -> _File:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        missing = message("{path}: not found; an assignment is a folder with an {name}", path=path, name=FILE_NAME)
        raise AssignmentError([missing]) from None
    except (OSError, UnicodeDecodeError) as error:
        unreadable = message("{path}: cannot be read as UTF-8 text: {error}", path=path, error=error)
        raise AssignmentError([unreadable]) from None
    except tomllib.TOMLDecodeError as error:
        raise AssignmentError([message("{path}: not valid TOML: {error}", path=path, error=error)]) from None
    try:
        return _File.model_validate(raw)
    except ValidationError as error:
        problems = [prefixed(f"{path}: ", _problem(details)) for details in error.errors()[:MAX_PROBLEMS]]
        raise AssignmentError(problems) from None


def _problem(details: ErrorDetails) -> Message:
    """Return pydantic's error as, for example, ``rubric[2].kind: found 'metrik', expected ...``."""
    place = _place([part for part in details["loc"] if not str(part).startswith("function-")])
    context = details.get("ctx", {})
    match details["type"]:
        case "union_tag_invalid":
            expected = message("one of {names}", names=context["expected_tags"])
            return unexpected(f"{place}.kind", repr(context["tag"]), expected)
        case "union_tag_not_found":
            names = ", ".join(map(repr, kinds.NAMES))
            return message("{place}.kind: missing; expected one of {names}", place=place, names=names)
        case "missing":
            return message("{place}: missing", place=place)
        case "extra_forbidden" | "unexpected_keyword_argument":
            return message("{place}: not known here; check the spelling", place=place)
    return unexpected(place, _shortened(details["input"]), _expected(details))


def _expected(details: ErrorDetails) -> Message:
    context = details.get("ctx", {})
    match details["type"]:
        case "literal_error":
            others, _, last = str(context["expected"]).rpartition(" or ")
            return message("{others} or {last}", others=others, last=last) if others else message("{name}", name=last)
        case "greater_than":
            return message("a number above {limit}", limit=context["gt"])
        case "value_error" if isinstance(context["error"].args[0], Message):
            return context["error"].args[0]
    known = _EXPECTED_TYPES.get(details["type"].partition("_")[0])
    return known or message("{name}", name=details["msg"].removeprefix("Input should be "))


def _place(location: list[Any]) -> str:
    """Return ``("rubric", 1, "metric", "full_at", "float")`` as ``rubric[1].full_at``: tags of a union are no keys."""
    parts = [*location[:2], *location[3:4]] if location[0] == "rubric" else location
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".")


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
