"""``grader grade`` and ``grader demo``: from the submissions of a class to the files that are uploaded."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import psutil
import typer

from grader.cli import console
from grader.cli.arguments import Language, Level
from grader.cli.class_survey import print_missing, survey_class
from grader.cli.commands.needs_command import SMALL_MB, SMALL_TOTAL_MB, fetch_sets
from grader.cli.demo import write_demo_archive, write_demo_worksheet
from grader.cli.terminal import EXIT_FAULT, choose_translation, config_folder, errors, processors, say, screen
from grader.data import hidden_sets
from grader.data.cache.cached_sets import default_library
from grader.data.needs.survey import Want, class_wide_files, missing_sets
from grader.grading.lateness.rules import apply_options
from grader.grading.results import read_results
from grader.i18n.catalogue import Translation
from grader.i18n.message import message
from grader.lms.export import exporter
from grader.lms.export.upload_hints import upload_hints
from grader.lms.export_request import ExportedFiles, ExportRequest, Missing
from grader.models.assignment import Assignment, Limits
from grader.models.errors import IntakeError
from grader.models.grade import Graded
from grader.models.intake import Intake
from grader.models.run import Outcome
from grader.models.submission import Submission
from grader.pipeline import EVERYBODY, ClassFiles, Settings, grade_class, make_writable, read_class
from grader.sandbox import image
from grader.sandbox.base import Sandbox
from grader.sandbox.levels import open_sandbox
from grader.spec import discovery

MEMORY_PER_JOB_MB = 1500  # what a notebook with TensorFlow uses before it does anything big
UPLOAD = "upload"
MOST_NOTES = 30
DEMO, DEMO_SECONDS = "disease", 45.0


@dataclass(frozen=True, slots=True)
class GradeOptions:
    """The teacher's settings for a grading. ``jobs`` of None: as many notebooks at once as fit."""

    out: Path
    level: str
    jobs: int | None = None
    budget: float | None = None  # seconds of each notebook's cells, in place of the assignment's
    cell_budget: float | None = None  # seconds of one cell
    due: str | None = None
    late: str | None = None
    fetch: bool = False  # small sets that the notebooks load and that are not in the library
    regrade: frozenset[str] = frozenset()  # students whose work is run again although it has not changed


def grade_submissions(
    assignment: str,
    paths: Sequence[Path],
    options: GradeOptions,
    *,
    lms: str,
    roster: Path | None,
    extensions: Path | None,
    lang: Language | None,
) -> None:
    """Grade the submissions in ``paths`` for the assignment that is called or lies in ``assignment``."""
    translation = choose_translation(lang)  # first: every mistake is reported in it
    chosen = discovery.by_name(assignment).with_time_limit(options.budget, options.cell_budget)
    chosen = apply_options(chosen, options.due, options.late)
    grade(chosen, ClassFiles(tuple(paths), lms, roster, extensions), options, translation)


def grade_demo(out: Path, jobs: int | None, lang: Language | None) -> None:
    """Write the bundled class into ``out`` as Moodle would give it, and grade it."""
    translation = choose_translation(lang)
    assignment = discovery.by_name(DEMO)
    make_writable(out)
    archive = write_demo_archive(assignment.folder, out / "handed-in.zip")
    worksheet = write_demo_worksheet(assignment.folder, out / "Grades-handed-in.csv")
    screen.print(translation.text("A Moodle archive of the bundled class: {path}", path=archive))
    screen.print(translation.text("Moodle's grading worksheet for it: {path}", path=worksheet))
    screen.print(
        translation.text("One of them trains forever; in this demo it is stopped after {n:g} s.", n=DEMO_SECONDS)
    )
    options = GradeOptions(out, Level.auto.value, jobs)
    grade(assignment.with_time_limit(DEMO_SECONDS), ClassFiles((archive, worksheet)), options, translation)


def grade(
    assignment: Assignment,
    given: ClassFiles,
    options: GradeOptions,
    translation: Translation,
    opened: Callable[..., Sandbox] = open_sandbox,
) -> None:
    """Grade the submissions, and fill in the LMS's gradebooks that were given with them."""
    make_writable(options.out)
    submissions, gradebooks = exporter.split_gradebooks(given.paths)
    request = ExportRequest(options.out / UPLOAD, gradebooks, Missing.BLANK, translation.language)
    with tempfile.TemporaryDirectory(prefix="grader-intake-") as workspace:
        given = replace(given, paths=submissions, gradebooks=gradebooks)
        intake = read_class(given, assignment, Path(workspace), language=translation.language, out=options.out)
        to = exporter.choose_format([submission.lms for submission in intake], request)
        exporter.check_gradebooks(to, intake.submissions, gradebooks)
        screen.print(console.intake_line(intake, options.out, translation), soft_wrap=True)
        _check_names(options.regrade, intake)
        lacking = class_wide_files(_survey(assignment, intake, options, translation))
        results = _run(assignment, intake, options, translation, opened, lacking_files=lacking)
    screen.print(console.class_table(results, assignment, translation))
    if (legend := console.legend(assignment)) is not None:
        screen.print(legend)
    screen.print(console.review_line(results, assignment, translation), soft_wrap=True)
    screen.print(translation.text("Open: {path}", path=(options.out / "index.html").resolve().as_uri()), soft_wrap=True)
    print_upload_hints(_export(request, to, options.out), request.out, translation)
    finish(results)


