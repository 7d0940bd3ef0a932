"""Feedback as the student's own notebook: the executed one, with the result in a cell above all others."""

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
    Outcome.MISSING: message("There was nothing that could be run, so this notebook holds the result alone."),
    Outcome.FORBIDDEN: message("What was handed in was refused, so this notebook holds the result alone."),
}
_NOT_KEPT = message("The notebook that ran was not kept, so this notebook holds the result alone.")


def annotated(result: Result, language: str) -> bytes:
    """An ``.ipynb``: the executed notebook below a cell with the result; that cell alone where nothing ran."""
    words = translation(language)
    ran = _executed(result)
    if ran is None:
        why = _NOT_RUN.get(result.outcome, _NOT_KEPT)
        ran = new_notebook(cells=[], metadata={})
    else:
        why = message("Below is the notebook as the grader ran it, from top to bottom.")
    ids = {cell.get("id") for cell in ran.cells}
    name = next(name for number in range(len(ids) + 1) if (name := f"{_CELL}-{number}") not in ids)
    lines = [f"## {_harmless(words.say(_headline(result)))}", "", _harmless(words.say(why)), "", *_items(result, words)]
    ran.cells.insert(0, new_markdown_cell("\n".join(lines), id=name))
    return str(nbformat.writes(ran)).encode("utf-8", "replace")


def in_one_line(result: Result, language: str) -> str:
    """The same result as plain text, for a cell of a table."""
    words = translation(language)
    parts = [words.say(_headline(result)), *(f"{title} – {said}" for title, said in _said(result, words))]
    return " | ".join(" ".join(part.replace("<", "‹").replace(">", "›").split()) for part in parts)


def _executed(result: Result) -> NotebookNode | None:
    try:
        return parse.parse(result.executed.read_bytes()).notebook
    except OSError:
        return None


def _headline(result: Result) -> Message:
    if result.total is None:
        return message("Result: open, a person has to look")
    return message("Result: {points} of {max} points", points=points_cell(result.total), max=points_cell(result.max))


def _items(result: Result, words: Translation) -> list[str]:
    return [f"- **{_harmless(title)}** – {_harmless(said)}" for title, said in _said(result, words)]


def _said(result: Result, words: Translation) -> list[tuple[str, str]]:
    return [(words.title(one.title) or one.id, words.say(_line(one))) for one in result.criteria]


def _line(one: CriterionResult) -> Message:
    reason = one.explanation
    if one.points is None:
        return message("open, of {max}. {reason}", max=points_cell(one.max), reason=reason)
    return message(
        "{points} of {max}. {reason}", points=points_cell(one.points), max=points_cell(one.max), reason=reason
    )


# Read as mathematics by Jupyter even where they are written as entities.
_FORMULAS = str.maketrans({"$": "＄", "\\": "＼"})


def _harmless(text: str) -> str:
    """``text`` as one line of Markdown that is nothing but text: no markup, picture, link or formula."""
    plain = " ".join(text.split()).translate(_FORMULAS)
    return re.sub(r"[!#&*./<>@\[\]^_`{|}~-]", lambda mark: f"&#{ord(mark[0])};", plain)
