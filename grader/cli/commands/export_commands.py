"""``grader export`` and ``grader push``: a class's grades on their way back to the LMS."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer
from rich.text import Text

from grader.cli import console
from grader.cli.commands.grade_command import UPLOAD
from grader.cli.terminal import EXIT_OPERATOR, LangOption, errors, screen, show_upload, speech_in
from grader.grading.handback import Missing, Order, read_results
from grader.i18n.catalogue import Translation
from grader.i18n.message import message
from grader.lms.export import exporter
from grader.lms.export.exporter import WRITERS
from grader.models.errors import PushError

if TYPE_CHECKING:  # what goes over the network is heavy to load
    from grader.lms.api.push_plan import Target

ResultsArgument = Annotated[
    Path, typer.Argument(metavar="RESULTS", help="The folder that grader grade wrote its results to.")
]
SheetsArgument = Annotated[
    list[Path] | None, typer.Argument(metavar="[SHEET...]", help="The LMS's own lists of grades, to be filled in.")
]


def export(
    results: ResultsArgument,
    sheets: SheetsArgument = None,
    to: Annotated[str, typer.Option(help=f"auto, {', '.join(WRITERS)}")] = "auto",
    out: Annotated[Path | None, typer.Option(help="Folder for the files; else upload in RESULTS.")] = None,
    missing: Annotated[Missing, typer.Option(help="What students get who handed in nothing.")] = Missing.BLANK,
    column: Annotated[str, typer.Option(help="Title of the list's column to fill, where several may be meant.")] = "",
    lang: LangOption = None,
) -> None:
    """Write what the LMS imports: grades and reports, as they stand in RESULTS now."""
    speech = speech_in(lang)
    found = read_results(results)
    order = Order(out or results / UPLOAD, tuple(sheets or ()), missing, speech.language, column)
    show_upload(exporter.hand_back(found, order, to=to), order.out, speech)


class System(StrEnum):
    canvas = "canvas"
    moodle = "moodle"


def push(
    results: ResultsArgument,
    to: Annotated[System, typer.Option(help="Which LMS the server is.")],
    url: Annotated[str, typer.Option(help="Its address, for example https://school.instructure.com.")],
    assignment: Annotated[int, typer.Option(min=1, help="The number in the address of the assignment's page.")],
    course: Annotated[int | None, typer.Option(min=1, help="Canvas: the course's number in the same address.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written, and end.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Write without asking.")] = False,
    lang: LangOption = None,
) -> None:
    """Write grades and reports into the LMS over the network, after showing what would change.

    The token is read from GRADER_CANVAS_TOKEN or GRADER_MOODLE_TOKEN, or from the system's keyring.
    """
    from grader.lms.api.push_plan import plan, send

    speech = speech_in(lang)
    found = read_results(results)
    target = _target(to, url, course, assignment, speech)
    changes = plan(found, target)
    screen.print(console.push_table(changes, target.title, speech))
    if scaling := console.scaling_line(changes, target.max, speech):
        screen.print(scaling, style="yellow", soft_wrap=True)
    due = [change for change in changes if change.due]
    screen.print(speech.text("{n} of {all} grades are to be written.", n=len(due), all=len(changes)))
    left = any(change.obstacle is not None and change.grade is not None for change in changes)
    if due and not dry_run and (yes or _agreed(speech)):
        with console.class_progress(errors) as progress:
            task = progress.add_task(speech.text("Writing"), total=len(due))
            sent = send(target, due, progress=lambda _change: progress.advance(task))
        for line, style in console.sent_lines(sent, speech):
            screen.print(Text(line, style=style), soft_wrap=True)
        left = left or any(one.problem is not None for one in sent)
    elif due:
        screen.print(speech.text("Nothing was written."))
    if left and not dry_run:
        raise typer.Exit(EXIT_OPERATOR)


def _target(to: System, url: str, course: int | None, assignment: int, speech: Translation) -> Target:
    from grader.lms.api.canvas_api import CanvasAssignment
    from grader.lms.api.connection import Connection, checked_address
    from grader.lms.api.moodle_api import MoodleAssignment
    from grader.lms.api.token import find_token

    address = checked_address(url)
    token = find_token(to.value, urlsplit(address).hostname or "", os.environ)
    if to is System.moodle:
        return MoodleAssignment(Connection(address, token), assignment)
    if course is None:
        raise PushError(message("--course is missing: the number after courses/ in the address of the course's page."))
    words = speech.text("Your report: the points, and what they are for.")
    return CanvasAssignment(Connection(address, token, bearer=True), course, assignment, words)


def _agreed(speech: Translation) -> bool:
    if not sys.stdin.isatty():
        raise PushError(message("Nobody is there to say yes: nothing was written. Say --yes to write without asking."))
    return typer.confirm(speech.text("Write them?"))
