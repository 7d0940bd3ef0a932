"""Grade a class: call the stages in order for several submissions at once, and keep the written files valid."""

from __future__ import annotations

import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from grader.data import hidden_sets
from grader.data.group_photos import group_assignment
from grader.execution.multi_notebook import run_notebooks
from grader.execution.runner import PreparedAssignment, prepare_assignment, run_submission
from grader.execution.work_key import class_key, work_key
from grader.files.csv_sheet import read_sheet
from grader.gradebook.claim import claimed
from grader.gradebook.gradebook import Gradebook
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
from grader.models.photo_survey import PhotoSurvey
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
EVERYBODY = "all"

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
    regrade: frozenset[str] = frozenset()  # students by id or name whose work is run again; EVERYBODY: all
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
    with (
        claimed(settings.out),
        tempfile.TemporaryDirectory(prefix="grader-data-") as workspace,
        Gradebook(settings.out) as gradebook,
    ):
        prepared = _prepare_assignment(_prepare(assignment, settings, Path(workspace)), settings)
        truth = open_truth(prepared.assignment, settings.secret)
        session = _Session(prepared, truth, sandbox, settings, gradebook, class_key(prepared, assignment.limits))
        return _grade_session(session, submissions, progress)


@dataclass(frozen=True, slots=True)
class _Session:
    """All that the submissions of a class share while they are graded."""

    prepared: PreparedAssignment
    truth: Truth | None
    sandbox: Sandbox
    settings: Settings
    gradebook: Gradebook
    class_key: str
    kept: set[str] = field(default_factory=set)  # ids of students whose work was not run again

    def run(self, submission: Submission, run: Callable[[], Run]) -> Run:
        """Return the run that is kept for the same work; else that of ``run``, once it is on the disk."""
        work = work_key(submission, self.class_key)
        if (kept := self._find(submission.student, work)) is not None:
            self.kept.add(submission.student.id)
            return kept
        made = run()
        self.gradebook.add(submission, made, work)
        return made

    def _find(self, student: Student, work: str) -> Run | None:
        if not self.settings.regrade.isdisjoint({EVERYBODY, student.id, student.name}):
            return None
        attempt = self.gradebook.find(student.id, work)
        if attempt is None:
            return None
        run, memory = attempt.run, float(self.prepared.assignment.limits.memory_limit_mb)
        if run.outcome is Outcome.MEMORY and run.memory_limit_mb < memory:
            return None  # the machine can now give more
        if run.reviews:
            return None  # it broke off, or lacked a library that may be there now
        if run.confinement != self.sandbox.confinement:
            return None  # a run without confinement may have written its own results
        files = [path for path in (run.executed, run.predictions) if path is not None]
        return run if all(path.is_file() for path in files) else None


def _prepare(assignment: Assignment, settings: Settings, workspace: Path) -> Assignment:
    if assignment.public is not None:
        settings.announce(message("Drawing the hidden rows of {set} …", set=assignment.public.set))
    assignment = assignment.with_memory(memory_for_each(settings.jobs))
    prepared = hidden_sets.prepare_data(assignment, settings.secret, settings.library, workspace)
    for warning in prepared.warnings:
        settings.announce(warning)
    return prepared


def _prepare_assignment(
    assignment: Assignment, settings: Settings, photo_survey: PhotoSurvey | None = None
) -> PreparedAssignment:
    prepared = prepare_assignment(
        assignment, settings.secret, threads=settings.threads, library=settings.library, photo_survey=photo_survey
    )
    return replace(prepared, lacking_files=settings.lacking_files)


def _grade_session(session: _Session, submissions: Sequence[Submission], progress: Progress) -> tuple[Graded, ...]:
    results: list[Graded] = []
    assignment, settings = session.prepared.assignment, session.settings
    written = time.monotonic()
    try:
        for graded in _grade_all(submissions, session):
            results.append(graded)
            progress(graded)
            if time.monotonic() - written > SECONDS_BETWEEN_WRITES:
                _write_class(_in_order(results, submissions), assignment, settings)
                written = time.monotonic()
    finally:
        _write_class(_in_order(results, submissions), assignment, settings)
    if session.kept:
        settings.announce(
            message(
                "{n} of {all} submissions were graded before and have not changed: they were not run again. To run "
                "them, add --regrade all or --regrade NAME.",
                n=len(session.kept),
                all=len(submissions),
            )
        )
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


def _grade_all(submissions: Sequence[Submission], session: _Session) -> Iterator[Graded]:
    """Yield every graded submission as soon as it is finished."""
    waiting = list(reversed(submissions))
    running: set[Future[Graded]] = set()
    jobs = session.settings.jobs
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        try:
            while waiting or running:
                while waiting and len(running) < jobs:
                    running.add(pool.submit(_grade_one, waiting.pop(), session))
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BaseException:
            session.sandbox.close()  # else leaving the pool would wait for the running notebooks
            raise


def _grade_one(submission: Submission, session: _Session) -> Graded:
    assignment, settings = session.prepared.assignment, session.settings
    try:
        if assignment.pictures is not None and submission.notebook is not None:
            graded = _grade_own_photos(submission, session)
        else:
            run = session.run(submission, lambda: _run(submission, submission, session))
            graded = _score_and_grade(submission, run, assignment, session.truth)
        _write_student(graded, assignment, settings)
    except Stopped:
        raise
    except Exception as error:  # noqa: BLE001  a fault of the grader: the class goes on, no student loses a point
        graded = _score_and_grade(submission, _fault_run(error), assignment, session.truth)
        _write_student(graded, assignment, settings)
    return graded


def _run(submission: Submission, handed_in: Submission, session: _Session) -> Run:
    """Run ``submission``; the PDF report is among the files of ``handed_in``, before its photos were taken apart."""
    assignment = session.prepared.assignment
    run_all = run_submission if assignment.course is None else run_notebooks
    document = _read_report(handed_in, assignment)
    return run_all(submission, session.prepared, session.sandbox, out=session.settings.out, document=document)


def _grade_own_photos(submission: Submission, session: _Session) -> Graded:
    """Grade a submission on hidden photos taken from its own; they are deleted when it is graded."""
    settings = session.settings
    with tempfile.TemporaryDirectory(prefix="grader-pictures-") as workspace:
        own = group_assignment.prepare(submission, session.prepared.assignment, settings.secret, Path(workspace))
        prepared = _prepare_assignment(own.assignment, settings, own.survey)
        truth = open_truth(own.assignment, settings.secret)
        run = session.run(submission, lambda: _run(own.submission, submission, replace(session, prepared=prepared)))
        return _score_and_grade(submission, run, own.assignment, truth)


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
