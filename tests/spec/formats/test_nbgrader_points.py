"""What a test cell that ran is worth. Nothing is run here."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from grader.sandbox.guest import protocol
from grader.spec.formats.nbgrader_points import cell_points, failed_in_hidden_part, parse_number
from grader.spec.formats.nbgrader_source import CellKind, SourceCell

VALUE, ASSERTS = (SourceCell(CellKind.TEST, "code", source, source, "t", 2.0) for source in ("f(1)", "assert f(1)"))


def ran(*outputs: NotebookNode, count: int | None = 3) -> NotebookNode:
    return new_code_cell("", outputs=list(outputs), execution_count=count)


def value(text: str) -> NotebookNode:
    return new_output("execute_result", data={"text/plain": text}, execution_count=3)


ERROR = new_output("error", ename="AssertionError", evalue="", traceback=[])
WARNING = new_output("stream", name="stderr", text="careful")
CUT = new_output("stream", name="stdout", text=f"xxx\n{protocol.OUTPUT_CUT}\n")
PICTURE = new_output("display_data", data={"text/plain": "0.0"})


@pytest.mark.parametrize(
    ("cell", "executed", "points"),
    [
        pytest.param(ASSERTS, ran(), 2, id="silent"),
        pytest.param(ASSERTS, ran(count=None), 0, id="never ran"),
        pytest.param(ASSERTS, ran(ERROR), 0, id="error"),
        pytest.param(ASSERTS, ran(WARNING), 2, id="stderr"),
        pytest.param(ASSERTS, ran(WARNING, ERROR), 0, id="stderr and error"),
        pytest.param(ASSERTS, ran(value("2.0")), 0, id="a value where there is none"),
        pytest.param(VALUE, ran(value("2.0")), 2, id="value"),
        pytest.param(VALUE, ran(value("2.0"), ERROR), 0, id="value, then error"),
        pytest.param(VALUE, ran(value("2.0"), value("0.5")), 0.5, id="two values: the last is the cell's own"),
        pytest.param(VALUE, ran(CUT), 0, id="value lost in a flood"),
        pytest.param(ASSERTS, ran(CUT), 2, id="a flood costs nothing else"),
        pytest.param(VALUE, ran(PICTURE), 2, id="only displayed"),
        pytest.param(VALUE, ran(new_output("execute_result", data={}, execution_count=3)), 0, id="no text"),
    ],
)
def test_a_test_is_cell_points(cell: SourceCell, executed: NotebookNode, points: float) -> None:
    assert cell_points(cell, executed, ended_in=False).points == points
    assert cell_points(cell, executed, ended_in=True).points == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.5", 0.5),
        ("1", 1.0),
        ("-1", -1.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-3", 0.001),
        ("np.float64(0.5)", 0.5),
        ("np.int64(1)", 1.0),
        ("np.True_", 1e300),
        ("False", 0.0),
        ("nan", None),
        ("inf", None),
        ("np.float64(nan)", None),
        ("1_0", None),
        ("１", None),
        ("0x10", None),
        ("'1'", None),
        ("1 2", None),
        ("__import__('os')", None),
        ("9" * 5000, None),
        ("", None),
    ],
)
def test_numbers_as_python_writes_them(text: str, expected: float | None) -> None:
    assert parse_number(text) == expected


@given(st.text(max_size=300))
def test_no_text_earns_more_than_the_maximum_or_less_than_nothing(text: str) -> None:
    assert 0 <= cell_points(VALUE, ran(value(text)), ended_in=False).points <= 2


@given(st.floats(0, 2))
def test_a_number_between_is_itself(points: float) -> None:
    assert cell_points(VALUE, ran(value(repr(points))), ended_in=False).points == points
    assert math.isfinite(points)


def test_an_error_that_names_a_cell_of_five_thousand_digits_is_an_error_like_any_other() -> None:
    """Read as a number it would stop the grader, and who failed would be open instead of without points."""
    cell = SourceCell(CellKind.TEST, "code", "f(1)\nassert f(2)", "f(1)", "t", 2.0, hidden=frozenset({2}))
    name = f"Cell In[{'1' * 5000}], line {'1' * 5000}"  # a class may be called so, and its name comes first
    traced = [new_output("error", ename=name, evalue="", traceback=[name, "Cell In[3], line 2"])]
    assert failed_in_hidden_part(cell, ran(*traced))
    assert cell_points(cell, ran(*traced), ended_in=False).points == 0
