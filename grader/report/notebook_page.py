"""Prepare the executed notebook for a page: every cell and output is sanitised and shortened.

The student's code could change the executed file, so nothing here relies on its structure.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from grader.notebook.parse import SAVED
from grader.report.sanitizer import (
    IMAGE_TYPES,
    MARKUP_CHARACTERS,
    REORDERING,
    TEXT_CHARACTERS,
    image_uri,
    safe_code,
    safe_html,
    safe_markdown,
    shorten,
    terminal_text,
)

_FILE_BYTES = 128_000_000
_CELLS = 400
_OUTPUTS = 40
# Limits for one page; more colours, markup or pictures would make it slow to build and to open.
_COLOURED_CHARACTERS = 150_000
_PAGE_MARKUP = 200_000
_PAGE_IMAGES = 24_000_000
_PAGE_TEXT = 1_000_000
_TEXT_END = 100_000  # characters at the beginning and at the end of one long text output that are read
_SHORT_TEXT_END = 2_000  # the same when the page has no more room
_SECONDS = 1.0  # processor time, after which the rest of the page is plain: no honest page takes a quarter of it
_NOTHING = Markup()


@dataclass(frozen=True, slots=True)
class OutputView:
    """An output: text (``head``, ``omitted`` characters left out, ``tail``), safe ``html``, or a picture."""

    kind: str  # "stream", "error", "text", "html", "image", "unshown"
    head: str = ""
    tail: str = ""
    omitted: int = 0
    html: Markup = _NOTHING
    image: str = ""  # a checked data: URI
    warning: bool = False  # written to stderr


@dataclass(frozen=True, slots=True)
class CellView:
    number: int  # position in the notebook, from 1
    kind: str
    html: Markup
    omitted: int = 0
    outputs: tuple[OutputView, ...] = ()
    outputs_left_out: int = 0
    count: int | None = None
    saved: tuple[OutputView, ...] = ()  # outputs in the submitted file, not reproduced


@dataclass(frozen=True, slots=True)
class NotebookView:
    cells: tuple[CellView, ...]
    cells_left_out: int = 0


@dataclass(slots=True)
class _Budget:
    """Characters of each costly kind that one page may still hold, and the time for them."""

    left: dict[str, int] = field(
        default_factory=lambda: {
            "colour": _COLOURED_CHARACTERS, "markup": _PAGE_MARKUP, "image": _PAGE_IMAGES, "text": _PAGE_TEXT,
        }
    )  # fmt: skip
    began: float = field(default_factory=time.thread_time)

    def take(self, kind: str, amount: int) -> bool:
        """Return whether ``amount`` and some time are left, and subtract the amount if so."""
        if amount > self.left[kind] or time.thread_time() - self.began > _SECONDS:
            return False
        self.left[kind] -= amount
        return True


def notebook_view(path: Path | None) -> NotebookView | None:
    """Return the notebook at ``path`` ready for a page; None if it cannot be read."""
    try:
        if path is None or path.stat().st_size > _FILE_BYTES:
            return None
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list):
        return None
    budget = _Budget()
    shown = [(number, cell) for number, cell in enumerate(cells[:_CELLS], 1) if isinstance(cell, dict)]
    return NotebookView(tuple(_cell(number, cell, budget) for number, cell in shown), max(0, len(cells) - _CELLS))


def _cell(number: int, cell: Mapping[str, Any], budget: _Budget) -> CellView:
    source, kind = _as_text(cell.get("source")), cell.get("cell_type")
    if kind == "markdown":
        attachments = _attachments(cell.get("attachments"), budget)
        return CellView(number, "markdown", _markup(source, budget, attachments, markdown=True))
    head, tail, omitted = shorten(source, lines=600, characters=40_000)
    shown = f"{head}\n{tail}" if omitted else head
    if kind != "code":
        return CellView(number, "raw", escape(shown), omitted)
    outputs = _merge_streams([output for output in _list(cell.get("outputs")) if isinstance(output, dict)])
    views = [view for output in outputs[:_OUTPUTS] for view in _output(output, budget)]
    metadata = cell.get("metadata")
    saved = _list(metadata.get(SAVED)) if isinstance(metadata, dict) else []
    merged_saved = _merge_streams([output for output in saved if isinstance(output, dict)])[:_OUTPUTS]
    count = cell.get("execution_count")
    return CellView(
        number,
        "code",
        safe_code(shown) if budget.take("colour", len(shown)) else escape(shown),
        omitted,
        tuple(views),
        max(0, len(outputs) - _OUTPUTS),
        count if isinstance(count, int) and abs(count) < 1_000_000 else None,
        tuple(view for output in merged_saved for view in _output(output, budget)),
    )


def _merge_streams(outputs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Merge neighbouring pieces of one stream, because a progress bar consists of hundreds."""
    merged: list[dict[str, Any]] = []
    pieces: list[list[str]] = []
    for output in outputs:
        if output.get("output_type") != "stream":
            merged.append(dict(output))
        elif merged and merged[-1].get("output_type") == "stream" and merged[-1].get("name") == output.get("name"):
            pieces[-1].append(_as_text(output.get("text")))
        else:
            pieces.append([_as_text(output.get("text"))])
            merged.append({"output_type": "stream", "name": output.get("name"), "text": pieces[-1]})
    return list(merged)


