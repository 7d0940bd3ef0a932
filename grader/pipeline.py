"""Grade a class: call the stages in order for several submissions at once, and keep the written files valid."""

from __future__ import annotations

import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from grader.data import hidden_sets
from grader.data.group_photos import group_assignment
from grader.execution.multi_notebook import run_notebooks
from grader.execution.runner import PreparedAssignment, prepare_assignment, run_submission
from grader.files.csv_sheet import read_sheet
from grader.grading.grading import grade_scores
from grader.grading.results import write_results
from grader.i18n.message import Message, message
from grader.lms.archive.submissions import read_submissions
from grader.lms.export_request import GradebookFile
from grader.lms.roster.class_list import Roster, parse_roster
from grader.lms.roster.extensions import apply_extensions
from grader.models.assignment import Assignment
from grader.models.errors import IntakeError, OutputError, Stopped
from grader.models.grade import Graded
from grader.models.intake import Intake
from grader.models.pdf_report import Document
from grader.models.run import Outcome, Run
from grader.models.submission import Student, Submission
from grader.report.intake_page import write_intake_page
from grader.report.pages import write_class_page, write_student_report
from grader.sandbox.base import Sandbox
from grader.sandbox.memory import memory_for_each
from grader.scoring.report_pdf.document_reader import read_document
from grader.scoring.rubric import document as report_criteria
from grader.scoring.rubric.metric import Truth
from grader.scoring.scoring import open_truth, score_run

SECONDS_BETWEEN_WRITES = 5.0

