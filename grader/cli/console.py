"""Tables and lines for the terminal, built here and printed by the commands. Names and texts come from strangers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from grader.cli.terminal import plain
from grader.i18n.catalogue import Translation
from grader.i18n.message import message
from grader.lms.api.push_plan import Change, Sent
from grader.models.assignment import Assignment
from grader.models.grade import Graded, Score
from grader.models.intake import INTAKE_PAGE, Intake
from grader.models.run import Outcome
from grader.scoring.rubric.manual import Manual

OUTCOMES = {
    Outcome.OK: message("ran"),
    Outcome.ERROR: message("error"),
    Outcome.TIMEOUT: message("out of time"),
    Outcome.MEMORY: message("out of memory"),
    Outcome.DISK: message("out of disk"),
    Outcome.MISSING: message("nothing to run"),
    Outcome.FORBIDDEN: message("refused"),
    Outcome.GRADER_FAULT: message("grader failed"),
}
STYLES = {Outcome.OK: "green", Outcome.GRADER_FAULT: "bold magenta"}


NARROW = 36  # columns of a terminal that criteria may take by their names
MOST_COLUMNS = 10  # criteria with a column of their own


def class_table(results: Sequence[Graded], assignment: Assignment, translation: Translation) -> Table:
    """Build the table of a class, a line per student.

    Criteria whose names are too long together are numbered, ``legend`` names them, and the time is left out. Very many
    share one column, with the numbers of those that cost points.
    """
    names = [criterion.id for criterion in assignment.rubric]
    numbered, folded = _are_numbered(names), len(names) > MOST_COLUMNS
    table = Table(
        title=Text(plain(translation.title(assignment.title)), style="bold"),
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column(translation.text("Student"), overflow="fold", min_width=8)
    for number, name in enumerate([] if folded else names, 1):
        table.add_column(str(number) if numbered else name, justify="right", no_wrap=True)
    table.add_column(translation.text("Total"), justify="right", style="bold")
    table.add_column(translation.text("Outcome"))
    if not numbered:
        table.add_column(translation.text("Time"), justify="right")
    table.add_column(translation.text("Review"))
    if folded:
        table.add_column(translation.text("Points lost in"), overflow="fold")
    for graded in results:
        run, grade = graded.run, graded.grade
        table.add_row(
            Text(plain(graded.submission.student.name)),
            *([] if folded else [_number(score.points, 3 if numbered else 6) for score in grade.scores]),
            _number(grade.total),
            Text(translation.say(OUTCOMES[run.outcome]), style=STYLES.get(run.outcome, "yellow")),
            *([] if numbered else [translation.text("{seconds:.0f} s", seconds=run.seconds)]),
            "●" if _needs_a_look(graded) else "",
            *([_lost_numbers(grade.scores)] if folded else []),
        )
    return table


def _lost_numbers(scores: Sequence[Score]) -> str:
    """Return the numbers of the criteria below their maximum: ``2-4, 9, 12?``, with a question mark for open points."""
    lost = [(number, score.points is None) for number, score in enumerate(scores, 1) if score.points != score.max]
    parts = []
    # Neighbours share the difference between their number and their place in the list.
    for (_, is_open), run in groupby(enumerate(lost), lambda entry: (entry[1][0] - entry[0], entry[1][1])):
        numbers = [number for _, (number, _) in run]
        shown = str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}"
        parts.append(shown + "?" * is_open)
    return ", ".join(parts)


def legend(assignment: Assignment) -> Text | None:
    """Return the names of the criteria that ``class_table`` numbers, or None if it numbers none."""
    names = [criterion.id for criterion in assignment.rubric]
    numbered = (f"{number} {plain(name)}" for number, name in enumerate(names, 1))
    return Text(" · ".join(numbered), style="dim") if _are_numbered(names) else None


def _are_numbered(names: Sequence[str]) -> bool:
    return sum(len(name) + 1 for name in names) > NARROW or len(names) > MOST_COLUMNS


def review_line(results: Sequence[Graded], assignment: Assignment, translation: Translation) -> str:
    """Count the students that need a person's review, and name the criteria that always do."""
    marked = sum(_needs_a_look(graded) for graded in results)
    line = translation.text("● {n} of {all} need a person's look; index.html says why.", n=marked, all=len(results))
    manual = [criterion.id for criterion in assignment.rubric if isinstance(criterion, Manual)]
    if manual:
        line += " " + translation.text("Only proposed, for you to decide: {criteria}.", criteria=", ".join(manual))
    return line


