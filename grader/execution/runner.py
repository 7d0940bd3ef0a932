"""One submission through the sandbox: ``run_submission`` gives a ``Run``, whatever the notebook did."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
import numpy as np
from nbformat import NotebookNode
from numpy.typing import NDArray

from grader.data import hidden_sets
from grader.data.tables import Table
from grader.execution.facts_parser import read_facts
from grader.execution.outcome import cut_short, outcome_of, slow_cells
from grader.execution.predictions import Asked, answers_in, keep_answers, order_of
from grader.files.atomic import write_text
from grader.i18n.message import Message, message
from grader.models.assignment import Assignment
from grader.models.course import TestResult
from grader.models.errors import GraderError, error_message
from grader.models.facts import Facts
from grader.models.run import Cell, Outcome, Run
from grader.models.submission import Submission
from grader.notebook import name_errors, parse
from grader.sandbox.base import EndReason, Job, Question, Reply, Sandbox
from grader.sandbox.guest import protocol
from grader.spec.formats.course_format import format_of

STARTER = "starter.ipynb"


@dataclass(frozen=True, slots=True)
class Exam:
    """What every submission of a class is given, made once. Its hidden inputs have no labels with them."""

    assignment: Assignment
    secret: bytes
    threads: int = 1
    library: Path | None = None  # offline: laid out as KERAS_HOME
    public: Table | None = None  # some of its rows: what is asked of the notebook's model first
    hidden_inputs: NDArray[np.generic] | None = None
    given: frozenset[str] = frozenset()  # sources of the starter's cells


def prepare_exam(assignment: Assignment, secret: bytes, *, threads: int = 1, library: Path | None = None) -> Exam:
    data = assignment.data
    return Exam(
        assignment,
        secret,
        threads,
        library if library is not None and library.is_dir() else None,
        public=_some_rows(hidden_sets.public_table(data)) if data else None,
        hidden_inputs=hidden_sets.hidden_inputs(assignment, secret) if data else None,
        given=_starter_cells(assignment.folder / STARTER),
    )


def _some_rows(public: Table) -> Table:
    """From everywhere in the table, which may be sorted by its answers; the same for the whole class."""
    rows = np.random.default_rng(0).permutation(len(public.inputs))[: protocol.PUBLIC_ROWS]
    return public.rows(np.sort(rows))


def _starter_cells(path: Path) -> frozenset[str]:
    starter = parse.parse(path.read_bytes()).notebook if path.is_file() else None
    return frozenset(cell.source.strip() for cell in starter.cells) if starter else frozenset()


def run_submission(submission: Submission, exam: Exam, sandbox: Sandbox, *, out: Path, part: str = "") -> Run:
    """Keeps ``out/students/<id>/executed.ipynb`` and ``out/predictions/<id>.npy``. A student's fault raises nothing.

    Of a course the notebook is its ``part``, kept as ``executed/<part>`` with nothing hidden in it. A fault of the
    sandbox or of the grader is the outcome GRADER_FAULT.
    """
    if submission.problem is not None or submission.notebook is None:
        return Run(
            submission.outcome or Outcome.MISSING,
            reason=submission.problem or message("No notebook was handed in."),
            confinement=sandbox.confinement,
        )
    try:
        parsed = parse.parse(submission.notebook.read_bytes())
        if parsed.notebook is None:
            return Run(Outcome.MISSING, parsed.problem, notes=parsed.notes, confinement=sandbox.confinement)
        read, asked = _read(submission, parsed.notebook, exam, part), _asked(submission, exam)
        run = _interpreted(sandbox.run(_job(read, exam, asked)), read, exam, asked, out)
    except (GraderError, OSError) as error:
        fault = message("The grader failed: {error}", error=error_message(error))
        return Run(Outcome.GRADER_FAULT, fault, confinement=sandbox.confinement)
    return replace(run, notes=parsed.notes + read.notes + run.notes, confinement=sandbox.confinement)


# ------------------------------------------------------------------ the job


@dataclass(frozen=True, slots=True)
class _Read:
    """A submission whose notebook could be read; of a course, with the teacher's cells in it."""

    submission: Submission
    notebook: NotebookNode
    part: str = ""
    notes: tuple[Message, ...] = ()


def _read(submission: Submission, handed_in: NotebookNode, exam: Exam, part: str) -> _Read:
    course = exam.assignment.course
    if course is None:
        return _Read(submission, handed_in)
    notebook, notes = format_of(course).prepare(handed_in, part, course)
    return _Read(submission, notebook, part, notes)


def _asked(submission: Submission, exam: Exam) -> Asked | None:
    if exam.hidden_inputs is None:
        return None
    return order_of(len(exam.hidden_inputs), exam.secret, submission.digest)