def _output(output: Mapping[str, Any], budget: _Budget) -> Iterator[OutputView]:
    match output.get("output_type"):
        case "stream":
            view = _text("stream", _as_text(output.get("text")), budget, warning=output.get("name") == "stderr")
            if view.head:
                yield view
        case "error":
            trace = "\n".join(_as_text(line) for line in _list(output.get("traceback")))
            name = f"{_as_text(output.get('ename'))}: {_as_text(output.get('evalue'))}"
            yield _text("error", trace or name, budget)
        case "display_data" | "execute_result":
            data = output.get("data")
            yield _display(data if isinstance(data, dict) else {}, budget)


def _display(data: Mapping[str, Any], budget: _Budget) -> OutputView:
    """Return the richest safe form of an output, or its plain text."""
    for media_type in IMAGE_TYPES:
        encoded = _as_text(data.get(media_type))
        uri = image_uri(media_type, encoded) if encoded and budget.take("image", len(encoded)) else None
        if uri:
            return OutputView("image", image=uri)
    for media_type in ("text/html", "text/markdown"):
        fragment = _as_text(data.get(media_type))
        cleaned = _markup(fragment, budget, {}, markdown=media_type == "text/markdown") if fragment else _NOTHING
        if cleaned.striptags() or "<img" in cleaned:
            return OutputView("html", html=cleaned, omitted=max(0, len(fragment) - MARKUP_CHARACTERS))
    view = _text("text", _as_text(data.get("text/plain")) or _as_text(data.get("text/latex")), budget)
    return view if view.head else OutputView("unshown", head=", ".join(map(str, islice(data, 20)))[:200])


def _markup(source: str, budget: _Budget, attachments: Mapping[str, str], *, markdown: bool) -> Markup:
    # The part beyond the limit for text can only be embedded pictures.
    pictures = max(0, len(source) - MARKUP_CHARACTERS)
    if not budget.take("markup", len(source) - pictures) or not budget.take("image", pictures):
        return Markup("<pre>{}</pre>").format(source[:TEXT_CHARACTERS])
    return safe_markdown(source, attachments) if markdown else safe_html(source, attachments)


def _attachments(found: object, budget: _Budget) -> dict[str, str]:
    """Return the pictures pasted into a Markdown cell: name -> checked ``data:`` URI."""
    uris = {}
    for name, forms in (found if isinstance(found, dict) else {}).items():
        for media_type, encoded in (forms if isinstance(forms, dict) else {}).items():
            text = _as_text(encoded)
            uri = image_uri(media_type, text) if budget.take("image", len(text)) else None
            if uri:
                uris[str(name)] = uri
    return uris


def _text(kind: str, written: str, budget: _Budget, *, warning: bool = False) -> OutputView:
    """Return text as a terminal shows it; ``head`` is empty for white space. Of a long text, only the ends are read."""
    end = _TEXT_END if budget.take("text", min(len(written), 2 * _TEXT_END)) else _SHORT_TEXT_END
    cut = max(0, len(written) - 2 * end)
    text = terminal_text(f"{written[:end]}\n{written[-end:]}" if cut else written).strip("\n")
    head, tail, omitted = shorten(text) if text.strip() else ("", "", 0)
    return OutputView(kind, head, tail, omitted + cut, warning=warning)


def _as_text(value: object) -> str:
    """Return Jupyter's text, a string or a list of strings, as a string; anything else gives an empty string."""
    parts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    text = "".join(part for part in parts if isinstance(part, str))
    if text.isascii():
        return text
    # Without characters that reorder others, as code could show in another order than it runs, and lone surrogates.
    return REORDERING.sub("\ufffd", text).encode("utf-8", "replace").decode()


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
