"""Export to an nbgrader course: the files that nbgrader itself would write, in the course's folders.

After nbgrader 0.9: ``autograded/`` and ``feedback/`` as its exchange looks for them, the columns of its export, and
its gradebook, which the formgrader reads.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from grader.files.atomic import write_bytes, write_text
from grader.files.csv_export import csv_text, escape_formula, points_cell
from grader.grading.results import Result, Results
from grader.i18n.message import Message, join_list, message
from grader.lms.export_request import ExportedFiles, ExportRequest, GradebookFile, Missing
from grader.lms.gradebook_csv.grade_entry import SHARED_ROW
from grader.lms.identity import fold_case, safe_id
from grader.lms.nbgrader import gradebook as nbgrader_gradebook
from grader.lms.nbgrader.gradebook import CellEntry, Entry, Known
from grader.models.errors import IntakeError
from grader.models.submission import Student, Submission

GRADEBOOK, GRADES = "gradebook.db", "grades.csv"
UPLOAD_HINTS = {
    GRADEBOOK: message("{file}: in the place of the course's own, for nbgrader's formgrader and nbgrader export."),
    "autograded": message("{file}: into the course's folder, for the formgrader."),
    "feedback": message("{file}: into the course's folder, for nbgrader release_feedback."),
}
_COLUMNS = ("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
            "late_submission_penalty", "score", "max_score")  # fmt: skip
_SAFE = frozenset(".@+")  # in a student's folder, beside letters, digits, - and _


def check(_submissions: Sequence[Submission], gradebooks: Sequence[GradebookFile]) -> None:
    """Raise ``IntakeError`` if the files given are not one gradebook of nbgrader."""
    if len(gradebooks) > 1:
        raise IntakeError(
            message("Found {n} files to fill in; expected one {name}.", n=len(gradebooks), name=GRADEBOOK)
        )
    for gradebook in gradebooks:
        nbgrader_gradebook.read_gradebook(gradebook.path, "")


def export_grades(results: Results, request: ExportRequest) -> ExportedFiles:
    """Write ``autograded/``, ``feedback/``, ``grades.csv`` and ``gradebook.db``.

    ``gradebook.db`` is a filled-in copy of the teacher's gradebook if one was given, else a new result.
    """
    check((), request.gradebooks)
    given = request.gradebooks[0].path if request.gradebooks else None
    known = nbgrader_gradebook.read_gradebook(given, results.assignment) if given else Known()
    maximum = results.max
    results, shared = _unshared(results)
    for result in results.submissions:
        _write_folders(result, results.assignment, request.out)
    cells = list(_cells(results))
    entries = [entry for result in results.submissions for entry in _entries(result, results.assignment)]
    data, unknown = nbgrader_gradebook.fill_gradebook(given, results.assignment, cells, entries)
    write_bytes(request.out / GRADEBOOK, data)
    rows = [*_rows(results, known), *_missing_rows(results, known, request.missing, (shared, maximum))]
    write_text(request.out / GRADES, csv_text([list(_COLUMNS), *rows]))
    files = (request.out / GRADEBOOK, request.out / GRADES, request.out / "autograded", request.out / "feedback")
    notes = [Message(SHARED_ROW.template, {"names": join_list(shared)})] if shared else []
    return ExportedFiles(files, (*notes, *_notes(results, known, unknown, new=given is None)))


def folder_of(student: Student) -> str:
    """Return nbgrader's id of the student, which names a folder."""
    name = student.username or student.key or student.id
    plain = all(character.isalnum() or character in _SAFE | {"-", "_"} for character in name)
    return name if plain and not name.startswith(".") else safe_id(name)


def _unshared(results: Results) -> tuple[Results, tuple[str, ...]]:
    """Return ``results`` without the students who have a folder in common, and the names of these folders.

    Students may have written ids into their notebooks; a member of a group may have submitted alone as well.
    """
    owners = [{fold_case(folder_of(student)) for student in result.members} for result in results.submissions]
    count = Counter(name for names in owners for name in names)

    def alone(student: Student) -> bool:
        return count[fold_case(folder_of(student))] == 1

    kept = [
        replace(result, group=tuple(filter(alone, result.group)))
        for result in results.submissions
        if any(map(alone, result.members))
    ]
    return replace(results, submissions=tuple(kept)), tuple(name for name in count if count[name] > 1)


# ---------------------------------------------------------------- folders


def _executed(result: Result, assignment: str) -> dict[str, Path]:
    """Return the executed notebooks by name without suffix; outside a course the name is the assignment's id."""
    found = {path.stem: path for path in sorted((result.folder / "executed").glob("*.ipynb"))}
    return found or ({assignment: result.executed} if result.executed.is_file() else {})


