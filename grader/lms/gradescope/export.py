"""Grades given back to Gradescope, which takes scores from an autograder alone.

``gradescope-autograder.zip`` is one that runs nothing: it hands each submission the results it was given here. Its
content lies unpacked beside it, and ``gradescope-grades.csv`` has the columns of Gradescope's own list of grades.
"""

from __future__ import annotations

from collections.abc import Iterator

from grader.files.atomic import write_bytes, write_text
from grader.files.csv_export import csv_text, escape_formula, points_cell
from grader.grading.results import Result, Results
from grader.i18n.catalogue import Translation, translation
from grader.i18n.message import Message, join_list, message
from grader.lms.export_request import ExportedFiles, ExportRequest
from grader.lms.gradescope.autograder_zip import RETURNING, packed, program
from grader.lms.gradescope.results_json import Test, results_json

AUTOGRADER, GRADES, RESULTS = "gradescope-autograder.zip", "gradescope-grades.csv", "results"
_COLUMNS = ("Name", "SID", "Email", "Total Score", "Max Points", "Submission ID", "Submission Time")
UPLOAD_HINTS = {AUTOGRADER: message("{file}: Gradescope, Configure Autograder › Zip file upload.")}

OPEN = message("This could not be graded by the machine. Your teacher will look at it; it is not a zero.")
NOT_GRADED = message("This was not among the submissions that were graded. Your teacher will look at it.")


def hand_back(results: Results, order: ExportRequest) -> ExportedFiles:
    """Writes both into ``order.out``; what is open goes back without a score."""
    speech = translation(order.language)
    files = {
        f"{RESULTS}/{_folder(one)}/results.json": results_json(
            one.total, _tests(one, speech), output=_said(one, speech)
        )
        for one in results.submissions
    }
    for name, data in files.items():
        write_bytes(order.out / name, data)
    files["not_graded.json"] = results_json(None, output=speech.say(NOT_GRADED))
    autograder, grades = order.out / AUTOGRADER, order.out / GRADES
    write_bytes(autograder, packed({**program(RETURNING), **files}))
    write_text(grades, _table(results))
    return ExportedFiles((autograder, grades), tuple(_notes(results)))


def _folder(one: Result) -> str:
    """As in Gradescope's export; what came from elsewhere lies under the student's id."""
    return f"submission_{one.student.key}" if _is_gradescopes(one) else one.student.id


def _is_gradescopes(one: Result) -> bool:
    return one.lms == "gradescope" and one.student.key.isascii() and one.student.key.isdigit()


def _tests(one: Result, speech: Translation) -> list[Test]:
    to_be_judged = speech.text("A person has to judge this.")
    return [
        Test(
            speech.title(each.title) or each.id,
            each.points or 0.0,
            each.max,
            to_be_judged if each.points is None else speech.say(each.explanation),
        )
        for each in one.criteria
    ]


def _said(one: Result, speech: Translation) -> str:
    if one.total is None:
        return speech.say(OPEN)
    return speech.text("{total:g} of {max:g} points.", total=one.total, max=one.max)


def _table(results: Results) -> str:
    """A line for each student."""
    return csv_text([_COLUMNS, *(row for one in results.submissions for row in _rows(one))])


def _rows(one: Result) -> Iterator[list[str]]:
    for student in one.members:
        yield [
            *map(escape_formula, (student.name, student.username, student.email)),
            points_cell(one.total),
            points_cell(one.max),
            one.student.key if _is_gradescopes(one) else "",
            escape_formula(one.submitted_at or ""),
        ]


def _notes(results: Results) -> Iterator[Message]:
    waiting = [one.student.name for one in results.submissions if one.total is None]
    if waiting:
        yield message("Without a score, because they are open: {students}.", students=join_list(waiting))
    strangers = [one.student.name for one in results.submissions if not _is_gradescopes(one)]
    if strangers:
        yield message(
            "Not from Gradescope, so that it will not find their results: {students}.", students=join_list(strangers)
        )
    if any(one.max != results.max for one in results.submissions):
        yield message("Not every submission has the same maximum.")
