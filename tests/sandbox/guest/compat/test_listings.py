"""The course's systems, typed as they were typed for Keras 2: each runs as it is, and has the course's size."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import jupytext
import pytest

from grader.sandbox.base import Sandbox
from tests.sandbox.guest.compat.ran import Ran, all_ran

LISTINGS = Path(__file__).parent / "listings"

# What each notebook must print, in this order, among other things: mostly how many parameters its models have.
SAYS = {
    "regression": ["2", "57", "89", "1337", "True"],
    "digits": ["True True", "(10,)", "843658", "93322", "['loss', 'accuracy'] 2", "325282"],
    "objects": ["9176018", "no weights yet", "24", "True", "(24, 10)", "True"],
    "cats_dogs": ["(3, 150, 150, 3) (3,)", "3453121", "3453121", "6", "(6, 1)", "(None, 148, 148, 32)"],
    "five_kinds": ["8678277 0.001", "True"],
    "sequences": ["1315937", "38949"],
    "transfer": ["14714688", "2", "16812353", "before 30", "after 4", "fine 10", "True", "8 (1, 150, 150, 64)"],
}


def cells(path: Path) -> list[str]:
    return [cell.source for cell in jupytext.read(path).cells if cell.cell_type == "code"]


# What stands where the pretrained weights would: a file of the right name, layout and size, with untrained numbers.
WEIGHTS = """
import sys, h5py, keras
from keras.src.legacy.saving import legacy_h5_format
keras.utils.set_random_seed(0)
with h5py.File(sys.argv[1], "w") as file:
    legacy_h5_format.save_weights_to_hdf5_group(file, keras.applications.VGG16(weights=None, include_top=False))
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    (folder / "models").mkdir()
    path = folder / "models" / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    subprocess.run([sys.executable, "-c", WEIGHTS, str(path)], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def results(warm: Sandbox, library: Path) -> dict[str, list[Ran]]:
    return all_ran(warm, {path.stem: cells(path) for path in sorted(LISTINGS.glob("*.py"))}, library)


@pytest.mark.parametrize("name", SAYS)
def test_a_listing_of_the_course_runs_as_it_is(results: dict[str, list[Ran]], name: str) -> None:
    assert {result.error for result in results[name]} == {""}
    said = "".join(result.text for result in results[name])
    assert re.search(".*".join(rf"^{re.escape(line)}$" for line in SAYS[name]), said, re.DOTALL | re.MULTILINE), said
    assert any(result.notes for result in results[name])


def test_every_listing_is_looked_at(results: dict[str, list[Ran]]) -> None:
    assert results.keys() == SAYS.keys()
