"""What a test cell that ran is worth: nbgrader's rules, without the ones by which nothing or nonsense earns points."""

from __future__ import annotations

import builtins
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from nbformat import NotebookNode

from grader.i18n.message import Message, message
from grader.models.run import CellError
from grader.notebook.parse import describe_cells
from grader.sandbox.guest import protocol
from grader.spec.formats.nbgrader_source import SourceCell

_CHARACTERS = 200  # of a value's text that may be a number
_SHOWN = 300  # characters of an error
_ALL = 1e300  # more than any test is worth
_NUMBER = re.compile(
    r"(?P<numpy>np\.(?:float|int|uint)[0-9]+\()?(?P<number>[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?)"
    r"(?(numpy)\))"
)
_TRUTH = re.compile(r"(?:np\.)?(True|False)_?")
_WHERE = re.compile(r"Cell In\[([0-9]{1,9})\], line ([0-9]{1,9})")  # an error's own words may say anything


@dataclass(frozen=True, slots=True)
class Worth:
    points: float
    reason: Message
    review: Message | None = None


def worth(cell: SourceCell, executed: NotebookNode, *, ended_in: bool) -> Worth:
    """``executed`` is the test cell as it came back; ``ended_in``: the notebook's process, or its time, ended there."""
    if executed.get("execution_count") is None or ended_in:
        return Worth(0.0, message("This test did not run to its end: the notebook's process or its time was over."))
    error = failed(executed)
    if error is not None:
        return Worth(0.0, _said(error, cell, executed))
    results = [one for one in executed.outputs if one.output_type == "execute_result"]
    if not results and cell.gives_number and _cut(executed):
        lost = message("The test's value is lost: more was printed before it than is kept.")
        return Worth(0.0, lost, lost)
    if not results:
        return Worth(cell.points, message("The test passed."))
    if not cell.gives_number:
        forged = message("A value was shown where this test has none to give: the notebook may have made it up.")
        return Worth(0.0, forged, forged)
    return _valued(str(results[-1].data.get("text/plain", "")), cell)


def failed(executed: NotebookNode) -> CellError | None:
    """The error a cell ended in; warnings and what else is written to stderr are none."""
    errors = [one for one in executed.outputs if one.output_type == "error"]
    if not errors:
        return None
    (found,) = describe_cells(NotebookNode(cells=[NotebookNode(executed, outputs=errors[-1:])]))
    return found.error


def _cut(executed: NotebookNode) -> bool:
    streams = [one.text for one in executed.outputs if one.output_type == "stream"]
    return any(protocol.OUTPUT_CUT in text for text in streams)


def _valued(text: str, cell: SourceCell) -> Worth:
    value, most = number(text), cell.points
    if value is None or not 0 <= value < math.inf:
        # What a hidden test works with is hidden as well.
        shown = "…" if cell.hidden else repr(text[:60])
        said = message("The test ended in {value}; expected a number from 0 to {max:g}.", value=shown, max=most)
        return Worth(0.0, said, said)
    points = min(value, most)
    return Worth(points, message("The test gave {points:g} of {max:g} points.", points=points, max=most))


def number(text: str) -> float | None:
    """The number that Python or NumPy wrote as ``text``; True is all there is to get. None for anything else."""
    if len(text) > _CHARACTERS:
        return None
    truth = _TRUTH.fullmatch(text.strip())
    if truth is not None:
        return _ALL if truth[1] == "True" else 0.0
    found = _NUMBER.fullmatch(text.strip())
    return float(found["number"]) if found else None


def in_hidden_part(cell: SourceCell, executed: NotebookNode) -> bool:
    """Whether the error arose in a line that students never saw; so it is said to be where that cannot be told."""
    if not cell.hidden:
        return False
    traces: Sequence[str] = next((one.traceback for one in executed.outputs if one.output_type == "error"), [])
    for count, line in _WHERE.findall("\n".join(traces)[:20_000]):
        if int(count) == executed.get("execution_count"):
            return int(line) in cell.hidden or int(line) > cell.source.count("\n") + 1
    return True


def _said(error: CellError, cell: SourceCell, executed: NotebookNode) -> Message:
    if in_hidden_part(cell, executed):
        return message("A hidden test failed ({error}).", error=public_name(error.name))
    text = f"{error.name}: {error.message}" if error.message else error.name
    return message("The test failed: {error}", error=text[:_SHOWN])


def public_name(name: str) -> str:
    """An exception's name where it is one of Python's own; a name of the test's own may tell what it asks."""
    known = getattr(builtins, name, None)
    return name if isinstance(known, type) and issubclass(known, BaseException) else "Exception"
