"""Export of grades and reports to the LMS that the submissions came from."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from grader.files.csv_sheet import binary_kind
from grader.grading.results import Results
from grader.i18n.message import Message, message
from grader.lms import grades_table
from grader.lms.export_request import ExportedFiles, ExportRequest, GradebookFile
from grader.lms.systems import BY_NAME, SYSTEMS
from grader.models.errors import IntakeError
from grader.models.submission import Submission

TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".xls")  # of gradebooks; Blackboard's .xls is text, too
_SPREADSHEETS = (".xls", ".xlsx", ".xlsm", ".xlsb", ".ods", ".numbers")
TABLE = "csv"  # a plain table, for an LMS without a format of its own
FORMATS = (TABLE, *(system.name for system in SYSTEMS if system.export is not None))
_ROUNDING = 0.011  # a total is rounded to two digits


def export_grades(results: Results, request: ExportRequest, *, to: str = "auto") -> ExportedFiles:
    """Write the files to upload into ``request.out``, in the format that ``choose_format`` returns.

    Raises ``IntakeError`` if a gradebook does not fit, ``OutputError`` if a file cannot be written.
    """
    to = choose_format([result.lms for result in results.submissions], request, to=to)
    export = (BY_NAME[to].export if to in BY_NAME else None) or grades_table.export_grades
    exported = export(results, request)
    return replace(exported, notes=(*inconsistencies(results), *exported.notes))


def check_gradebooks(to: str, submissions: Sequence[Submission], gradebooks: Sequence[GradebookFile]) -> None:
    """Raise ``IntakeError`` if the gradebooks of the LMS ``to`` do not fit the submissions."""
    if to in BY_NAME:
        BY_NAME[to].check(submissions, gradebooks)


def inconsistencies(results: Results) -> Iterator[Message]:
    """Yield a note for each total that differs from its points, as after an edit of one of them only."""
    for result in results.submissions:
        points = [criterion.points for criterion in result.criteria if criterion.points is not None]
        if not result.criteria or len(points) < len(result.criteria):
            continue
        if result.total is None:
            yield message(
                "{student}: every criterion has its points ({sum:g}), but the total is open and is not exported; write "
                "it into grades.json.",
                student=result.student.name, sum=sum(points),
            )  # fmt: skip
        elif not math.isclose(result.total + result.taken_off, sum(points), abs_tol=_ROUNDING):
            yield message(
                "{student}: the total of {total:g} is exported, though the points add up to {sum:g}.",
                student=result.student.name, total=result.total, sum=round(sum(points), 2),
            )  # fmt: skip


# ---------------------------------------------------------------- choosing the format


def choose_format(systems: Sequence[str], request: ExportRequest, *, to: str = "auto") -> str:
    """Return one of ``FORMATS``: the requested one, else the LMS of most submissions, else that of the gradebooks.

    ``systems`` are the LMSs of the submissions. Raises ``IntakeError`` if these do not fit together, or if a gradebook
    would be overwritten by its filled-in copy.
    """
    if to != "auto" and to not in FORMATS:
        raise IntakeError(
            message("LMS {found} is not known; expected one of {known}.", found=to, known=", ".join(["auto", *FORMATS]))
        )
    main = main_lms(systems)
    chosen = to if to != "auto" else main if main != TABLE else ""
    if request.column and not request.gradebooks:
        raise IntakeError(
            message("{column} is a column of a gradebook: give the gradebook as well.", column=request.column)
        )
    for gradebook in request.gradebooks:
        system = _checked_system(gradebook, request.out)
        chosen = chosen or system
        if system != chosen:
            raise IntakeError(
                message("{path} is a gradebook of {found}, but the grades are for {wanted}.", path=gradebook.path,
                        found=system, wanted=chosen)
            )  # fmt: skip
    return chosen or TABLE


def main_lms(systems: Sequence[str]) -> str:
    """Return the most frequent LMS; "csv" if that has no format of its own."""
    most = Counter(systems).most_common(1)
    return most[0][0] if most and most[0][0] in FORMATS else TABLE


def _checked_system(gradebook: GradebookFile, out: Path) -> str:
    path = gradebook.path
    if not path.is_file():
        raise IntakeError(message("{path}: there is no such file.", path=path))
    system = gradebook_system(gradebook)
    if system is None:
        known = [system.name for system in SYSTEMS if system.recognises is not None or system.database_suffix]
        raise IntakeError(
            message("{path} is not a known gradebook; expected one from {known}.", path=path, known=", ".join(known))
        )
    if path.resolve().parent == out.resolve():
        raise IntakeError(
            message("{path} lies in the output folder and would be overwritten. Give another --out.", path=path)
        )
    return system


# ---------------------------------------------------------------- recognising gradebooks


def split_gradebooks(paths: Sequence[Path]) -> tuple[tuple[Path, ...], tuple[GradebookFile, ...]]:
    """Split ``paths`` into submissions and gradebooks.

    Raises ``IntakeError`` if there are gradebooks only.
    """
    files = [GradebookFile(path) for path in paths]
    gradebooks = tuple(file for file in files if gradebook_system(file) is not None)
    if gradebooks and len(gradebooks) == len(paths):
        raise IntakeError(
            message(
                "There are no submissions: {path} is a gradebook. Give the submissions as well.",
                path=gradebooks[0].path,
            )
        )
    return tuple(file.path for file in files if file not in gradebooks), gradebooks


def gradebook_system(file: GradebookFile) -> str | None:
    """Return the LMS whose gradebook ``file`` is; None for any other file.

    Raises ``IntakeError`` for a spreadsheet that no LMS writes, such as a gradebook saved again by Excel.
    """
    path = file.path
    suffix = path.suffix.lower()
    for system in SYSTEMS:
        if suffix == system.database_suffix and path.is_file():
            return system.name
    if suffix not in (*TEXT_SUFFIXES, *_SPREADSHEETS) or not path.is_file():
        return None
    try:
        sheet = file.sheet
    except IntakeError:
        if suffix in _SPREADSHEETS and binary_kind(path) is not None:
            raise
        return None
    return next((system.name for system in SYSTEMS if system.recognises and system.recognises(sheet)), None)
