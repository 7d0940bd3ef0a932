"""``grader push``: grades and reports into the LMS over the network."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import typer
from rich.text import Text

from grader.cli import console
from grader.cli.arguments import Language, Server
from grader.cli.terminal import EXIT_OPERATOR, choose_translation, errors, screen
from grader.grading.results import read_results
from grader.i18n.catalogue import Translation
from grader.i18n.message import message
from grader.lms.api.canvas_api import CanvasAssignment
from grader.lms.api.connection import Connection, checked_address
from grader.lms.api.moodle_api import MoodleAssignment
from grader.lms.api.push_plan import Target, plan, send
from grader.lms.api.token import find_token
from grader.models.errors import PushError


@dataclass(frozen=True, slots=True)
class Address:
    """An assignment on a server. ``course`` is Canvas's number of the course; Moodle needs none."""

    server: Server
    url: str
    assignment: int
    course: int | None = None


def push_results(results: Path, address: Address, *, dry_run: bool, confirmed: bool, lang: Language | None) -> None:
    """Show what would change on the server and, once that is confirmed, write it.

    Exits with ``EXIT_OPERATOR`` if a grade could not be written.
    """
    translation = choose_translation(lang)
    found = read_results(results)
    target = _target(address, translation)
    changes = plan(found, target)
    screen.print(console.push_table(changes, target.title, translation))
    if scaling := console.scaling_line(changes, target.max, translation):
        screen.print(scaling, style="yellow", soft_wrap=True)
    due = [change for change in changes if change.due]
    screen.print(translation.text("{n} of {all} grades are to be written.", n=len(due), all=len(changes)))
    unwritten = any(change.obstacle is not None and change.grade is not None for change in changes)
    if due and not dry_run and (confirmed or _confirm(translation)):
        with console.class_progress(errors) as progress:
            task = progress.add_task(translation.text("Writing"), total=len(due))
            sent = send(target, due, progress=lambda _change: progress.advance(task))
        for line, style in console.sent_lines(sent, translation):
            screen.print(Text(line, style=style), soft_wrap=True)
        unwritten = unwritten or any(change.problem is not None for change in sent)
    elif due:
        screen.print(translation.text("Nothing was written."))
    if unwritten and not dry_run:
        raise typer.Exit(EXIT_OPERATOR)


def _target(address: Address, translation: Translation) -> Target:
    url = checked_address(address.url)
    token = find_token(address.server.value, urlsplit(url).hostname or "", os.environ)
    if address.server is Server.moodle:
        return MoodleAssignment(Connection(url, token), address.assignment)
    if address.course is None:
        raise PushError(message("--course is missing: the number after courses/ in the address of the course's page."))
    comment = translation.text("Your report: the points, and what they are for.")
    return CanvasAssignment(Connection(url, token, bearer=True), address.course, address.assignment, comment)


def _confirm(translation: Translation) -> bool:
    if not sys.stdin.isatty():
        raise PushError(message("Nobody is there to say yes: nothing was written. Say --yes to write without asking."))
    return typer.confirm(translation.text("Write them?"))