def _check_names(names: frozenset[str], intake: Intake) -> None:
    known = {EVERYBODY, *(name for each in intake for name in (each.student.id, each.student.name))}
    if unknown := sorted(names - known):
        raise IntakeError(
            message(
                "--regrade {names}: nobody of this name handed in anything. Write the name or the id as in the table.",
                names=", ".join(unknown),
            )
        )


def _survey(
    assignment: Assignment, intake: Intake, options: GradeOptions, translation: Translation
) -> tuple[Want, ...]:
    """Fetch small sets that the notebooks load, and tell what else they lack, before anything of them runs."""
    library = default_library()
    wants = survey_class(intake, assignment, library)
    sets = missing_sets(wants)
    if options.fetch and sets:
        fetch_sets(sets, library, translation, most_mb=SMALL_TOTAL_MB, each_mb=SMALL_MB)
        wants = survey_class(intake, assignment, library)
    print_missing(wants, translation)
    return wants


def _export(request: ExportRequest, to: str, out: Path) -> ExportedFiles:
    """Write the upload files from the written results, as ``grader export`` does at any later time."""
    try:
        return exporter.export_grades(read_results(out), request, to=to)
    except IntakeError as error:
        raise IntakeError(
            message(
                "{problem}\nThe class is graded, nothing is lost: when that is put right, grader export {path} writes "
                "what is to be uploaded.",
                problem=error.message, path=out,
            )
        ) from None  # fmt: skip


def _run(
    assignment: Assignment,
    intake: Intake,
    options: GradeOptions,
    translation: Translation,
    opened: Callable[..., Sandbox],
    *,
    lacking_files: frozenset[str],
) -> Sequence[Graded]:
    jobs = options.jobs or _default_jobs(len(intake), assignment.limits)
    settings = Settings(
        out=options.out,
        secret=hidden_sets.load_secret(config_folder()),
        language=translation.language,
        jobs=jobs,
        threads=max(1, processors() // jobs),
        library=default_library(),
        absent=intake.absent,
        lacking_files=lacking_files,
        regrade=options.regrade,
    )
    if options.level == "container":
        image.prepare(os.environ, lambda words: errors.print(translation.say(words), soft_wrap=True))
    # The baselines will need it; meanwhile the worker imports TensorFlow on another processor.
    threading.Thread(target=import_module, args=("sklearn.linear_model",), daemon=True).start()
    with errors.status(translation.text("Warming up …")):
        sandbox = opened(options.level, os.environ, threads=settings.threads)
    return with_progress(assignment, intake.submissions, settings, sandbox, translation)


def with_progress(
    assignment: Assignment,
    submissions: Sequence[Submission],
    settings: Settings,
    sandbox: Sandbox,
    translation: Translation,
) -> Sequence[Graded]:
    """Grade the submissions, showing how many are done and how long the rest will take; close the sandbox."""
    settings = replace(settings, announce=lambda words: errors.print(translation.say(words), soft_wrap=True))
    with console.class_progress(errors) as progress:
        task = progress.add_task(translation.text("Grading"), total=len(submissions))
        try:
            return grade_class(assignment, submissions, sandbox, settings, progress=lambda _: progress.advance(task))
        except KeyboardInterrupt:
            stopped = translation.text(
                "Stopped. {done} of {n} were graded; their grades and reports are in {path}.",
                done=int(progress.tasks[task].completed),
                n=len(submissions),
                path=settings.out,
            )
            # Half a class is not uploaded unasked: the list of grades would look finished.
            later = translation.text("What to upload for them, grader export {path} writes.", path=settings.out)
            again = translation.text("The same command again grades the rest.")
            errors.print(stopped, later, again, soft_wrap=True)
            raise
        finally:
            sandbox.close()


def print_upload_hints(handed: ExportedFiles, folder: Path, translation: Translation) -> None:
    """Print which files were written into ``folder``, where to upload each, and what to know before."""
    if handed.files:
        screen.print(translation.text("To upload, in {path}:", path=folder.resolve()), soft_wrap=True)
    for line in upload_hints(handed.files, folder):
        say(f"  {translation.say(line)}")
    for note in handed.notes[:MOST_NOTES]:
        say(f"! {translation.say(note)}", "yellow")
    if len(handed.notes) > MOST_NOTES:
        say("! " + translation.text("… and {n} more of these.", n=len(handed.notes) - MOST_NOTES), "yellow")


def finish(results: Sequence[Graded]) -> None:
    """Exit with ``EXIT_FAULT`` if a fault of the grader's own left a submission unjudged."""
    if any(graded.run.outcome is Outcome.GRADER_FAULT for graded in results):
        raise typer.Exit(EXIT_FAULT)


def _default_jobs(submissions: int, limits: Limits) -> int:
    """Return one job per processor, as long as their usual memory fits into the free memory."""
    fit = int(psutil.virtual_memory().available // 2**20 // min(MEMORY_PER_JOB_MB, limits.memory_limit_mb))
    return max(1, min(processors(), fit, submissions))
