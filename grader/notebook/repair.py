"""Repairs of malformed notebooks, cell by cell. Each repair is noted, and none guesses at code."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from grader.i18n.message import Message, message
from grader.notebook.lenient_json import UnusableError

MAX_CELLS = 2_000
# Of a reduced notebook: values in one structure of metadata or of an output, and in all of them; outputs likewise.
_LARGE, _LARGE_TOTAL = 10_000, 100_000
_MOST_OUTPUTS, _MOST_OUTPUTS_TOTAL = 50, 2_000

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def repair_notebook(raw: object, repairs: Counter[str], notes: list[Message]) -> dict[str, Any]:
    """Return ``raw`` as nbformat 4.5 with repaired cells. Raise ``UnusableError`` if it is not a notebook."""
    cells = _cells(raw)
    if not isinstance(raw, dict) or cells is None:
        raise UnusableError(message("This is JSON without cells, not a notebook. Submit the .ipynb file."))
    if len(cells) > MAX_CELLS:
        raise UnusableError(
            message("The notebook has {count} cells; at most {limit} are read.", count=len(cells), limit=MAX_CELLS)
        )
    metadata = raw.get("metadata")
    if not isinstance(metadata, dict):
        repairs["metadata"] += 1
        metadata = {}
    language = find_foreign_language(metadata)
    if language is not None:
        raise UnusableError(
            message("The notebook is written in {language}; only Python notebooks are run.", language=language)
        )
    old = raw.get("nbformat") != 4
    if old:
        notes.append(message("The notebook has format {version}; it was converted to format 4.", version=_version(raw)))
    kept = [cell for cell in (_cell(cell, repairs) for cell in cells) if cell is not None]
    if not old and raw.get("nbformat_minor") == 5:  # older formats have no ids
        repairs["ids"] += sum(cell["id"] != name for cell, name in zip(kept, unique_ids(kept), strict=True))
    for cell, name in zip(kept, unique_ids(kept), strict=True):
        cell["id"] = name
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": kept}


def reduce_values(raw: object) -> None:
    """Remove large structures from metadata and outputs, and most of very many outputs, in place."""
    if not isinstance(raw, dict):
        return
    # Large outputs must not take the room of the metadata: a course's cells are found by those.
    described, shown_values, outputs = _keep_small(raw.get("metadata"), _LARGE_TOTAL), _LARGE_TOTAL, _MOST_OUTPUTS_TOTAL
    for cell in _cells(raw) or []:
        if not isinstance(cell, dict):
            continue
        described = _keep_small(cell.get("metadata"), described)
        shown = cell.get("outputs")
        cell["outputs"] = shown[: min(_MOST_OUTPUTS, outputs)] if isinstance(shown, list) else []
        outputs -= len(cell["outputs"])
        for output in cell["outputs"]:
            if isinstance(output, dict):
                shown_values = _keep_small(output.get("metadata"), _keep_small(output.get("data"), shown_values))


def _keep_small(values: object, left: int) -> int:
    """Remove structures of more than ``_LARGE`` or ``left`` values from a dictionary; return how many are left.

    A removed structure takes a little of what is left too, because counting takes time.
    """
    if isinstance(values, dict):
        for key, value in list(values.items()):
            if isinstance(value, dict | list):
                most = min(_LARGE, left)
                count = _count_values(value, most)
                if count is None:
                    del values[key]
                left -= most // 10 if count is None else count
    return left


def _count_values(structure: object, most: int) -> int | None:
    """Return the number of values in nested dictionaries and lists, or None as soon as there are more than ``most``."""
    count, waiting = 0, [structure]
    while waiting:
        found = waiting.pop()
        inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
        count += len(inner)
        if count > most:
            return None
        waiting += [value for value in inner if isinstance(value, dict | list)]
    return count


def _cells(raw: object) -> list[object] | None:
    """Return the cells of a notebook of any version; before version 4 they were in worksheets."""
    if not isinstance(raw, dict):
        return None
    if isinstance(raw.get("cells"), list):
        return list(raw["cells"])
    sheets = raw.get("worksheets")
    if not isinstance(sheets, list):
        return None
    return [cell for sheet in sheets if isinstance(sheet, dict) for cell in _cells(sheet) or []]


def _version(raw: Mapping[str, Any]) -> str:
    version = raw.get("nbformat")
    return str(version) if isinstance(version, int) and 0 <= version < 100 else "?"


_KINDS = {
    "code": "code",
    "markdown": "markdown",
    "raw": "raw",
    "heading": "markdown",
    "text": "markdown",
    "html": "markdown",
}


def _cell(raw: object, repairs: Counter[str]) -> dict[str, Any] | None:
    kind = _KINDS.get(str(raw.get("cell_type"))) if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or kind is None:
        repairs["dropped"] += 1
        return None
    source = _source(raw.get("source", raw.get("input", raw.get("code"))), repairs)
    if raw["cell_type"] == "heading":
        level = raw.get("level")
        source = f"{'#' * level if isinstance(level, int) and level in range(1, 7) else '#'} {source}"
    cell: dict[str, Any] = {"cell_type": kind, "id": raw.get("id"), "source": source}
    cell["metadata"] = raw["metadata"] if isinstance(raw.get("metadata"), dict) else {}
    if kind == "code":
        modern = "source" in raw
        cell["outputs"] = raw["outputs"] if modern and isinstance(raw.get("outputs"), list) else []
        cell["execution_count"] = raw.get("execution_count") if modern else None
    elif isinstance(raw.get("attachments"), dict):
        cell["attachments"] = raw["attachments"]
    return cell


def _source(raw: object, repairs: Counter[str]) -> str:
    if isinstance(raw, str):
        return raw
    if isinstance(raw, list):
        lines = [line for line in raw if isinstance(line, str)]
        repairs["sources"] += len(lines) < len(raw)
        return "".join(lines)
    repairs["sources"] += 1
    return ""


def bare_cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``cell`` with only its source."""
    bare = {"cell_type": cell["cell_type"], "id": cell["id"], "source": cell["source"], "metadata": {}}
    return bare | ({"outputs": [], "execution_count": None} if cell["cell_type"] == "code" else {})


