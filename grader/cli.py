"""The command line: alone in printing, exiting and reading the environment."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated

import platformdirs
import psutil
import typer
from rich.text import Text

from grader import __version__, cli_data, console, datasets, doctor, shelf, spec
from grader.demo import write_demo_archive
from grader.errors import GraderError, IntakeError, SandboxError
from grader.language import Translation
from grader.library.place import default_folder
from grader.lms.intake import read_submissions
from grader.pipeline import Settings, grade_class, make_writable
from grader.records import Assignment, Graded, Limits, Outcome, Submission
from grader.sandbox import image
from grader.sandbox.base import Sandbox
from grader.sandbox.confine import UNCONFINED, open_sandbox
from grader.terminal import EXIT_OPERATOR, LangOption, errors, screen, speech_in

EXIT_FAULT, EXIT_INTERRUPTED = 3, 130
DEMO, DEMO_SECONDS = "disease", 45.0
MEMORY_PER_JOB_MB = 1500  # what a notebook with TensorFlow uses before it does anything big

app = typer.Typer(
    name="grader",
    help="Homework for deep-learning courses that grades itself.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(cli_data.app, name="data")


class Lms(StrEnum):
    auto = "auto"
    folder = "folder"
    moodle = "moodle"
    canvas = "canvas"


class Level(StrEnum):
    auto = "auto"
    namespaces = "namespaces"
    bubblewrap = "bubblewrap"
    container = "container"
    process = "process"
    none = "none"


BudgetOption = Annotated[
    float | None, typer.Option(min=1, help="Seconds for each notebook's cells; else the assignment's.")
]
JobsOption = Annotated[int | None, typer.Option(min=1, max=512, help="Notebooks at once; else what fits here.")]


def main() -> None:
    """The ``grader`` command: every problem of the operator's is a line and exit status 1, never a traceback."""
    try:
        app(standalone_mode=True)
    except GraderError as error:
        for line in str(error).splitlines():
            errors.print(Text(f"grader: {console.plain(line)}"), style="red", soft_wrap=True)
        sys.exit(EXIT_OPERATOR)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def _version(wanted: bool) -> None:
    if wanted:
        screen.print(f"grader {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Homework for deep-learning courses that grades itself."""


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("grader-demo"),
    jobs: JobsOption = None,
    lang: LangOption = None,
) -> None:
    """Grade a bundled class, from a Moodle archive to reports."""
    speech = speech_in(lang)
    assignment = shelf.by_name(DEMO)
    make_writable(out)
    archive = write_demo_archive(assignment.folder, out / "handed-in.zip")
    screen.print(speech.text("A Moodle archive of the bundled class: {path}", path=archive))
    screen.print(speech.text("One of them trains forever; in this demo it is stopped after {n:g} s.", n=DEMO_SECONDS))
    _grade(_within(assignment, DEMO_SECONDS), [archive], out, jobs=jobs, lms=Lms.auto, level=Level.auto, speech=speech)


@app.command()
def grade(
    assignment: Annotated[
        str,
        typer.Argument(metavar="ASSIGNMENT", help="An id, or a folder: with assignment.toml, nbgrader's, or otter's."),
    ],
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Notebooks, folders or LMS archives.")],
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("grader-out"),
    jobs: JobsOption = None,
    lms: Annotated[Lms, typer.Option(help="Where the archive comes from.")] = Lms.auto,
    lang: LangOption = None,
    sandbox: Annotated[Level, typer.Option(help="Confinement of the notebooks.")] = Level.auto,
    budget: BudgetOption = None,
) -> None:
    """Grade what a class handed in: grades.csv, grades.json, index.html and a report per student."""
    chosen = _within(shelf.by_name(assignment), budget)
    _grade(chosen, paths, out, jobs=jobs, lms=lms, level=sandbox, speech=speech_in(lang))


@app.command()
def check(
    path: Annotated[Path, typer.Argument(metavar="NOTEBOOK", help="Your notebook.")],
    assignment: Annotated[str | None, typer.Option(help="Which assignment; else it is recognised.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the report.")] = Path("grader-check"),
    lang: LangOption = None,
    budget: BudgetOption = None,
) -> None:
    """Check your own notebook before handing it in, on public data only."""
    speech = speech_in(lang)
    with tempfile.TemporaryDirectory(prefix="grader-check-") as workspace:
        chosen = _within(shelf.by_name(assignment) if assignment else shelf.by_notebook(path), budget)
        practice = datasets.practice(chosen, Path(workspace) / "data")
        submissions = read_submissions(
            [path], lms="folder", workspace=Path(workspace) / "handed-in", pictures=chosen.pictures
        )
        if len(submissions) != 1:
            raise IntakeError(f"{path}: found {len(submissions)} submissions, expected one notebook")
        settings = Settings(
            out, datasets.PRACTICE_SECRET, speech.language, threads=_processors(), library=default_folder()
        )
        graded = _with_progress(practice, submissions, settings, _own_sandbox(settings.threads), speech)[0]
    _print_check(graded, practice, settings, speech)
    _finish([graded])