def _job(read: _Read, exam: Exam, asked: Asked | None) -> Job:
    data, course = exam.assignment.data, exam.assignment.course
    ours = {path.name: path for path in data.files} if data else dict(course.files) if course else {}
    # The teacher's copy wins; into the teacher's folders nothing is put.
    theirs = {one.name: one.path for one in read.submission.attachments if one.name.split("/")[0] not in ours}
    question = None
    if data and asked is not None and exam.public is not None and exam.hidden_inputs is not None:
        question = Question(
            task=data.task,
            columns=data.inputs,
            public_inputs=exam.public.inputs,
            public_targets=exam.public.targets,
            hidden_inputs=exam.hidden_inputs[asked.rows],
        )
    text = nbformat.writes(parse.runnable(read.notebook))
    return Job(
        text.encode("utf-8", "replace"),
        theirs | ours,
        exam.assignment.limits,
        exam.threads,
        question,
        sources={path.name: path.name for path in data.files} | dict(exam.assignment.sources) if data else {},
        library=exam.library,
        withheld=exam.assignment.withheld if exam.library is not None else {},
    )


# ------------------------------------------------------------------ the reply


def _interpreted(reply: Reply, read: _Read, exam: Exam, asked: Asked | None, out: Path) -> Run:
    executed = parse.validated(reply.executed or b"", protocol.MAX_EXECUTED_BYTES)
    if reply.ended is EndReason.FAULT:
        fault = message("The grader failed: {error}", error=_last_line(reply.log) or "no executed notebook came back")
        return Run(Outcome.GRADER_FAULT, fault, seconds=reply.seconds)
    tests, executed = _tested(executed, read, exam)
    cells = _cells(executed, exam.given) if executed is not None else ()
    facts = read_facts(reply.facts, cells)
    outcome, reason = outcome_of(reply, executed, cells, exam.assignment.limits)
    if outcome is Outcome.OK and facts is not None and (cut := cut_short(facts)) is not None:
        outcome, reason = Outcome.TIMEOUT, cut
    predictions, depends = answers_in(reply.predictions, asked)
    return Run(
        outcome=outcome,
        reason=reason,
        cells=cells,
        facts=facts or Facts(),
        executed=_kept_notebook(executed, read, out / "students" / read.submission.student.id),
        predictions=keep_answers(predictions, out / "predictions" / f"{read.submission.student.id}.npy"),
        no_predictions=None if predictions is not None or exam.assignment.course else _why_none(facts, reason, exam),
        depends_on_neighbours=depends,
        brought_kb=_brought_kb(read) if exam.assignment.withheld else 0.0,
        seconds=reply.seconds,
        cell_seconds=reply.cell_seconds,
        peak_memory_mb=reply.peak_memory_mb,
        notes=slow_cells(executed, exam.assignment.limits) + _undefined(executed, cells),
        tests=tests,
    )


def _tested(
    executed: NotebookNode | None, read: _Read, exam: Exam
) -> tuple[tuple[TestResult, ...], NotebookNode | None]:
    """What a course's tests gave, and the notebook as its student may see it."""
    course = exam.assignment.course
    if course is None:
        return (), executed
    tests = format_of(course).test_results(executed, read.notebook, read.part, course)
    return tests, None if executed is None else format_of(course).student_view(
        executed, read.notebook, read.part, course
    )


def _brought_kb(read: _Read) -> float:
    """All places where a notebook could find answers written down: its code, its text, pictures in it, files."""
    files = sum(attachment.path.stat().st_size for attachment in read.submission.attachments)
    return (len(nbformat.writes(parse.runnable(read.notebook)).encode("utf-8", "replace")) + files) / 1000


def _cells(executed: NotebookNode, starter: frozenset[str]) -> tuple[Cell, ...]:
    described = zip(executed.cells, parse.describe_cells(executed), strict=True)
    return tuple(replace(cell, given=node.source.strip() in starter) for node, cell in described)


def _undefined(executed: NotebookNode | None, cells: tuple[Cell, ...]) -> tuple[Message, ...]:
    """What the order of the cells has to do with each NameError."""
    sources = [cell.source if cell.cell_type == "code" else "" for cell in executed.cells] if executed else []
    return tuple(
        name_errors.explained(sources, cell.index, cell.error.message)
        for cell in cells
        if cell.error is not None and cell.error.name == "NameError"
    )


def _last_line(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def _why_none(facts: Facts | None, reason: Message | None, exam: Exam) -> Message:
    if facts is None:
        return reason or _ask_for_model()
    if facts.chosen is not None:
        return message(
            "{source} worked on the public data, but gave no answers for the hidden rows: "
            "an error, or it took more than {seconds:.0f} s.",
            source=facts.chosen.source,
            seconds=exam.assignment.limits.predict_seconds,
        )
    problems = [attempt for attempt in facts.attempts if attempt.problem]
    if problems:
        return message(
            "{source} was tried on the public data: {problem}. Expected: predict(X) takes the raw inputs and returns "
            "one number for each row.",
            source=problems[0].source,
            problem=problems[0].problem,
        )
    return _ask_for_model()


def _ask_for_model() -> Message:
    return message(
        "No trained model was found. Leave a fitted Keras or scikit-learn model in the variable model, or define "
        "predict(X): raw inputs in, one answer per row out."
    )


def _kept_notebook(executed: NotebookNode | None, read: _Read, folder: Path) -> Path | None:
    if executed is None:
        return None
    path = folder / "executed" / read.part if read.part else folder / "executed.ipynb"
    write_text(path, nbformat.writes(parse.with_saved_outputs(executed, read.notebook)))
    return path
