"""Limits on the output of a cell, and its error even if IPython could not show it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from .. import protocol

MAX_ERROR, MAX_ERROR_LINES, MAX_ERRORS = 20_000, 100, 5
MAX_COUNT = 1_000_000


class BoundedClient(NotebookClient):  # type: ignore[misc]
    """Notebook client that keeps at most ``output_bytes`` and ``MAX_OUTPUTS`` of the output of a cell."""

    MAX_OUTPUTS = 2000
    output_bytes = 2 << 20
    notebook_bytes = protocol.MAX_EXECUTED_BYTES // 2  # for all cells; the host refuses larger files
    used = 0
    kept = 0
    errors = 0
    cut = False

    def begin_cell(self) -> None:
        """Reset the counters of one cell."""
        self.used, self.kept, self.errors, self.cut = 0, 0, 0, False

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """Add one message of the kernel to the cell's outputs, or drop it if a limit is reached."""
        kind = msg["msg_type"]
        if kind.startswith("comm"):
            return None  # widgets do not work in a saved page
        if "execution_count" in msg["content"]:
            msg["content"]["execution_count"] = _checked_count(msg["content"]["execution_count"])
        if kind == "error":
            _shorten(msg["content"])
            self.errors += 1
            if self.errors > MAX_ERRORS:
                return None
        if kind in ("stream", "display_data", "execute_result", "update_display_data"):
            texts = list(_texts(msg["content"]))
            in_file = sum(map(_bytes_in_file, texts)) * self._copies(kind, msg["content"])
            self.used += sum(map(len, texts))
            self.kept += 1
            if self.used > self.output_bytes or in_file > self.notebook_bytes or self.kept > self.MAX_OUTPUTS:
                self._mark_cut(cell)
                return None
            self.notebook_bytes -= in_file
            if kind == "stream" and _append_to_stream(cell.outputs, msg["content"]):
                return None
        return super().process_message(msg, cell, cell_index)

    def _copies(self, kind: str, content: dict[str, Any]) -> int:
        """Return how many outputs a message fills: all of one display id show the same."""
        display_id = (content.get("transient") or {}).get("display_id")
        shown = self._display_id_map.get(display_id, {}) if display_id else {}
        return sum(map(len, shown.values())) + (kind != "update_display_data")

    def _mark_cut(self, cell: NotebookNode) -> None:
        if not self.cut:
            self.cut = True
            text = f"\n{protocol.OUTPUT_CUT}\n"
            cell.outputs.append(nbformat.v4.new_output("stream", name="stdout", text=text))


def keep_error(cell: NotebookNode, cell_index: int, execute_reply: dict[str, Any] | None) -> None:  # noqa: ARG001
    """Add the error from the kernel's reply if the cell has no error output.

    IPython may fail to show an error: for lack of memory, or because the notebook patched it.
    """
    content = execute_reply["content"] if execute_reply else {}
    if content.get("status") == "error" and not any(output.output_type == "error" for output in cell.outputs):
        error = {name: content.get(name) or "" for name in ("ename", "evalue")} | {"traceback": []}
        _shorten(error)
        cell.outputs.append(nbformat.v4.new_output("error", **error))


def _shorten(error: dict[str, Any]) -> None:
    """Limit the text of an exception: ``output_bytes`` does not apply to errors."""
    error["ename"], error["evalue"] = str(error["ename"])[:200], str(error["evalue"])[:MAX_ERROR]
    lines = [str(line)[:MAX_ERROR] for line in error["traceback"][-MAX_ERROR_LINES:]]
    error["traceback"] = lines if sum(map(len, lines)) <= MAX_ERROR else [line[:200] for line in lines]


def merge_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Return valid ``outputs`` with all text of one stream in one output, each line as a carriage return left it.

    nbclient's own way to do so takes hours for a line of a megabyte.
    """
    texts: dict[str, list[str]] = {}
    for output in outputs:
        if output.output_type == "stream":
            texts.setdefault(output.name, []).append(output.text)
    merged: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream":
            if output.name not in texts:
                continue
            output.text = "\n".join(map(_overwritten, "".join(texts.pop(output.name)).split("\n")))
            if output.name == "stdout" and merged and merged[-1].get("name") == "stderr":
                merged.insert(-1, output)  # in the same order every time: the two streams are not synchronized
                continue
        merged.append(output)
    return merged


def _overwritten(line: str) -> str:
    """Return what follows the last carriage return of ``line``; one at its end overwrites nothing yet."""
    return line[line.rfind("\r", 0, -1) + 1 :]


def _checked_count(count: Any) -> int | None:
    """Return the number of an input, or None if it is none: one invalid number would spoil the whole notebook."""
    return count if type(count) is int and 0 <= count < MAX_COUNT else None


def _append_to_stream(outputs: list[NotebookNode], content: dict[str, Any]) -> bool:
    """Append text to the last output if that is the same stream (each print is a message of its own)."""
    last = outputs[-1] if outputs else None
    if last is None or last.output_type != "stream" or last.name != content.get("name"):
        return False
    last.text += str(content.get("text", ""))
    return True


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in the content of a message, also names and numbers."""
    if isinstance(value, dict):
        yield from value
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
    else:
        yield value if isinstance(value, str) else str(value)


def _bytes_in_file(text: str) -> int:
    """Return an upper limit of the text's size in JSON, where non-ASCII and control characters take up to six bytes."""
    return len(text) if text.isascii() and text.rstrip().isprintable() else 6 * len(text)
