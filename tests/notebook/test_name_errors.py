"""Tests of the explanation of a NameError."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.notebook.name_errors import MAX_EXPLAINED, defined_names, explain_name_errors


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("print(x)", set()),
        ("df = df.dropna()", {"df"}),
        ("count += 1", {"count"}),
        ("a = b = 1; c = a + b", {"a", "b", "c"}),
        ("(d, e), *f = c; print(d, e, f)", {"d", "e", "f"}),
        ("import numpy as np, os.path", {"np", "os"}),
        ("from keras.layers import Dense as D", {"D"}),
        ("from numpy import *", {"*"}),
        ("def f(x, y=z): inside = x + later", {"f"}),
        ("async def f(): inside = 1", {"f"}),
        ("@decorate(n := 1)\ndef f(): pass", {"f", "n"}),
        ("class A(B):\n    c = d", {"A"}),
        ("for i in range(3): total = i", {"i", "total"}),
        ("with open('x') as f: pass", {"f"}),
        ("try: pass\nexcept ValueError as error: print(error)", {"error"}),
        ("[x for x in rows if x]", set()),
        ("if (n := 3) > 2: print(n)", {"n"}),
        ("lambda x: x + y", set()),
        ("match 1:\n    case x: print(x)", {"x"}),
        ("global shared; shared = 1", {"shared"}),
        ("%matplotlib inline\n!ls\nx = !ls\ny = %time 1\nx?", {"x", "y"}),
        ("%%time\nx = 1", {"x"}),
        ("%%capture kept\nx = 1", {"kept", "x"}),
        ("%%bash\necho $x\nx = 1", set()),
        ("x = (1", {"x"}),
        ("print 'x'\nimport numpy as np", {"np", "numpy"}),
        ("# only words", set()),
        ("\0", set()),
    ],
)  # fmt: skip
def test_names_defined_by_a_cell(cell: str, names: set[str]) -> None:
    assert defined_names(cell) == names


@given(st.text(max_size=40))
def test_any_text_can_be_analysed(cell: str) -> None:
    assert isinstance(defined_names(cell), set)


def explain_name_error(cells: list[str], cell: int, error: str) -> str:
    (explanation,) = explain_name_errors(cells, [(cell, error)])
    return str(explanation)


def test_advice_depends_on_where_the_name_is_defined() -> None:
    cells = ["", "scaler.fit(x)", "y = 1", "scaler = 3"]
    assert explain_name_error(cells, 1, "name 'scaler' is not defined") == (
        "Cell 2 uses scaler, which only cell 4 defines. Cells are run from top to bottom: move the definition up, "
        "restart, and run all cells."
    )
    assert "Cell 2 uses x, which no cell defines." in explain_name_error(cells, 1, "name 'x' is not defined")
    error = "name 'model' is not defined. Did you mean: 'x'?"
    failed = explain_name_error(["1 / 0; model = 1", "model"], 1, error)
    assert failed.startswith("Cell 2 uses model, which cell 1 defines. That cell failed before")
    assert "uses ?" in explain_name_error(["x"], 0, "something else")


UNDEFINED = "name 'q' is not defined"
HOSTILE = {
    "a huge f-string": ["f'" + "{x}" * 60_000 + "'"],
    "many f-strings": ["f'" + "{x}" * 3_300 + "'"] * 19,
    "many cells": ["x = 1"] * 2_000,
    "nested": ["(" * 9_000, "[" * 9_000, "-" * 9_000 + "1", "a" + ".b" * 4_900, "1" + "+1" * 4_900],
    "spaces": [" " * 9_990] * 20,
    "spaces and a bracket": ["(" + " " * 9_980 + "("] * 20,
    "lines": ["\n" * 9_990 + "("] * 20,
    "words": ["x " * 4_900 + "("] * 20,
}


@pytest.mark.parametrize("cells", HOSTILE.values(), ids=HOSTILE)
def test_hostile_cells_take_little_time(cells: list[str]) -> None:
    began = time.process_time()
    explained = explain_name_errors([*cells, "q"], [(len(cells), UNDEFINED)] * 5_000)
    assert time.process_time() - began < 10  # minutes, where the work grows with the square
    assert len(explained) in (0, MAX_EXPLAINED)