def _write_folders(result: Result, assignment: str, out: Path) -> None:
    for student in result.members:
        inner = Path(folder_of(student)) / safe_folder(assignment)
        for name, path in _executed(result, assignment).items():
            write_bytes(out / "autograded" / inner / f"{name}.ipynb", path.read_bytes())
            if result.report.is_file():
                # nbgrader releases feedback by notebook: each file is the whole report.
                write_bytes(out / "feedback" / inner / f"{name}.html", result.report.read_bytes())
        if result.submitted_at:
            write_text(out / "autograded" / inner / "timestamp.txt", f"{result.submitted_at}\n")


def safe_folder(assignment: str) -> str:
    return assignment if "/" not in assignment and assignment not in ("", ".", "..") else safe_id(assignment)


# ---------------------------------------------------------------- the gradebook


def _cells(results: Results) -> Iterator[CellEntry]:
    """Yield the teacher's cells, from all executed notebooks, because one student's may lack some."""
    seen: set[tuple[str, str]] = set()
    for result in results.submissions:
        for notebook, path in _executed(result, results.assignment).items():
            for cell in json.loads(path.read_bytes())["cells"]:
                marks = cell["metadata"].get("nbgrader")
                name = marks.get("grade_id") if isinstance(marks, dict) else None
                if not isinstance(name, str) or (notebook, name) in seen:
                    continue
                seen.add((notebook, name))
                # The text of a solution is the student's.
                source = "" if marks.get("solution", True) else "".join(cell["source"])
                yield CellEntry(notebook, name, cell["cell_type"], source, marks)


def _entries(result: Result, assignment: str) -> Iterator[Entry]:
    """Yield the points of each member; a notebook that was not submitted has no points in a gradebook."""
    ran = _executed(result, assignment)
    points, most = {}, {}
    for criterion in result.criteria:
        notebook, _slash, name = criterion.id.rpartition("/")
        most[notebook or assignment, name] = criterion.max
        if (notebook or assignment) in ran:
            points[notebook or assignment, name] = criterion.points
    for student in result.members:
        yield Entry(folder_of(student), student.name, student.email, result.submitted_at or "", points, most)


# ---------------------------------------------------------------- the table


def _rows(results: Results, known: Known) -> Iterator[list[str]]:
    for result in results.submissions:
        for student in result.members:
            name = folder_of(student)
            own = ("", student.name if student.name != name else "", student.email)
            last, first, email = known.students.get(name, own)
            scores = ["", "", ""]
            if result.total is not None:
                total = points_cell(result.total)
                scores = [points_cell(result.total + result.taken_off), f"{result.taken_off:.12g}", total]
            times = [known.duedate, result.submitted_at or ""]
            person = [*map(escape_formula, (name, last, first, email))]
            yield [escape_formula(results.assignment), *times, *person, *scores, points_cell(result.max)]


def _missing_rows(
    results: Results, known: Known, missing: Missing, shared: tuple[Sequence[str], float]
) -> Iterator[list[str]]:
    """Yield the rows of students without a submission; ``shared`` are folders to skip, and the maximum."""
    skipped, maximum = shared
    graded = {fold_case(folder_of(student)) for result in results.submissions for student in result.members}
    absent = {folder_of(student): ("", student.name, student.email) for student in results.absent}
    scores = ["0.0"] * 3 if missing is Missing.ZERO else [""] * 3
    for name, (last, first, email) in {**absent, **known.students}.items():
        if fold_case(name) not in graded | set(skipped):
            person = [*map(escape_formula, (name, last, first, email))]
            yield [escape_formula(results.assignment), known.duedate, "", *person, *scores, points_cell(maximum)]


def _notes(results: Results, known: Known, unknown: Sequence[str], *, new: bool) -> Iterator[Message]:
    if new:
        yield message("A new gradebook was made. To fill in your own, give the course's {name}.", name=GRADEBOOK)
    if unknown:
        yield message("These cells are not in the gradebook, so their points are missing from it: {cells}.",
                      cells=join_list(unknown))  # fmt: skip
    names = {folder_of(student) for result in results.submissions for student in result.members}
    if not new and (strangers := sorted(names - known.students.keys())):
        yield message("Added to the gradebook's students: {names}.", names=join_list(strangers))
    waiting = sum(result.total is None for result in results.submissions)
    if waiting:
        yield message(
            "{n} students have criteria that a person must judge: enter these points in the formgrader.", n=waiting
        )
