"""Grades and reports given back to the LMS that the submissions came from, each in the way it takes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grader.files import filetype
from grader.files.csv_sheet import read_sheet
from grader.grading.results import Results
from grader.i18n.message import Message, message
from grader.lms import grades_table
from grader.lms.export.consistency import doubts
from grader.lms.export_request import ExportedFiles, ExportRequest
from grader.lms.systems import BY_NAME, SYSTEMS
from grader.models.errors import IntakeError
from grader.models.submission import Submission

SHEETS = (".csv", ".tsv", ".txt", ".xls")  # of lists of grades that are text
_SPREADSHEETS = (".xls", ".xlsx", ".xlsm", ".xlsb", ".ods", ".numbers")


TABLE = "csv"  # a plain table, for an LMS without a format of its own
FORMATS = (TABLE, *(system.name for system in SYSTEMS if system.export is not None))


def hand_back(results: Results, order: ExportRequest, *, to: str = "auto") -> ExportedFiles:
    """Write the files to upload into ``order.out``, in the format that ``destination`` chooses for ``to``.

    Raises ``IntakeError`` when a sheet does not fit, ``OutputError`` when a file cannot be written.
    """
    to = destination([result.lms for result in results.submissions], order, to=to)
    export = (BY_NAME[to].export if to in BY_NAME else None) or grades_table.hand_back
    exported = export(results, order)
    return replace(exported, notes=(*doubts(results), *exported.notes))


def check_sheets(to: str, submissions: Sequence[Submission], sheets: Sequence[Path]) -> None:
    """Raise ``IntakeError`` when the lists of grades of the LMS ``to`` do not fit the submissions."""
    if to in BY_NAME:
        BY_NAME[to].check(submissions, sheets)


def destination(systems: Sequence[str], order: ExportRequest, *, to: str = "auto") -> str:
    """Which of ``FORMATS`` is meant: the one asked for, else ``came_from``, else the one whose sheets there are.

    ``systems`` are where each submission came from. Raises ``IntakeError`` when these do not go together, or when a
    sheet would be overwritten by what is made of it.
    """
    if to != "auto" and to not in FORMATS:
        raise IntakeError(
            message("LMS {found} is not known; expected one of {known}.", found=to, known=", ".join(["auto", *FORMATS]))
        )
    home = came_from(systems)
    wanted = to if to != "auto" else home if home != "csv" else ""
    if order.column and not order.sheets:
        raise IntakeError(
            message("{column} is a column of a list of grades: give the list as well.", column=order.column)
        )
    for sheet in order.sheets:
        owner = _sheet_owner(sheet, order.out)
        wanted = wanted or owner
        if owner != wanted:
            raise IntakeError(
                message("{path} is a list of grades of {found}, but the grades are for {wanted}.", path=sheet,
                        found=owner, wanted=wanted)
            )  # fmt: skip
    return wanted or "csv"


def _sheet_owner(sheet: Path, out: Path) -> str:
    if not sheet.is_file():
        raise IntakeError(message("{path}: there is no such file.", path=sheet))
    owner = whose_sheet(sheet)
    if owner is None:
        raise IntakeError(
            message("{path} is no list of grades known here; expected one that {known} wrote.", path=sheet,
                    known=", ".join(_with_sheets()))
        )  # fmt: skip
    if sheet.resolve().parent == out.resolve():
        raise IntakeError(
            message(
                "{path} lies where the files are written, and would be overwritten. Give another --out.", path=sheet
            )
        )
    return owner


def _with_sheets() -> list[str]:
    return [system.name for system in SYSTEMS if system.recognises is not None or system.database_suffix]


def came_from(systems: Sequence[str]) -> str:
    """The LMS that most came from; "csv" where that has no way back of its own."""
    most = Counter(systems).most_common(1)
    return most[0][0] if most and most[0][0] in FORMATS else TABLE


def whose_sheet(path: Path) -> str | None:
    """The LMS whose own list of grades ``path`` is; None for any other file.

    Raises ``IntakeError`` for a spreadsheet that no LMS writes, such as a list saved again by Excel.
    """
    suffix = path.suffix.lower()
    for system in SYSTEMS:
        if suffix == system.database_suffix and path.is_file():
            return system.name
    if suffix not in (*SHEETS, *_SPREADSHEETS) or not path.is_file():
        return None
    if suffix in _SPREADSHEETS and (kind := _binary_kind(path)) is not None:
        raise IntakeError(
            message(
                "{path} is {kind}; a list of grades is text with commas or tabs. Give the file as the LMS wrote it, "
                "not opened and saved again.",
                path=path, kind=kind,
            )
        )  # fmt: skip
    try:
        sheet = read_sheet(path)
    except IntakeError:
        return None
    return next((system.name for system in SYSTEMS if system.recognises and system.recognises(sheet)), None)


def apart(paths: Sequence[Path]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """What was handed in, and the LMS's own lists of grades, out of all that the teacher gave."""
    sheets = tuple(path for path in paths if whose_sheet(path) is not None)
    if sheets and len(sheets) == len(paths):
        raise IntakeError(
            message(
                "There are no submissions: {path} is a list of grades. Give what was handed in as well.", path=sheets[0]
            )
        )
    return tuple(path for path in paths if path not in sheets), sheets


def _binary_kind(path: Path) -> Message | None:
    try:
        with path.open("rb") as file:
            return filetype.binary_kind(file.read(filetype.HEAD_BYTES))
    except OSError:
        return None  # whoever reads it says why it cannot be read
