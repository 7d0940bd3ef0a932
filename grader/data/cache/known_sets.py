"""The sets that the library can hold, read from ``known_sets.toml``: description, sources, and expected content."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from pydantic import TypeAdapter

from grader.i18n.message import Titles, message
from grader.models.errors import DatasetError

FILE = Path(__file__).with_name("known_sets.toml")


class Kind(StrEnum):
    ARRAYS = "arrays"
    WEIGHTS = "weights"
    PHOTOS = "photos"
    FONTS = "fonts"


@dataclass(frozen=True, slots=True)
class Package:
    """A file to download, from any of ``urls``."""

    urls: tuple[str, ...]
    bytes: int  # approximate: the disk space needed; a server may send at most twice as much
    hash: str | None = None  # "sha256:..." or "md5:...", if known

    @property
    def name(self) -> str:
        return unquote(self.urls[0].rpartition("/")[2])


@dataclass(frozen=True, slots=True)
class Source:
    """A provider of a set, with the packages that together hold it."""

    by: str  # the provider's name
    form: str  # key of the converter
    packages: tuple[Package, ...]
    inside: str = ""  # folder in the packages that the converter reads

    @property
    def bytes(self) -> int:
        return sum(package.bytes for package in self.packages)


@dataclass(frozen=True, slots=True)
class Facts:
    """Expected content, whatever the source. Facts that are left out are not checked."""

    shape: tuple[int, ...] = ()  # of one image
    train: tuple[int, ...] = ()  # examples of class 0, 1, ...
    test: tuple[int, ...] = ()
    first_labels: tuple[int, ...] = ()
    photos: Mapping[str, int] = field(default_factory=dict)  # "train/cats" -> number of photos
    parameters: Mapping[str, int] = field(default_factory=dict)  # file -> number of parameters in it
    first_kernel: tuple[float, ...] = ()  # first weights of the first convolution
    fonts: int = 0


@dataclass(frozen=True, slots=True)
class KnownSet:
    """A set of the catalogue."""

    name: str
    kind: Kind
    title: Titles
    description: Titles
    licence: str
    megabytes: int  # disk space in the library
    sources: tuple[Source, ...]  # in order of preference
    facts: Facts = Facts()


@cache
def catalogue() -> Mapping[str, KnownSet]:
    """Return all known sets by name."""
    tables = tomllib.loads(FILE.read_text("utf-8"))
    entries = {name: {"name": name, **table} for name, table in tables.items()}
    return TypeAdapter(dict[str, KnownSet]).validate_python(entries)


def known_set(name: str) -> KnownSet:
    """Return the set with that name. Raises DatasetError, with the closest names."""
    known = catalogue()
    if name not in known:
        near = get_close_matches(name.lower(), known, n=1) or list(known)
        raise DatasetError(
            message("{name}: there is no such dataset; known: {known}", name=name, known=", ".join(near))
        )
    return known[name]
