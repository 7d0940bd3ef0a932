from __future__ import annotations

import csv
import io

import pytest

from grader.files.csv_export import csv_text, escape_formula, points_cell


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x"])
def test_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert escape_formula(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "Ann", "林小明", "a=1", " =1"])
def test_other_text_is_not_changed(cell: str) -> None:
    assert escape_formula(cell) == cell


@pytest.mark.parametrize(
    ("points", "cell"), [(None, ""), (0.0, "0"), (10.0, "10"), (2 / 3, "0.6667"), (99.99999, "100")]
)
def test_points_have_at_most_four_decimals(points: float | None, cell: str) -> None:
    assert points_cell(points) == cell


def test_csv_has_a_byte_order_mark_and_crlf() -> None:
    rows = [["name", "points"], ['Ann "A", Lee', "1\n2"]]
    text = csv_text(rows)
    assert text.startswith("\ufeffname,points\r\n")
    assert list(csv.reader(io.StringIO(text[1:], newline=""))) == rows
