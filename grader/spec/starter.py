"""A reference solution turned into the notebook that students get.

What lies between ``### BEGIN SOLUTION`` and ``### END SOLUTION`` is cut out and a place to write is left. In Markdown
cells the two lines may stand in an HTML comment, so that the reference solution reads well too.
"""

from __future__ import annotations

import re
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from grader.models.errors import AssignmentError

_MARKER = re.compile(r"^(?P<indent>\s*)(?:# )?(?:<!-- )?### (?P<edge>BEGIN|END) SOLUTION(?: -->)?\s*$")
_CODE_PROMPT = ("# YOUR CODE HERE", "# 在這裡寫你的程式")
_TEXT_PROMPT = "*Write here. 請寫在這裡。*"
_KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}


def release_starter(reference: Path, assignment_id: str) -> NotebookNode:
    """The starter notebook for a percent-format reference solution; the same input gives the same notebook.

    Raises ``AssignmentError`` when the reference cannot be read or its solution marks do not pair up within cells.
    """
    try:
        text = reference.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AssignmentError([f"{reference}: cannot be read as text ({error})"]) from error
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
    """Write ``release_starter``'s notebook; the same input gives the same bytes. Raises ``OSError`` when it cannot."""
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


def _unpaired_markers(reference: Path, text: str) -> list[str]:
    problems: list[str] = []
    opened: int | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        marker = _MARKER.match(line)
        if line.startswith("# %%") and opened is not None:
            problems.append(_unclosed(reference, opened, "its cell ends"))
            opened = None
        elif marker is not None and marker["edge"] == "BEGIN":
            if opened is not None:
                problems.append(_unclosed(reference, opened, f"the next one begins in line {number}"))
            opened = number
        elif marker is not None and opened is None:
            problems.append(f"{reference}:{number}: END SOLUTION closes nothing; expected BEGIN SOLUTION before it")
        elif marker is not None:
            opened = None
    if opened is not None:
        problems.append(_unclosed(reference, opened, "the file ends"))
    return problems


def _unclosed(reference: Path, line: int, border: str) -> str:
    return f"{reference}:{line}: BEGIN SOLUTION is never closed; expected END SOLUTION before {border}"
