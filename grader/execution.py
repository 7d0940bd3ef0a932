"""One submission through the sandbox: ``run_submission`` gives a ``Run``, whatever the notebook did."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
import numpy as np
from nbformat import NotebookNode
from numpy.typing import NDArray

from grader import datasets, notebook
from grader.errors import GraderError
from grader.facts import read_facts
from grader.records import Assignment, Cell, Facts, Message, Outcome, Run, Submission, message
from grader.sandbox.base import Ended, Job, Question, Reply, Sandbox
from grader.sandbox.guest import protocol

MAX_NEIGHBOUR_CHANGES = 1  # rows: one may sit exactly on the threshold


@dataclass(frozen=True, slots=True)
class Exam:
    """What every submission of a class is given, made once. Its hidden inputs have no labels with them."""

    assignment: Assignment
    secret: bytes
    threads: int = 1
    public: datasets.Table | None = None
    hidden_inputs: NDArray[np.float64] | None = None


def prepare_exam(assignment: Assignment, secret: bytes, *, threads: int = 1) -> Exam:
    if assignment.data is None:
        return Exam(assignment, secret, threads)
    return Exam(
        assignment,
        secret,
        threads,
        datasets.public_table(assignment.data),
        datasets.hidden_inputs(assignment, secret),
    )


def run_submission(submission: Submission, exam: Exam, sandbox: Sandbox, *, out: Path) -> Run:
    """Keeps ``out/students/<id>/executed.ipynb`` and ``out/predictions/<id>.npy``; raises nothing for a student's fault.

    A fault of the sandbox or of the grader is the outcome GRADER_FAULT.
    """
    if submission.problem is not None or submission.notebook is None:
        return Run(
            submission.outcome or Outcome.MISSING,
            reason=submission.problem or message("No notebook was handed in."),
            confinement=sandbox.confinement,
        )
    try:
        parsed = notebook.parse(submission.notebook.read_bytes())
        if parsed.notebook is None:
            return Run(Outcome.MISSING, parsed.problem, notes=parsed.notes, confinement=sandbox.confinement)
        asked = _asked(submission, exam)
        reply = sandbox.run(_job(parsed.notebook, submission, exam, asked))
        run = _interpreted(reply, submission, exam, asked, out)
    except (GraderError, OSError) as error:
        fault = message("The grader failed: {error}", error=str(error))
        return Run(Outcome.GRADER_FAULT, fault, confinement=sandbox.confinement)
    return replace(run, notes=parsed.notes + run.notes, confinement=sandbox.confinement)


# ------------------------------------------------------------------ the job


@dataclass(frozen=True, slots=True)
class _Asked:
    """In which order this submission is asked the hidden rows: neither order nor place helps from run to run."""

    again: NDArray[np.intp]  # rows asked once more, alone or in other company
    order: NDArray[np.intp]  # all rows, shuffled

    @property
    def rows(self) -> NDArray[np.intp]:
        return np.concatenate([self.again, self.order])


def _asked(submission: Submission, exam: Exam) -> _Asked | None:
    if exam.hidden_inputs is None:
        return None
    rng = np.random.default_rng(datasets.derived_seed(exam.secret, "order", submission.digest))
    rows = len(exam.hidden_inputs)
    return _Asked(rng.integers(0, rows, protocol.ALONE + protocol.TOGETHER), rng.permutation(rows))


def _job(parsed: NotebookNode, submission: Submission, exam: Exam, asked: _Asked | None) -> Job:
    data = exam.assignment.data
    files = {attachment.name: attachment.path for attachment in submission.attachments}
    files |= {path.name: path for path in data.files} if data else {}  # the teacher's copy wins
    question = None
    if data and asked is not None and exam.public is not None and exam.hidden_inputs is not None:
        question = Question(
            task=data.task,
            columns=data.inputs,
            public_inputs=exam.public.inputs,
            public_targets=exam.public.targets,
            hidden_inputs=exam.hidden_inputs[asked.rows],
        )
    text = nbformat.writes(notebook.runnable(parsed))
    return Job(text.encode("utf-8", "replace"), files, exam.assignment.limits, exam.threads, question)


# ------------------------------------------------------------------ the reply


def _interpreted(reply: Reply, submission: Submission, exam: Exam, asked: _Asked | None, out: Path) -> Run:
    executed = notebook.validated(reply.executed or b"", protocol.MAX_EXECUTED_BYTES)
    if reply.ended is Ended.FAULT or (executed is None and reply.ended is Ended.FINISHED):
        reason = message("The grader failed: {error}", error=_last_line(reply.log) or "no executed notebook came back")
        return Run(Outcome.GRADER_FAULT, reason, seconds=reply.seconds)
    cells = notebook.describe_cells(executed) if executed is not None else ()
    facts = read_facts(reply.facts, cells)
    outcome, reason = _outcome(reply, executed, cells, exam.assignment)
    predictions, depends = _predictions(reply.predictions, asked)
    return Run(
        outcome=outcome,
        reason=reason,
        cells=cells,
        facts=facts or Facts(),
        executed=_kept_notebook(executed, out / "students" / submission.student.id),
        predictions=_kept_predictions(predictions, out / "predictions" / f"{submission.student.id}.npy"),
        no_predictions=None if predictions is not None else _why_none(reply, facts, outcome, reason),
        depends_on_neighbours=depends,
        seconds=reply.seconds,
        cell_seconds=reply.cell_seconds,
        peak_memory_mb=reply.peak_memory_mb,
        notes=_slow_cells(executed, exam.assignment),
    )


def _last_line(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def _outcome(
    reply: Reply, executed: NotebookNode | None, cells: tuple[Cell, ...], assignment: Assignment
) -> tuple[Outcome, Message | None]:
    limits, status = assignment.limits, _status(executed)
    failed = [cell for cell in cells if cell.error is not None]
    match reply.ended:
        case Ended.MEMORY:
            return Outcome.MEMORY, message(
                "Stopped: it used {used:.1f} GB of memory, the limit is {limit:.1f} GB.",
                used=reply.used / 1024,
                limit=limits.memory_mb / 1024,
            )
        case Ended.DISK:
            return Outcome.DISK, message(
                "Stopped: it wrote {used:.0f} MB, the limit is {limit} MB.", used=reply.used, limit=limits.disk_mb
            )
        case Ended.PROCESSES:
            return Outcome.FORBIDDEN, message(
                "Stopped: it had {used:.0f} processes and threads, the limit is {limit}.",
                used=reply.used,
                limit=limits.processes,
            )
    timed_out = status["timeout_cell"] is not None or reply.cell_seconds >= limits.seconds
    if timed_out or (reply.ended is Ended.TIMEOUT and not status["died_cell"]):
        return Outcome.TIMEOUT, _timeout_reason(status["timeout_cell"], limits.seconds)
    if status["died_cell"] is not None:
        return Outcome.ERROR, message(
            "The notebook's process ended in cell {cell}; the cells after it did not run.",
            cell=status["died_cell"] + 1,
        )
    if reply.ended is Ended.DIED:
        return Outcome.ERROR, message("The notebook ended the process that runs it; the rest did not run.")
    return _cell_outcome(failed)


def _cell_outcome(failed: list[Cell]) -> tuple[Outcome, Message | None]:
    if not failed:
        return Outcome.OK, None
    error = failed[0].error
    assert error is not None
    kinds = {"MemoryError": Outcome.MEMORY, "ResourceExhaustedError": Outcome.MEMORY}
    outcome = kinds.get(error.name, Outcome.DISK if "File too large" in error.message else Outcome.ERROR)
    return outcome, message(
        "{n} cells failed; the first is cell {cell}: {name}: {text}",
        n=len(failed),
        cell=failed[0].index + 1,
        name=error.name,
        text=error.message[:200],
    )


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


def _status(executed: NotebookNode | None) -> dict[str, int | None]:
    """The driver's own notes in the executed notebook; a student could write them, and gains nothing."""
    notes = executed.metadata.get("grader", {}) if executed is not None else {}
    return {name: _place(notes.get(name)) for name in ("timeout_cell", "died_cell")}


