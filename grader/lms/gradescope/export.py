"""Export to Gradescope, which takes scores only from an autograder.

``gradescope-autograder.zip`` is an autograder that runs nothing: it returns the stored result of each submission. Its
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
UPLOAD_HINTS = {AUTOGRADER: message("{file}: Gradescope, Configure Autograder › Zip file upload.")}
_COLUMNS = ("Name", "SID", "Email", "Total Score", "Max Points", "Submission ID", "Submission Time")

OPEN = message("This could not be graded by the machine. Your teacher will look at it; it is not a zero.")
NOT_GRADED = message("This was not among the submissions that were graded. Your teacher will look at it.")


def export_grades(results: Results, request: ExportRequest) -> ExportedFiles:
    """Write the autograder and the table into ``request.out``; an open total gets no score."""
    language = translation(request.language)
    files = {
        f"{RESULTS}/{_folder(result)}/results.json": results_json(
            result.total, _tests(result, language), output=_output(result, language)
        )
        for result in results.submissions
    }
    for name, data in files.items():
        write_bytes(request.out / name, data)
    files["not_graded.json"] = results_json(None, output=language.say(NOT_GRADED))
    autograder, grades = request.out / AUTOGRADER, request.out / GRADES
    write_bytes(autograder, packed({**program(RETURNING), **files}))
    rows = [row for result in results.submissions for row in _rows(result)]
    write_text(grades, csv_text([_COLUMNS, *rows]))
    return ExportedFiles((autograder, grades), tuple(_notes(results)))


def _folder(result: Result) -> str:
    """Return the folder's name as in Gradescope's export; the student's id for submissions from elsewhere."""
    return f"submission_{result.student.key}" if _is_from_gradescope(result) else result.student.id


def _is_from_gradescope(result: Result) -> bool:
    return result.lms == "gradescope" and result.student.key.isascii() and result.student.key.isdigit()


def _tests(result: Result, language: Translation) -> list[Test]:
    to_judge = language.text("A person has to judge this.")
    return [
        Test(
            language.title(criterion.title) or criterion.id,
            criterion.points or 0.0,
            criterion.max,
            to_judge if criterion.points is None else language.say(criterion.explanation),
        )
        for criterion in result.criteria
    ]


def _output(result: Result, language: Translation) -> str:
    if result.total is None:
        return language.say(OPEN)
    return language.text("{total:g} of {max:g} points.", total=result.total, max=result.max)


def _rows(result: Result) -> Iterator[list[str]]:
    for student in result.members:
        yield [
            *map(escape_formula, (student.name, student.username, student.email)),
            points_cell(result.total),
            points_cell(result.max),
            result.student.key if _is_from_gradescope(result) else "",
            escape_formula(result.submitted_at or ""),
        ]


def _notes(results: Results) -> Iterator[Message]:
    unscored = [result.student.name for result in results.submissions if result.total is None]
    if unscored:
        yield message("Without a score because the total is open: {students}.", students=join_list(unscored))
    others = [result.student.name for result in results.submissions if not _is_from_gradescope(result)]
    if others:
        yield message(
            "Not submitted through Gradescope, so it cannot find these results: {students}.",
            students=join_list(others),
        )
    if any(result.max != results.max for result in results.submissions):
        yield message("Not every submission has the same maximum.")
