"""What the library can hold, read from ``catalogue.toml``: what a set is, where it comes from, what must be in it."""

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
    """One file to download, from any of ``urls``. ``hash`` is ``sha256:...`` or ``md5:...``, where one is known."""

    urls: tuple[str, ...]
    bytes: int  # about: what is needed on the disk, and what a server may send at most twice of
    hash: str | None = None

    @property
    def name(self) -> str:
        return unquote(self.urls[0].rpartition("/")[2])


@dataclass(frozen=True, slots=True)
class Source:
    """Packages that together hold a set; ``form`` names the conversion, ``inside`` the folder that it looks into."""

    by: str
    form: str
    packages: tuple[Package, ...]
    inside: str = ""

    @property
    def bytes(self) -> int:
        return sum(package.bytes for package in self.packages)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about the content, whatever the source. What is left out isn't checked."""

    shape: tuple[int, ...] = ()  # of one picture
    train: tuple[int, ...] = ()  # examples of class 0, 1, ...
    test: tuple[int, ...] = ()
    first_labels: tuple[int, ...] = ()
    pictures: Mapping[str, int] = field(default_factory=dict)  # "train/cats" -> how many
    parameters: Mapping[str, int] = field(default_factory=dict)  # file -> numbers in it
    first_kernel: tuple[float, ...] = ()  # how the first convolution's weights begin
    fonts: int = 0


@dataclass(frozen=True, slots=True)
class KnownSet:
    """One set. ``megabytes`` is what it takes on the disk."""

    name: str
    kind: Kind
    title: Titles
    what: Titles
    licence: str
    megabytes: int
    sources: tuple[Source, ...]
    facts: Facts = Facts()


@cache
def catalogue() -> Mapping[str, KnownSet]:
    tables = tomllib.loads(FILE.read_text("utf-8"))
    entries = {name: {"name": name, **table} for name, table in tables.items()}
    return TypeAdapter(dict[str, KnownSet]).validate_python(entries)


def known_set(name: str) -> KnownSet:
    """The set of that name; raises DatasetError with the nearest names."""
    known = catalogue()
    if name not in known:
        near = get_close_matches(name.lower(), known, n=1) or list(known)
        raise DatasetError(message("{name}: there is no such set; there is {known}", name=name, known=", ".join(near)))
    return known[name]
