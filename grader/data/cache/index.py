"""What was fetched, recorded beside it: one small JSON file per set, with the SHA-256 of every file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from pydantic import TypeAdapter, ValidationError

from grader.data.cache.cached_sets import ARRAY_FILES, FASHION, FASHION_FILES
from grader.data.cache.download import file_hash
from grader.data.cache.known_sets import Kind, KnownSet
from grader.data.cache.location import DATASETS, FONTS, INDEX, PHOTOS
from grader.files.atomic import write_text


class State(StrEnum):
    THERE = "there"
    ABSENT = "absent"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    sha256: str
    bytes: int


def fingerprint(path: Path) -> Fingerprint:
    return Fingerprint(file_hash(path), path.stat().st_size)


@dataclass(frozen=True, slots=True)
class Record:
    """``files`` by their places in the library; ``fetched`` is a date, ``source`` says who had it."""

    name: str
    source: str
    fetched: str
    files: Mapping[str, Fingerprint]
    addresses: tuple[str, ...] = ()


def record_path(name: str, library: Path) -> Path:
    return library / INDEX / f"{name}.json"


def write_record(record: Record, library: Path) -> None:
    write_text(record_path(record.name, library), json.dumps(asdict(record), ensure_ascii=False, indent=1) + "\n")


def read_record(name: str, library: Path) -> Record | None:
    """None where nothing is recorded; raises ValueError for a record that cannot be one."""
    try:
        record = TypeAdapter(Record).validate_json(record_path(name, library).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise ValueError(str(error).splitlines()[0]) from error
    for place in record.files:
        if PurePosixPath(place).is_absolute() or ".." in PurePosixPath(place).parts:
            raise ValueError(f"found {place!r}, expected places inside the library")
    return record


def places(entry: KnownSet) -> tuple[str, ...]:
    """What must exist for the set to be there: files, or a folder."""
    match entry.kind:
        case Kind.ARRAYS if entry.name == FASHION:
            return tuple(f"{DATASETS}/{FASHION}/{name}" for name in FASHION_FILES)
        case Kind.ARRAYS:
            return (ARRAY_FILES[entry.name],)
        case Kind.WEIGHTS:
            return tuple(entry.facts.parameters)
        case Kind.PHOTOS:
            return (f"{PHOTOS}/{entry.name}",)
        case Kind.FONTS:
            return (FONTS,)


def state(entry: KnownSet, library: Path) -> State:
    """At a glance: by existence and size. ``verify`` reads every byte."""
    try:
        record = read_record(entry.name, library)
    except ValueError:
        return State.DAMAGED
    if record is None:
        return State.THERE if all((library / place).exists() for place in places(entry)) else State.ABSENT
    sizes = {place: _size(library / place) for place in record.files}
    whole = all(sizes[place] == expected.bytes for place, expected in record.files.items())
    return State.THERE if whole and record.files else State.DAMAGED


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
