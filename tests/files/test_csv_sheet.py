"""Sheets of grades: filled in cell by cell, with every other byte kept."""

from __future__ import annotations

import codecs
import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.files.csv_sheet import DELIMITERS, fill_cells, format_number, parse_number, read_sheet
from grader.models.errors import IntakeError

# A lone carriage return ends a line for some programs and stands unquoted in what others write.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12)
TABLES = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(TEXT, min_size=width, max_size=width), min_size=1, max_size=5)
)


def written(rows: list[list[str]], delimiter: str, ending: str, quoting: int) -> str:
    target = io.StringIO(newline="")
    csv.writer(target, delimiter=delimiter, lineterminator=ending, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return target.getvalue()


@given(
    rows=TABLES,
    form=st.tuples(
        st.sampled_from(DELIMITERS),
        st.sampled_from(["\n", "\r\n"]),
        st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        st.sampled_from([(b"", "utf-8"), (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le")]),
    ),
    new=TEXT,
)
def test_a_filled_cell_is_read_again_and_nothing_else_changes(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[str]],
    form: tuple[str, str, int, tuple[bytes, str]],
    new: str,
) -> None:
    delimiter, ending, quoting, encoding = form
    rows = [[f"a{n}" for n in range(len(rows[0]))], *([f"x{cell}" for cell in row] for row in rows)]
    path = tmp_path_factory.mktemp("sheet") / "grades.csv"
    path.write_bytes(encoding[0] + written(rows, delimiter, ending, quoting).encode(encoding[1]))
    sheet = read_sheet(path)
    assert [[cell.text for cell in row] for row in sheet.rows] == rows
    assert fill_cells(sheet, {}) == path.read_bytes()
    place = (len(rows) - 1, 1)
    before, after = path.read_bytes(), fill_cells(sheet, {place: f"x{new}"})
    path.write_bytes(after)
    again = [[cell.text for cell in row] for row in read_sheet(path).rows]
    rows[place[0]][place[1]] = f"x{new}"
    assert again == rows
    cell = sheet.rows[place[0]][place[1]]
    head = len(sheet.mark) + len(sheet.text[: cell.start].encode(sheet.encoding))
    tail = len(sheet.text[cell.end :].encode(sheet.encoding))
    assert after[:head] == before[:head]
    assert after[len(after) - tail :] == before[len(before) - tail :]


def test_short_rows_are_extended(tmp_path: Path) -> None:
    path = tmp_path / "grades.csv"
    path.write_bytes(b"a,b,c,d\r\n1\r\n2,x,,\r\n")
    sheet = read_sheet(path)
    assert fill_cells(sheet, {(1, 1): "B", (1, 3): "D", (2, 2): "C"}) == b"a,b,c,d\r\n1,B,,D\r\n2,x,C,\r\n"


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    path = tmp_path / "grades.csv"
    path.write_text('a,b\n1,"two\nlines"\n\n3,4\n')
    sheet = read_sheet(path)
    assert [sheet.line(row) for row in range(3)] == [1, 2, 5]


@pytest.mark.parametrize(
    ("data", "delimiter"), [("a;b,c;d\n1;2,5;3\n", ";"), ("a\tb\n1,5\t2\n", "\t"), ("a,b\n1,2", ",")]
)
def test_separators(tmp_path: Path, data: str, delimiter: str) -> None:
    (tmp_path / "g.csv").write_text(data)
    assert read_sheet(tmp_path / "g.csv").delimiter == delimiter


@pytest.mark.parametrize("encoding", ["cp950", "cp1252"])
def test_encodings_without_a_mark(tmp_path: Path, encoding: str) -> None:
    name = "林小明" if encoding == "cp950" else "Zoë Müller"
    path = tmp_path / "g.csv"
    path.write_bytes(f"id,name\n1,{name}\n".encode(encoding))
    sheet = read_sheet(path)
    assert sheet.cell(1, 1) == name
    assert fill_cells(sheet, {(1, 0): "2"}) == f"id,name\n2,{name}\n".encode(encoding)


def test_character_outside_the_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "g.csv"
    path.write_bytes("id,name\n1,Zoë\n".encode("cp1252"))
    with pytest.raises(IntakeError, match="cp1252, which has no 好"):
        fill_cells(read_sheet(path), {(1, 1): "好"})


@pytest.mark.parametrize("data", [b"", b"hello", b"\xef\xbb\xbf", b"\n\n\n"])
def test_other_text_is_not_a_table(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "g.csv").write_bytes(data)
    with pytest.raises(IntakeError, match="is not a table"):
        read_sheet(tmp_path / "g.csv")


@given(st.floats(0, 1000))
def test_numbers_come_back(value: float) -> None:
    for comma in (False, True):
        assert parse_number(format_number(value, decimal_comma=comma)) == pytest.approx(value, abs=0.005001)


@pytest.mark.parametrize(
    ("text", "value"), [("-", None), ("", None), ("85,5", 85.5), (" 7 ", 7), ("1.2.3", None), ("nan", None)]
)
def test_parse_number(text: str, value: float | None) -> None:
    assert parse_number(text) == value
