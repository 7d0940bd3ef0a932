"""Tests of parsing, repairing and describing notebooks."""

from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook

from grader.models.run import Cell, CellError
from grader.notebook import parse as notebook
from grader.notebook.parse import (
    SAVED,
    attach_saved_outputs,
    code_only,
    code_size,
    describe_cells,
    parse,
    parse_executed,
    runnable_copy,
    take_outputs,
)
from tests.support.builders import notebook_bytes, zip_bytes

CELL: dict[str, Any] = {
    "cell_type": "code",
    "id": "a",
    "metadata": {},
    "source": "x",
    "outputs": [],
    "execution_count": None,
}


def cells(*cells: Any, **changes: Any) -> bytes:
    return notebook_bytes(cells=list(cells), **changes)


def code(**changes: Any) -> dict[str, Any]:
    return CELL | changes


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "an empty file"),
        (b" \n\0", "an empty file"),
        (b"<!DOCTYPE html>\n<html>", "a web page"),
        (b"\n<html lang=en>", "a web page"),
        (b"%PDF-1.7 ...", "a PDF document"),
        (zip_bytes({"a": b"b"}), "a zip archive"),
        (zip_bytes({"word/document.xml": b"b"}), "a Word document"),
        (b"x", "plain text"),
        (b"{", "cut off or damaged"),
        ("<!DOCTYPE html>".encode("utf-16"), "a web page"),
        (b"\xef\xbb\xbf<!-- saved -->\r\n<html>", "a web page"),
        (b"https://colab.research.google.com/drive/1x?usp=sharing\n", "a link, perhaps to the notebook"),
        (b"[InternetShortcut]\r\nURL=https://a.org/\r\n", "a link, perhaps to the notebook"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a placeholder of Git LFS"),
        (b"\x00\x05\x16\x07\x00\x02", "AppleDouble"),
        (b"\xff\xd8\xff\xe0", "a JPEG image"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"# hw\nimport keras\nmodel = 1\n", "a Python script"),
        ("你好".encode(), "plain text"),
        (bytes(range(128, 256)) * 9, "a file of unknown kind"),
        (b"{\r\n<<<<<<< HEAD\r\n1\r\n=======\r\n2\r\n>>>>>>> b\r\n}", "merge conflicts"),
        (b'{\n<<<<<<< HEAD\n"a": 1\n=======\n"a": 2\n>>>>>>> b\n}', "merge conflicts"),
        (notebook_bytes()[:-9], "cut off or damaged: .* in line 1"),
        (b'{"a": ' + b"9" * 5000 + b"}", "broken JSON"),
        (b"[1, 2]", "JSON without cells"),
        (b'{"cells": {}}', "JSON without cells"),
        (b"3", "JSON without cells"),
        (b"[" * 100_000, "nested more than 100 levels deep"),
        (b'{"cells": ' + b"[" * 300 + b"]" * 300 + b"}", "nested more than 100 levels deep"),
        (b"[" + b"[]," * 2_000_001 + b"]", "millions of values"),
        (cells(*[None] * 5001), "has 5001 cells"),
        (notebook_bytes(metadata={"kernelspec": {"name": "ir", "language": "R"}}), "written in R;"),
        (notebook_bytes(metadata={"kernelspec": {"name": "julia-1.9"}}), "written in Julia;"),
        (notebook_bytes(metadata={"language_info": {"name": "scala"}}), "written in scala;"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_kind_of_another_file_is_reported(data: bytes, says: str) -> None:
    parsed = parse(data)
    assert parsed.notebook is None
    with pytest.raises(AssertionError, match=says):
        raise AssertionError(str(parsed.problem))


def test_huge_file_is_refused_with_its_size() -> None:
    assert "has 101 MB" in str(parse(bytes(101 * 2**20)).problem)


@pytest.mark.parametrize(
    ("data", "sources", "says"),
    [
        (notebook_bytes("a", "b"), ["a", "b"], []),
        (cells(code(source=["a\n", "b"])), ["a\nb"], []),
        (notebook_bytes(metadata={"kernelspec": {"name": "conda-env"}}), ["x = 1"], ["outputs and metadata"]),
        (b"\xef\xbb\xbf" + notebook_bytes(), ["x = 1"], ["byte order mark"]),
        (notebook_bytes().decode().encode("utf-16"), ["x = 1"], ["UTF-16"]),
        (notebook_bytes().decode().encode("utf-16-be"), ["x = 1"], ["UTF-16"]),
        (notebook_bytes("許功蓋").decode().encode("cp950"), ["許功蓋"], ["Big5"]),
        (notebook_bytes("許功蓋€é").replace(b"x", b"\xff"), ["許功蓋€é"], ["not text"]),
        (cells(code()).replace(b'"x"', b'"a\nb\tc"'), ["a\nb\tc"], ["control characters"]),
        (notebook_bytes(metadata={"a": float("nan"), "b": -float("inf")}), ["x = 1"], ["NaN"]),
        (notebook_bytes("\ud800 = 1"), ["\ufffd\ufffd\ufffd = 1"], ["not text"]),
        (notebook_bytes("@").replace(b"@", rb"\ud800"), ["\ufffd"], ["Invalid characters"]),
        (notebook_bytes().replace(b'"nbformat": 4', b'"nbformat": 3, "nbformat": 4'), ["x = 1"], ["occurs twice"]),
        (cells(code(source=None)), [""], ["partly readable"]),
        (cells(code(source=["a", 1])), ["a"], ["partly readable"]),
        (cells(code(), code(cell_type="sql"), None, 3), ["x"], ["unknown type"]),
        (cells(code(), code(), code(id=7), code(id="b c")), ["x"] * 4, ["duplicate id"]),
        (cells({"cell_type": "code", "source": "x"}, nbformat_minor=4), ["x"], []),
        (cells(code(metadata=None, outputs=[{"output_type": "odd"}])), ["x"], ["Invalid outputs of"]),
        (notebook_bytes(metadata=None), ["x = 1"], ["metadata were missing"]),
        (notebook_bytes(nbformat=5), ["x = 1"], ["format 5"]),
        (notebook_bytes(nbformat="4"), ["x = 1"], ["format ?"]),
        (cells(), [], []),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_repairable_notebook_is_repaired_with_notes(data: bytes, sources: list[str], says: list[str]) -> None:
    parsed = parse(data)
    assert parsed.notebook is not None, parsed.problem
    assert [cell.source for cell in parsed.notebook.cells] == sources
    assert len(parsed.notes) == len(says) and all(map(str.__contains__, map(str, parsed.notes), says))
    nbformat.validate(parsed.notebook)


@pytest.mark.parametrize("broken", [{"outputs": [{"output_type": "odd"}]}, {"metadata": {"tags": None}}], ids=str)
def test_marks_of_a_course_survive_what_is_invalid_in_other_cells(broken: dict[str, Any]) -> None:
    marks = {"nbgrader": {"grade_id": "q1"}, "otter": {"tests": ["q1"]}}
    parsed = parse(cells(code(metadata=marks), code(**broken), metadata={"otter": {"tests": {}}}))
    assert parsed.notebook is not None
    assert parsed.notebook.cells[0].metadata == marks and parsed.notebook.metadata == {"otter": {"tests": {}}}


def test_format_3_is_read() -> None:
    sheet = [
        {"cell_type": "heading", "level": 2, "source": "Title"},
        {"cell_type": "code", "language": "python", "input": ["a\n", "b"], "outputs": [{"output_type": "pyout"}]},
    ]
    parsed = parse(json.dumps({"nbformat": 3, "metadata": {}, "worksheets": [{"cells": sheet}]}).encode())
    assert parsed.notebook is not None
    assert [(cell.cell_type, cell.source) for cell in parsed.notebook.cells] == [
        ("markdown", "## Title"),
        ("code", "a\nb"),
    ]
    assert list(map(str, parsed.notes)) == ["The notebook has format 3; it was converted to format 4."]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
ODD_CELL = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown", "raw", "heading"]) | JSON},
    optional={
        key: JSON
        | st.lists(st.dictionaries(st.sampled_from(["output_type", "data", "text", "name"]), JSON), max_size=2)
        for key in ("id", "source", "input", "metadata", "outputs", "execution_count", "attachments", "level")
    },
)
ODD = st.fixed_dictionaries(
    {"cells": st.lists(ODD_CELL | JSON, max_size=4)},
    optional={
        "metadata": JSON
        | st.dictionaries(st.sampled_from(["kernelspec", "language_info"]), JSON | st.just({"name": "python"})),
        "nbformat": st.just(4) | JSON,
        "nbformat_minor": st.integers(0, 6) | JSON,
        "worksheets": JSON,
    },
)


@settings(max_examples=3 * settings().max_examples, deadline=None)
@given(ODD | JSON)
def test_any_json_gives_a_valid_notebook_or_a_problem(value: object) -> None:
    data = json.dumps(value).encode()
    parsed = parse(data)
    assert (parsed.notebook is None) != (parsed.problem is None)
    assert all(map(str, parsed.notes))
    strict = parse_executed(data, 10**6)
    for found in filter(None, (parsed.notebook, strict)):
        nbformat.validate(found)
        describe_cells(found)
        ready = runnable_copy(found)
        assert code_size(ready) == code_size(found)
        assert parse_executed(nbformat.writes(ready).encode("utf-8"), 10**6) == ready


@given(st.binary(max_size=60), st.sampled_from([b"", b"{", b"\xff\xfe", b"PK\3\4", b'{"cells":[', b"\xef\xbb\xbf"]))
def test_any_bytes_give_a_problem(data: bytes, start: bytes) -> None:
    parsed = parse(start + data)
    assert (parsed.notebook is None) != (parsed.problem is None)


# ---------------------------------------------------------------- ready to run


def test_runnable_copy_keeps_only_sources() -> None:
    picture = {"image.png": {"image/png": "aGk="}}
    tagged = {"tags": ["skip-execution", "raises-exception"], "nbgrader": {"points": 9}}
    output = {"output_type": "stream", "name": "stdout", "text": "score 100"}
    kernel = {"kernelspec": {"name": "python3.4", "display_name": "x"}, "widgets": {"state": 1}}
    data = cells(
        code(metadata=tagged, outputs=[output], execution_count=7, source="x = 1"),
        {
            "cell_type": "markdown",
            "id": "m",
            "metadata": tagged,
            "source": "![](attachment:image.png)",
            "attachments": picture,
        },
        {"cell_type": "raw", "id": "r", "metadata": tagged, "source": "raw"},
        metadata=kernel,
    )
    parsed = parse(data)
    assert parsed.notebook is not None and parsed.notes == ()
    before = json.dumps(parsed.notebook)
    ready = runnable_copy(parsed.notebook)
    assert json.dumps(parsed.notebook) == before
    assert [cell.metadata for cell in ready.cells] == [{}, {}, {}]
    assert (ready.cells[0].outputs, ready.cells[0].execution_count) == ([], None)
    assert ready.cells[1].attachments == picture
    assert [cell.id for cell in ready.cells] == ["a", "m", "r"]
    assert ready.metadata == {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
    }


def test_code_only_leaves_text_and_pasted_pictures_out_and_outputs_go_back_to_the_whole_notebook() -> None:
    picture = {"image.png": {"image/png": "aGk="}}
    text = {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "![](attachment:image.png)"}
    raw = {"cell_type": "raw", "id": "r", "metadata": {}, "source": "raw"}
    parsed = parse(cells(code(source="x = 1"), text | {"attachments": picture}, raw))
    assert parsed.notebook is not None
    given = runnable_copy(parsed.notebook)
    sent = code_only(given)
    assert [cell.source for cell in sent.cells] == ["x = 1", "", ""]
    assert "aGk=" not in nbformat.writes(sent)
    nbformat.validate(sent)
    sent.cells[0].execution_count = 1
    merged, same = take_outputs(given, sent)
    assert same
    assert [cell.source for cell in merged.cells] == ["x = 1", "![](attachment:image.png)", "raw"]
    assert (merged.cells[1].attachments, merged.cells[0].execution_count) == (picture, 1)


# ---------------------------------------------------------------- after the run


def timed(busy: object, idle: object) -> dict[str, Any]:
    return {"execution": {"iopub.status.busy": busy, "iopub.status.idle": idle}}


@pytest.mark.parametrize(
    ("cell", "described"),
    [
        (code(source="x = 1\n", execution_count=3), Cell(0, "code", 3, ran=True, count=3)),
        (code(source="  \n", execution_count=3), Cell(0, "code", 0, count=3)),
        (code(), Cell(0, "code", 1)),
        (code(metadata=timed("2026-03-05T10:00:00.5Z", "2026-03-05T10:00:02Z")), Cell(0, "code", 1, seconds=1.5)),
        (code(metadata=timed("2026-03-05T10:00:02Z", "2026-03-05T10:00:00Z")), Cell(0, "code", 1)),
        (code(metadata=timed("2026-03-05T10:00:02", "2026-03-05T10:00:03Z")), Cell(0, "code", 1)),
        (code(metadata=timed(3, None)), Cell(0, "code", 1)),
        (code(metadata={"execution": 5}), Cell(0, "code", 1)),
        ({"cell_type": "markdown", "id": "m", "metadata": {}, "source": "# Die Katze"}, Cell(0, "markdown", 9)),
    ],
)  # fmt: skip
def test_cells_are_described(cell: dict[str, Any], described: Cell) -> None:
    assert describe_cells(nbformat.from_dict({"cells": [cell]})) == (described,)


def test_errors_and_images_are_described() -> None:
    outputs = [
        {"output_type": "display_data", "data": {"image/png": "aGk=", "text/plain": "x"}, "metadata": {}},
        {"output_type": "execute_result", "data": {"image/svg+xml": ["<svg/>"]}, "metadata": {}, "execution_count": 1},
        {"output_type": "display_data", "data": {"text/html": "<img>"}, "metadata": {}},
        {
            "output_type": "error",
            "ename": "\x1b[31mValueError\x1b[0m",
            "evalue": "\x1b]8;;x\x07bad\0" + "!" * 900,
            "traceback": [],
        },
        {"output_type": "error", "ename": "Second", "evalue": "", "traceback": []},
    ]
    executed = parse_executed(cells(code(outputs=outputs)), 10**6)
    assert executed is not None
    (cell,) = describe_cells(executed)
    assert (cell.images, cell.error) == (2, CellError("ValueError", "bad" + "!" * 497))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        notebook_bytes()[:-1],
        b"\xef\xbb\xbf" + notebook_bytes(),
        notebook_bytes().decode().encode("utf-16"),
        notebook_bytes().replace(b'"nbformat": 4', b'"nbformat": 3, "nbformat": 4'),
        notebook_bytes().replace(b"x = 1", b"x\n= 1"),
        notebook_bytes(nbformat=3),
        notebook_bytes(nbformat=4.0, nbformat_minor=True),
        notebook_bytes(nbformat_minor=99),
        cells({"cell_type": "code", "source": "x", "metadata": {}, "outputs": [], "execution_count": None}),
        cells(code(), code()),
        cells(code(outputs=[{"output_type": "error", "ename": 3}])),
        cells(code(source=None)),
        cells("code"),
        cells(*({"cell_type": "raw", "id": f"r{n}", "metadata": {}, "source": ""} for n in range(5001))),
        b'{"cells": ' + b"[" * 300 + b"]" * 300 + b"}",
        b"[" * 100_000,
    ],
)
def test_malformed_executed_notebook_is_rejected(data: bytes) -> None:
    assert parse_executed(data, 10**6) is None


def test_size_limit_of_the_executed_notebook() -> None:
    data = notebook_bytes(metadata={"a": float("nan")})
    found = parse_executed(data, len(data))
    assert found is not None and found.metadata.a is None
    assert parse_executed(data, len(data) - 1) is None


def test_code_size_counts_code_only() -> None:
    parsed = parse(cells(code(source="x = 1\n\n"), code(id="b", cell_type="markdown", source="long text"))).notebook
    assert parsed is not None and notebook.code_size(parsed) == 3


# ---------------------------------------------------------------- what was saved before

PRINTED = nbformat.v4.new_output("stream", name="stdout", text="accuracy: 0.93")
FAILED = nbformat.v4.new_output("error", ename="NameError", evalue="x", traceback=[])


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        pytest.param([PRINTED], {"outputs": [FAILED], "execution_count": 1}, True, id="failed here"),
        pytest.param([PRINTED], {"execution_count": None}, True, id="never reached here"),
        pytest.param([PRINTED], {"outputs": [PRINTED], "execution_count": 1}, False, id="ran here"),
        pytest.param([FAILED], {"outputs": [FAILED], "execution_count": 1}, False, id="failed there too"),
        pytest.param([], {"outputs": [FAILED], "execution_count": 1}, False, id="nothing saved"),
        pytest.param([PRINTED], {"outputs": [FAILED], "source": "another"}, False, id="another cell"),
        pytest.param(
            [nbformat.v4.new_output("stream", name="stdout", text="x" * 600_000)],
            {"outputs": [FAILED], "execution_count": 1},
            False,
            id="too much",
        ),
    ],
)
def test_saved_outputs_are_attached_to_failed_cells(before: list[Any], after: dict[str, Any], kept: bool) -> None:
    handed_in = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("fit()", id="fit", outputs=before)])
    ran = nbformat.v4.new_code_cell(**{"source": "fit()", **after}, id="fit")
    executed = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", id="ours"), ran])
    _ours, cell = attach_saved_outputs(executed, handed_in).cells
    assert cell.metadata.get(SAVED) == (before if kept else None)
    nbformat.validate(executed)


