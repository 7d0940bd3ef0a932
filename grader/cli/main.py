"""The command line: alone in printing, exiting and reading the environment."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from grader import __version__
from grader.cli import console, doctor, terminal
from grader.cli.commands import data_command, export_commands, grade_command, kit_command
from grader.cli.commands.grade_command import Wish, finish, with_progress
from grader.cli.demo import write_demo_archive, write_demo_worksheet
from grader.cli.terminal import EXIT_OPERATOR, LangOption, config_folder, errors, processors, screen, speech_in
from grader.data import hidden_sets
from grader.data.cache.location import default_folder
from grader.grading.lateness.deadlines import with_deadline
from grader.i18n.catalogue import Translation
from grader.lms.archive.submissions import read_submissions
from grader.models.assignment import Assignment
from grader.models.errors import GraderError, IntakeError, SandboxError
from grader.models.grade import Graded
from grader.pipeline import ClassFiles, Settings, make_writable
from grader.sandbox.base import Sandbox
from grader.sandbox.levels import UNCONFINED, open_sandbox
from grader.spec import discovery, loader

EXIT_INTERRUPTED = 130
DEMO, DEMO_SECONDS = "disease", 45.0

app = typer.Typer(
    name="grader",
    help="Homework for deep-learning courses that grades itself.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(data_command.app, name="data")
app.command()(export_commands.export)
app.command()(export_commands.push)
app.add_typer(kit_command.app, name="kit")


class Lms(StrEnum):
    auto = "auto"
    folder = "folder"
    moodle = "moodle"
    canvas = "canvas"
    blackboard = "blackboard"
    gradescope = "gradescope"
    classroom = "classroom"
    nbgrader = "nbgrader"


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
HANDED_IN = "Notebooks, folders or LMS archives, and the LMS's own lists of grades to fill in."
JobsOption = Annotated[int | None, typer.Option(min=1, max=512, help="Notebooks at once; else what fits here.")]


def main() -> None:
    """The ``grader`` command: every problem of the operator's is a line and exit status 1, never a traceback."""
    try:
        app(standalone_mode=True)
    except GraderError as error:
        for line in speech_in().say(error.message).splitlines():
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
    """Grade a bundled class, from a Moodle archive to reports and a filled-in worksheet."""
    speech = speech_in(lang)
    assignment = discovery.by_name(DEMO)
    make_writable(out)
    archive = write_demo_archive(assignment.folder, out / "handed-in.zip")
    worksheet = write_demo_worksheet(assignment.folder, out / "Grades-handed-in.csv")
    screen.print(speech.text("A Moodle archive of the bundled class: {path}", path=archive))
    screen.print(speech.text("Moodle's grading worksheet for it: {path}", path=worksheet))
    screen.print(speech.text("One of them trains forever; in this demo it is stopped after {n:g} s.", n=DEMO_SECONDS))
    given = ClassFiles((archive, worksheet))
    grade_command.grade(_within(assignment, DEMO_SECONDS), given, Wish(out, Level.auto.value, jobs), speech)


@app.command()
def grade(
    assignment: Annotated[
        str,
        typer.Argument(metavar="ASSIGNMENT", help="An id, or a folder: with assignment.toml, nbgrader's, or otter's."),
    ],
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help=HANDED_IN)],
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("grader-out"),
    jobs: JobsOption = None,
    lms: Annotated[Lms, typer.Option(help="Where the archive comes from.")] = Lms.auto,
    lang: LangOption = None,
    sandbox: Annotated[Level, typer.Option(help="Confinement of the notebooks.")] = Level.auto,
    budget: BudgetOption = None,
    due: terminal.DueOption = None,
    late: terminal.LateOption = None,
    extensions: terminal.ExtensionsOption = None,
    roster: terminal.RosterOption = None,
) -> None:
    """Grade what a class handed in: a report per student, and what the LMS imports."""
    speech = speech_in(lang)  # before anything can go wrong, which is said in it
    chosen = with_deadline(_within(discovery.by_name(assignment), budget), due, late)
    given = ClassFiles(tuple(paths), lms.value, roster, extensions)
    grade_command.grade(chosen, given, Wish(out, sandbox.value, jobs), speech)


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
        chosen = _within(discovery.by_name(assignment) if assignment else discovery.by_notebook(path), budget)
        practice = hidden_sets.practice(chosen, Path(workspace) / "data")
        submissions = read_submissions(
            [path], lms="folder", workspace=Path(workspace) / "handed-in", assignment=chosen
        ).submissions
        if len(submissions) != 1:
            raise IntakeError(f"{path}: found {len(submissions)} submissions, expected one notebook")
        settings = Settings(
            out, hidden_sets.PRACTICE_SECRET, speech.language, threads=processors(), library=default_folder()
        )
        graded = with_progress(practice, submissions, settings, _own_sandbox(settings.threads), speech)[0]
    _print_check(graded, practice, settings, speech)
    finish([graded])


@app.command()
def assignments(lang: LangOption = None) -> None:
    """List what can be graded here."""
    loaded = [loader.load_assignment(folder) for folder in discovery.folders().values()]
    screen.print(console.assignments_table(loaded, speech_in(lang)))


@app.command("doctor")
def examine(lang: LangOption = None) -> None:
    """Try everything that grading needs, and say what to do about what is missing."""
    speech = speech_in(lang)
    with errors.status(speech.text("Trying everything; this takes some ten seconds …")):
        findings = doctor.examine(discovery.folders(), config_folder(), default_folder(), os.environ)
    screen.print(console.doctor_table(findings, speech))
    if any(finding.state is doctor.State.MISSING for finding in findings):
        raise typer.Exit(EXIT_OPERATOR)


# ---------------------------------------------------------------- grading


def _within(assignment: Assignment, budget: float | None) -> Assignment:
    limits = assignment.limits
    return assignment if budget is None else replace(assignment, limits=replace(limits, seconds=budget))


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
