"""Records of fetched sets: one small JSON file per set in the library, with the SHA-256 of every file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from pydantic import TypeAdapter, ValidationError

from grader.data.cache.cached_sets import ARRAY_FILES, DATASETS, FASHION, FASHION_FILES, FONTS, INDEX, PHOTOS
from grader.data.cache.download import file_hash
from grader.data.cache.known_sets import Kind, KnownSet
from grader.files.atomic import write_text


class State(StrEnum):
    THERE = "there"
    ABSENT = "absent"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Hash and size of one file."""

    sha256: str
    bytes: int


def fingerprint(path: Path) -> Fingerprint:
    return Fingerprint(file_hash(path), path.stat().st_size)


@dataclass(frozen=True, slots=True)
class Record:
    """Origin and files of a fetched set."""

    name: str
    source: str  # the provider's name
    fetched: str  # ISO date
    files: Mapping[str, Fingerprint]  # by path in the library
    addresses: tuple[str, ...] = ()


def record_path(name: str, library: Path) -> Path:
    return library / INDEX / f"{name}.json"


def write_record(record: Record, library: Path) -> None:
    write_text(record_path(record.name, library), json.dumps(asdict(record), ensure_ascii=False, indent=1) + "\n")


def read_record(name: str, library: Path) -> Record | None:
    """Return the record of a set, or None if there is none. Raises ValueError for an invalid record."""
    try:
        record = TypeAdapter(Record).validate_json(record_path(name, library).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise ValueError(str(error).splitlines()[0]) from error
    for place in record.files:
        if PurePosixPath(place).is_absolute() or ".." in PurePosixPath(place).parts:
            raise ValueError(f"found {place!r}, expected paths inside the library")
    return record


def required_paths(known: KnownSet) -> tuple[str, ...]:
    """Return the files or the folder that must exist in the library for the set to be there."""
    match known.kind:
        case Kind.ARRAYS if known.name == FASHION:
            return tuple(f"{DATASETS}/{FASHION}/{name}" for name in FASHION_FILES)
        case Kind.ARRAYS:
            return (ARRAY_FILES[known.name],)
        case Kind.WEIGHTS | Kind.FILES:
            return known.facts.places
        case Kind.PHOTOS:
            return (f"{PHOTOS}/{known.name}",)
        case Kind.FONTS:
            return (FONTS,)


def state(known: KnownSet, library: Path) -> State:
    """Return the state of a set, from the existence and size of its files. ``verify`` reads every byte."""
    try:
        record = read_record(known.name, library)
    except ValueError:
        return State.DAMAGED
    if record is None:
        return State.THERE if all((library / place).exists() for place in required_paths(known)) else State.ABSENT
    sizes = {place: _size(library / place) for place in record.files}
    intact = all(sizes[place] == expected.bytes for place, expected in record.files.items())
    return State.THERE if intact and record.files else State.DAMAGED


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