def _place(value: object) -> int | None:
    return value if isinstance(value, int) and 0 <= value < 100_000 else None


def _slow_cells(executed: NotebookNode | None, assignment: Assignment) -> tuple[Message, ...]:
    notes = executed.metadata.get("grader", {}) if executed is not None else {}
    slow = notes.get("slow_cells", [])
    cells = [place + 1 for place in map(_place, slow if isinstance(slow, list) else []) if place is not None]
    if not cells:
        return ()
    return (
        message(
            "Stopped after {seconds:.0f} s, the limit for one cell, and went on with the next: cell {cells}.",
            seconds=assignment.limits.cell_seconds or 0,
            cells=", ".join(map(str, cells[:20])),
        ),
    )


# ------------------------------------------------------------------ predictions


def _predictions(data: bytes | None, asked: _Asked | None) -> tuple[NDArray[np.generic] | None, bool]:
    """The answers in the hidden set's own order, and whether they changed with the rows around them."""
    raw = _array(data)
    if raw is None or asked is None:
        return None, False
    repeated = len(asked.again)
    if raw.ndim not in (1, 2) or len(raw) != repeated + len(asked.order):
        return raw, False  # for the metric to refuse, with the shape found
    answers = np.empty_like(raw[repeated:])
    answers[asked.order] = raw[repeated:]
    same = np.isclose(raw[:repeated].astype(np.float64), answers[asked.again].astype(np.float64), rtol=1e-3, atol=1e-4)
    changed = np.count_nonzero(~same.reshape(repeated, -1).all(axis=1))
    return answers, bool(changed > MAX_NEIGHBOUR_CHANGES)


