"""``grader assignments``: the assignments at hand."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from grader.cli.arguments import Language
from grader.cli.terminal import choose_translation, plain, screen
from grader.i18n.catalogue import Translation
from grader.i18n.message import message
from grader.spec.listing import Summary, list_summaries


def list_assignments(lang: Language | None) -> None:
    """Print id, title, points and folder of every assignment that is known by its id."""
    screen.print(assignments_table(list_summaries(), choose_translation(lang)))


def assignments_table(summaries: Iterable[Summary], translation: Translation) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in (message("Id"), message("Title"), message("Points"), message("Folder")):
        table.add_column(translation.say(heading))
    for summary in summaries:
        title = Text(plain(translation.title(summary.title)))
        table.add_row(summary.id, title, f"{summary.points:g}", Text(str(summary.folder), overflow="fold"))
    return table
