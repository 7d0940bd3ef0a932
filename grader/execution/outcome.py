"""How a run ended, in one word and in a sentence: read off the sandbox's reply and the executed notebook."""

from __future__ import annotations

from nbformat import NotebookNode

from grader.i18n.message import Message, message
from grader.models.assignment import Limits
from grader.models.facts import Facts
from grader.models.run import Cell, Outcome
from grader.sandbox.base import EndReason, Reply

CELL_OUTCOMES = {"MemoryError": Outcome.MEMORY, "ResourceExhaustedError": Outcome.MEMORY}
TOO_LARGE = "File too large"  # what the system says at the limit for one file


def outcome_of(
    reply: Reply, executed: NotebookNode | None, cells: tuple[Cell, ...], limits: Limits
) -> tuple[Outcome, Message | None]:
    """The outcome and, unless it is OK, why."""
    timeout_cell, died_cell = _noted_cell(executed, "timeout_cell"), _noted_cell(executed, "died_cell")
    if reply.ended in (EndReason.MEMORY, EndReason.DISK, EndReason.PROCESSES):
        return _limit_met(reply, limits, _running_cell(cells))
    if died_cell is not None:
        return Outcome.ERROR, message(
            "The notebook's process ended in cell {cell}; the cells after it did not run.", cell=died_cell + 1
        )
    if timeout_cell is not None or reply.cell_seconds >= limits.seconds or reply.ended is EndReason.TIMEOUT:
        return Outcome.TIMEOUT, _timeout_reason(timeout_cell, limits.seconds)
    if executed is None and reply.ended is EndReason.FINISHED:
        # The driver always leaves a valid one, so it was the notebook that put something else there.
        return Outcome.ERROR, message("The notebook wrote over the file that holds its results; they are lost.")
    if reply.ended is EndReason.DIED:
        return Outcome.ERROR, message("The notebook ended the process that runs it; the rest did not run.")
    return _cell_outcome([cell for cell in cells if cell.error is not None])


def cut_short(facts: Facts) -> Message | None:
    """Why a run whose every cell ended by itself ran out of time all the same; None when it did not."""
    number, fit = next(((number, fit) for number, fit in enumerate(facts.fits, 1) if fit.cut_short), (0, None))
    if fit is None:
        return None
    return message(
        "Training {number} was cut short after {epochs} epochs: its time was up. The model so far was graded.",
        number=number,
        epochs=fit.epochs,
    )


def slow_cells(executed: NotebookNode | None, limits: Limits) -> tuple[Message, ...]:
    """A note when cells met the limit for one cell; the notebook went on after them."""
    slow = _notes(executed).get("slow_cells", [])
    cells = [str(place + 1) for place in map(_place, slow if isinstance(slow, list) else []) if place is not None]
    if not cells or limits.cell_seconds is None:
        return ()
    return (
        message(
            "Stopped after {seconds:.0f} s, the limit for one cell, and went on with the next: cell {cells}.",
            seconds=limits.cell_seconds,
            cells=", ".join(cells[:20]),
        ),
    )


def _limit_met(reply: Reply, limits: Limits, cell: int) -> tuple[Outcome, Message]:
    if reply.ended is EndReason.MEMORY:
        return Outcome.MEMORY, message(
            "Stopped in cell {cell}: it used {used:.1f} GB of memory, the limit is {limit:.1f} GB.",
            cell=cell,
            used=reply.used / 1024,
            limit=limits.memory_mb / 1024,
        )
    if reply.ended is EndReason.DISK:
        return Outcome.DISK, message(
            "Stopped in cell {cell}: it wrote {used:.0f} MB, the limit is {limit} MB.",
            cell=cell,
            used=reply.used,
            limit=limits.disk_mb,
        )
    return Outcome.FORBIDDEN, message(
        "Stopped in cell {cell}: it had {used:.0f} processes and threads, the limit is {limit}.",
        cell=cell,
        used=reply.used,
        limit=limits.processes,
    )


def _running_cell(cells: tuple[Cell, ...]) -> int:
    """The number, from 1, of the cell that was running when everything was killed: the first without its result."""
    waiting = (cell.index + 1 for cell in cells if cell.kind == "code" and cell.characters and not cell.ran)
    return next(waiting, len(cells))


def _timeout_reason(cell: int | None, seconds: float) -> Message:
    if cell is None:
        return message(
            "The time limit of {seconds:.0f} s was reached; what was there by then was graded.", seconds=seconds
        )
    return message(
        "Stopped in cell {cell}: the time limit of {seconds:.0f} s was reached. What was there by then was graded.",
        cell=cell + 1,
        seconds=seconds,
    )


def _cell_outcome(failed: list[Cell]) -> tuple[Outcome, Message | None]:
    if not failed:
        return Outcome.OK, None
    error = failed[0].error
    assert error is not None
    outcome = CELL_OUTCOMES.get(error.name, Outcome.DISK if TOO_LARGE in error.message else Outcome.ERROR)
    values = {"cell": failed[0].index + 1, "name": error.name, "text": error.message[:200]}
    if len(failed) == 1:
        return outcome, message("Cell {cell} failed: {name}: {text}", **values)
    return outcome, message("{n} cells failed; the first is cell {cell}: {name}: {text}", n=len(failed), **values)


def _notes(executed: NotebookNode | None) -> dict[str, object]:
    """The driver's notes in the executed notebook. A student could write them too, and gains nothing."""
    notes = executed.metadata.get("grader", {}) if executed is not None else {}
    return notes if isinstance(notes, dict) else {}


def _noted_cell(executed: NotebookNode | None, name: str) -> int | None:
    return _place(_notes(executed).get(name))


def _place(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 100_000 else None