def _array(data: bytes | None) -> NDArray[np.generic] | None:
    """Numbers only: an ``.npy`` that would need pickle, or that lies about its size, is none."""
    if data is None:
        return None
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError, SyntaxError, MemoryError):
        return None
    return array if isinstance(array, np.ndarray) and array.dtype.kind in "biuf" else None


def _why_none(reply: Reply, facts: Facts | None, outcome: Outcome, reason: Message | None) -> Message:
    if facts is None:
        return reason if reason is not None and outcome is not Outcome.OK else _ask_for_model()
    if facts.chosen is not None:
        return message(
            "{source} worked on the public data, but gave no answers for the hidden rows: "
            "an error, or it took more than {seconds:.0f} s.",
            source=facts.chosen.source,
            seconds=protocol.PROBE_SECONDS,
        )
    problems = [attempt for attempt in facts.attempts if attempt.problem]
    if problems:
        return message(
            "{source} was tried on the public data: {problem}. Expected: predict(X) takes the raw columns and returns "
            "one number for each row.",
            source=problems[0].source,
            problem=problems[0].problem,
        )
    return _ask_for_model()


def _ask_for_model() -> Message:
    return message(
        "No trained model was found. Leave a fitted Keras or scikit-learn model in the variable model, or define "
        "predict(X): raw columns in, one answer per row out."
    )


def _kept_notebook(executed: NotebookNode | None, folder: Path) -> Path | None:
    if executed is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "executed.ipynb"
    protocol.write_atomically(path, nbformat.writes(executed).encode("utf-8", "replace"))
    return path


def _kept_predictions(predictions: NDArray[np.generic] | None, path: Path) -> Path | None:
    if predictions is None:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.save(buffer, predictions, allow_pickle=False)
    protocol.write_atomically(path, buffer.getvalue())
    return path