def unique_ids(cells: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return an id for each cell: its own if valid and unique, otherwise one made from its index."""
    names: list[str] = []
    used = {cell.get("id") for cell in cells if isinstance(cell.get("id"), str)}
    taken: set[str] = set()
    for place, cell in enumerate(cells):
        name = cell.get("id")
        if not isinstance(name, str) or not _ID.fullmatch(name) or name in taken:
            name = f"cell-{place}"
            while name in used or name in taken:
                name += "-"
        taken.add(name)
        names.append(name)
    return names


_LANGUAGES = {
    "ir": "R",
    "julia": "Julia",
    "javascript": "JavaScript",
    "deno": "TypeScript",
    "scala": "Scala",
    "octave": "Octave",
    "matlab": "MATLAB",
    "bash": "Bash",
    "xcpp": "C++",
    "rust": "Rust",
    "gophernotes": "Go",
    ".net": ".NET",
}


def find_foreign_language(metadata: Mapping[str, Any]) -> str | None:
    """Return the language of the notebook unless it is Python. The kernel last used takes precedence."""
    kernel, info = metadata.get("kernelspec"), metadata.get("language_info")
    kernel, info = (part if isinstance(part, dict) else {} for part in (kernel, info))
    for named in (kernel.get("language"), info.get("name")):
        if isinstance(named, str) and named.strip():
            plain = named.strip().lower()
            return None if plain.startswith(("python", "ipython")) else named.strip()[:40]
    name = str(kernel.get("name", "")).lower()
    return next(
        (language for start, language in _LANGUAGES.items() if re.match(rf"{re.escape(start)}(?![a-z])", name)), None
    )


_REPAIRS = {
    "characters": message("Invalid characters were replaced by \ufffd."),
    "numbers": message("Numbers that JSON cannot represent (NaN, Infinity) were removed."),
    "metadata": message("The notebook's metadata were missing and have been added."),
    "sources": message("Some cells were only partly readable; the readable part was kept."),
    "dropped": message("Some cells of unknown type were removed."),
    "ids": message("Some cells had a missing, invalid or duplicate id and got a new one."),
}


def repair_notes(repairs: Counter[str]) -> list[Message]:
    return [note for name, note in _REPAIRS.items() if repairs[name]]
