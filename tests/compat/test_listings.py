"""The course's systems, typed as they were typed for Keras 2: each runs as it is, and has the course's size."""

from __future__ import annotations

import re
from pathlib import Path

import jupytext
import pytest

from grader.sandbox.base import Sandbox
from tests.compat.ran import ran

LISTINGS = Path(__file__).parent / "listings"

# What each notebook must print, in this order, among other things: mostly how many parameters its models have.
SAYS = {
    "regression": ["2", "57", "89", "1337", "True"],
    "digits": ["True True", "(10,)", "843658", "93322", "['loss', 'accuracy'] 2", "325282"],
    "objects": ["9176018", "no weights yet", "24", "True", "(24, 10)", "True"],
    "cats_dogs": ["(5, 150, 150, 3) (5,)", "3453121", "3453121", "8", "(10, 1)", "(None, 148, 148, 32)"],
    "five_kinds": ["8678277 0.001", "True"],
    "sequences": ["1315937", "38949"],
}


@pytest.mark.parametrize("name", sorted(path.stem for path in LISTINGS.glob("*.py")))
def test_a_listing_of_the_course_runs_as_it_is(warm: Sandbox, name: str) -> None:
    cells = [cell.source for cell in jupytext.read(LISTINGS / f"{name}.py").cells if cell.cell_type == "code"]
    results = ran(warm, cells)
    assert [result.error for result in results] == [""] * len(cells)
    said = "".join(result.text for result in results)
    pattern = ".*".join(rf"^{re.escape(line)}$" for line in SAYS[name])
    assert re.search(pattern, said, re.DOTALL | re.MULTILINE), said
    assert any(result.notes for result in results)
