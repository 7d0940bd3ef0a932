"""Grades for Blackboard: the teacher's own download of the gradebook filled in, in the form it came in."""

from __future__ import annotations

from dataclasses import replace

from grader.atomic import write_bytes
from grader.handback import HandedBack, Order, Results
from grader.lms import table
from grader.lms.blackboard.gradebook import read
from grader.lms.returning.annotated import in_one_line
from grader.lms.sheets import filling, gradebook
from grader.lms.sheets.columns import chosen
from grader.lms.sheets.sheet import filled
from grader.records import message

_COMMENT = "Feedback to Learner"
_WANTED = message(
    "Blackboard takes grades in its own gradebook: download it (Grade Center, Work Offline, Download) and give it as a "
    "sheet to have it filled in."
)


def hand_back(results: Results, order: Order) -> HandedBack:
    """Writes ``blackboard-gradebook`` with the ending of the teacher's file; where there is none, a plain table.

    Raises ``IntakeError`` when the gradebook does not fit, ``OutputError`` when nothing can be written.
    """
    if not order.sheets:
        return replace(table.hand_back(results, order), notes=(_WANTED,))
    book = read(gradebook.only_sheet(order.sheets))
    gradebook.check_somebody(book, results.students)
    column = chosen(book.columns, book.sheet, results, order)
    done = filling.fill(book, column, results, order)
    path = order.out / f"blackboard-gradebook{book.sheet.path.suffix or '.csv'}"
    write_bytes(path, filled(book.sheet, done.changes | _comments(done, order)))
    return HandedBack((path,), tuple(filling.notes_on(done, results)))


def _comments(done: filling.Filling, order: Order) -> dict[tuple[int, int], str]:
    """What each criterion says, where one column was downloaded with its comments; a teacher's own words stay."""
    book = done.book
    if _COMMENT not in book.sheet.header or len(book.columns) > 1:
        return {}
    place = book.sheet.header.index(_COMMENT)
    return {
        (index, place): in_one_line(result, order.language)
        for index, result in done.placed.by_row.items()
        if result.total is not None and not book.sheet.cell(index, place).strip()
    }
