"""Execution of one submission in the sandbox. ``run_submission`` returns a ``Run`` whatever the notebook does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from nbformat import NotebookNode
from numpy.typing import NDArray

from grader.data import hidden_sets
from grader.data.needs.files import describe_class_wide, missing_file
from grader.data.needs.libraries import describe_missing, missing_library
from grader.data.tables import Table
from grader.execution.carried import measure_carried
from grader.execution.evidence import Code, examine
from grader.execution.facts_parser import parse_facts
from grader.execution.outcome import describe_cut_training, determine_outcome, slow_cell_notes
from grader.execution.predictions import HiddenOrder, hidden_order, parse_predictions, save_predictions
from grader.files.atomic import write_text
from grader.files.plain_files import read_plain
from grader.i18n.message import Message, join_sentences, message
from grader.models.assignment import Assignment
from grader.models.course import TestResult
from grader.models.errors import GraderError, error_message
from grader.models.facts import Facts
from grader.models.pdf_report import Document
from grader.models.photo_survey import PhotoSurvey
from grader.models.run import Carried, Cell, Outcome, Run
from grader.models.submission import Submission
from grader.notebook import name_errors, parse
from grader.notebook.written_text import count_written
from grader.sandbox.base import EndReason, Job, Question, Reply, Sandbox
from grader.sandbox.guest import protocol
from grader.spec.formats.course_format import format_of
from grader.spec.listing import STARTER

MAX_MODULE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class PreparedAssignment:
    """An assignment with everything its submissions share, computed once. The hidden inputs have no labels."""

    assignment: Assignment
    secret: bytes
    threads: int = 1
    library: Path | None = None  # offline data for notebooks, laid out as KERAS_HOME
    public: Table | None = None  # the sample of public rows on which the guest tries ways to call the model
    hidden_inputs: NDArray[np.generic] | None = None
    starter_sources: frozenset[str] = frozenset()  # sources of the starter's cells
    lacking_files: frozenset[str] = frozenset()  # names of files that every notebook reads and nobody gives
    photo_survey: PhotoSurvey | None = None  # for an assignment made from the photos of one submission


def prepare_assignment(
    assignment: Assignment,
    secret: bytes,
    *,
    threads: int = 1,
    library: Path | None = None,
    photo_survey: PhotoSurvey | None = None,
) -> PreparedAssignment:
    data = assignment.data
    return PreparedAssignment(
        assignment,
        secret,
        threads,
        library if library is not None and library.is_dir() else None,
        public=_sample(hidden_sets.public_table(data)) if data else None,
        hidden_inputs=hidden_sets.hidden_inputs(assignment, secret) if data else None,
        starter_sources=_starter_sources(assignment.folder / STARTER),
        photo_survey=photo_survey,
    )


def _sample(public: Table) -> Table:
    """Return rows from all parts of the table, which may be sorted by label; the same rows for the whole class."""
    rows = np.random.default_rng(0).permutation(len(public.inputs))[: protocol.PUBLIC_ROWS]
    return public.rows(np.sort(rows))


def _starter_sources(path: Path) -> frozenset[str]:
    starter = parse.parse(path.read_bytes()).notebook if path.is_file() else None
    return frozenset(cell.source.strip() for cell in starter.cells) if starter else frozenset()


def run_submission(
    submission: Submission,
    prepared: PreparedAssignment,
    sandbox: Sandbox,
    *,
    out: Path,
    document: Document | None = None,
) -> Run:
    """Execute a submission and write ``out/students/<id>/executed.ipynb`` and ``out/predictions/<id>.npy``.

    A fault of the student raises nothing; a fault of the sandbox or of the grader gives the outcome GRADER_FAULT.
    In a course the executed notebook is written to ``executed/<notebook_name>`` instead, without hidden tests.
    ``document`` is the student's PDF report, already source.
    """
    run = _run(submission, prepared, sandbox, out=out)
    return replace(run, confinement=sandbox.confinement, document=document, photo_survey=prepared.photo_survey)


def _run(submission: Submission, prepared: PreparedAssignment, sandbox: Sandbox, *, out: Path) -> Run:
    if submission.problem is not None or submission.notebook is None:
        reason = submission.problem or message("No notebook was handed in.")
        return Run(submission.outcome or Outcome.MISSING, reason=reason)
    try:
        parsed = parse.parse(read_plain(submission.notebook, parse.MAX_BYTES + 1))
        if parsed.notebook is None:
            return Run(Outcome.MISSING, parsed.problem, notes=parsed.notes)
        source, order = _read_source(submission, parsed.notebook, prepared), _hidden_order(submission, prepared)
        run = _interpret(sandbox.run(_job(source, prepared, order)), source, prepared, order, out)
    except (GraderError, OSError) as error:
        return Run(Outcome.GRADER_FAULT, message("The grader failed: {error}", error=error_message(error)))
    return replace(run, notes=parsed.notes + source.notes + run.notes)


# ------------------------------------------------------------------ the job


@dataclass(frozen=True, slots=True)
class _Source:
    """A submission and its parsed notebook; in a course, with the teacher's cells put back."""

    submission: Submission
    notebook: NotebookNode
    part: str = ""
    notes: tuple[Message, ...] = ()


