"""Points of an executed test cell: nbgrader's rules, except those that give points for missing or invalid results."""

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

_MAX_NUMBER = 200  # characters of a value's text that may be a number
_MAX_ERROR = 300  # characters of an error in a report
_FULL = 1e300  # more than the points of any test
_NUMBER = re.compile(
    r"(?P<numpy>np\.(?:float|int|uint)[0-9]+\()?(?P<number>[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?)"
    r"(?(numpy)\))"
)
_BOOLEAN = re.compile(r"(?:np\.)?(True|False)_?")
_LOCATION = re.compile(r"Cell In\[([0-9]{1,9})\], line ([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class CellPoints:
    """Points of a test cell, with the reason and, if a person should look, a reason for that."""

    points: float
    reason: Message
    review: Message | None = None


def cell_points(
    cell: SourceCell, executed: NotebookNode, *, ended_in: bool = False, stopped: bool = False
) -> CellPoints:
    """Return the points of the test cell ``executed``.

    ``ended_in``: the process ended, or the notebook's time was up, in this cell. ``stopped``: this cell reached the
    limit for one cell.
    """
    if executed.get("execution_count") is None or ended_in:
        return CellPoints(0.0, message("The test did not finish: the notebook's process ended or its time was up."))
    error = cell_error(executed)
    if error is not None:
        late = message("The test was stopped: it reached the time limit for one cell.")
        return CellPoints(
            0.0, late if stopped and error.name == "KeyboardInterrupt" else _failure(error, cell, executed)
        )
    results = [output for output in executed.outputs if output.output_type == "execute_result"]
    if not results and cell.gives_number and _is_cut(executed):
        lost = message("The test's value is lost: the output before it is longer than the limit.")
        return CellPoints(0.0, lost, lost)
    if not results:
        return CellPoints(cell.points, message("The test passed."))
    if not cell.gives_number:
        forged = message("The test returned a value, though it should return none: the notebook may have forged it.")
        return CellPoints(0.0, forged, forged)
    return _partial_points(str(results[-1].data.get("text/plain", "")), cell)


def cell_error(executed: NotebookNode) -> CellError | None:
    """Return the error that ended a cell, or None; warnings and other text on stderr are no errors."""
    errors = [output for output in executed.outputs if output.output_type == "error"]
    if not errors:
        return None
    (found,) = describe_cells(NotebookNode(cells=[NotebookNode(executed, outputs=errors[-1:])]))
    return found.error


def _is_cut(executed: NotebookNode) -> bool:
    streams = [output.text for output in executed.outputs if output.output_type == "stream"]
    return any(protocol.OUTPUT_CUT in text for text in streams)


def _partial_points(text: str, cell: SourceCell) -> CellPoints:
    value, most = parse_number(text), cell.points
    if value is None or not 0 <= value < math.inf:
        # The value may reveal what a hidden test computes.
        shown = "…" if cell.hidden else repr(text[:60])
        reason = message("The test returned {value}; expected a number from 0 to {max:g}.", value=shown, max=most)
        return CellPoints(0.0, reason, reason)
    points = min(value, most)
    return CellPoints(points, message("The test gave {points:g} of {max:g} points.", points=points, max=most))


def parse_number(text: str) -> float | None:
    """Return the number that Python or NumPy printed as ``text``, or None; True stands for full points."""
    if len(text) > _MAX_NUMBER:
        return None
    boolean = _BOOLEAN.fullmatch(text.strip())
    if boolean is not None:
        return _FULL if boolean[1] == "True" else 0.0
    number = _NUMBER.fullmatch(text.strip())
    return float(number["number"]) if number else None


def failed_in_hidden_part(cell: SourceCell, executed: NotebookNode) -> bool:
    """Return whether the error came from a hidden line; True also where the line cannot be found.

    Only the location is read: the error's own text may say anything.
    """
    if not cell.hidden:
        return False
    errors = (output.traceback for output in executed.outputs if output.output_type == "error")
    traceback: Sequence[str] = next(errors, [])
    for count, line in _LOCATION.findall("\n".join(traceback)[:20_000]):
        if int(count) == executed.get("execution_count"):
            return int(line) in cell.hidden or int(line) > cell.source.count("\n") + 1
    return True


def _failure(error: CellError, cell: SourceCell, executed: NotebookNode) -> Message:
    if failed_in_hidden_part(cell, executed):
        return message("A hidden test failed ({error}).", error=public_name(error.name))
    text = f"{error.name}: {error.message}" if error.message else error.name
    return message("The test failed: {error}", error=text[:_MAX_ERROR])


def public_name(name: str) -> str:
    """Return the name of a built-in exception, else ``Exception``: a test's own class may reveal what it checks."""
    known = getattr(builtins, name, None)
    return name if isinstance(known, type) and issubclass(known, BaseException) else "Exception"
