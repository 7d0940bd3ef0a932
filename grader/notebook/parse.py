"""Notebooks as values: parsed from any bytes, reduced to a runnable copy, and described after execution.

No function opens a file or runs a cell. ``parse`` repairs whatever needs no guessing, with a note, and reports
everything else as a problem. Its notebooks are valid nbformat 4.5.
"""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

import nbformat
from nbformat import NotebookNode
from nbformat.v4.rwbase import rejoin_lines

from grader.i18n.message import Message, message
from grader.models.run import Cell, CellError
from grader.notebook import repair
from grader.notebook.lenient_json import UnusableError, clean, decode, has_many_values, load_json, unambiguous_json

MAX_BYTES = 100 * 2**20

_KERNELSPEC = {"name": "python3", "display_name": "Python 3", "language": "python"}
_ERROR_CHARACTERS = 500
_COURSES = ("nbgrader", "otter")  # keys of metadata
_COUNTED_CHARACTERS = 1_000_000  # of one cell


@dataclass(frozen=True, slots=True)
class Parsed:
    """Result of parsing. ``problem`` is the reason why ``notebook`` is None; ``notes`` list the repairs."""

    notebook: NotebookNode | None
    problem: Message | None = None
    notes: tuple[Message, ...] = ()


def parse(data: bytes) -> Parsed:
    """Return the notebook in ``data`` or a problem. Never raise, whatever the bytes are."""
    notes: list[Message] = []
    try:
        if len(data) > MAX_BYTES:
            size, limit = len(data) // 2**20, MAX_BYTES // 2**20
            raise UnusableError(
                message(
                    "The notebook has {size} MB; the limit is {limit} MB. Clear its outputs.",
                    size=size,
                    limit=limit,
                )
            )
        text = decode(data, notes)
        many = has_many_values(text)
        raw = load_json(text, notes, many=many)
        if many:
            repair.reduce_values(raw)
            notes.append(message("The notebook holds a great many values; large outputs and metadata were left out."))
        repairs: Counter[str] = Counter()
        repaired = repair.repair_notebook(clean(raw, repairs), repairs, notes)
        notebook = _validate(repaired, notes)
        notes += repair.repair_notes(repairs)
        return Parsed(notebook, None, tuple(notes))
    except UnusableError as problem:
        return Parsed(None, problem.message, tuple(notes))


def _validate(repaired: dict[str, Any], notes: list[Message]) -> NotebookNode:
    if _is_valid(repaired):
        return rejoin_lines(nbformat.from_dict(repaired))
    # Outputs that other programs wrote are more often at fault than metadata.
    silent = dict(repaired, cells=[cell | {"outputs": []} if "outputs" in cell else cell for cell in repaired["cells"]])
    if _is_valid(silent):
        notes.append(message("Invalid outputs of the notebook were removed."))
        return rejoin_lines(nbformat.from_dict(silent))
    cells = [repair.bare_cell(cell) | {"metadata": _course_marks(cell)} for cell in repaired["cells"]]
    plain = dict(repaired, metadata=_course_marks(repaired), cells=cells)
    if not _is_valid(plain):
        raise UnusableError(
            message("The notebook's structure is broken beyond repair. Save it again in Jupyter or Colab.")
        )
    notes.append(message("Invalid outputs and metadata of the notebook were removed."))
    return rejoin_lines(nbformat.from_dict(plain))


