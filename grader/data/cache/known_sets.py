"""The sets that the library can hold: description, sources, and expected content.

``known_sets.toml`` has the sets, ``known_networks.toml`` the networks of ``keras.applications``, in a shorter form.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from pydantic import TypeAdapter

from grader.i18n.message import Titles, message
from grader.models.errors import DatasetError

FILE, NETWORKS_FILE = (Path(__file__).with_name(name) for name in ("known_sets.toml", "known_networks.toml"))
# Beginnings of the networks' names, the longer ones first.
FAMILIES = (
    *("efficientnetv2", "efficientnet", "inception", "vgg", "xception", "resnet", "mobilenet", "densenet", "nasnet"),
    "convnext",
)
TOP = "-top"  # ends the names of weights with the layers for the 1000 classes of ImageNet


class Kind(StrEnum):
    ARRAYS = "arrays"
    WEIGHTS = "weights"
    PHOTOS = "photos"
    FONTS = "fonts"
    FILES = "files"  # of Keras' cache, which nothing here opens


@dataclass(frozen=True, slots=True)
class Package:
    """A file to download, from any of ``urls``."""

    urls: tuple[str, ...]
    bytes: int  # approximate: the disk space needed; a server may send at most twice as much
    hash: str | None = None  # "sha256:..." or "md5:...", if known
    saved_as: str = ""  # name in Keras' cache, if it is another

    @property
    def name(self) -> str:
        return unquote(self.urls[0].rpartition("/")[2])

    @property
    def kept_name(self) -> str:
        """The name in Keras' cache."""
        return self.saved_as or self.name


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
    files: tuple[str, ...] = ()  # in the library; each is the official one by its hash, or as the next two say
    shapes: Mapping[str, Mapping[str, tuple[int, ...]]] = field(default_factory=dict)  # file -> array in it -> shape
    means: Mapping[str, float] = field(default_factory=dict)  # array of such a file -> mean of its numbers

    @property
    def places(self) -> tuple[str, ...]:
        """All files of a network or of a set of files, by their paths in the library."""
        return tuple(dict.fromkeys((*self.files, *self.parameters)))


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

    @property
    def is_network(self) -> bool:
        return self.kind is Kind.WEIGHTS

    @property
    def official_hashes(self) -> Mapping[str, str]:
        """The published hashes by the names that the files have in Keras' cache."""
        packages = (package for source in self.sources for package in source.packages)
        return {package.kept_name: package.hash for package in packages if package.hash is not None}


@dataclass(frozen=True, slots=True)
class NetworkFamily:
    """Networks of one kind and several sizes; ``name`` is the beginning of their names."""

    name: str
    title: str  # "DenseNet 121, 169, 201"
    sets: tuple[KnownSet, ...]


@dataclass(frozen=True, slots=True)
class _Network:
    """An entry of ``known_networks.toml``."""

    title: str
    licence: str
    files: tuple[Package, ...] = ()  # without the top layers
    top: tuple[Package, ...] = ()
    parameters: int = 0  # of each of ``files``, if they have no published hash
    top_parameters: int = 0

    def sets(self, name: str) -> Iterator[KnownSet]:
        if self.files:
            title = {"en": f"{self.title} without its top", "zh-TW": f"{self.title}（不含頂層）"}
            yield _weights(name, title, self, self.files, self.parameters)
        if self.top:
            title = {"en": f"{self.title} with its top", "zh-TW": f"{self.title}（含頂層）"}
            yield _weights(f"{name}{TOP}", title, self, self.top, self.top_parameters)


def _weights(name: str, title: Titles, network: _Network, files: tuple[Package, ...], parameters: int) -> KnownSet:
    description = {"en": "weights learnt on ImageNet", "zh-TW": "ImageNet 預訓練權重"}
    source = Source("Google (Keras)", "keras-files", files)
    places = tuple(f"models/{package.kept_name}" for package in files)
    facts = Facts(files=places, parameters=dict.fromkeys(places, parameters) if parameters else {})
    megabytes = -(-source.bytes // 10**6)
    return KnownSet(name, Kind.WEIGHTS, title, description, network.licence, megabytes, (source,), facts)


@cache
def catalogue() -> Mapping[str, KnownSet]:
    """Return all known sets by name: data and photos first, then networks."""
    tables = tomllib.loads(FILE.read_text("utf-8"))
    entries = {name: {"name": name, **table} for name, table in tables.items()}
    sets = TypeAdapter(dict[str, KnownSet]).validate_python(entries)
    networks = TypeAdapter(dict[str, _Network]).validate_python(tomllib.loads(NETWORKS_FILE.read_text("utf-8")))
    return sets | {known.name: known for name, network in networks.items() for known in network.sets(name)}


def known_set(name: str) -> KnownSet:
    """Return the set with that name. Raises DatasetError, with the closest names."""
    known = catalogue()
    if name not in known:
        near = get_close_matches(name.lower(), known, n=1) or list(known)
        raise DatasetError(
            message("{name}: there is no such dataset; known: {known}", name=name, known=", ".join(near))
        )
    return known[name]


def network_families(networks: Iterable[KnownSet]) -> tuple[NetworkFamily, ...]:
    """Return the networks by families, in the order of their first members."""
    members: dict[str, list[KnownSet]] = {}
    for network in networks:
        family = next((start for start in FAMILIES if network.name.startswith(start)), network.name.removesuffix(TOP))
        members.setdefault(family, []).append(network)
    return tuple(NetworkFamily(name, _family_title(name, sets), tuple(sets)) for name, sets in members.items())


def _family_title(name: str, networks: Iterable[KnownSet]) -> str:
    full = dict.fromkeys(network.title["en"].split()[0].rstrip(",") for network in networks)  # "DenseNet121"
    first, *others = full
    return ", ".join([f"{first[: len(name)]} {first[len(name) :]}".strip(), *(title[len(name) :] for title in others)])
