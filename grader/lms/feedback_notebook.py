"""Feedback as the student's own notebook: the executed one, below a cell with the result."""

from __future__ import annotations

import re
from collections.abc import Mapping

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook

from grader.files.csv_export import points_cell
from grader.grading.results import CriterionResult, Result
from grader.i18n.catalogue import Translation, translation
from grader.i18n.message import Message, message
from grader.models.run import Outcome
from grader.notebook import parse

_CELL = "grader-result"
_NOT_RUN: Mapping[str, Message] = {
    Outcome.MISSING: message("There was nothing to run, so this notebook holds only the result."),
    Outcome.FORBIDDEN: message("The submission was refused, so this notebook holds only the result."),
}
_NOT_KEPT = message("The executed notebook was not kept, so this notebook holds only the result.")


def feedback_notebook(result: Result, language: str) -> bytes:
    """Return an ``.ipynb``: a cell with the result above the executed notebook, or that cell alone if nothing ran."""
    words = translation(language)
    notebook = _read_executed(result)
    if notebook is None:
        note = _NOT_RUN.get(result.outcome, _NOT_KEPT)
        notebook = new_notebook(cells=[], metadata={})
    else:
        note = message("Below is the notebook as the grader ran it, from top to bottom.")
    ids = {cell.get("id") for cell in notebook.cells}
    name = next(name for number in range(len(ids) + 1) if (name := f"{_CELL}-{number}") not in ids)
    items = [f"- **{_escape(title)}** – {_escape(text)}" for title, text in _criteria(result, words)]
    lines = [f"## {_escape(words.say(_headline(result)))}", "", _escape(words.say(note)), "", *items]
    notebook.cells.insert(0, new_markdown_cell("\n".join(lines), id=name))
    return str(nbformat.writes(notebook)).encode("utf-8", "replace")


def summary_line(result: Result, language: str) -> str:
    """Return the result as one line of plain text, for a cell of a table."""
    words = translation(language)
    parts = [words.say(_headline(result)), *(f"{title} – {text}" for title, text in _criteria(result, words))]
    return " | ".join(" ".join(part.replace("<", "‹").replace(">", "›").split()) for part in parts)


def _read_executed(result: Result) -> NotebookNode | None:
    try:
        return parse.parse(result.executed.read_bytes()).notebook
    except OSError:
        return None


def _headline(result: Result) -> Message:
    if result.total is None:
        return message("Result: open, a person has to look")
    return message("Result: {points} of {max} points", points=points_cell(result.total), max=points_cell(result.max))


def _criteria(result: Result, words: Translation) -> list[tuple[str, str]]:
    """Return the title and the points with their reason, for each criterion."""
    return [
        (words.title(criterion.title) or criterion.id, words.say(_points_line(criterion)))
        for criterion in result.criteria
    ]


def _points_line(criterion: CriterionResult) -> Message:
    maximum, reason = points_cell(criterion.max), criterion.explanation
    if criterion.points is None:
        return message("open, of {max}. {reason}", max=maximum, reason=reason)
    return message("{points} of {max}. {reason}", points=points_cell(criterion.points), max=maximum, reason=reason)


# Jupyter reads these as mathematics even where they are written as entities.
_FORMULAS = str.maketrans({"$": "＄", "\\": "＼"})


def _escape(text: str) -> str:
    """Return ``text`` as one line of Markdown without markup, pictures, links or formulas."""
    plain = " ".join(text.split()).translate(_FORMULAS)
    return re.sub(r"[!#&*./<>@\[\]^_`{|}~-]", lambda mark: f"&#{ord(mark[0])};", plain)
