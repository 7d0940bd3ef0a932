"""``grader grade``: a class from what was handed in to what is uploaded."""

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
from grader.cli.terminal import EXIT_FAULT, config_folder, errors, processors, screen, show_upload
from grader.data import hidden_sets
from grader.data.cache.location import default_folder
from grader.grading.handback import HandedBack, Missing, Order, read_results
from grader.i18n.catalogue import Translation
from grader.i18n.message import message
from grader.lms.export import exporter
from grader.models.assignment import Assignment, Limits
from grader.models.errors import IntakeError
from grader.models.grade import Graded
from grader.models.intake import Intake
from grader.models.run import Outcome
from grader.models.submission import Submission
from grader.pipeline import ClassFiles, Settings, grade_class, make_writable, take_in
from grader.sandbox import image
from grader.sandbox.base import Sandbox
from grader.sandbox.levels import open_sandbox

MEMORY_PER_JOB_MB = 1500  # what a notebook with TensorFlow uses before it does anything big
UPLOAD = "upload"


@dataclass(frozen=True, slots=True)
class Wish:
    """How the teacher wants a class graded; ``jobs`` of None is as many as fit."""

    out: Path
    level: str
    jobs: int | None = None


def grade(
    assignment: Assignment,
    given: ClassFiles,
    wish: Wish,
    speech: Translation,
    opened: Callable[..., Sandbox] = open_sandbox,
) -> None:
    """Grades what was handed in, and fills in the LMS's own lists of grades that were given with it."""
    make_writable(wish.out)
    handed_in, sheets = exporter.apart(given.paths)
    order = Order(wish.out / UPLOAD, sheets, Missing.BLANK, speech.language)
    with tempfile.TemporaryDirectory(prefix="grader-intake-") as workspace:
        given = replace(given, paths=handed_in, sheets=sheets)
        intake = take_in(given, assignment, Path(workspace), language=speech.language, out=wish.out)
        to = exporter.destination([one.lms for one in intake], order)
        exporter.WRITERS[to].check(intake.submissions, sheets)
        screen.print(console.intake_line(intake, wish.out, speech), soft_wrap=True)
        results = _run(assignment, intake, wish, speech, opened)
    screen.print(console.class_table(results, assignment, speech))
    if (legend := console.legend(assignment)) is not None:
        screen.print(legend)
    screen.print(console.review_line(results, assignment, speech), soft_wrap=True)
    screen.print(speech.text("Open: {path}", path=(wish.out / "index.html").resolve().as_uri()), soft_wrap=True)
    show_upload(_handed_back(order, to, wish.out), order.out, speech)
    finish(results)


def _handed_back(order: Order, to: str, out: Path) -> HandedBack:
    """From what was written, as ``grader export`` does it at any later time."""
    try:
        return exporter.hand_back(read_results(out), order, to=to)
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
    wish: Wish,
    speech: Translation,
    opened: Callable[..., Sandbox],
) -> Sequence[Graded]:
    jobs = wish.jobs or _default_jobs(len(intake), assignment.limits)
    settings = Settings(
        out=wish.out,
        secret=hidden_sets.load_secret(config_folder()),
        language=speech.language,
        jobs=jobs,
        threads=max(1, processors() // jobs),
        library=default_folder(),
        absent=intake.absent,
    )
    if wish.level == "container":
        image.prepare(os.environ, lambda words: errors.print(speech.say(words), soft_wrap=True))
    # The baselines will need it; meanwhile the worker imports TensorFlow on another processor.
    threading.Thread(target=import_module, args=("sklearn.linear_model",), daemon=True).start()
    with errors.status(speech.text("Warming up …")):
        sandbox = opened(wish.level, os.environ, threads=settings.threads)
    return with_progress(assignment, intake.submissions, settings, sandbox, speech)


def with_progress(
    assignment: Assignment, submissions: Sequence[Submission], settings: Settings, sandbox: Sandbox, speech: Translation
) -> Sequence[Graded]:
    settings = replace(settings, announce=lambda words: errors.print(speech.say(words), soft_wrap=True))
    with console.class_progress(errors) as progress:
        task = progress.add_task(speech.text("Grading"), total=len(submissions))
        try:
            return grade_class(assignment, submissions, sandbox, settings, progress=lambda _: progress.advance(task))
        except KeyboardInterrupt:
            stopped = speech.text(
                "Stopped. {done} of {n} were graded; their grades and reports are in {path}.",
                done=int(progress.tasks[task].completed),
                n=len(submissions),
                path=settings.out,
            )
            # Half a class is not uploaded unasked: the list of grades would look finished.
            later = speech.text("What to upload for them, grader export {path} writes.", path=settings.out)
            errors.print(stopped, later, soft_wrap=True)
            raise
        finally:
            sandbox.close()


def finish(results: Sequence[Graded]) -> None:
    if any(graded.run.outcome is Outcome.GRADER_FAULT for graded in results):
        raise typer.Exit(EXIT_FAULT)


# ---------------------------------------------------------------- surroundings


def _default_jobs(submissions: int, limits: Limits) -> int:
    """A notebook per processor, as long as their usual memory fits into what is free."""
    fitting = int(psutil.virtual_memory().available // 2**20 // min(MEMORY_PER_JOB_MB, limits.memory_mb))
    return max(1, min(processors(), fitting, submissions))
