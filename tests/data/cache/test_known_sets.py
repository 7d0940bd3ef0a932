"""The catalogue says enough of every set, and its hashes are those that Keras publishes."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from grader.data.cache.converters.dispatch import CONVERT
from grader.data.cache.index import places
from grader.data.cache.known_sets import Kind, KnownSet, catalogue, known_set
from grader.models.errors import DatasetError

ENTRIES = pytest.mark.parametrize("one", catalogue().values(), ids=lambda one: one.name)
REGISTRIES = ("https://registry.npmjs.org/", "https://files.pythonhosted.org/", "https://deb.debian.org/")


@ENTRIES
def test_every_set_is_described_and_can_be_converted(one: KnownSet) -> None:
    assert one.title.keys() == one.what.keys() == {"en", "zh-TW"}
    assert one.licence and one.megabytes and one.sources
    assert {source.form for source in one.sources} <= CONVERT.keys()
    assert places(one)
    facts = one.facts
    assert {
        Kind.ARRAYS: facts.train and facts.test,
        Kind.WEIGHTS: facts.parameters,
        Kind.PHOTOS: facts.pictures,
        Kind.FONTS: facts.fonts,
    }[one.kind]


@ENTRIES
def test_what_registries_hold_is_pinned(one: KnownSet) -> None:
    for package in (package for source in one.sources for package in source.packages):
        assert all(url.startswith("https://") for url in package.urls)
        assert len({url.rpartition("/")[2] for url in package.urls}) == 1
        if package.urls[0].startswith(REGISTRIES):
            assert re.fullmatch(r"sha256:[0-9a-f]{64}", package.hash or "")


def test_official_hashes_are_those_of_the_keras_that_is_here() -> None:
    spec = find_spec("keras")
    assert spec is not None and spec.origin is not None
    source = Path(spec.origin).parent / "src"
    texts = [path.read_text() for folder in ("datasets", "applications") for path in (source / folder).glob("*.py")]
    published = set(re.findall(r'"([0-9a-f]{32,64})"', "".join(texts)))
    named = {
        package.name: package.hash.partition(":")[2]
        for one in catalogue().values()
        for package in one.sources[0].packages
        if one.sources[0].by.endswith("(Keras)") and package.hash
    }
    assert len(named) == 7
    assert set(named.values()) <= published


def test_every_set_is_in_the_documentation_with_its_sources() -> None:
    text = (Path(__file__).parents[3] / "docs" / "data.md").read_text("utf-8")
    for one in catalogue().values():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{one.name}`"))
        registries = [
            source.by.split()[1] for source in one.sources if source.by.startswith(("npm ", "PyPI ", "Debian "))
        ]
        assert all(name in row for name in registries)


def test_a_slip_in_a_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(DatasetError, match="cifar-10: there is no such set; there is cifar10"):
        known_set("cifar-10")
    with pytest.raises(DatasetError, match="there is mnist, fashion-mnist, cifar10"):
        known_set("???")
