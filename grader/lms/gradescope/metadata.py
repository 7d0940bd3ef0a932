"""Read ``submission_metadata.yml`` of Gradescope's export: the students of each submission and its time.

The file also has every result and the whole history, hundreds of megabytes for a large class. It is read as a stream
of YAML events: only names and times are kept, the value of an alias is never copied, and no type is guessed, so that
the student number ``0123`` stays as it is.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from grader.i18n.message import Message, message
from grader.lms.identity import safe_id
from grader.models.submission import Student

FILE = "submission_metadata.yml"
MAX_ALIASES = 10_000  # Gradescope's own exports have hardly any
_MAX_DEPTH, _MAX_SUBMITTERS, _MAX_CHARACTERS, _MAX_SUBMISSIONS = 50, 200, 500, 100_000
_NULL = ("", "~", "null", "Null", "NULL")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ]\s*(\d\d:\d\d:\d\d)(\.\d{1,6})?\d*\s*(UTC|Z|[-+]\d\d:?\d\d)?")

_Value = str | dict[str, "_Value"] | list["_Value"] | None


@dataclass(frozen=True, slots=True)
class Record:
    """The students and the time of one submission."""

    submitters: tuple[Student, ...] = ()
    created_at: datetime | None = None  # aware if the file names a zone


@dataclass
class Metadata:
    """The records by the submission's folder."""

    records: dict[str, Record] = field(default_factory=dict)
    problem: Message | None = None  # why the file, or the rest of it, could not be read


def submitter(name: str = "", sid: str = "", email: str = "") -> Student:
    """Return a submitter as a student; ``sid`` is the student number. Without any value, the name is empty."""
    return Student(safe_id(sid or email or name), name or email or sid, sid or email, email, sid)


def read_metadata(path: Path) -> Metadata:
    """Return the metadata in ``path``, as far as it can be read. No content of the file raises an error."""
    found = Metadata()
    try:
        with path.open("rb") as file:
            reader = _Reader(yaml.parse(file, Loader=yaml.CSafeLoader))
            for name, record in reader.records():
                found.records.setdefault(name, record)
    except _UnusableError as error:
        found.problem = error.message
    except (yaml.YAMLError, UnicodeError, ValueError, OSError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = str(getattr(error, "problem", None) or error)[:200]
        if mark is None:
            found.problem = message("{file} cannot be read: {reason}", file=FILE, reason=reason)
        else:
            found.problem = message(
                "{file} cannot be read: {reason} in line {line}", file=FILE, reason=reason, line=mark.line + 1
            )
    return found


class _UnusableError(Exception):
    def __init__(self, message: Message) -> None:
        self.message = message
        super().__init__(str(message))


def _unexpected(found: Message) -> _UnusableError:
    return _UnusableError(
        message(
            "{file} is not as Gradescope writes it: found {found}, expected a submission's name and its values",
            file=FILE,
            found=found,
        )
    )


class _Reader:
    """Convert YAML events into records, one at a time, and keep only the values that are needed."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self._known: dict[str, _Value] = {}  # values that were kept, by their anchors
        self._aliases = 0

    def records(self) -> Iterator[tuple[str, Record]]:
        start = next((event for event in self._events if isinstance(event, CollectionStartEvent | ScalarEvent)), None)
        if start is None or (isinstance(start, ScalarEvent) and start.value in _NULL):
            return  # an empty file
        if not isinstance(start, MappingStartEvent):
            raise _unexpected(message("a list") if isinstance(start, SequenceStartEvent) else message("plain text"))
        for number, key in enumerate(self._until_end()):
            if number >= _MAX_SUBMISSIONS:
                raise _unexpected(message("more than {limit} submissions", limit=_MAX_SUBMISSIONS))
            name = key.value if isinstance(key, ScalarEvent) else ""
            value = self._next()
            if isinstance(value, MappingStartEvent):
                yield name, _record(dict(self._fields()))
            else:
                self._skip(value)

    def _fields(self) -> Iterator[tuple[str, _Value]]:
        """Yield the needed fields of one submission; skip the results and the history."""
        for key in self._until_end():
            name = key.value.removeprefix(":") if isinstance(key, ScalarEvent) else ""
            value = self._next()
            if name in ("submitters", "created_at"):
                yield name, self._value(value, 0)
            else:
                self._skip(value)

    def _until_end(self) -> Iterator[Event]:
        while not isinstance(event := self._next(), CollectionEndEvent):
            if not isinstance(event, ScalarEvent):
                self._skip(event)
            yield event

    def _next(self) -> Event:
        event: Event = next(self._events)
        if isinstance(event, AliasEvent):
            self._aliases += 1
            if self._aliases > MAX_ALIASES:
                raise _unexpected(message("more than {limit} aliases", limit=MAX_ALIASES))
        return event

    def _skip(self, first: Event) -> None:
        depth = int(isinstance(first, CollectionStartEvent))
        while depth:
            event = self._next()
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)

    def _value(self, event: Event, depth: int) -> _Value:
        if isinstance(event, AliasEvent):
            return self._known.get(event.anchor or "")
        if depth > _MAX_DEPTH:
            raise _unexpected(message("data nested more than {limit} deep", limit=_MAX_DEPTH))
        value: _Value = None
        if isinstance(event, ScalarEvent):
            value = _text(event)
        elif isinstance(event, MappingStartEvent):
            value = {}
            for key in self._until_end():
                inner = self._value(self._next(), depth + 1)
                value[key.value.removeprefix(":") if isinstance(key, ScalarEvent) else ""] = inner
        elif isinstance(event, SequenceStartEvent):
            value = []
            while not isinstance(item := self._next(), CollectionEndEvent):
                value.append(self._value(item, depth + 1))
                if len(value) > _MAX_SUBMITTERS:
                    raise _unexpected(message("more than {limit} submitters of one submission", limit=_MAX_SUBMITTERS))
        if isinstance(event, NodeEvent) and event.anchor:
            self._known[event.anchor] = value
        return value


def _text(event: ScalarEvent) -> str | None:
    text: str = event.value
    if event.implicit[0] and text in _NULL:
        return None
    if event.tag in ("!binary", "tag:yaml.org,2002:binary"):
        try:
            text = base64.b64decode(text).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return None
    return text[:_MAX_CHARACTERS]


def _record(fields: dict[str, _Value]) -> Record:
    submitters = fields.get("submitters")
    users = [user for user in submitters if isinstance(user, dict)] if isinstance(submitters, list) else []
    people = tuple(submitter(*(_line(user.get(key)) for key in ("name", "sid", "email"))) for user in users)
    return Record(people, _created_at(fields.get("created_at")))


def _line(value: _Value) -> str:
    """Return a text on a single line; empty for any other value."""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split()) if isinstance(value, str) else ""


def _created_at(value: _Value) -> datetime | None:
    if isinstance(value, dict):  # a time with its zone, as Ruby on Rails writes it
        value = value.get("utc") or value.get("time")
    return parse_time(value) if isinstance(value, str) else None


def parse_time(text: str) -> datetime | None:
    """Parse a time as YAML or JSON writes it, with ``UTC`` or an offset as its zone; None if it is no time."""
    found = _TIME.search(text)
    if found is None:
        return None
    day, clock, fraction, zone = found.groups()
    try:
        return datetime.fromisoformat(f"{day}T{clock}{fraction or ''}{'+00:00' if zone == 'UTC' else zone or ''}")
    except ValueError:
        return None
