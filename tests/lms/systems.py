"""Models of each LMS by its documented rules: the download of a class and the import of grades, without grader code.

Sources of the rules: Moodle's mod/assign/downloader, feedback/offline and feedback/file; Canvas's
content_zipper and gradebook_importer; nbgrader's documentation. Blackboard's, Gradescope's and Classroom's from
archives that teachers published.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.builders import canvas_name, moodle_name

Files = Mapping[str, bytes]
MARK = "\ufeff"


@dataclass(frozen=True)
class Person:
    """A student. ``number`` is the id in the LMS; ``files`` are by their names on the student's own computer."""

    number: int
    first: str
    last: str
    files: Files

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}".strip()

    @property
    def login(self) -> str:
        return f"b{self.number:07d}"


Class = Sequence[Person]


@dataclass(frozen=True)
class System:
    """An LMS.

    ``who`` maps the grader's ids of students to numbers. ``grades`` and ``feedback`` read the files to upload as
    the LMS does. They return the grade (blank for none) and the report, both by number.
    """

    archive: Callable[[Class], dict[str, bytes]]
    who: Callable[[Class], Mapping[str, int]]
    grades: Callable[[Sequence[Path], Class], dict[int, str]]
    sheet: Callable[[Class], tuple[str, bytes]] | None = None
    feedback: Callable[[Sequence[Path]], dict[int, bytes]] | None = None
    nested: bool = False  # keeps folders
    repacked: bool = True  # is known again in an archive in an archive
    same_names: bool = True  # two students may have the same


def _by_number(people: Class) -> dict[str, int]:
    return {str(person.number): person.number for person in people}


def _named(files: Sequence[Path], name: str) -> Path:
    return next(path for path in files if path.name == name)


def _text(rows: Sequence[Sequence[str]], *, delimiter: str = ",", end: str = "\n") -> str:
    target = io.StringIO(newline="")
    csv.writer(target, delimiter=delimiter, lineterminator=end).writerows(rows)
    return target.getvalue()


def _rows(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


# ---------------------------------------------------------------- Moodle


def _moodle_clean(name: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f&<>\"`|':\\/]", "", name.replace("_", " "))


def _moodle(people: Class, *, flat: bool) -> dict[str, bytes]:
    return {
        moodle_name(_moodle_clean(person.name), person.number, name, flat=flat): data
        for person in people
        for name, data in person.files.items()
    }


def _moodle_sheet(people: Class) -> tuple[str, bytes]:
    header = ["Identifier", "Full name", "Email address", "Status", "Grade", "Maximum grade", "Grade can be changed"]
    header += ["Last modified (submission)", "Last modified (grade)", "Feedback comments"]
    status, when = "Submitted for grading", "Thursday, 5 March 2026, 11:59 PM"
    rows = [
        [
            f"Participant {person.number}",
            person.name,
            f"{person.login}@school.edu",
            status,
            "",
            "100.00",
            "Yes",
            when,
            "-",
            "",
        ]
        for person in people
    ]
    return "Grades-DL-HW1-99.csv", (MARK + _text([header, *rows])).encode()


def _moodle_grades(files: Sequence[Path], _people: Class) -> dict[int, str]:
    header, *rows = _rows(_named(files, "grades-for-moodle.csv").read_text("utf-8-sig"))
    number, grade = header.index("Identifier"), header.index("Grade")
    return {int(row[number].removeprefix("Participant ")): row[grade] for row in rows}


def _moodle_feedback(files: Sequence[Path]) -> dict[int, bytes]:
    """Read the zip as importziplib does: the second of five parts between ``_`` is the number."""
    found: dict[int, bytes] = {}
    with zipfile.ZipFile(_named(files, "feedback.zip")) as archive:
        for name in archive.namelist():
            parts = name.split("_", 4)
            assert parts[2] in ("assignsubmission", "assignfeedback") and not name.startswith((".", "~"))
            found[int(parts[1])] = archive.read(name)
    return found


# ---------------------------------------------------------------- Canvas


def _canvas_slug(person: Person) -> str:
    """Remove the characters that Ruby's ``[^[:word:]]`` matches: letters, marks and digits of any script stay."""
    kept = (letter for letter in f"{person.last}{person.first}".lower() if unicodedata.category(letter)[0] in "LMN")
    return "".join(kept) or "student"


def _canvas(people: Class) -> dict[str, bytes]:
    uploads = ((person, name, data) for person in people for name, data in person.files.items())
    return {
        canvas_name(_canvas_slug(person), person.number, 5000 + upload, re.sub(r'[\0/\\:*?"<>|]', "_", name)): data
        for upload, (person, name, data) in enumerate(uploads)
    }


def _canvas_sheet(people: Class) -> tuple[str, bytes]:
    header = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "HW 1 (777)", "Current Score"]
    points = ["    Points Possible", "", "", "", "", "100.00", "(read only)"]
    rows = [
        [f"{person.last}, {person.first}", str(person.number), f"s{person.number}", person.login, "DL", "", "12.5"]
        for person in people
    ]
    return "2026-03-05T2359_Grades-DL.csv", _text([header, points, *rows]).encode()


def _canvas_grades(files: Sequence[Path], _people: Class) -> dict[int, str]:
    header, _points, *rows = _rows(_named(files, "canvas-gradebook.csv").read_text("utf-8"))
    assert header[5] == "HW 1 (777)"
    return {int(row[1]): row[5] for row in rows}


def _canvas_feedback(files: Sequence[Path]) -> dict[int, bytes]:
    """Read the zip as Canvas's importer does: the first two numeric parts are the ids of user and upload."""
    found: dict[int, bytes] = {}
    with zipfile.ZipFile(_named(files, "canvas-feedback.zip")) as archive:
        for name in archive.namelist():
            numbers = [part for part in name.split("_") if re.fullmatch("[0-9]+", part)]
            found[int(numbers[0])] = archive.read(name)
            assert int(numbers[1]) >= 5000
    return found