Progress = Callable[[Graded], None]
Announce = Callable[[Message], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one grading. ``secret`` determines the hidden set; ``jobs`` notebooks run at once."""

    out: Path
    secret: bytes
    language: str = "en"
    jobs: int = 1
    threads: int = 1  # of each notebook
    library: Path | None = None  # downloaded data and weights, laid out as KERAS_HOME
    absent: tuple[Student, ...] = ()  # on the class list without a submission: listed without a grade
    lacking_files: frozenset[str] = frozenset()  # names of files that every notebook reads and nobody gives
    announce: Announce = lambda _words: None  # called before the first notebook, for slow steps and warnings


@dataclass(frozen=True, slots=True)
class ClassFiles:
    """The submissions of a class as the teacher has them, and the teacher's own lists of the class."""

    paths: tuple[Path, ...]
    lms: str = "auto"
    roster: Path | None = None
    extensions: Path | None = None
    gradebooks: tuple[GradebookFile, ...] = ()  # the LMS's gradebooks; a single one is the class list too


def read_class(files: ClassFiles, assignment: Assignment, workspace: Path, *, language: str, out: Path) -> Intake:
    """Read the submissions and write every decision about them to ``out/intake.html``, before anything is run.

    Raises ``IntakeError`` if a path or a list cannot be read, ``OutputError`` if a folder cannot be written.
    """
    roster = _roster(files)
    intake = read_submissions(files.paths, lms=files.lms, workspace=workspace, assignment=assignment, roster=roster)
    intake = apply_extensions(intake, files.extensions, assignment.late)
    write_intake_page(intake, assignment, language=language, out=out)
    return intake


def _roster(files: ClassFiles) -> Roster | None:
    """Return the class list given by the teacher, else the one read from the LMS's only gradebook, else None."""
    if files.roster is not None:
        return parse_roster(read_sheet(files.roster))
    if len(files.gradebooks) != 1:
        return None
    try:
        return parse_roster(files.gradebooks[0].sheet)
    except IntakeError:  # column titles in a language that only the LMS's own reader knows
        return None


def grade_class(
    assignment: Assignment,
    submissions: Sequence[Submission],
    sandbox: Sandbox,
    settings: Settings,
    *,
    progress: Progress = lambda _graded: None,
) -> tuple[Graded, ...]:
    """Grade every submission and write the results below ``settings.out``.

    On KeyboardInterrupt the running notebooks are ended, the files hold the finished submissions, and the exception is
    raised again. Raises OutputError before anything is run if the folder cannot be written.
    """
    make_writable(settings.out)
    with tempfile.TemporaryDirectory(prefix="grader-data-") as workspace:
        prepared = _prepare(assignment, settings, Path(workspace))
        return _grade_prepared(prepared, submissions, sandbox, settings, progress)


def _prepare(assignment: Assignment, settings: Settings, workspace: Path) -> Assignment:
    if assignment.public is not None:
        settings.announce(message("Drawing the hidden rows of {set} …", set=assignment.public.set))
    assignment = assignment.with_memory(memory_for_each(settings.jobs))
    prepared = hidden_sets.prepare_data(assignment, settings.secret, settings.library, workspace)
    for warning in prepared.warnings:
        settings.announce(warning)
    return prepared


def _grade_prepared(
    assignment: Assignment,
    submissions: Sequence[Submission],
    sandbox: Sandbox,
    settings: Settings,
    progress: Progress,
) -> tuple[Graded, ...]:
    prepared = prepare_assignment(assignment, settings.secret, threads=settings.threads, library=settings.library)
    prepared = replace(prepared, lacking_files=settings.lacking_files)
    truth = open_truth(assignment, settings.secret)
    results: list[Graded] = []
    written = time.monotonic()
    try:
        for graded in _grade_all(submissions, prepared, truth, sandbox, settings):
            results.append(graded)
            progress(graded)
            if time.monotonic() - written > SECONDS_BETWEEN_WRITES:
                _write_class(_in_order(results, submissions), assignment, settings)
                written = time.monotonic()
    finally:
        _write_class(_in_order(results, submissions), assignment, settings)
    return _in_order(results, submissions)


def make_writable(out: Path) -> None:
    """Create the folder ``out``; raises OutputError if nothing can be written there."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".grader-writes-here"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise OutputError(
            message(
                "{path}: cannot be written: {error}; choose another folder with --out", path=out, error=error.strerror
            )
        ) from error


def _grade_all(
    submissions: Sequence[Submission],
    prepared: PreparedAssignment,
    truth: Truth | None,
    sandbox: Sandbox,
    settings: Settings,
) -> Iterator[Graded]:
    """Yield every graded submission as soon as it is finished."""
    waiting = list(reversed(submissions))
    running: set[Future[Graded]] = set()
    with ThreadPoolExecutor(max_workers=settings.jobs) as pool:
        try:
            while waiting or running:
                while waiting and len(running) < settings.jobs:
                    running.add(pool.submit(_grade_one, waiting.pop(), prepared, truth, sandbox, settings))
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BaseException:
            sandbox.close()  # else leaving the pool would wait for the running notebooks
            raise


def _grade_one(
    submission: Submission, prepared: PreparedAssignment, truth: Truth | None, sandbox: Sandbox, settings: Settings
) -> Graded:
    try:
        if prepared.assignment.pictures is not None and submission.notebook is not None:
            graded = _grade_own_photos(submission, prepared, sandbox, settings)
        else:
            run_all = run_submission if prepared.assignment.course is None else run_notebooks
            document = _read_report(submission, prepared.assignment)
            run = run_all(submission, prepared, sandbox, out=settings.out, document=document)
            graded = _score_and_grade(submission, run, prepared.assignment, truth)
        _write_student(graded, prepared.assignment, settings)
    except Stopped:
        raise
    except Exception as error:  # noqa: BLE001  a fault of the grader: the class goes on, no student loses a point
        graded = _score_and_grade(submission, _fault_run(error), prepared.assignment, truth)
        _write_student(graded, prepared.assignment, settings)
    return graded


def _grade_own_photos(
    submission: Submission, prepared: PreparedAssignment, sandbox: Sandbox, settings: Settings
) -> Graded:
    """Grade a submission on hidden photos taken from its own; they are deleted when it is graded."""
    with tempfile.TemporaryDirectory(prefix="grader-pictures-") as workspace:
        own = group_assignment.prepare(submission, prepared.assignment, settings.secret, Path(workspace))
        own_prepared = prepare_assignment(
            own.assignment,
            settings.secret,
            threads=settings.threads,
            library=settings.library,
            photo_survey=own.survey,
        )
        own_prepared = replace(own_prepared, lacking_files=settings.lacking_files)
        own_truth = open_truth(own.assignment, settings.secret)
        document = _read_report(submission, own.assignment)
        run = run_submission(own.submission, own_prepared, sandbox, out=settings.out, document=document)
        return _score_and_grade(submission, run, own.assignment, own_truth)


def _read_report(submission: Submission, assignment: Assignment) -> Document | None:
    """Return the PDF report of a submission, or None if the rubric asks for none."""
    wanted = report_criteria.wanted(assignment.rubric)
    return None if wanted is None else read_document(submission.attachments, wanted)


def _score_and_grade(submission: Submission, run: Run, assignment: Assignment, truth: Truth | None) -> Graded:
    return Graded(submission, run, grade_scores(submission, run, score_run(run, assignment, truth), assignment.late))


def _fault_run(error: Exception) -> Run:
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    text = f"{type(error).__name__}: {error} ({where})"
    return Run(Outcome.GRADER_FAULT, message("The grader failed: {error}", error=text[:300]))


def _write_student(graded: Graded, assignment: Assignment, settings: Settings) -> None:
    folder = settings.out / "students" / graded.submission.student.id
    write_student_report(graded, assignment, language=settings.language, folder=folder)


def _write_class(results: Sequence[Graded], assignment: Assignment, settings: Settings) -> None:
    write_results(results, assignment, settings.out, datetime.now(UTC), absent=settings.absent)
    write_class_page(results, assignment, language=settings.language, out=settings.out)


def _in_order(results: Sequence[Graded], submissions: Sequence[Submission]) -> tuple[Graded, ...]:
    places = {submission.student.id: place for place, submission in enumerate(submissions)}
    return tuple(sorted(results, key=lambda graded: places[graded.submission.student.id]))
