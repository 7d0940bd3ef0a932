"""``grader check``: a student's own notebook, graded on practice data."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from rich.text import Text

from grader.cli import console
from grader.cli.arguments import Language
from grader.cli.commands.grade_command import finish, with_progress
from grader.cli.terminal import choose_translation, plain, processors, screen
from grader.data import hidden_sets
from grader.data.cache.cached_sets import default_library
from grader.i18n.catalogue import Translation
from grader.i18n.message import message
from grader.lms.archive.submissions import read_submissions
from grader.models.assignment import Assignment
from grader.models.errors import IntakeError, SandboxError
from grader.models.grade import Graded
from grader.pipeline import EVERYBODY, Settings
from grader.sandbox.base import Sandbox
from grader.sandbox.levels import UNCONFINED, open_sandbox
from grader.spec import discovery


def check_notebook(
    path: Path, name: str | None, out: Path, *, budgets: tuple[float | None, float | None], lang: Language | None
) -> None:
    """Grade one notebook on practice data, and print the result. ``name`` of None: recognise the assignment.

    ``budgets``: seconds for all cells and for one, in place of the assignment's limits.
    """
    translation = choose_translation(lang)
    with tempfile.TemporaryDirectory(prefix="grader-check-") as workspace:
        assignment = discovery.by_name(name) if name else discovery.by_notebook(path)
        assignment = assignment.with_time_limit(*budgets)
        own_table = path.parent / assignment.data.table.name if assignment.data is not None else None
        practice = hidden_sets.practice_assignment(assignment, Path(workspace) / "data", own_table)
        submissions = read_submissions(
            [path], lms="folder", workspace=Path(workspace) / "handed-in", assignment=assignment
        ).submissions
        if len(submissions) != 1:
            raise IntakeError(
                message("{path}: found {n} submissions, expected one notebook", path=path, n=len(submissions))
            )
        settings = Settings(
            out,
            hidden_sets.PRACTICE_SECRET,
            translation.language,
            threads=processors(),
            library=default_library(),
            regrade=frozenset({EVERYBODY}),
        )
        graded = with_progress(practice, submissions, settings, _own_sandbox(settings.threads), translation)[0]
    _print_result(graded, practice, settings, translation)
    finish([graded])


def _own_sandbox(threads: int) -> Sandbox:
    """Open a sandbox for a student's own notebook on the student's own machine: confined if that is possible."""
    try:
        return open_sandbox("auto", os.environ, threads=threads, preload=False)
    except SandboxError:
        return open_sandbox(UNCONFINED, os.environ, threads=threads)


def _print_result(graded: Graded, assignment: Assignment, settings: Settings, translation: Translation) -> None:
    grade = graded.grade
    screen.print(Text(plain(translation.title(assignment.title)), style="bold"))
    if graded.run.reason is not None:
        screen.print(Text(plain(translation.say(graded.run.reason))), style="yellow")
    screen.print(console.score_table(grade.scores, translation))
    screen.print(
        translation.text(
            "About {total} of {max:g} points, measured on practice rows. Your teacher's hidden rows are others.",
            total="?" if grade.total is None else f"{grade.total:g}",
            max=grade.max,
        )
    )
    report = settings.out / "students" / graded.submission.student.id / "report.html"
    screen.print(translation.text("Open: {path}", path=report.resolve().as_uri()), soft_wrap=True)
