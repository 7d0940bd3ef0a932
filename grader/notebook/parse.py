"""Notebooks as values: read from any bytes a student may hand in, made ready to run, described after running.

Nothing here opens a file or runs a cell. What ``parse`` can repair without guessing it repairs and says so in a note;
what it cannot becomes a problem in words. A notebook that it gives is valid nbformat 4.5.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell
from nbformat.v4.rwbase import rejoin_lines

from grader.i18n.message import Message, message
from grader.models.run import Cell, CellError
from grader.notebook import repair
from grader.notebook.lenient_json import UnusableError, clean, decode, load_json, unambiguous_json

MAX_BYTES = 100 * 2**20

_KERNELSPEC = {"name": "python3", "display_name": "Python 3", "language": "python"}
_ERROR_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Parsed:
    """``problem`` says why ``notebook`` is None; ``notes`` say what was repaired on the way."""

    notebook: NotebookNode | None
    problem: Message | None = None
    notes: tuple[Message, ...] = ()


def parse(data: bytes) -> Parsed:
    """The notebook in ``data``, whatever ``data`` is; never raises for what a student may have written."""
    notes: list[Message] = []
    try:
        if len(data) > MAX_BYTES:
            size, limit = len(data) // 2**20, MAX_BYTES // 2**20
            raise UnusableError(
                message(
                    "The notebook has {size} MB; at most {limit} MB are read. Clear its outputs.",
                    size=size,
                    limit=limit,
                )
            )
        raw = load_json(decode(data, notes), notes)
        repairs: Counter[str] = Counter()
        mended = repair.mend(clean(raw, repairs), repairs, notes)
        notebook = _valid(mended, notes)
        notes += repair.repair_notes(repairs)
        return Parsed(notebook, None, tuple(notes))
    except UnusableError as problem:
        return Parsed(None, problem.message, tuple(notes))


def _valid(mended: dict[str, Any], notes: list[Message]) -> NotebookNode:
    if _is_valid(mended):
        return rejoin_lines(nbformat.from_dict(mended))
    plain = dict(mended, metadata={}, cells=[repair.without_extras(cell) for cell in mended["cells"]])
    if not _is_valid(plain):
        raise UnusableError(
            message("The notebook's structure is broken beyond repair. Save it again in Jupyter or Colab.")
        )
    notes.append(message("Saved outputs and settings of the notebook were broken and have been left out."))
    return rejoin_lines(nbformat.from_dict(plain))


def _is_valid(notebook: dict[str, Any]) -> bool:
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError:
        return False
    return True


def runnable(notebook: NotebookNode) -> NotebookNode:
    """A copy to execute: sources and nothing else that could steer the run: no outputs, tags, widgets."""
    cells = []
    for cell, name in zip(notebook.cells, repair.unique_ids(notebook.cells), strict=True):
        if cell.cell_type == "code":
            cells.append(new_code_cell(cell.source, id=name))
        elif cell.cell_type == "markdown":
            pictures = {"attachments": cell.attachments} if cell.get("attachments") else {}
            cells.append(new_markdown_cell(cell.source, id=name, **pictures))
        else:
            cells.append(new_raw_cell(cell.source, id=name))
    ready = new_notebook(cells=cells, metadata={"kernelspec": dict(_KERNELSPEC), "language_info": {"name": "python"}})
    return cast(NotebookNode, ready)


def code_size(notebook: NotebookNode) -> int:
    """Characters of code, white space not counted."""
    return sum(_characters(cell.source) for cell in notebook.cells if cell.cell_type == "code")


def validated(data: bytes, max_bytes: int) -> NotebookNode | None:
    """The notebook that the sandbox wrote, or None when it is not exactly one: nbformat 4, unambiguous JSON, bounded.

    Numbers that JSON has no word for (NaN, as plotting libraries write them) become null. nbgrader's marks are left
    out: what went in has none, and only the teacher's may say what a cell is worth.
    """
    if len(data) > max_bytes:
        return None
    try:
        raw = clean(unambiguous_json(data), Counter())
    except UnusableError:
        return None
    if not isinstance(raw, dict) or not isinstance(raw.get("cells"), list) or not _is_version_4(raw):
        return None
    if raw["nbformat_minor"] == 5:  # nbformat would give ids of its own where they are missing or doubled
        ids = [str(cell.get("id")) for cell in raw["cells"] if isinstance(cell, dict) and "id" in cell]
        if len(set(ids)) < len(raw["cells"]):
            return None
    if len(raw["cells"]) > repair.MAX_CELLS or not _is_valid(raw):
        return None
    for cell in raw["cells"]:
        cell["metadata"].pop("nbgrader", None)
    return rejoin_lines(nbformat.from_dict(raw))


def _is_version_4(raw: dict[str, Any]) -> bool:
    minor = raw.get("nbformat_minor")
    return raw.get("nbformat") == 4 and isinstance(minor, int) and not isinstance(minor, bool) and 0 <= minor <= 5


# ---------------------------------------------------------------- after the run

SAVED = "saved_outputs"  # in a cell's metadata
_SAVED_CHARACTERS = 500_000  # of one cell
_SAVED_IN_ALL = 4_000_000


def with_saved_outputs(executed: NotebookNode, handed_in: NotebookNode) -> NotebookNode:
    """``executed``, where cells that failed or never ran have beside them what they had saved: not reproduced.

    What was itself saved as an error, and what is very large, is left out.
    """
    left = _SAVED_IN_ALL
    known = dict(zip(repair.unique_ids(handed_in.cells), handed_in.cells, strict=True))
    for cell in executed.cells:
        before = known.get(cell.get("id"), {})
        saved = before.get("outputs", [])
        same = cell.cell_type == "code" and cell.source == before.get("source")
        if not same or not saved or not (_failed(cell.outputs) or cell.get("execution_count") is None):
            continue
        size = len(json.dumps(saved))
        if not _failed(saved) and size <= min(left, _SAVED_CHARACTERS):
            cell.metadata[SAVED] = saved
            left -= size
    return executed


def _failed(outputs: list[NotebookNode]) -> bool:
    return any(output.output_type == "error" for output in outputs)


def describe_cells(executed: NotebookNode) -> tuple[Cell, ...]:
    """One ``Cell`` for each cell of an executed notebook, in its order."""
    return tuple(_described(index, cell) for index, cell in enumerate(executed.cells))


def _described(index: int, cell: NotebookNode) -> Cell:
    kind = cast(Literal["code", "markdown", "raw"], cell.cell_type)
    characters = _characters(cell.source)
    if kind != "code":
        return Cell(index, kind, characters)
    count = cell.get("execution_count")
    return Cell(
        index,
        kind,
        characters,
        ran=count is not None and characters > 0,
        error=next((_error(output) for output in cell.outputs if output.output_type == "error"), None),
        images=sum(_is_image(output) for output in cell.outputs),
        seconds=_seconds(cell.metadata.get("execution")),
        count=count,
    )


def _characters(source: str) -> int:
    return sum(map(len, source.split()))


def _is_image(output: NotebookNode) -> bool:
    shown = output.output_type in ("display_data", "execute_result")
    return shown and any(name.startswith("image/") for name in output.data)


_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _error(output: NotebookNode) -> CellError:
    name, text = (
        # Cut first as well: a pattern over megabytes of evalue would be paid for each time.
        _CONTROLS.sub("", _ESCAPES.sub("", part[: 20 * _ERROR_CHARACTERS]))[:_ERROR_CHARACTERS]
        for part in (output.ename, output.evalue)
    )
    return CellError(name, text)


def _seconds(times: object) -> float | None:
    """Between the kernel's "busy" and "idle", both as nbclient notes them: ISO 8601."""
    if not isinstance(times, Mapping):
        return None
    try:
        start, end = (datetime.fromisoformat(times[f"iopub.status.{state}"]) for state in ("busy", "idle"))
        seconds = (end - start).total_seconds()
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return seconds if seconds >= 0 else None
