"""Report pages of notebooks made to keep the host busy."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from grader.report.notebook_page import notebook_view
from grader.report.sanitizer import terminal_text

MEGABYTE = 1 << 20


def shown(kind: str, value: str) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {}, "data": {kind: value}}


def stream(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "source": source, "execution_count": 1, "outputs": list(outputs)}


CELLS: dict[str, list[dict[str, Any]]] = {
    "lines": [code("x", stream("\n" * (20 * MEGABYTE)))],
    "backspaces": [code("x", stream("a\b" * (5 * MEGABYTE)))],
    "escapes": [code("x", stream("\x1b]" * (5 * MEGABYTE)))],
    "text in many cells": [code("x", stream("a\r" * 50_000)) for _ in range(300)],
    "code": [code("(" * 39_000) for _ in range(300)],
    "HTML": [code("x", shown("text/html", "<ul><li>" * 9_000)) for _ in range(100)],
    "Markdown": [{"cell_type": "markdown", "source": "*a* " * 9_000} for _ in range(100)],
    "embedded pictures": [code("x", shown("text/html", "data:image/png;base64," * 900_000))],
}


@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_the_page_is_made_in_little_time(cells: list[dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "executed.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}))
    began = time.thread_time()
    view = notebook_view(path)
    assert time.thread_time() - began < 4  # twice the bound, for slow machines
    assert view is not None and len(view.cells) == len(cells)


def test_of_a_long_output_both_ends_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "executed.ipynb"
    text = "first\n" + "middle\n" * 200_000 + "last\n"
    path.write_text(json.dumps({"cells": [code("x", stream(text))]}))
    view = notebook_view(path)
    assert view is not None
    (output,) = view.cells[0].outputs
    assert output.head.startswith("first") and output.tail.endswith("last")
    assert len(text) - 100 < len(output.head) + len(output.tail) + output.omitted <= len(text) + 100


def test_only_lines_that_were_written_over_are_rewritten() -> None:
    assert terminal_text("a\n10%\r20%\r\nxy\b\bz\n \nb") == "a\n20%\nz\n \nb"


def test_a_file_of_the_host_is_never_embedded(tmp_path: Path) -> None:
    """A report shows what is in the notebook: paths and addresses of files are not opened."""
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"\x89PNG\r\n\x1a\nsecret")
    sources = [f"![x]({secret})", f"![x](file://{secret})", f"<img src='file://{secret}'>", f"<img src='{secret}'>",
               "![x](/etc/passwd)", f"![x](attachment:{secret})", "<iframe src='/etc/passwd'></iframe>",
               f"<object data='{secret}'></object>", f"<link rel=stylesheet href='{secret}'>"]  # fmt: skip
    cells: list[dict[str, Any]] = [
        {"cell_type": "markdown", "source": source, "attachments": {str(secret): {"image/png": str(secret)}}}
        for source in sources
    ]
    cells += [code("x", shown("text/html", source), shown("image/png", str(secret))) for source in sources]
    path = tmp_path / "executed.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    view = notebook_view(path)
    assert view is not None
    html = "".join(cell.html + "".join(output.html + output.image for output in cell.outputs) for cell in view.cells)
    assert re.findall(r"\b(?:src|href|data)\s*=\s*[\"'][^\"']*", html) == []
