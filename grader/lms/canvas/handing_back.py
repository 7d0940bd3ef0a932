"""Grades and feedback for Canvas: the teacher's gradebook filled in, notebooks for "Upload Submissions"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grader.atomic import write_bytes
from grader.handback import HandedBack, Order, Result, Results
from grader.lms import gradebook, table
from grader.lms.canvas import feedback
from grader.lms.canvas.gradebook import posted_by_hand, read
from grader.lms.canvas.reading import is_anonymous
from grader.lms.columns import chosen
from grader.lms.sheet import filled
from grader.records import Message, message
from grader.sentences import listed

FILE = "canvas-gradebook.csv"
ANONYMOUS = "canvas-anonymous-grades.csv"


def hand_back(results: Results, order: Order) -> HandedBack:
    """Writes ``canvas-gradebook.csv``, where there is a gradebook to fill in, and ``canvas-feedback.zip``.

    Raises ``IntakeError`` when the gradebook does not fit, ``OutputError`` when nothing can be written.
    """
    anonymous = [one for one in results.students if one.lms == "canvas" and is_anonymous(one.origin)]
    named = [one for one in results.students if one not in anonymous]
    done = []
    if named:
        part = replace(results, students=tuple(named))
        done.append(_grades(part, order) if order.sheets else _table(part, order))
    if anonymous:
        done.append(_anonymous(replace(results, students=tuple(anonymous)), order))
    done.append(_feedback(results.students, order))
    files = dict.fromkeys(path for one in done for path in one.files)
    return HandedBack(tuple(files), tuple(note for one in done for note in one.notes))


def _grades(results: Results, order: Order) -> HandedBack:
    book = read(gradebook.only_sheet(order.sheets))
    gradebook.check_somebody(book, gradebook.people(results.students))
    column = chosen(book.columns, book.sheet, results, order)
    filling = gradebook.fill(book, column, results, order)
    write_bytes(order.out / FILE, filled(book.sheet, filling.changes))
    notes = gradebook.notes_on(filling, results)
    if posted_by_hand(book, column):
        notes.append(message("Students see these grades only once you post them: the column is posted by hand."))
    return HandedBack((order.out / FILE,), (*notes, *_groups(book, results)))


def _groups(book: gradebook.Gradebook, results: Results) -> list[Message]:
    """Canvas names a group's files by the group, with the id of one of its members."""
    rows = {row.index: row for row in book.rows}
    placed = gradebook.place(book, [one for one in results.students if one.lms == "canvas"])
    pairs = [
        f"{one.student.name} ({rows[index].name})"
        for index, one in placed.by_row.items()
        if _letters(one.student.name) != _letters(rows[index].name)
    ]
    if not pairs:
        return []
    return [
        message(
            "These names differ, as a group's does from its member's: {pairs}. Canvas gives such a grade to the whole "
            "group, unless it is set to grade each member apart: then enter the others by hand.",
            pairs=listed(pairs),
        )
    ]


def _letters(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _table(results: Results, order: Order) -> HandedBack:
    made = table.hand_back(results, order)
    note = message(
        "Canvas takes grades in its own gradebook: export it (Grades, Export, Export Entire Gradebook) and give it as "
        "a sheet to have it filled in."
    )
    return HandedBack(made.files, (*made.notes, note))


def _anonymous(results: Results, order: Order) -> HandedBack:
    """A table by anonymous ids, and the reports: who is behind them, Canvas alone can tell."""
    note = message(
        "{count} submissions are anonymous: the gradebook does not know their ids. Enter their grades in SpeedGrader, "
        "by the ids in {file}, or turn anonymous grading off and download the submissions again.",
        count=len(results.students),
        file=ANONYMOUS,
    )
    made = table.hand_back(results, order, file=ANONYMOUS)
    reports = feedback.write_reports(results.students, order)
    return HandedBack(made.files + ((reports,) if reports else ()), (note,))


def _feedback(results: Sequence[Result], order: Order) -> HandedBack:
    path, without = feedback.write_feedback(results, order)
    notes: list[Message] = []
    if path:
        notes.append(
            message(
                "Upload {file} once: each upload adds another comment to every submission. A student finds the "
                "notebook there under the name of the file handed in.",
                file=path.name,
            )
        )
    if without:
        names = listed([one.student.name for one in without])
        notes.append(message("Canvas has no upload to hang feedback on; send the report to: {names}.", names=names))
    files: tuple[Path, ...] = (path,) if path else ()
    return HandedBack(files, tuple(notes))
