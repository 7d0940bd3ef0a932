"""Arguments and options of the command line. Imports Typer alone, so that ``grader --help`` starts fast."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Language(StrEnum):
    en = "en"
    zh_tw = "zh-TW"


class Lms(StrEnum):
    """Values of ``--lms``: the systems in ``grader.lms.systems`` and ``auto``."""

    auto = "auto"
    folder = "folder"
    moodle = "moodle"
    canvas = "canvas"
    blackboard = "blackboard"
    gradescope = "gradescope"
    classroom = "classroom"
    nbgrader = "nbgrader"


class Level(StrEnum):
    """Values of ``--sandbox``: the levels of confinement in ``grader.sandbox.levels``."""

    auto = "auto"
    namespaces = "namespaces"
    bubblewrap = "bubblewrap"
    container = "container"
    process = "process"
    none = "none"


class MissingGrade(StrEnum):
    """Values of ``--missing``: the grade of a student who submitted nothing."""

    blank = "blank"
    zero = "zero"


class Server(StrEnum):
    """Values of ``grader push --to``: the systems with a web service."""

    canvas = "canvas"
    moodle = "moodle"


EXPORT_FORMATS = ("csv", "moodle", "canvas", "blackboard", "gradescope", "nbgrader")  # values of ``export --to``

AssignmentArgument = Annotated[
    str, typer.Argument(metavar="ASSIGNMENT", help="An id, or a folder: with assignment.toml, nbgrader's, or otter's.")
]
PathsArgument = Annotated[
    list[Path],
    typer.Argument(metavar="PATH...", help="Notebooks, folders or LMS archives, and the LMS's gradebooks to fill in."),
]
NotebookArgument = Annotated[Path, typer.Argument(metavar="NOTEBOOK", help="Your notebook.")]
ResultsArgument = Annotated[
    Path, typer.Argument(metavar="RESULTS", help="The folder that grader grade wrote its results to.")
]
GradebooksArgument = Annotated[
    list[Path] | None, typer.Argument(metavar="[SHEET...]", help="The LMS's gradebooks, to be filled in.")
]
SetsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME...]", help="Sets, as grader data list shows them.")
]
AnySetsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME...]", help="Sets; without names, all that were fetched.")
]
KitRootArgument = Annotated[Path, typer.Argument(help="Gradescope's own folder.")]

LanguageOption = Annotated[
    Language | None, typer.Option("--lang", help="Language of reports and messages; default: the system's.")
]
OutOption = Annotated[Path, typer.Option(help="Folder for the results.")]
RegradeOption = Annotated[
    list[str] | None,
    typer.Option(help="Run this student's work again although it has not changed, by name or id; all: everybody's."),
]
ReportOption = Annotated[Path, typer.Option(help="Folder for the report.")]
JobsOption = Annotated[int | None, typer.Option(min=1, max=512, help="Notebooks at once; default: as many as fit.")]
BudgetOption = Annotated[
    float | None, typer.Option(min=1, help="Seconds for each notebook's cells; default: the assignment's limit.")
]
CellBudgetOption = Annotated[
    float | None, typer.Option(min=1, help="Seconds for one cell; default: the assignment's limit, if it has one.")
]
LmsOption = Annotated[Lms, typer.Option(help="Where the archive comes from.")]
AttackOption = Annotated[
    bool, typer.Option("--attack", help="Attack this machine from a notebook, harmlessly, and list what was stopped.")
]
SandboxOption = Annotated[Level, typer.Option(help="Confinement of the notebooks.")]
DueOption = Annotated[
    str | None, typer.Option(metavar="TIME", help='Due time: "2026-11-30 23:59"; with +08:00 for another time zone.')
]
LateOption = Annotated[
    str | None,
    typer.Option(metavar="POLICY", help="Penalty for late work: none, zero, percent:10[:50], late-days:3[:10]."),
]
ExtensionsOption = Annotated[
    Path | None,
    typer.Option(metavar="CSV", help="Students with more time: a table of students with Due, Days or Hours."),
]
RosterOption = Annotated[
    Path | None, typer.Option(metavar="CSV", help="The class list: any table with names, numbers or addresses.")
]
PracticeAssignmentOption = Annotated[
    str | None, typer.Option("--assignment", help="The assignment; default: recognised from the notebook.")
]
ExportFormatOption = Annotated[str, typer.Option("--to", help=f"auto, {', '.join(EXPORT_FORMATS)}")]
UploadFolderOption = Annotated[
    Path | None, typer.Option("--out", help="Folder for the files; default: upload in RESULTS.")
]
MissingOption = Annotated[MissingGrade, typer.Option(help="Grade of students who submitted nothing.")]
ColumnOption = Annotated[str, typer.Option(help="Title of the gradebook's column to fill, if several are possible.")]
ServerOption = Annotated[Server, typer.Option("--to", help="Which LMS the server is.")]
UrlOption = Annotated[str, typer.Option(help="Its address, for example https://school.instructure.com.")]
AssignmentNumberOption = Annotated[
    int, typer.Option("--assignment", min=1, help="The number in the address of the assignment's page.")
]
CourseNumberOption = Annotated[
    int | None, typer.Option("--course", min=1, help="Canvas: the course's number in the same address.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be written, and end.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Write without asking.")]
LocalOption = Annotated[Path | None, typer.Option("--from", help="A downloaded file or folder to read instead.")]
NeedsOption = Annotated[
    list[Path] | None,
    typer.Option("--for", metavar="SUBMISSIONS", help="Submissions: fetch the sets that their notebooks ask for."),
]
NeedsAssignmentOption = Annotated[
    str | None, typer.Option("--assignment", help="With --for: their assignment, whose files are known.")
]
IntoOption = Annotated[
    Path | None, typer.Option("--into", help="With --for: download the addresses of the notebooks into this folder.")
]
PrivateOption = Annotated[
    bool, typer.Option("--allow-private", help="With --into: also addresses of your own network and of this machine.")
]
FetchOption = Annotated[
    bool, typer.Option("--fetch/--no-fetch", help="Fetch small sets that the notebooks load and that are not here.")
]
EveryNetworkOption = Annotated[bool, typer.Option("--all", help="Show every network in a row of its own.")]
AgainOption = Annotated[bool, typer.Option(help="Fetch sets again that are already there.")]
CopyOption = Annotated[
    Path | None, typer.Option("--out", help="Folder for your copy of the assignment; default: ASSIGNMENT-own.")
]
KitOption = Annotated[Path, typer.Option(help="The zip to write.")]