def test_nbgrader_metadata_of_the_executed_notebook_are_removed() -> None:
    """A notebook could otherwise overwrite its results with points of its own."""
    marks = {"grade_id": "mine", "grade": True, "points": [1000], "locked": True}
    ready = new_notebook(cells=[new_code_cell("x = 1", metadata={"nbgrader": marks, "collapsed": True})])
    found = parse_executed(nbformat.writes(ready).encode("utf-8"), 10**6)
    assert found is not None and found.cells[0].metadata == {"collapsed": True}


def test_large_outputs_are_left_out_before_metadata() -> None:
    """A course finds its cells by their metadata, however large the outputs above them are."""
    figure = {"output_type": "display_data", "metadata": {}, "data": {"application/json": [[k] for k in range(4_900)]}}
    grade = {"grade": True, "grade_id": "q1", "points": 1, "solution": False, "schema_version": 3}
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": "x", "execution_count": 1, "outputs": [figure]}
        for n in range(60)
    ]
    cells.append({"cell_type": "code", "id": "q1", "metadata": {"nbgrader": grade, "junk": [[]] * 20_000}} | {
        "source": "", "execution_count": None, "outputs": [],
    })  # fmt: skip
    data = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()
    parsed = parse(data)
    assert parsed.notebook is not None
    assert any("great many values" in str(note) for note in parsed.notes)
    assert parsed.notebook.cells[-1].metadata == {"nbgrader": grade}
    kept = [len(cell.outputs[0].data) for cell in parsed.notebook.cells[:-1]]
    assert kept == [1] * kept.count(1) + [0] * kept.count(0), "the first ones are kept"
    assert 5 <= kept.count(1) < 20
