"""Tests of grades exported to an nbgrader course: gradebook, folders and CSV."""

from __future__ import annotations

import csv
import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from grader.grading.results import CriterionResult, Result, Results
from grader.lms.export.exporter import export_grades
from grader.lms.export_request import ExportedFiles, ExportRequest, GradebookFile, Missing
from grader.lms.nbgrader import export as nbgrader_course
from grader.lms.nbgrader import gradebook as nbgrader_gradebook
from grader.models.errors import IntakeError
from grader.models.submission import Student
from tests.spec.formats import nbgrader_course as course
from tests.spec.formats.nbgrader_course import marked, text

CELLS = [
    marked("answer", "f", "f = 1", checksum="a"),
    marked("test", "t", "assert f == 1", 2, checksum="b"),
    marked("manual", "why", "Because.", 3, markdown=True, checksum="c"),
    marked("task", "plot", "Plot it.", 4, checksum="d"),
    text("mine"),
]
SCORES = (CriterionResult("p/t", 2.0, 2.0), CriterionResult("p/why", None, 3.0), CriterionResult("p/plot", None, 4.0))


def result(folder: Path, name: str = "ann", *, total: float | None = None, **changes: Any) -> Result:
    """Return a student's result, with the files that grading writes."""
    own = folder / "students" / name
    (own / "executed").mkdir(parents=True)
    (own / "executed" / "p.ipynb").write_bytes(course.notebook(CELLS))
    (own / "executed.ipynb").write_bytes(course.notebook(CELLS))
    (own / "report.html").write_text("<p>report</p>")
    given: dict[str, Any] = {"lms": "nbgrader", "criteria": SCORES, "folder": own, "notebook": "p.ipynb"}
    student = Student(name, f"Doe, {name}", name, f"{name}@example.org", name)
    return Result(**{"student": student, "total": total, "max": 9.0, "outcome": "ok"} | given | changes)


def back(folder: Path, *students: Result, **order: Any) -> ExportedFiles:
    return export_grades(
        Results(assignment="ps1", submissions=students, folder=folder), ExportRequest(folder / "back", **order)
    )


def query_all(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


GRADED = (
    "select submitted_assignment.student_id, base_cell.name, auto_score, manual_score, needs_manual_grade from grade "
    "join base_cell on base_cell.id = cell_id join submitted_notebook on submitted_notebook.id = grade.notebook_id "
    "join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id "
    "order by 1, base_cell.rowid"
)


def rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / "back" / "grades.csv").read_text("utf-8-sig"))))


def test_a_new_gradebook_holds_the_course_and_its_grades(tmp_path: Path) -> None:
    done = back(tmp_path, result(tmp_path))
    path = tmp_path / "back" / "gradebook.db"
    assert path in done.files
    assert query_all(path, GRADED) == [
        ("ann", "t", 2.0, None, 0),
        ("ann", "why", None, None, 1),
        ("ann", "plot", None, None, 1),
    ]
    assert query_all(path, "select name, type from base_cell order by rowid") == [
        ("f", "SolutionCell"),
        ("t", "GradeCell"),
        ("why", "GradeCell"),
        ("why", "SolutionCell"),
        ("plot", "TaskCell"),
    ]
    assert query_all(path, "select name, locked, source, checksum from source_cell order by rowid") == [
        ("f", 0, "", "a"),
        ("t", 1, "assert f == 1", "b"),
        ("why", 0, "", "c"),
        ("plot", 1, "Plot it.", "d"),
    ]
    assert "new gradebook" in "\n".join(map(str, done.notes))


def test_exported_folders(tmp_path: Path) -> None:
    back(tmp_path, result(tmp_path, submitted_at="2026-03-01T12:00:00+00:00"))
    files = sorted(
        str(path.relative_to(tmp_path / "back")) for path in (tmp_path / "back").rglob("*") if path.is_file()
    )
    assert files == [
        "autograded/ann/ps1/p.ipynb",
        "autograded/ann/ps1/timestamp.txt",
        "feedback/ann/ps1/p.html",
        "gradebook.db",
        "grades.csv",
    ]


def filled_once(folder: Path) -> Path:
    """Return a teacher's gradebook with manual points and a second student without a submission."""
    back(folder / "first", result(folder / "first"))
    path = folder / "first" / "back" / "gradebook.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("update grade set manual_score = 1.5 where auto_score is null")
        database.execute("update comment set manual_comment = 'Well argued.'")
        database.execute("insert into student values ('ben', 'Ben', 'O, Hare', 'ben@example.org', null)")
        database.commit()
    return path


def test_copy_of_the_teachers_gradebook_is_filled_in(tmp_path: Path) -> None:
    gradebook = filled_once(tmp_path)
    before = gradebook.read_bytes()
    failed = (CriterionResult("p/t", 0.0, 2.0), *SCORES[1:])
    back(tmp_path, result(tmp_path, criteria=failed), result(tmp_path, "eve"), gradebooks=(GradebookFile(gradebook),))
    found = query_all(tmp_path / "back" / "gradebook.db", GRADED)
    assert found[:3] == [("ann", "t", 0.0, None, 0), ("ann", "why", None, 1.5, 1), ("ann", "plot", None, 1.5, 1)]
    assert [row[0] for row in found[3:]] == ["eve"] * 3
    comments = query_all(tmp_path / "back" / "gradebook.db", "select distinct manual_comment from comment order by 1")
    assert comments == [(None,), ("Well argued.",)]
    assert gradebook.read_bytes() == before


