"""Names that only lived in their author's session."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.notebook.name_errors import Undefined, explained, undefined_names


def names(*cells: str) -> list[tuple[int, str, tuple[int, ...]]]:
    return [(one.cell, one.name, one.defined_in) for one in undefined_names(cells)]


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["x = 1", "print(x)"], []),
        (["print(x)", "x = 1"], [(0, "x", (1,))]),
        (["print(x)"], [(0, "x", ())]),
        (["print(x)", "x = 1", "def f(): x = 2", "x = 3"], [(0, "x", (1, 3))]),
        (["df = df.dropna()", "df = 1"], [(0, "df", (1,))]),
        (["count += 1"], [(0, "count", ())]),
        (["a = b = 1; c = a + b", "(d, e), *f = c; print(d, e, f)"], []),
        (["import numpy as np, os.path", "np.zeros(os.sep)"], []),
        (["from keras.layers import Dense as D", "D(1)"], []),
        (["def f(x, y=z): return x + later", "later = 1; f(1)"], [(0, "z", ())]),
        (["class A(B):\n    c = d"], [(0, "B", ())]),
        (["for i in range(3): total = i\nprint(i, total)"], []),
        (["with open('x') as f: pass\nf.closed"], []),
        (["try: pass\nexcept ValueError as error: print(error)"], []),
        (["[x for x in rows if x]"], [(0, "rows", ())]),
        (["if (n := 3) > 2: print(n)"], []),
        (["lambda x: x + y"], []),
        (["match 1:\n    case x: print(x)"], []),
        (["%matplotlib inline\n!ls\nx = !ls\ny = %time 1\nprint(x, y)\nx?"], []),
        (["%%time\nx = 1", "x"], []),
        (["%%capture kept\nx = 1", "kept.show()"], []),
        (["%run other.ipynb", "x"], []),
        (["%%bash\necho $x\nx = = 1", "1"], []),
        (["x = (1", "print(x)"], []),
        (["print 'x'\nimport numpy as np", "np"], []),
        (["from numpy import *", "zeros(unknown)"], []),
        (["exec('x = 1')", "x"], []),
        (["display(In, Out, _, __name__, get_ipython(), print, len)"], []),
        (["", "  \n", "# only words"], []),
        (["\0", "x" * 10], [(1, "x" * 10, ())]),
    ],
    ids=lambda value: " | ".join(value) if value and isinstance(value[0], str) else "",
)
def test_a_name_is_undefined_only_where_that_is_sure(
    cells: list[str], found: list[tuple[int, str, tuple[int, ...]]]
) -> None:
    assert names(*cells) == found


@given(st.lists(st.text(max_size=40), max_size=4))
def test_any_text_is_read(cells: list[str]) -> None:
    assert all(isinstance(one, Undefined) for one in undefined_names(cells))


def test_what_to_do_depends_on_where_it_is_defined() -> None:
    cells = ["", "scaler.fit(x)", "y = 1", "scaler = 3"]
    assert str(explained(cells, 1, "name 'scaler' is not defined")) == (
        "Cell 2 uses scaler, which only cell 4 defines. Cells are run from top to bottom: move the definition up, "
        "restart, and run all cells."
    )
    assert "Cell 2 uses x, which no cell defines." in str(explained(cells, 1, "name 'x' is not defined"))
    failed = str(explained(["1 / 0; model = 1", "model"], 1, "name 'model' is not defined. Did you mean: 'x'?"))
    assert failed.startswith("Cell 2 uses model, which cell 1 defines: that cell failed before")
    assert "uses ?" in str(explained(["x"], 0, "something else"))
