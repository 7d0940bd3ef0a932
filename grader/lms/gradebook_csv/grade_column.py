"""The column of a teacher's gradebook that the grades go to."""

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
    """A column that takes grades. ``max`` is the LMS's full points; None where the gradebook does not say."""

    index: int
    heading: str
    title: str
    id: str
    max: float | None = None


def choose_column(columns: Sequence[Column], sheet: Sheet, results: Results, request: ExportRequest) -> Column:
    """Return the requested column, else the one with the assignment's title, else the only one.

    Raises ``IntakeError`` with the candidates if there is no such column or several.
    """
    if request.column:
        return _only(_requested(columns, request.column), columns, sheet, results, request.column)
    titles = set(map(name_parts, results.title.values())) - {()}
    same = [column for column in columns if name_parts(column.title) in titles | {name_parts(results.assignment)}]
    if same:
        return _only(same, columns, sheet, results, results.assignment)
    if len(columns) == 1:
        return columns[0]
    similar = [column for column in columns if any(_contains(name_parts(column.title), title) for title in titles)]
    return _only(similar, columns, sheet, results, results.assignment)


def _requested(columns: Sequence[Column], name: str) -> list[Column]:
    texts: tuple[Callable[[Column], str], ...] = (
        lambda column: column.heading,
        lambda column: column.id,
        lambda column: column.title,
    )
    for text in texts:
        found = [column for column in columns if fold_case(text(column).strip()) == fold_case(name.strip())]
        if found:
            return found
    return []


def _only(found: Sequence[Column], columns: Sequence[Column], sheet: Sheet, results: Results, name: str) -> Column:
    if len(found) == 1:
        return found[0]
    raise IntakeError(
        message(
            '{file}: {count} columns match "{wanted}"; expected one of {columns}. Name it: grader export {folder} '
            '{file} --column "{example}"',
            file=sheet.path,
            count=len(found),
            wanted=name,
            folder=results.folder,
            example=(found or columns)[0].heading,
            columns=join_list([column.heading for column in (found or columns)]),
        )
    )


def _contains(words: Sequence[str], title: Sequence[str]) -> bool:
    """Check that ``title`` is a part of ``words``; a column "Quiz" is not that of the assignment "Quiz on layers"."""
    return f" {' '.join(title)} " in f" {' '.join(words)} "
