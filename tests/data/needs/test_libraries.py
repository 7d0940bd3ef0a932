"""The table of libraries: complete, without names to mistype, and matched only by errors that say what is missing."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from grader.data.needs.libraries import (
    INCLUDED,
    LARGE,
    LIBRARIES,
    OTHERS,
    install_command,
    is_installed,
    missing_library,
)
from grader.sandbox import image as images

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8"))["project"]


def normalised(names: list[str]) -> set[str]:
    return {re.split(r"[\[><=~]", name)[0].lower().replace("_", "-") for name in names}


def test_included_libraries_are_dependencies_and_installed() -> None:
    assert normalised(list(INCLUDED.values())) <= normalised(PROJECT["dependencies"])
    assert [name for name in INCLUDED if not is_installed(name)] == []


def test_included_libraries_are_in_the_image_for_containers() -> None:
    assert normalised(list(INCLUDED.values())) <= normalised(list(images.PACKAGES))


def test_large_libraries_have_an_extra() -> None:
    extras = PROJECT["optional-dependencies"]
    assert normalised([OTHERS[name] for name in LARGE]) == normalised(extras["libraries"] + extras["pytorch"])


def test_names_in_the_table_are_those_of_installed_packages() -> None:
    known = packages_distributions()
    wrong = {
        name: known[name]
        for name, package in LIBRARIES.items()
        if name in known
        and package.lower().replace("_", "-") not in {one.lower().replace("_", "-") for one in known[name]}
    }
    assert wrong == {}


def test_neither_python_nor_the_grader_is_in_the_table() -> None:
    assert not LIBRARIES.keys() & (sys.stdlib_module_names | {"numpy", "pandas", "keras", "tensorflow", "sklearn"})


def test_the_command_names_packages_as_pypi_does() -> None:
    assert install_command(["skimage", "cv2", "skimage"]) == "pip install scikit-image opencv-python-headless"


@pytest.mark.parametrize(
    ("error", "text", "library"),
    [
        ("ModuleNotFoundError", "No module named 'xgboost'", "xgboost"),
        ("ImportError", "Missing optional dependency 'openpyxl'.  Use pip or conda to install openpyxl.", "openpyxl"),
        ("ModuleNotFoundError", "No module named 'nonsense_xyz'", None),
        ("ModuleNotFoundError", "No module named 'urllib2'", None),
        ("ModuleNotFoundError", "No module named 'utils'", None),
        ("ModuleNotFoundError", "No module named 'keras.layers.core'", None),
        ("ModuleNotFoundError", "No module named 'skimage.nothing'", None),
        ("ValueError", "No module named 'xgboost'", None),
        ("NameError", "name 'xgboost' is not defined", None),
    ],
)
def test_only_known_libraries_count_as_missing(error: str, text: str, library: str | None) -> None:
    assert missing_library(error, text) == library