def _read_source(submission: Submission, notebook: NotebookNode, prepared: PreparedAssignment) -> _Source:
    course = prepared.assignment.course
    if course is None:
        return _Source(submission, notebook)
    ready, notes = format_of(course).prepare(notebook, submission.notebook_name, course)
    return _Source(submission, ready, submission.notebook_name, notes)


def _hidden_order(submission: Submission, prepared: PreparedAssignment) -> HiddenOrder | None:
    if prepared.hidden_inputs is None:
        return None
    return hidden_order(len(prepared.hidden_inputs), prepared.secret, submission.digest)


def _job(source: _Source, prepared: PreparedAssignment, order: HiddenOrder | None) -> Job:
    data, course = prepared.assignment.data, prepared.assignment.course
    teacher_files = {path.name: path for path in data.files} if data else dict(course.files) if course else {}
    teacher_files = {name: path.resolve() for name, path in teacher_files.items()}  # only the teacher may give links
    # The teacher's files take precedence, and nothing of the student's is put into the teacher's folders.
    student_files = {
        attachment.name: attachment.path
        for attachment in source.submission.attachments
        if attachment.name.split("/")[0] not in teacher_files
    }
    question = None
    if data and order is not None and prepared.public is not None and prepared.hidden_inputs is not None:
        question = Question(
            task=data.task,
            columns=data.inputs,
            public_inputs=prepared.public.inputs,
            public_targets=prepared.public.targets,
            hidden_inputs=prepared.hidden_inputs[order.rows],
        )
    text = parse.notebook_text(parse.code_only(parse.runnable_copy(source.notebook)))
    return Job(
        text.encode("utf-8", "replace"),
        student_files | teacher_files,
        prepared.assignment.limits,
        prepared.threads,
        question,
        sources={path.name: path.name for path in data.files} | dict(prepared.assignment.sources) if data else {},
        library=prepared.library,
        withheld=prepared.assignment.withheld if prepared.library is not None else {},
        longer=format_of(course).longer_cells(source.notebook) if course is not None else frozenset(),
    )


# ------------------------------------------------------------------ the reply


def _interpret(
    reply: Reply, source: _Source, prepared: PreparedAssignment, order: HiddenOrder | None, out: Path
) -> Run:
    if not reply.started and reply.ended in (EndReason.FAULT, EndReason.DIED):
        words = _last_line(reply.log) or message("The notebook could not be started.")
        fault = message("The grader failed: {error}", error=words)
        return Run(Outcome.GRADER_FAULT, fault, seconds=reply.seconds)
    executed, reviews = _read_executed(reply, source)
    tests, executed = _read_tests(executed, source, prepared)
    cells = _cells(executed, prepared.starter_sources) if executed is not None else ()
    facts = parse_facts(reply.facts, cells)
    outcome, reason = determine_outcome(reply, executed, cells, prepared.assignment.limits)
    if outcome is Outcome.OK and facts is not None and (cut := describe_cut_training(facts)) is not None:
        outcome, reason = Outcome.TIMEOUT, cut
    if outcome is Outcome.OK and reviews:
        outcome, reason = Outcome.ERROR, reviews[0]
    predictions, depends = parse_predictions(reply.predictions, order)
    findings = examine(facts, _code(source, prepared), predicted=predictions is not None)
    lacking = _describe_lacking(cells, prepared.lacking_files)
    return Run(
        outcome=outcome,
        reason=reason,
        cells=cells,
        facts=facts or Facts(),
        executed=_save_notebook(executed, source, out / "students" / source.submission.student.id),
        predictions=save_predictions(predictions, out / "predictions" / f"{source.submission.student.id}.npy"),
        no_predictions=None
        if predictions is not None or prepared.assignment.course
        else _explain_missing_predictions(facts, reason, prepared),
        withheld=findings.withheld,
        lacking=join_sentences(lacking) if lacking else None,
        contradicted=findings.contradicted,
        doubts=findings.doubts,
        depends_on_neighbours=depends,
        carried=_carried(source, prepared),
        seconds=reply.seconds,
        cell_seconds=reply.cell_seconds,
        peak_memory_mb=reply.peak_memory_mb,
        memory_limit_mb=float(prepared.assignment.limits.memory_limit_mb),
        notes=slow_cell_notes(executed, prepared.assignment.limits) + _name_error_notes(executed, cells),
        reviews=(*reviews, *lacking),
        tests=tests,
    )


