"""Which column of a teacher's gradebook the grades go to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from grader.files.csv_sheet import Sheet
from grader.grading.results import Results
from grader.i18n.message import join_list, message
from grader.lms.export_request import ExportRequest
from grader.lms.identity import fold_case, name_parts
from grader.models.errors import IntakeError


@dataclass(frozen=True, slots=True)
class Column:
    """One that takes grades. ``max`` is what the LMS counts as full points; None where it does not say."""

    index: int
    heading: str
    title: str
    id: str
    max: float | None = None


def chosen(columns: Sequence[Column], sheet: Sheet, results: Results, order: ExportRequest) -> Column:
    """The column that the order names, or the assignment's, known by its title, or the only one there is.

    Raises ``IntakeError`` with the candidates where that is none or several.
    """
    if order.column:
        return _only(_asked_for(columns, order.column), columns, sheet, results, order.column)
    titles = set(map(name_parts, results.title.values())) - {()}
    same = [column for column in columns if name_parts(column.title) in titles | {name_parts(results.assignment)}]
    if same:
        return _only(same, columns, sheet, results, results.assignment)
    if len(columns) == 1:
        return columns[0]
    alike = [column for column in columns if any(_within(name_parts(column.title), title) for title in titles)]
    return _only(alike, columns, sheet, results, results.assignment)


def _asked_for(columns: Sequence[Column], wanted: str) -> list[Column]:
    readings: tuple[Callable[[Column], str], ...] = (
        lambda column: column.heading,
        lambda column: column.id,
        lambda column: column.title,
    )
    for reading in readings:
        found = [column for column in columns if fold_case(reading(column).strip()) == fold_case(wanted.strip())]
        if found:
            return found
    return []


def _only(found: Sequence[Column], columns: Sequence[Column], sheet: Sheet, results: Results, wanted: str) -> Column:
    if len(found) == 1:
        return found[0]
    raise IntakeError(
        message(
            '{file}: {count} columns may be meant by "{wanted}", expected one of {columns}. Name it: grader export '
            '{folder} {file} --column "{example}"',
            file=sheet.path,
            count=len(found),
            wanted=wanted,
            folder=results.folder,
            example=(found or columns)[0].heading,
            columns=join_list([column.heading for column in (found or columns)]),
        )
    )


def _within(longer: Sequence[str], title: Sequence[str]) -> bool:
    """Not the other way round: a column called "Quiz" is not the one of "Quiz on layers"."""
    return f" {' '.join(title)} " in f" {' '.join(longer)} "