def intake_line(intake: Intake, out: Path, translation: Translation) -> str:
    """Count the submissions read and those in doubt, and link the page that shows them."""
    page = (out / INTAKE_PAGE).resolve().as_uri()
    if intake.absent:
        return translation.text(
            "Submissions read: {n} ({absent} on the class list without one, {doubts} to look at): {page}",
            n=len(intake), absent=len(intake.absent), doubts=intake.review_count, page=page,
        )  # fmt: skip
    return translation.text(
        "Submissions read: {n} ({doubts} to look at): {page}", n=len(intake), doubts=intake.review_count, page=page
    )


def _needs_a_look(graded: Graded) -> bool:
    """Return whether more needs review than the manual criteria, which every student has."""
    proposed = [score.review for score in graded.grade.scores if score.passed is None and score.points is not None]
    return any(reason not in proposed for reason in graded.grade.review_reasons)


def score_table(scores: Sequence[Score], translation: Translation) -> Table:
    table = Table(show_lines=True)
    # Folded, because Chinese has no spaces to break a line at, and what does not fit would be cut.
    table.add_column(translation.text("Criterion"), overflow="fold")
    table.add_column(translation.text("Points"), justify="right", no_wrap=True)
    table.add_column(translation.text("Why"), ratio=1, overflow="fold")
    for score in scores:
        points = f"{_points(score)} / {score.max:g}"
        table.add_row(Text(plain(translation.title(score.title))), points, Text(plain(translation.say(score.reason))))
    return table


def push_table(changes: Sequence[Change], title: str, translation: Translation) -> Table:
    """Build the table of changes: each student's grade on the server, the one to write, or why none is written."""
    table = Table(title=Text(plain(title), style="bold"), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(translation.text("Student"), overflow="fold")
    table.add_column(translation.text("There now"), justify="right")
    table.add_column(translation.text("To write"), justify="right", style="bold")
    table.add_column(translation.text("Why not"), ratio=1, overflow="fold")
    for change in changes:
        now = change.place.grade if change.place else None
        why = message("is there already") if change.is_written else change.obstacle
        table.add_row(
            Text(plain(change.result.student.name)),
            "–" if now is None else f"{now:g}",
            f"{change.grade:g}" if change.due else "",
            Text(plain(translation.say(why)) if why else "", style="yellow" if change.obstacle else "dim"),
        )
    return table


def scaling_line(changes: Sequence[Change], most: float, translation: Translation) -> str:
    """Say that the server scales the points; empty if it uses the same maximum."""
    ours = sorted({change.result.max for change in changes if change.result.max not in (0, most)})
    if not ours or most <= 0:
        return ""
    points = ", ".join(f"{maximum:g}" for maximum in ours)
    return translation.text("{points} points here are {max:g} there: the grades were scaled.", points=points, max=most)


def sent_lines(sent: Sequence[Sent], translation: Translation) -> Iterator[tuple[str, str]]:
    """Yield the outcome of the changes as lines with their styles: how many were written, and each problem."""
    failed = [result for result in sent if result.problem is not None]
    yield translation.text("{n} of {all} were written.", n=len(sent) - len(failed), all=len(sent)), "green"
    for result in sent:
        reason = result.problem or result.note
        if reason is not None:
            line = translation.say(message("{name}: {reason}", name=result.change.result.student.name, reason=reason))
            yield plain(line), "red" if result.problem else "yellow"
    if failed:
        yield translation.text("Run the same command again: what is there already is not written twice."), ""


def class_progress(console: Console) -> Progress:
    """Return a progress bar: how many are done, the time taken, and the time left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("·"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


def _points(score: Score) -> str:
    return _number(score.points)


def _number(value: float | None, digits: int = 6) -> str:
    return "?" if value is None else f"{value:.{digits}g}"