def _read_executed(reply: Reply, source: _Source) -> tuple[NotebookNode | None, tuple[Message, ...]]:
    """Return the notebook as it was handed in, with the outputs of its run, and the reasons to check the run.

    A fault from the first cell on is never the grader's: it may be the notebook's work. Nor does it decide the grade,
    because it may not be.
    """
    reviews = []
    if reply.ended in (EndReason.FAULT, EndReason.DIED):
        reviews.append(message("The run broke off for an unknown reason. Look at the notebook, or grade it again."))
    executed = parse.parse_executed(reply.executed or b"", protocol.MAX_EXECUTED_BYTES)
    if executed is None:
        return None, (*reviews, message("The results of the run cannot be read. Look at the notebook."))
    merged, same = parse.take_outputs(parse.runnable_copy(source.notebook), executed)
    if not same:
        reviews.append(message("The executed notebook is not the one that was handed in. Look at the notebook."))
    return merged, tuple(reviews)


def _code(source: _Source, prepared: PreparedAssignment) -> Code:
    """Return the code that was handed in; files that are too large to be modules of a homework are left out."""
    data = prepared.assignment.data
    modules = {
        attachment.name: attachment.path.read_text("utf-8", "replace")
        for attachment in source.submission.attachments
        if attachment.name.endswith(".py") and attachment.path.stat().st_size <= MAX_MODULE_BYTES
    }
    return Code(
        [cell.source for cell in source.notebook.cells if cell.cell_type == "code"],
        modules,
        {path.name for path in data.files} if data else (),
    )


def _read_tests(
    executed: NotebookNode | None, source: _Source, prepared: PreparedAssignment
) -> tuple[tuple[TestResult, ...], NotebookNode | None]:
    """Return the results of a course's tests, and the executed notebook without what its student may not see."""
    course = prepared.assignment.course
    if course is None:
        return (), executed
    tests = format_of(course).test_results(executed, source.notebook, source.part, course)
    return tests, None if executed is None else format_of(course).student_view(
        executed, source.notebook, source.part, course
    )


def _carried(source: _Source, prepared: PreparedAssignment) -> Carried | None:
    """Measure what could hold answers, where the students know the hidden rows: a public set, or their own photos."""
    if not prepared.assignment.withheld and prepared.photo_survey is None:
        return None
    return measure_carried(source.notebook, source.submission.attachments, photos=prepared.photo_survey is not None)


def _cells(executed: NotebookNode, starter: frozenset[str]) -> tuple[Cell, ...]:
    cells = [
        replace(cell, given=node.source.strip() in starter)
        for node, cell in zip(executed.cells, parse.describe_cells(executed), strict=True)
    ]
    texts = [cell for cell in cells if cell.kind == "markdown"]
    written = count_written([executed.cells[cell.index].source.strip() for cell in texts], starter)
    counted = {cell.index: count for cell, count in zip(texts, written, strict=True)}
    return tuple(replace(cell, characters=counted.get(cell.index, cell.characters)) for cell in cells)


def _name_error_notes(executed: NotebookNode | None, cells: tuple[Cell, ...]) -> tuple[Message, ...]:
    """Return a note on each of the first NameErrors: which cell defines the name, if any."""
    sources = [cell.source if cell.cell_type == "code" else "" for cell in executed.cells] if executed else []
    errors = [(cell.index, cell.error) for cell in cells if cell.error is not None and cell.error.name == "NameError"]
    return name_errors.explain_name_errors(sources, [(index, error.message) for index, error in errors])


def _describe_lacking(cells: tuple[Cell, ...], lacking_files: frozenset[str]) -> tuple[Message, ...]:
    """Return why a person must look if cells failed for a known library or a file that the whole class lacks."""
    errors = [cell.error for cell in cells if cell.error is not None]
    modules = [name for error in errors if (name := missing_library(error.name, error.message)) is not None]
    missing = (missing_file(error.name, error.message) for error in errors)
    files = {name for name in missing if name is not None and name in lacking_files}
    libraries = (describe_missing(modules),) if modules else ()
    return (*libraries, describe_class_wide(files)) if files else libraries


def _last_line(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def _explain_missing_predictions(facts: Facts | None, reason: Message | None, prepared: PreparedAssignment) -> Message:
    if facts is None:
        return reason or _model_instructions()
    if facts.chosen is not None:
        return message(
            "{source} worked on the public data, but returned no predictions for the hidden rows: "
            "it failed, or it took more than {seconds:.0f} s.",
            source=facts.chosen.source,
            seconds=prepared.assignment.limits.predict_seconds,
        )
    problems = [attempt for attempt in facts.attempts if attempt.problem]
    if problems:
        return message(
            "{source} failed on the public data: {problem}. Expected: predict(X) takes the raw inputs and returns "
            "one number for each row.",
            source=problems[0].source,
            problem=problems[0].problem,
        )
    return _model_instructions()


def _model_instructions() -> Message:
    return message(
        "No trained model was found. Leave a fitted Keras or scikit-learn model in the variable model, or define "
        "predict(X), which takes the raw inputs and returns one prediction for each row."
    )


def _save_notebook(executed: NotebookNode | None, source: _Source, folder: Path) -> Path | None:
    if executed is None:
        return None
    path = folder / "executed" / source.part if source.part else folder / "executed.ipynb"
    write_text(path, parse.notebook_text(parse.attach_saved_outputs(executed, source.notebook)))
    return path