# ---------------------------------------------------------------- Blackboard


def _blackboard(people: Class) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for person in people:
        attempt = f"HW_1_{person.login}_attempt_2026-03-05-23-59-{person.number % 60:02d}"
        files |= {f"{attempt}_{name.replace('/', '_')}": data for name, data in person.files.items()}
        text = f"Name: {person.name} ({person.login})\r\nAssignment: HW_1\r\nCurrent Grade: Not Yet Graded\r\n\r\n"
        text += "Submission Field:\r\nThere is no student submission text data for this assignment.\r\n\r\n"
        files[f"{attempt}.txt"] = (text + "Comments:\r\nThere are no student comments for this assignment.").encode()
    return files


def _blackboard_sheet(people: Class) -> tuple[str, bytes]:
    header = ["Last Name", "First Name", "Username", "Student ID", "Availability"]
    header.append("HW_1 [Total Pts: 100 Score] |12345")
    rows = [[person.last, person.first, person.login, f"s{person.number}", "Yes", ""] for person in people]
    quoted = io.StringIO(newline="")
    csv.writer(quoted, delimiter="\t", quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([header, *rows])
    return "gc_DL_column_2026.xls", (MARK + quoted.getvalue()).encode("utf-16-le")


def _blackboard_grades(files: Sequence[Path], people: Class) -> dict[int, str]:
    numbers = {person.login: person.number for person in people}
    _header, *rows = _rows(_named(files, "blackboard-gradebook.xls").read_text("utf-16"), "\t")
    return {numbers[row[2]]: row[5] for row in rows}


# ---------------------------------------------------------------- Gradescope


def _gradescope(people: Class) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    metadata: dict[str, Any] = {}
    for person in people:
        metadata[f"submission_{person.number}"] = {
            ":submitters": [{":name": person.name, ":sid": person.login, ":email": f"{person.login}@school.edu"}],
            ":created_at": "2026-03-05 14:22:32.365935123 Z",
            ":score": 0.0,
        }
        files |= {f"assignment_7_export/submission_{person.number}/{name}": data for name, data in person.files.items()}
    text = yaml.safe_dump(metadata, allow_unicode=True).replace("':", ":").replace("':", ":")
    files["assignment_7_export/submission_metadata.yml"] = re.sub(r":(\w+)':", r":\1:", text).encode()
    return files


def _gradescope_grades(files: Sequence[Path], _people: Class) -> dict[int, str]:
    """Read the scores that the autograder returns for each submission; blank without a score."""
    found: dict[int, str] = {}
    with zipfile.ZipFile(_named(files, "gradescope-autograder.zip")) as archive:
        for name in archive.namelist():
            if place := re.fullmatch(r"results/submission_(\d+)/results\.json", name):
                result = json.loads(archive.read(name))
                found[int(place[1])] = f"{result['score']:g}" if result.get("score") is not None else ""
    return found


# ---------------------------------------------------------------- without a list of their own


def _nbgrader(people: Class) -> dict[str, bytes]:
    stamp = {f"submitted/{person.login}/hw1/timestamp.txt": b"2026-03-05 23:59:58.000000 UTC" for person in people}
    return stamp | {
        f"submitted/{person.login}/hw1/{name}": data for person in people for name, data in person.files.items()
    }


def _classroom(people: Class) -> dict[str, bytes]:
    """Return Classroom's copies, with the first notebook of each student only: further copies get other names."""
    return {f"{person.name} - HW 1.ipynb": next(iter(person.files.values())) for person in people}


def _folder(people: Class) -> dict[str, bytes]:
    return {f"{person.name}/{name}": data for person in people for name, data in person.files.items()}


def _by_name(people: Class) -> dict[str, int]:
    return {unicodedata.normalize("NFC", person.name): person.number for person in people}


def _by_login(people: Class) -> dict[str, int]:
    return {person.login: person.number for person in people}


def _table_grades(files: Sequence[Path], people: Class) -> dict[int, str]:
    numbers = _by_name(people) | _by_login(people)
    header, *rows = _rows(_named(files, "grades-for-lms.csv").read_text("utf-8-sig"))
    total = header.index("Total")
    return {numbers[row[0].removeprefix("'")]: row[total] for row in rows}


def _nbgrader_grades(files: Sequence[Path], people: Class) -> dict[int, str]:
    header, *rows = _rows(_named(files, "grades.csv").read_text("utf-8-sig"))
    numbers = _by_login(people)
    student, score = header.index("student_id"), header.index("score")
    return {numbers[row[student].removeprefix("'")]: row[score] for row in rows}


SYSTEMS: Mapping[str, System] = {
    "moodle": System(
        lambda people: _moodle(people, flat=False),
        _by_number,
        _moodle_grades,
        _moodle_sheet,
        _moodle_feedback,
        nested=True,
    ),
    "moodle, flat": System(
        lambda people: _moodle(people, flat=True), _by_number, _moodle_grades, _moodle_sheet, _moodle_feedback
    ),
    "canvas": System(_canvas, _by_number, _canvas_grades, _canvas_sheet, _canvas_feedback),
    "blackboard": System(_blackboard, _by_login, _blackboard_grades, _blackboard_sheet),
    "gradescope": System(_gradescope, _by_number, _gradescope_grades, nested=True),
    "nbgrader": System(_nbgrader, _by_login, _nbgrader_grades, nested=True, repacked=False),
    "classroom": System(_classroom, _by_name, _table_grades, repacked=False, same_names=False),
    "folder": System(_folder, _by_name, _table_grades, nested=True, repacked=False, same_names=False),
}
