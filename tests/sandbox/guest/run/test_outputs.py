"""Outputs as the driver keeps them: merged, bounded, and valid whatever the kernel sends."""

from __future__ import annotations

import time
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from grader.sandbox.guest.protocol import OUTPUT_CUT
from grader.sandbox.guest.run.outputs import MAX_ERRORS, BoundedClient, merge_streams


def stream(name: str, text: str) -> nbformat.NotebookNode:
    return new_output("stream", name=name, text=text)


def client() -> tuple[BoundedClient, nbformat.NotebookNode]:
    cell = new_code_cell("x", metadata={"execution": {}})
    kept = BoundedClient(new_notebook(cells=[cell]))
    kept.clear_before_next_output = False
    return kept, cell


def show(kept: BoundedClient, cell: nbformat.NotebookNode, kind: str, content: Any) -> None:
    kept.process_message(
        {"msg_type": kind, "content": content, "parent_header": {}, "header": {"msg_type": kind}}, cell, 0
    )


def display(text: str, display_id: str, **more: Any) -> dict[str, Any]:
    return {"data": {"text/plain": text, **more}, "metadata": {}, "transient": {"display_id": display_id}}


def test_long_line_is_merged_at_once() -> None:
    began = time.monotonic()
    merged = merge_streams([stream("stdout", "a" * 2_000_000)])
    assert time.monotonic() - began < 1 and len(merged[0].text) == 2_000_000


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("1/2\r2/2\n", "2/2\n"),
        ("1/2\r2/2\r", "2/2\r"),
        ("a\rb\r\r\nc", "\r\nc"),
        ("a\r\nb\r\n", "a\r\nb\r\n"),
        ("", ""),
    ],
)
def test_carriage_returns_overwrite_their_line(text: str, kept: str) -> None:
    assert merge_streams([stream("stdout", text)])[0].text == kept


def test_pieces_of_a_stream_are_joined_and_stdout_comes_first() -> None:
    shown = new_output("display_data", data={"text/plain": "x"})
    merged = merge_streams([stream("stderr", "e"), stream("stdout", "a"), shown, stream("stdout", "b")])
    assert [output.get("text") for output in merged] == ["ab", "e", None]


@pytest.mark.parametrize("count", ["many", -1, 1.5, True, [1], 10**30])
def test_invalid_count_of_an_input_is_dropped(count: Any) -> None:
    kept, cell = client()
    show(kept, cell, "execute_input", {"code": "x", "execution_count": count})
    assert cell.execution_count is None


def test_updates_count_for_every_output_that_they_fill() -> None:
    kept, cell = client()
    for _ in range(40):
        show(kept, cell, "display_data", display("x", "same"))
    before = kept.notebook_bytes
    show(kept, cell, "update_display_data", display("x" * 1000, "same"))
    assert before - kept.notebook_bytes > 40 * 1000


def test_numbers_and_names_count_as_output() -> None:
    kept, cell = client()
    kept.output_bytes = 1000
    show(kept, cell, "display_data", display("x", "", **{"application/json": {"a": [0] * 2000}}))
    show(kept, cell, "display_data", display("x", "", **{"y" * 2000: "z"}))
    assert [output.output_type for output in cell.outputs] == ["stream"]


def test_errors_are_few() -> None:
    kept, cell = client()
    for _ in range(100):
        show(kept, cell, "error", {"ename": "E", "evalue": "", "traceback": []})
    assert len(cell.outputs) == MAX_ERRORS


def test_outputs_beyond_the_greatest_number_are_cut_with_a_mark() -> None:
    kept, cell = client()
    kept.MAX_OUTPUTS = 5
    for number in range(9):
        show(kept, cell, "display_data", display(str(number), f"d{number}"))
    shown = [output.data["text/plain"] for output in cell.outputs if output.output_type == "display_data"]
    assert shown == ["0", "1", "2", "3", "4"]
    assert [output.text for output in cell.outputs if output.output_type == "stream"] == [f"\n{OUTPUT_CUT}\n"]
