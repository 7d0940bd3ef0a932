"""Turn a reference solution into the starter notebook that students get.

The lines between ``### BEGIN SOLUTION`` and ``### END SOLUTION`` are removed and a prompt to write code stays. In
Markdown cells the two lines may stand in an HTML comment, so that the reference solution reads well too.
"""

from __future__ import annotations

import re
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from grader.i18n.message import Message, message
from grader.models.errors import AssignmentError

_MARKER = re.compile(r"^(?P<indent>\s*)(?:# )?(?:<!-- )?### (?P<edge>BEGIN|END) SOLUTION(?: -->)?\s*$")
_CODE_PROMPT = ("# YOUR CODE HERE", "# 在這裡寫你的程式")
_TEXT_PROMPT = "*Write here. 請寫在這裡。*"
_KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}


def release_starter(reference: Path, assignment_id: str) -> NotebookNode:
    """Return the starter notebook for a percent-format reference solution; the same input gives the same notebook.

    Raises ``AssignmentError`` when the reference cannot be read or its solution markers do not pair up within cells.
    """
    try:
        text = reference.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        unreadable = message("{path}: cannot be read as UTF-8 text: {error}", path=reference, error=error)
        raise AssignmentError([unreadable]) from error
    if problems := _unpaired_markers(reference, text):
        raise AssignmentError(problems)
    solved = jupytext.reads(text, fmt="py:percent")
    cells = [_starter_cell(cell, f"cell-{place:02d}") for place, cell in enumerate(solved.cells)]
    metadata = {
        "grader": {"assignment": assignment_id},
        "kernelspec": _KERNELSPEC,
        "language_info": {"name": "python"},
    }
    starter = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(starter)
    return starter


def write_starter(reference: Path, assignment_id: str, destination: Path) -> None:
    """Write the notebook of ``release_starter``; the same input gives the same bytes. Raises ``OSError``."""
    text = nbformat.writes(release_starter(reference, assignment_id))
    destination.write_text(text + "\n", encoding="utf-8", newline="\n")


def _starter_cell(cell: NotebookNode, cell_id: str) -> NotebookNode:
    new_cell = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}.get(
        cell.cell_type, nbformat.v4.new_raw_cell
    )
    return new_cell(_without_solutions(cell.source, in_code=cell.cell_type == "code"), id=cell_id)


def _without_solutions(source: str, *, in_code: bool) -> str:
    kept: list[str] = []
    in_solution = False
    for line in source.split("\n"):
        marker = _MARKER.match(line)
        if marker is None:
            if not in_solution:
                kept.append(line)
        elif marker["edge"] == "BEGIN":
            in_solution = True
            kept += _prompt(marker["indent"]) if in_code else [_TEXT_PROMPT]
        else:
            in_solution = False
    return "\n".join(kept)


def _prompt(indent: str) -> list[str]:
    # A function or loop whose whole body was the solution would not parse with comments alone.
    lines = (*_CODE_PROMPT, "...") if indent else _CODE_PROMPT
    return [indent + line for line in lines]


def _unpaired_markers(reference: Path, text: str) -> list[Message]:
    problems: list[Message] = []
    opened: int | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        marker = _MARKER.match(line)
        if line.startswith("# %%") and opened is not None:
            problems.append(_unclosed(reference, opened, message("its cell ends")))
            opened = None
        elif marker is not None and marker["edge"] == "BEGIN":
            if opened is not None:
                next_one = message("the next BEGIN SOLUTION in line {line}", line=number)
                problems.append(_unclosed(reference, opened, next_one))
            opened = number
        elif marker is not None and opened is None:
            problems.append(
                message("{place}: END SOLUTION without a BEGIN SOLUTION before it", place=f"{reference}:{number}")
            )
        elif marker is not None:
            opened = None
    if opened is not None:
        problems.append(_unclosed(reference, opened, message("the file ends")))
    return problems


def _unclosed(reference: Path, line: int, border: Message) -> Message:
    return message(
        "{place}: BEGIN SOLUTION is never closed; expected END SOLUTION before {border}",
        place=f"{reference}:{line}",
        border=border,
    )
