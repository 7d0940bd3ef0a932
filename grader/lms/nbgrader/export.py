"""Grades given back to an nbgrader course: what nbgrader itself would have written, into the course's own folders.

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
from grader.lms.export_request import ExportedFiles, ExportRequest, Missing
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


def check(_submissions: Sequence[Submission], sheets: Sequence[Path]) -> None:
    """Raises ``IntakeError`` when what is given is not one gradebook of nbgrader's."""
    if len(sheets) > 1:
        raise IntakeError(message("Found {n} files to fill in, expected one {name}.", n=len(sheets), name=GRADEBOOK))
    for path in sheets:
        nbgrader_gradebook.read(path, "")


def hand_back(results: Results, order: ExportRequest) -> ExportedFiles:
    """Writes ``autograded/``, ``feedback/``, ``grades.csv`` and ``gradebook.db``; the teacher's own gradebook, where
    it is given, is copied and filled in.
    """
    check((), order.sheets)
    given = order.sheets[0] if order.sheets else None
    known = nbgrader_gradebook.read(given, results.assignment) if given else Known()
    results, shared = _told_apart(results)
    for one in results.submissions:
        _write_folders(one, results.assignment, order.out)
    cells = list(_cells(results))
    entries = [entry for one in results.submissions for entry in _entries(one, results.assignment)]
    data, unknown = nbgrader_gradebook.filled(given, results.assignment, cells, entries)
    write_bytes(order.out / GRADEBOOK, data)
    write_text(order.out / GRADES, csv_text([list(_COLUMNS), *_rows(results, known, order.missing, shared)]))
    files = (order.out / GRADEBOOK, order.out / GRADES, order.out / "autograded", order.out / "feedback")
    return ExportedFiles(files, (*_doubled(shared), *_notes(results, known, unknown, new=given is None)))


def folder_of(student: Student) -> str:
    """The id that nbgrader knows the student by, which names a folder."""
    name = student.username or student.key or student.id
    plain = all(character.isalnum() or character in _SAFE | {"-", "_"} for character in name)
    return name if plain and not name.startswith(".") else safe_id(name)


def _told_apart(results: Results) -> tuple[Results, tuple[str, ...]]:
    """``results`` without those who have a folder in common there, and these folders: nobody knows whose each is.

    Ids may be what students wrote into their notebooks; a member of a group may have handed in alone as well.
    """
    owners = [{fold_case(folder_of(student)) for student in one.members} for one in results.submissions]
    count = Counter(name for names in owners for name in names)

    def alone(student: Student) -> bool:
        return count[fold_case(folder_of(student))] == 1

    kept = [
        replace(one, group=tuple(filter(alone, one.group)))
        for one in results.submissions
        if any(map(alone, one.members))
    ]
    return replace(results, submissions=tuple(kept)), tuple(name for name in count if count[name] > 1)


# ---------------------------------------------------------------- folders


def _executed(one: Result, assignment: str) -> dict[str, Path]:
    """A course's notebooks, each as it ran, by name without suffix; any other assignment's is called after it."""
    found = {path.stem: path for path in sorted((one.folder / "executed").glob("*.ipynb"))}
    return found or ({assignment: one.executed} if one.executed.is_file() else {})


def _write_folders(one: Result, assignment: str, out: Path) -> None:
    for student in one.members:
        inner = Path(folder_of(student)) / safe_folder(assignment)
        for name, path in _executed(one, assignment).items():
            write_bytes(out / "autograded" / inner / f"{name}.ipynb", path.read_bytes())
            if one.report.is_file():
                # nbgrader releases feedback by notebook: each is the whole report.
                write_bytes(out / "feedback" / inner / f"{name}.html", one.report.read_bytes())
        if one.submitted_at:
            write_text(out / "autograded" / inner / "timestamp.txt", f"{one.submitted_at}\n")


def safe_folder(assignment: str) -> str:
    return assignment if "/" not in assignment and assignment not in ("", ".", "..") else safe_id(assignment)


# ---------------------------------------------------------------- the gradebook


def _cells(results: Results) -> Iterator[CellEntry]:
    """The teacher's cells, as the notebooks that ran have them: those that one student lacks another has."""
    seen: set[tuple[str, str]] = set()
    for one in results.submissions:
        for notebook, path in _executed(one, results.assignment).items():
            for cell in json.loads(path.read_bytes())["cells"]:
                marks = cell["metadata"].get("nbgrader")
                name = marks.get("grade_id") if isinstance(marks, dict) else None
                if not isinstance(name, str) or (notebook, name) in seen:
                    continue
                seen.add((notebook, name))
                # The student's own text is not the teacher's.
                source = "" if marks.get("solution", True) else "".join(cell["source"])
                yield CellEntry(notebook, name, cell["cell_type"], source, marks)


def _entries(one: Result, assignment: str) -> Iterator[Entry]:
    """Of the notebooks that ran; one that was not handed in has no points to be found in a gradebook."""
    ran = _executed(one, assignment)
    points, most = {}, {}
    for each in one.criteria:
        notebook, _slash, name = each.id.rpartition("/")
        most[notebook or assignment, name] = each.max
        if (notebook or assignment) in ran:
            points[notebook or assignment, name] = each.points
    for student in one.members:
        yield Entry(folder_of(student), student.name, student.email, one.submitted_at or "", points, most)


# ---------------------------------------------------------------- the table


def _rows(results: Results, known: Known, missing: Missing, shared: Sequence[str]) -> Iterator[list[str]]:
    graded = set(shared)
    for one in results.submissions:
        for student in one.members:
            name = folder_of(student)
            graded.add(fold_case(name))
            own = ("", student.name if student.name != name else "", student.email)
            last, first, email = known.students.get(name, own)
            scores = ["", "", ""]
            if one.total is not None:
                scores = [points_cell(one.total + one.taken_off), f"{one.taken_off:.12g}", points_cell(one.total)]
            person = [*map(escape_formula, (name, last, first, email))]
            yield [
                escape_formula(results.assignment),
                known.duedate,
                one.submitted_at or "",
                *person,
                *scores,
                points_cell(one.max),
            ]
    absent = {folder_of(student): ("", student.name, student.email) for student in results.absent}
    for name, (last, first, email) in {**absent, **known.students}.items():
        if fold_case(name) not in graded:
            scores = ["0.0"] * 3 if missing is Missing.ZERO else [""] * 3
            person = [*map(escape_formula, (name, last, first, email))]
            yield [escape_formula(results.assignment), known.duedate, "", *person, *scores, points_cell(results.max)]


def _doubled(shared: Sequence[str]) -> Iterator[Message]:
    if shared:
        yield message(
            "Several submissions belong to the same line of the gradebook, so nothing was written for: {names}. Enter "
            "the grade that counts by hand.",
            names=join_list(shared),
        )


def _notes(results: Results, known: Known, unknown: Sequence[str], *, new: bool) -> Iterator[Message]:
    if new:
        yield message("A new gradebook was made. To fill in your own, give the course's {name}.", name=GRADEBOOK)
    if unknown:
        yield message("The gradebook does not know these cells; their points are not in it: {cells}.",
                      cells=join_list(unknown))  # fmt: skip
    names = {folder_of(student) for one in results.submissions for student in one.members}
    if not new and (strangers := sorted(names - known.students.keys())):
        yield message("Added to the gradebook's students: {names}.", names=join_list(strangers))
    waiting = sum(one.total is None for one in results.submissions)
    if waiting:
        yield message("{n} students have points that a person is to give: enter them in the formgrader.", n=waiting)
