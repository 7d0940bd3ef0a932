"""The survey of a class on the screen: what its notebooks ask for and this machine lacks, before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from rich.table import Table
from rich.text import Text

from grader.cli.terminal import plain, screen
from grader.data.cache.known_sets import catalogue
from grader.data.needs.files import describe_class_wide, names_in
from grader.data.needs.libraries import install_command
from grader.data.needs.notebook_needs import Cell, Needs, read_needs
from grader.data.needs.survey import Asked, Available, Kind, Want, class_wide_files, missing_libraries, survey
from grader.files.plain_files import read_plain
from grader.files.requirements_file import MAX_CHARACTERS
from grader.i18n.catalogue import Translation
from grader.i18n.message import Message, message, verbatim
from grader.models.assignment import Assignment
from grader.models.submission import Submission
from grader.notebook import parse
from grader.notebook.name_errors import python_lines

MOST_ROWS = 12  # on the screen of grader grade
REQUIREMENTS, MOST_LISTS = "requirements.txt", 3
MOST_NAMED = 3  # students of a row
NAMES = {
    Kind.LIBRARY: message("library"),
    Kind.SET: message("data or weights"),
    Kind.ADDRESS: message("download"),
    Kind.SERVICE: message("download by a library"),
    Kind.FILE: message("file or folder"),
    Kind.PACKAGE: message("unknown package"),
    Kind.MODULE: message("unknown module"),
}

ADVICE = {
    Kind.ADDRESS: message("give the file with the assignment: data.files, or [sources]"),
    Kind.SERVICE: message("fails offline; give the data with the assignment"),
    Kind.FILE: message("neither submitted nor of the assignment"),
    Kind.PACKAGE: message("is not installed: not a plain name of a known package"),
    Kind.MODULE: message("not known: a slip, or the student's own file that was not submitted"),
}


def survey_class(
    submissions: Iterable[Submission], assignment: Assignment | None, library: Path | None
) -> tuple[Want, ...]:
    """Return what the notebooks of a class ask for, read from their code. Nothing is run."""
    available = Available(library=library, is_complete=False)
    if assignment is not None:
        data, course = assignment.data, assignment.course
        given = {path.name: path for path in data.files} if data is not None else {}
        given |= course.files if course is not None else {}
        names = frozenset(name for top, path in given.items() for name in (top, *names_in(path)))
        # A public set comes with files of its own, which are made when it is graded.
        available = Available(names, assignment.sources, library, is_complete=assignment.public is None)
    return survey(map(_asked, submissions), available)


def _asked(submission: Submission) -> Asked:
    paths = [*submission.parts.values()] or ([submission.notebook] if submission.notebook is not None else [])
    cells = [cell for path in paths for cell in _cells(path)]
    own = frozenset(attachment.name for attachment in submission.attachments)
    lists = [
        attachment.path for attachment in submission.attachments if PurePosixPath(attachment.name).name == REQUIREMENTS
    ]
    texts = tuple(filter(None, map(_text, lists[:MOST_LISTS])))
    return Asked(submission.student.name, read_needs(cells) if cells else Needs(), own, texts)


def _text(path: Path) -> str:
    try:
        return read_plain(path, MAX_CHARACTERS + 1).decode("utf-8", "replace")
    except OSError:
        return ""


def _cells(path: Path) -> list[Cell]:
    try:
        notebook = parse.parse(read_plain(path, parse.MAX_BYTES + 1)).notebook
    except OSError:
        return []
    cells = notebook.cells if notebook is not None else []
    return [Cell(python_lines(cell.source), cell.source) for cell in cells if cell.cell_type == "code"]


# ---------------------------------------------------------------- on the screen


def print_missing(wants: Sequence[Want], translation: Translation) -> None:
    """Print what is missing as one short table, libraries first; print nothing if nothing is."""
    missing = [want for want in wants if not want.there]
    if not missing:
        return
    screen.print(translation.text("Asked for by the notebooks, and not here:"))
    screen.print(wants_table(missing[:MOST_ROWS], translation))
    if len(missing) > MOST_ROWS:
        more = translation.text(
            "… and {n} more: grader data fetch --for SUBMISSIONS lists them.", n=len(missing) - MOST_ROWS
        )
        screen.print(more, soft_wrap=True)
    files = class_wide_files(missing)
    if files:
        screen.print(Text(plain(translation.say(describe_class_wide(files))), style="red"), soft_wrap=True)
    blocking = missing_libraries(missing)
    if blocking:
        text = translation.text(
            "Stop here and install the libraries first: {command}. Notebooks that lack them go to review.",
            command=install_command(blocking),
        )
        screen.print(Text(plain(text), style="red"), soft_wrap=True)


def wants_table(wants: Sequence[Want], translation: Translation) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("")
    table.add_column(translation.text("Kind"), overflow="fold")
    table.add_column(translation.text("Needed"), overflow="fold", ratio=2)
    table.add_column(translation.text("Notebooks"), overflow="fold", ratio=1)
    table.add_column(translation.text("What to do"), overflow="fold", ratio=2)
    for want in wants:
        sign, style = ("✓", "green") if want.there else ("✗", "red") if want.is_blocking else ("!", "yellow")
        who = ", ".join(want.students[:MOST_NAMED]) + (", …" if len(want.students) > MOST_NAMED else "")
        cells = (translation.say(NAMES[want.kind]), want.name, f"{len(want.students)} ({who})")
        advice = "" if want.there else translation.say(_advice(want))
        table.add_row(Text(sign, style=style), *(Text(plain(cell)) for cell in (*cells, advice)))
    return table


def _advice(want: Want) -> Message:
    if want.is_class_wide:
        return message("every notebook reads it: give it with the assignment")
    if want.kind is Kind.LIBRARY:
        return verbatim(install_command([want.name]))
    if want.kind is Kind.SET:
        megabytes = catalogue()[want.name].megabytes
        return message("grader data fetch {name} ({megabytes} MB)", name=want.name, megabytes=megabytes)
    return ADVICE[want.kind]