@app.command()
def assignments(lang: LangOption = None) -> None:
    """List what can be graded here."""
    loaded = [spec.load_assignment(folder) for folder in shelf.folders().values()]
    screen.print(console.assignments_table(loaded, speech_in(lang)))


@app.command("doctor")
def examine(lang: LangOption = None) -> None:
    """Try everything that grading needs, and say what to do about what is missing."""
    speech = speech_in(lang)
    with errors.status(speech.text("Trying everything; this takes some ten seconds …")):
        findings = doctor.examine(shelf.folders(), _config_folder(), default_folder(), os.environ)
    screen.print(console.doctor_table(findings, speech))
    if any(finding.state is doctor.State.MISSING for finding in findings):
        raise typer.Exit(EXIT_OPERATOR)


# ---------------------------------------------------------------- grading


def _within(assignment: Assignment, budget: float | None) -> Assignment:
    limits = assignment.limits
    return assignment if budget is None else replace(assignment, limits=replace(limits, seconds=budget))


def _grade(
    assignment: Assignment,
    paths: Sequence[Path],
    out: Path,
    *,
    jobs: int | None,
    lms: Lms,
    level: Level,
    speech: Translation,
) -> None:
    make_writable(out)
    with tempfile.TemporaryDirectory(prefix="grader-intake-") as workspace:
        submissions = read_submissions(
            paths,
            lms=lms.value,
            workspace=Path(workspace),
            pictures=assignment.pictures,
            course=assignment.course,
        )
        jobs = jobs or _default_jobs(len(submissions), assignment.limits)
        settings = Settings(
            out=out,
            secret=datasets.load_secret(_config_folder()),
            language=speech.language,
            jobs=jobs,
            threads=max(1, _processors() // jobs),
            library=default_folder(),
        )
        if level is Level.container:
            image.prepare(os.environ, lambda words: errors.print(speech.say(words), soft_wrap=True))
        # The baselines will need it; meanwhile the worker imports TensorFlow on another processor.
        threading.Thread(target=import_module, args=("sklearn.linear_model",), daemon=True).start()
        with errors.status(speech.text("Warming up …")):
            sandbox = open_sandbox(level.value, os.environ, threads=settings.threads)
        results = _with_progress(assignment, submissions, settings, sandbox, speech)
    screen.print(console.class_table(results, assignment, speech))
    screen.print(console.review_line(results, assignment, speech), soft_wrap=True)
    screen.print(speech.text("Open: {path}", path=(out / "index.html").resolve().as_uri()), soft_wrap=True)
    _finish(results)


def _with_progress(
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
            errors.print(stopped, soft_wrap=True)
            raise
        finally:
            sandbox.close()


def _own_sandbox(threads: int) -> Sandbox:
    """For a student's own notebook on the student's own machine: confined where that costs nothing."""
    try:
        return open_sandbox("auto", os.environ, threads=threads, preload=False)
    except SandboxError:
        return open_sandbox(UNCONFINED, os.environ, threads=threads)


def _print_check(graded: Graded, assignment: Assignment, settings: Settings, speech: Translation) -> None:
    grade = graded.grade
    screen.print(Text(console.plain(speech.title(assignment.title)), style="bold"))
    if graded.run.reason is not None:
        screen.print(Text(console.plain(speech.say(graded.run.reason))), style="yellow")
    screen.print(console.score_table(grade.scores, speech))
    screen.print(
        speech.text(
            "About {total} of {max:g} points, measured on practice rows. Your teacher's hidden rows are others.",
            total="?" if grade.total is None else f"{grade.total:g}",
            max=grade.max,
        )
    )
    report = settings.out / "students" / graded.submission.student.id / "report.html"
    screen.print(speech.text("Open: {path}", path=report.resolve().as_uri()), soft_wrap=True)


def _finish(results: Sequence[Graded]) -> None:
    if any(graded.run.outcome is Outcome.GRADER_FAULT for graded in results):
        raise typer.Exit(EXIT_FAULT)


# ---------------------------------------------------------------- surroundings


def _config_folder() -> Path:
    return platformdirs.user_config_path("grader", appauthor=False)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _default_jobs(submissions: int, limits: Limits) -> int:
    """A notebook per processor, as long as their usual memory fits into what is free."""
    fitting = int(psutil.virtual_memory().available // 2**20 // min(MEMORY_PER_JOB_MB, limits.memory_mb))
    return max(1, min(_processors(), fitting, submissions))
