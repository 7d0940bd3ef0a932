"""``grader export`` and ``grader push``: a class's grades on their way back to the LMS."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader.cli_grade import UPLOAD
from grader.handback import Missing, Order, read_results
from grader.lms import handing_back
from grader.lms.handing_back import WRITERS
from grader.terminal import LangOption, show_upload, speech_in

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
    to = handing_back.destination([one.lms for one in found.students], order, to=to)
    show_upload(handing_back.hand_back(found, order, to=to), to, order.out, speech)
