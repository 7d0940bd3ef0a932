"""Tests of the points of an executed nbgrader test cell. Nothing is executed here."""

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


def executed(*outputs: NotebookNode, count: int | None = 3) -> NotebookNode:
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
        pytest.param(ASSERTS, executed(), 2, id="silent"),
        pytest.param(ASSERTS, executed(count=None), 0, id="never executed"),
        pytest.param(ASSERTS, executed(ERROR), 0, id="error"),
        pytest.param(ASSERTS, executed(WARNING), 2, id="stderr"),
        pytest.param(ASSERTS, executed(WARNING, ERROR), 0, id="stderr and error"),
        pytest.param(ASSERTS, executed(value("2.0")), 0, id="a value where there is none"),
        pytest.param(VALUE, executed(value("2.0")), 2, id="value"),
        pytest.param(VALUE, executed(value("2.0"), ERROR), 0, id="value, then error"),
        pytest.param(VALUE, executed(value("2.0"), value("0.5")), 0.5, id="two values: the last is the cell's own"),
        pytest.param(VALUE, executed(CUT), 0, id="value lost in a flood"),
        pytest.param(ASSERTS, executed(CUT), 2, id="a flood costs nothing else"),
        pytest.param(VALUE, executed(PICTURE), 2, id="only displayed"),
        pytest.param(VALUE, executed(new_output("execute_result", data={}, execution_count=3)), 0, id="no text"),
    ],
)
def test_cell_points(cell: SourceCell, executed: NotebookNode, points: float) -> None:
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
def test_parse_number(text: str, expected: float | None) -> None:
    assert parse_number(text) == expected


@given(st.text(max_size=300))
def test_points_are_between_zero_and_the_maximum(text: str) -> None:
    assert 0 <= cell_points(VALUE, executed(value(text)), ended_in=False).points <= 2


@given(st.floats(0, 2))
def test_valid_number_is_kept(points: float) -> None:
    assert cell_points(VALUE, executed(value(repr(points))), ended_in=False).points == points
    assert math.isfinite(points)


def test_error_location_with_thousands_of_digits_is_ignored() -> None:
    """Parsing the digits as a number would raise, and the student's points would be open instead of 0."""
    cell = SourceCell(CellKind.TEST, "code", "f(1)\nassert f(2)", "f(1)", "t", 2.0, hidden=frozenset({2}))
    name = f"Cell In[{'1' * 5000}], line {'1' * 5000}"  # a class may be called so, and its name comes first
    traced = [new_output("error", ename=name, evalue="", traceback=[name, "Cell In[3], line 2"])]
    assert failed_in_hidden_part(cell, executed(*traced))
    assert cell_points(cell, executed(*traced), ended_in=False).points == 0
