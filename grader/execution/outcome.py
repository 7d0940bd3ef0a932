"""Outcome of a run and the reason for it, derived from the sandbox's reply and the executed notebook."""

from __future__ import annotations

import math

from nbformat import NotebookNode

from grader.i18n.message import Message, message
from grader.models.assignment import Limits
from grader.models.facts import Facts
from grader.models.run import Cell, Outcome
from grader.sandbox.base import EndReason, Reply

CELL_OUTCOMES = {"MemoryError": Outcome.MEMORY, "ResourceExhaustedError": Outcome.MEMORY}
TOO_LARGE = "File too large"  # error message of the system at the limit for one file


def determine_outcome(
    reply: Reply, executed: NotebookNode | None, cells: tuple[Cell, ...], limits: Limits
) -> tuple[Outcome, Message | None]:
    """Return the outcome and, unless it is OK, its reason."""
    timeout_cell, died_cell = _noted_cell(executed, "timeout_cell"), _noted_cell(executed, "died_cell")
    if reply.ended in (EndReason.MEMORY, EndReason.DISK, EndReason.PROCESSES):
        return _describe_limit(reply, limits, _running_cell(cells))
    if died_cell is not None:
        return Outcome.ERROR, message(
            "The notebook's process ended in cell {cell}; the cells after it were not executed.", cell=died_cell + 1
        )
    if timeout_cell is not None or reply.cell_seconds >= limits.seconds or reply.ended is EndReason.TIMEOUT:
        return Outcome.TIMEOUT, _timeout_reason(timeout_cell, limits.seconds)
    if executed is None or reply.ended in (EndReason.FAULT, EndReason.DIED):
        return Outcome.ERROR, message("The run of the notebook broke off; the rest was not executed.")
    failed = [cell for cell in cells if cell.error is not None]
    if failed and failed[0].index in _noted_cells(executed, "shared_cells"):
        return Outcome.TIMEOUT, message(
            "Stopped in cell {cell}, so that the cells after it had time; they were executed. All cells together have "
            "a time limit of {seconds:.0f} s.",
            cell=failed[0].index + 1,
            seconds=limits.seconds,
        )
    return _cell_outcome(failed, reply, limits)


def describe_cut_training(facts: Facts) -> Message | None:
    """Return the reason why a run without a stopped cell ran out of time: a training cut short. None without one."""
    number, fit = next(((number, fit) for number, fit in enumerate(facts.fits, 1) if fit.cut_short), (0, None))
    if fit is None:
        return None
    if fit.samples_reached:
        return message(
            "Training {number} was cut short after {epochs} epochs: the limit of training samples was reached. The "
            "model so far was graded.",
            number=number,
            epochs=fit.epochs,
        )
    return message(
        "Training {number} was cut short after {epochs} epochs: the time limit was reached. The model so far was "
        "graded.",
        number=number,
        epochs=fit.epochs,
    )


def slow_cell_notes(executed: NotebookNode | None, limits: Limits) -> tuple[Message, ...]:
    """Return a note if cells reached the time limit for one cell; execution continued after them."""
    cells = [str(place + 1) for place in _noted_cells(executed, "slow_cells")]
    if not cells or limits.cell_seconds is None:
        return ()
    return (
        message(
            "Stopped at the limit of {seconds:.0f} s for one cell, and continued with the next cell: cell {cells}.",
            seconds=limits.cell_seconds,
            cells=", ".join(cells[:20]),
        ),
    )


def _describe_limit(reply: Reply, limits: Limits, cell: int) -> tuple[Outcome, Message]:
    if reply.ended is EndReason.MEMORY:
        values = {"cell": cell, "used": reply.used / 1024, "limit": limits.memory_limit_mb / 1024}
        if reply.by_kernel:
            return Outcome.MEMORY, message(
                "Stopped in cell {cell} by the operating system: it used {used:.1f} GB of memory, the limit is "
                "{limit:.1f} GB.",
                **values,
            )
        return Outcome.MEMORY, message(
            "Stopped in cell {cell}: it used {used:.1f} GB of memory, the limit is {limit:.1f} GB.", **values
        )
    if reply.ended is EndReason.DISK and math.isinf(reply.used):
        return Outcome.DISK, message(
            "Stopped in cell {cell}: the space on the disk that it used cannot be measured. Its folders are nested too "
            "deep, or nobody may list them.",
            cell=cell,
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
    """Return the number, from 1, of the cell that was running at the kill: the first one without a result."""
    waiting = (cell.index + 1 for cell in cells if cell.kind == "code" and cell.characters and not cell.ran)
    return next(waiting, len(cells))


def _timeout_reason(cell: int | None, seconds: float) -> Message:
    if cell is None:
        return message(
            "The time limit of {seconds:.0f} s was reached; the results up to then were graded.", seconds=seconds
        )
    return message(
        "Stopped in cell {cell}: the time limit of {seconds:.0f} s was reached. The results up to then were graded.",
        cell=cell + 1,
        seconds=seconds,
    )


def _cell_outcome(failed: list[Cell], reply: Reply, limits: Limits) -> tuple[Outcome, Message | None]:
    if not failed:
        return Outcome.OK, None
    error = failed[0].error
    assert error is not None
    outcome = CELL_OUTCOMES.get(error.name, Outcome.DISK if TOO_LARGE in error.message else Outcome.ERROR)
    values = {"cell": failed[0].index + 1, "name": error.name, "text": error.message[:200]}
    if outcome is Outcome.MEMORY:
        return outcome, message(
            "Cell {cell} failed: {name}: {text} Up to then the notebook had used {used:.1f} GB of memory; the limit is "
            "{limit:.1f} GB.",
            **values,
            used=reply.peak_memory_mb / 1024,
            limit=limits.memory_limit_mb / 1024,
        )
    if len(failed) == 1:
        return outcome, message("Cell {cell} failed: {name}: {text}", **values)
    return outcome, message("{n} cells failed; the first is cell {cell}: {name}: {text}", n=len(failed), **values)


def _notes(executed: NotebookNode | None) -> dict[str, object]:
    """Return the driver's notes in the executed notebook."""
    notes = executed.metadata.get("grader", {}) if executed is not None else {}
    return notes if isinstance(notes, dict) else {}


def _noted_cell(executed: NotebookNode | None, name: str) -> int | None:
    return _place(_notes(executed).get(name))


def _noted_cells(executed: NotebookNode | None, name: str) -> list[int]:
    noted = _notes(executed).get(name, [])
    return [place for place in map(_place, noted if isinstance(noted, list) else []) if place is not None]


def _place(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 100_000 else None
