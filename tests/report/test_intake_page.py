"""The page ``intake.html``: every archive entry is listed, doubtful ones first."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.cli.console import intake_line
from grader.files.archives.contents import Entry
from grader.grading.lateness.rules import assess_lateness
from grader.grading.results import read_results, write_results
from grader.i18n.catalogue import translation
from grader.i18n.message import message
from grader.lms.archive.notebook_selection import build_submission
from grader.lms.archive.student_files import StudentFile, StudentUpload
from grader.lms.archive.submissions import read_submissions
from grader.lms.export.exporter import export_grades
from grader.lms.export_request import ExportRequest, Missing
from grader.lms.identity import Owner
from grader.models.errors import IntakeError
from grader.models.intake import FileDecision, FileStatus, Intake, IntakeRecord
from grader.models.lateness import Extension, LatePolicy
from grader.models.submission import Student, Submission
from grader.pipeline import ClassFiles, read_class
from grader.report.intake_page import STATUS_HEADINGS, write_intake_page
from grader.report.pages import write_class_page, write_student_report
from tests.grading.test_results import VALIDATOR, rows
from tests.support.builders import canvas_name, moodle_name, notebook_bytes, write_folder, write_zip, zip_bytes
from tests.support.graded_class import ASSIGNMENT, MADE_AT, strong

NB = notebook_bytes("model = 1")
DUE = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
DATED = replace(ASSIGNMENT, late=LatePolicy(DUE, "percent", percent_per_day=10))
UGLY = "<script>alert(1)</script>" + "W" * 150


def fates(intake: Intake) -> dict[str, FileStatus]:
    return {f"{file.archive}>{file.name}" if file.archive else file.name: file.status for file in intake.files}


def page(intake: Intake, tmp_path: Path, language: str = "en") -> str:
    return write_intake_page(intake, DATED, language=language, out=tmp_path).read_text("utf-8")


# ---------------------------------------------------------------- nothing is skipped silently

PARTS = st.sampled_from([
    "Ann_1_assignsubmission_file", "陳_2_assignsubmission_file", "doejane_4567_89_hw.ipynb", "lin", "__MACOSX", ".git",
    "hw.ipynb", "hw (2).ipynb", "data.csv", "README.md", ".DS_Store", "._hw.ipynb", "all.zip", "hw.txt", "..", "C:",
    "a" * 250,
])  # fmt: skip
CONTENTS = st.sampled_from([
    NB, b"", b"1,2", zip_bytes({"x/hw.ipynb": NB, "x/.DS_Store": b"", "../e": b"1"}), zip_bytes({"hw.ipynb": NB})[:-9],
])  # fmt: skip
ENTRIES = st.dictionaries(st.lists(PARTS, min_size=1, max_size=3).map("/".join), CONTENTS, min_size=1, max_size=8)


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(ENTRIES, min_size=1, max_size=2), st.sampled_from(["", "class/", "a/b/"]))
def test_every_entry_of_every_archive_is_accounted_for(
    tmp_path: Path, archives: list[dict[str, bytes]], around: str
) -> None:
    room = tmp_path / str(len(list(tmp_path.iterdir())))
    wrapped = [{around + name: content for name, content in archive.items()} for archive in archives]
    paths = [write_zip(room / f"{number}.zip", files) for number, files in enumerate(wrapped)]
    try:
        intake = read_submissions(paths, workspace=room)
    except IntakeError:
        return
    for number, files in enumerate(wrapped):
        filed = [file.name for file in intake.files if file.source == number and not file.archive]
        assert set(filed) == set(files)
        assert all(count == 1 for count in Counter(filed).values())
    graded = [file.name for file in intake.files if file.status is FileStatus.NOTEBOOK]
    assert len(graded) == sum(submission.notebook is not None for submission in intake)


def test_each_file_has_its_status(tmp_path: Path) -> None:
    files = {
        moodle_name("Ann", 1, "hw.ipynb"): NB + b" ",
        moodle_name("Ann", 1, "old.ipynb"): b"{",
        moodle_name("Ann", 1, "data.csv"): b"1",
        moodle_name("Ann", 1, ".DS_Store"): b"",
        moodle_name("Ann", 1, ".ipython/startup.py"): b"",
        moodle_name("Bob", 2, "all.zip"): zip_bytes({"hw.ipynb": NB, "../evil": b"", "__MACOSX/x": b""}),
        "stray.txt": b"hello",
        "folder/": b"",
    }
    intake = read_submissions([write_zip(tmp_path / "c.zip", files)], workspace=tmp_path / "w")
    assert fates(intake) == {
        moodle_name("Ann", 1, "hw.ipynb"): FileStatus.NOTEBOOK,
        moodle_name("Ann", 1, "old.ipynb"): FileStatus.LEFT_OUT,
        moodle_name("Ann", 1, "data.csv"): FileStatus.BESIDE,
        moodle_name("Ann", 1, ".DS_Store"): FileStatus.SKIPPED,
        moodle_name("Ann", 1, ".ipython/startup.py"): FileStatus.NOT_BESIDE,
        moodle_name("Bob", 2, "all.zip"): FileStatus.UNPACKED,
        "all.zip>hw.ipynb": FileStatus.NOTEBOOK,
        "all.zip>../evil": FileStatus.REFUSED,
        "all.zip>__MACOSX/x": FileStatus.SKIPPED,
        "stray.txt": FileStatus.BESIDE,
        "folder/": FileStatus.SKIPPED,
    }
    ann, bob, stray = intake.records
    assert ["old.ipynb" in str(doubt) for doubt in ann.doubts] == [True, False]
    assert "../evil was refused" in str(bob.doubts[0])
    assert "not named as Moodle names files" in str(stray.doubts[1])


def test_data_for_all_students_is_listed_once(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", {"ann.ipynb": NB, "bob.ipynb": NB, "data.csv": b"1", ".hidden": b""})
    intake = read_submissions([folder], workspace=tmp_path / "w")
    assert fates(intake) == {
        "ann.ipynb": FileStatus.NOTEBOOK,
        "bob.ipynb": FileStatus.NOTEBOOK,
        "data.csv": FileStatus.FOR_ALL,
        ".hidden": FileStatus.UNUSED,
    }
    assert "data.csv at the top of the class was given to every notebook" in str(intake.doubts[0])
    assert intake.review_count == 1


def test_the_submission_time_is_that_of_the_graded_notebook(tmp_path: Path) -> None:
    """An early empty attempt does not make a late notebook early."""
    early, late = DUE - timedelta(days=1), DUE + timedelta(days=1)
    files = []
    for name, content, when in (("a.ipynb", b"{}", early), ("b.ipynb", NB, late)):
        (tmp_path / name).write_bytes(content)
        files.append(StudentFile(name, Entry(name, tmp_path / name, len(content)), submitted_at=when))
    made = build_submission(
        Student("a", "A"), StudentUpload(Owner("A", "", "", submitted_at=early), files=files), tmp_path / "nested"
    )
    assert (made.notebook_name, made.submitted_at) == ("b.ipynb", late)


# ---------------------------------------------------------------- the page


def test_every_status_has_a_heading() -> None:
    assert set(STATUS_HEADINGS) == set(FileStatus)


@pytest.mark.parametrize("language", ["en", "zh-TW"])
def test_the_page_lists_students_files_and_doubts(tmp_path: Path, language: str) -> None:
    files = {
        canvas_name("doejane", 4567, 1, "hw.ipynb", late=True): NB,
        canvas_name("linming", 5, 2, UGLY.replace("/", "") + ".csv"): b"1",
        "stray.txt": b"1",
    }
    archive = write_zip(tmp_path / "c.zip", files)
    (tmp_path / "roster.csv").write_text(f"姓名,學號\nJane Doe,1\n沒交,2\n{UGLY},3\n", "utf-8")
    given = ClassFiles((archive,), roster=tmp_path / "roster.csv")
    intake = read_class(given, DATED, tmp_path / "w", language=language, out=tmp_path)
    text = (tmp_path / "intake.html").read_text("utf-8")
    assert f'lang="{language}"' in text and "<script" not in text
    for name in ("Jane Doe", "沒交", "stray.txt", "hw.ipynb", "Canvas"):
        assert name in text
    assert [student.name for student in intake.absent] == ["沒交", UGLY]
    assert intake.review_count == 4  # times that nobody says, and all three
    anchors = re.findall(r'href="#(submission-[0-9]+)"', text)
    assert anchors and all(f'id="{anchor}"' in text for anchor in anchors)


def test_a_large_class_with_many_files_is_shortened(tmp_path: Path) -> None:
    files = tuple(FileDecision(0, f"images/{n}.png", FileStatus.BESIDE) for n in range(1000))
    received = tuple(
        IntakeRecord(Submission(Student(f"s{n}", f"Student {n}"), Path("hw.ipynb")), files) for n in range(1000)
    )
    text = page(Intake(received), tmp_path)
    assert len(text) < 12_000_000
    assert "… and 940 more." in text
    assert text.count("<details") == 1000, "everything is closed: nothing is in doubt"


def test_a_page_without_doubts_says_so(tmp_path: Path) -> None:
    intake = Intake((IntakeRecord(Submission(Student("a", "A"), Path("hw.ipynb"), submitted_at=DUE)),))
    assert "Nothing is in doubt." in page(intake, tmp_path)


# ---------------------------------------------------------------- reports and tables of late work


def test_the_report_shows_the_late_penalty(tmp_path: Path) -> None:
    on_time = strong()
    assert DATED.late is not None
    submitted = DUE + timedelta(days=2, hours=3)
    handed = Submission(Student("a", "A"), Path("hw.ipynb"), submitted_at=submitted, extension=Extension(days=1))
    late = assess_lateness(DATED.late, handed, 100)
    assert late is not None
    late_result = replace(on_time, grade=replace(on_time.grade, total=100 - late.taken_off, late=True, lateness=late))
    text = write_student_report(late_result, DATED, language="en", folder=tmp_path).read_text("utf-8")
    for words in ("Submitted late", "100 points earned, 20 taken off: 80.", "2026-12-01 23:59 +00:00", "extended"):
        assert words in text
    assert "late by 27 h 0 min" in text
    assert "late −20" in write_class_page([late_result], DATED, language="en", out=tmp_path).read_text("utf-8")
    absent = [Student("=1+1", "沒交", "", "a@x", "9")]
    write_results([late_result], DATED, tmp_path, MADE_AT, absent=absent)
    first, second = rows(tmp_path)
    assert (first["total"], first["late_by_hours"], first["taken_off"]) == ("80", "27", "20")
    assert (second["id"], second["total"], second["outcome"]) == ("'=1+1", "", "absent")


@pytest.mark.parametrize(("missing", "total"), [(Missing.BLANK, ""), (Missing.ZERO, "0")])
def test_absent_students_have_a_row_without_a_grade_by_default(tmp_path: Path, missing: Missing, total: str) -> None:
    write_results([strong()], DATED, tmp_path, MADE_AT, absent=[Student("9", "=沒交", "", "a@x", "9")])
    table = export_grades(read_results(tmp_path), ExportRequest(tmp_path, missing=missing), to="csv").files[0]
    _header, _strong, last = list(csv.reader(table.read_text("utf-8-sig").splitlines()))
    assert last == ["'=沒交", "9", "9", "a@x", total, "100", "", "false", *[""] * len(ASSIGNMENT.rubric)]


@pytest.mark.parametrize(
    ("absent", "says"),
    [((), "Submissions read: 1 (1 to look at): file:"), ((Student("b", "B"),), "1 on the class list without one")],
)
def test_the_console_summarises_the_intake(tmp_path: Path, absent: tuple[Student, ...], says: str) -> None:
    doubtful = IntakeRecord(Submission(Student("a", "A")), doubts=(message("Because."),))
    line = intake_line(Intake((doubtful,), absent=absent), tmp_path, translation("en"))
    assert says in line and line.endswith("/intake.html")


def test_absent_students_are_not_among_the_results(tmp_path: Path) -> None:
    absent = (Student("9", "沒交", "", "a@x", "9"),)
    write_results([strong()], DATED, tmp_path, MADE_AT, absent=absent)
    VALIDATOR.validate(json.loads((tmp_path / "grades.json").read_bytes()))
    read = read_results(tmp_path)
    assert (len(read.submissions), read.absent) == (1, absent)