def _course_marks(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the metadata of a notebook or a cell say about a course's tests; nbformat allows any value there."""
    return {key: value for key, value in part["metadata"].items() if key in _COURSES}


def _is_valid(notebook: dict[str, Any]) -> bool:
    try:
        nbformat.validate(notebook)
    except Exception:  # noqa: BLE001  it raises errors of any type where it explains why something is invalid
        return False
    return True


def runnable_copy(notebook: NotebookNode) -> NotebookNode:
    """Return a copy to execute, with the cells' sources but without outputs, tags, widgets and other metadata.

    It is built from plain values: nbformat's own functions validate each cell, which takes seconds for thousands.
    """
    cells = []
    for cell, name in zip(notebook.cells, repair.unique_ids(notebook.cells), strict=True):
        copy = repair.bare_cell({"cell_type": cell.cell_type, "id": name, "source": cell.source})
        if cell.cell_type == "markdown" and cell.get("attachments"):
            copy["attachments"] = cell.attachments
        cells.append(copy)
    metadata = {"kernelspec": dict(_KERNELSPEC), "language_info": {"name": "python"}}
    return nbformat.from_dict({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells})


def notebook_text(notebook: NotebookNode) -> str:
    """Return a valid notebook as JSON. Unlike ``nbformat.writes``, neither copies nor validates it again."""
    return json.dumps(notebook, ensure_ascii=False)


def code_only(notebook: NotebookNode) -> NotebookNode:
    """Return a copy without text and pasted pictures: a notebook could read them, and a table of answers in them."""
    bare = copy.deepcopy(notebook)
    for cell in bare.cells:
        if cell.cell_type != "code":
            cell.source = ""
            cell.pop("attachments", None)
    return bare


def code_size(notebook: NotebookNode) -> int:
    """Return the number of characters of code, without white space."""
    return sum(_characters(cell.source) for cell in notebook.cells if cell.cell_type == "code")


def parse_executed(data: bytes, max_bytes: int) -> NotebookNode | None:
    """Return the notebook that the sandbox wrote, or None unless it is valid nbformat 4 in unambiguous JSON.

    Numbers that JSON cannot represent (NaN, as plotting libraries write them) become null. nbgrader's metadata are
    removed: the notebook that went in had none, and only the teacher's decide what a cell is worth.
    """
    if len(data) > max_bytes:
        return None
    try:
        text = data.decode("utf-8")
        many = has_many_values(text)
        raw = unambiguous_json(text, many=many)
        if many:
            repair.reduce_values(raw)
        raw = clean(raw, Counter())
    except (UnusableError, UnicodeDecodeError):
        return None
    if not isinstance(raw, dict) or not isinstance(raw.get("cells"), list) or not _is_version_4(raw):
        return None
    if raw["nbformat_minor"] == 5:  # nbformat would replace missing or duplicate ids
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


def take_outputs(given: NotebookNode, executed: NotebookNode) -> tuple[NotebookNode, bool]:
    """Return a copy of ``given`` with the outputs, counts and times of ``executed``, and whether the cells are equal.

    ``given`` is the notebook that was to be executed (``runnable_copy``); its ``code_only`` was. A cell that came back
    with another source, kind or place keeps what was given, without outputs: what is shown and judged is what was
    handed in.
    """
    merged = copy.deepcopy(given)
    merged.metadata["grader"] = executed.metadata.get("grader", {})
    same = len(merged.cells) == len(executed.cells)
    for cell, sent, result in zip(merged.cells, code_only(given).cells, executed.cells, strict=False):
        if any(sent.get(name) != result.get(name) for name in ("id", "cell_type", "source")):
            same = False
        elif cell.cell_type == "code":
            cell.outputs, cell.execution_count = result.outputs, result.execution_count
            if "execution" in result.metadata:
                cell.metadata["execution"] = result.metadata["execution"]
    return merged, same


SAVED = "saved_outputs"  # in a cell's metadata
_SAVED_CHARACTERS = 500_000  # of one cell
_SAVED_CHARACTERS_TOTAL = 4_000_000


def attach_saved_outputs(executed: NotebookNode, handed_in: NotebookNode) -> NotebookNode:
    """Add the outputs saved in the submission to those cells of ``executed`` that failed or did not run.

    Saved errors and very large outputs are skipped. Return ``executed``, changed in place.
    """
    left = _SAVED_CHARACTERS_TOTAL
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
    """Return one ``Cell`` for each cell of an executed notebook, in order."""
    return tuple(_describe(index, cell) for index, cell in enumerate(executed.cells))


def _describe(index: int, cell: NotebookNode) -> Cell:
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
    return sum(map(len, source[:_COUNTED_CHARACTERS].split()))


def _is_image(output: NotebookNode) -> bool:
    shown = output.output_type in ("display_data", "execute_result")
    return shown and any(name.startswith("image/") for name in output.data)


_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # the last ones reorder text


def _error(output: NotebookNode) -> CellError:
    name, text = (
        # Cut before matching too, because a pattern over megabytes of text is slow.
        _CONTROLS.sub("", _ESCAPES.sub("", part[: 20 * _ERROR_CHARACTERS]))[:_ERROR_CHARACTERS]
        for part in (output.ename, output.evalue)
    )
    return CellError(name, text)


def _seconds(times: object) -> float | None:
    """Return the seconds between the kernel's "busy" and "idle" states, which nbclient records in ISO 8601."""
    if not isinstance(times, Mapping):
        return None
    try:
        start, end = (datetime.fromisoformat(times[f"iopub.status.{state}"]) for state in ("busy", "idle"))
        seconds = (end - start).total_seconds()
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return seconds if seconds >= 0 else None
