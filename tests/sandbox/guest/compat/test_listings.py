"""The course's programs as learners typed them for Keras 2: they run unchanged and build models of the right size."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import jupytext
import pytest

from grader.sandbox.base import Sandbox
from tests.sandbox.guest.compat.notebooks import CellResult, run_notebooks

pytestmark = pytest.mark.slow  # trains every listing of the course

LISTINGS = Path(__file__).parent / "listings"

# Lines that each notebook must print in this order, among others: mostly the parameter counts of its models.
PRINTED = {
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


# A replacement of the pretrained weights: a file of the right name, layout and size with untrained numbers.
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
def results(warm: Sandbox, library: Path) -> dict[str, list[CellResult]]:
    return run_notebooks(warm, {path.stem: cells(path) for path in sorted(LISTINGS.glob("*.py"))}, library)


@pytest.mark.parametrize("name", PRINTED)
def test_a_listing_runs_unchanged(results: dict[str, list[CellResult]], name: str) -> None:
    assert {result.error for result in results[name]} == {""}
    output = "".join(result.text for result in results[name])
    assert re.search(".*".join(rf"^{re.escape(line)}$" for line in PRINTED[name]), output, re.DOTALL | re.MULTILINE), (
        output
    )
    assert any(result.notes for result in results[name])


def test_every_listing_has_expected_output(results: dict[str, list[CellResult]]) -> None:
    assert results.keys() == PRINTED.keys()