@pytest.mark.parametrize(("missing", "score"), [(Missing.BLANK, ""), (Missing.ZERO, "0.0")])
def test_missing_submission_is_blank_or_zero(tmp_path: Path, missing: Missing, score: str) -> None:
    back(tmp_path, result(tmp_path, total=5.0), gradebooks=(GradebookFile(filled_once(tmp_path)),), missing=missing)
    found = {row["student_id"]: row for row in rows(tmp_path)}
    assert found["ann"]["score"] == "5" and found["ben"]["score"] == score
    assert found["ben"]["last_name"] == "O, Hare"  # in quotes: a comma is no new column


def test_open_points_are_blank_and_noted(tmp_path: Path) -> None:
    done = back(tmp_path, result(tmp_path))
    (row,) = rows(tmp_path)
    assert (row["raw_score"], row["score"], row["max_score"]) == ("", "", "9")
    assert "a person must judge" in "\n".join(map(str, done.notes))


def test_missing_notebook_is_not_in_the_gradebook(tmp_path: Path) -> None:
    back(tmp_path, result(tmp_path, criteria=(*SCORES, CriterionResult("q/t", 0.0, 5.0))))
    assert {row[1] for row in query_all(tmp_path / "back" / "gradebook.db", GRADED)} == {"t", "why", "plot"}


def test_unknown_cells_are_noted(tmp_path: Path) -> None:
    ann = result(tmp_path, criteria=(*SCORES, CriterionResult("p/new", 1.0, 1.0)))
    done = back(tmp_path, ann, gradebooks=(GradebookFile(filled_once(tmp_path)),))
    assert "p/new" in "\n".join(map(str, done.notes))


def test_each_group_member_gets_the_grade(tmp_path: Path) -> None:
    members = tuple(Student(name, name, username=name) for name in ("ann", "ben"))
    back(tmp_path, result(tmp_path, "group-1", group=members, total=9.0))
    assert {row[0] for row in query_all(tmp_path / "back" / "gradebook.db", GRADED)} == {"ann", "ben"}
    assert [row["student_id"] for row in rows(tmp_path)] == ["ann", "ben"]


@pytest.mark.parametrize("missing", Missing)
def test_two_students_with_one_id_are_skipped(tmp_path: Path, missing: Missing) -> None:
    """Skip both students: the claimant of another student's id must not get the report and grade."""
    forged = Student("x", "Mallory", username="Ann")
    own, other = result(tmp_path, total=2.0), result(tmp_path, "x", student=forged, total=9.0)
    ben = result(tmp_path, "ben", total=1.0)
    team = result(tmp_path, "t", group=(Student("ben", "Ben"), Student("cid", "Cid")), total=3.0)
    done = back(tmp_path, own, other, ben, team, missing=missing)
    assert [(row["student_id"], row["score"]) for row in rows(tmp_path)] == [("cid", "3")]
    assert {row[0] for row in query_all(tmp_path / "back" / "gradebook.db", GRADED)} == {"cid"}
    assert [path.name for path in (tmp_path / "back" / "feedback").iterdir()] == ["cid"]
    assert "skipped: ann, ben. Enter" in " ".join(map(str, done.notes))


def test_malicious_names_are_escaped(tmp_path: Path) -> None:
    evil = Student("evil", "=cmd|' /C calc'!A0", username="../../etc/'; drop table grade; --")
    back(tmp_path, result(tmp_path, student=evil, total=1.0))
    inside = {path.name for path in (tmp_path / "back" / "autograded").iterdir()}
    assert len(inside) == 1 and not any("." in name or "/" in name for name in inside)
    assert rows(tmp_path)[0]["first_name"].startswith("'=")
    assert len(query_all(tmp_path / "back" / "gradebook.db", GRADED)) == 3


@pytest.mark.parametrize(
    "content", [b"", b"a,b\n1,2\n", b"SQLite format 3\0" + b"\xff" * 200], ids=["empty", "csv", "broken"]
)
def test_invalid_gradebook_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "gradebook.db"
    path.write_bytes(content)
    with pytest.raises(IntakeError, match=r"gradebook\.db is not a gradebook"):
        nbgrader_course.check((), (GradebookFile(path),))


def test_two_gradebooks_or_a_missing_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="expected one"):
        nbgrader_course.check((), (GradebookFile(tmp_path / "a.db"), GradebookFile(tmp_path / "b.db")))
    with pytest.raises(IntakeError, match="no such file"):
        nbgrader_course.check((), (GradebookFile(tmp_path / "a.db"),))


def test_gradebook_of_another_assignment_is_refused(tmp_path: Path) -> None:
    gradebook = filled_once(tmp_path)
    with pytest.raises(IntakeError, match="has no assignment ps2; it has ps1"):
        nbgrader_gradebook.read_gradebook(gradebook, "ps2")


def test_assignment_without_nbgrader_cells_is_exported(tmp_path: Path) -> None:
    ann = result(tmp_path, criteria=(CriterionResult("runs", 1.0, 2.0),), total=1.0)
    (ann.folder / "executed" / "p.ipynb").unlink()
    back(tmp_path, ann)
    assert [row[1:3] for row in query_all(tmp_path / "back" / "gradebook.db", GRADED)] == [("runs", 1.0)]
    assert (tmp_path / "back" / "autograded" / "ann" / "ps1" / "ps1.ipynb").is_file()
