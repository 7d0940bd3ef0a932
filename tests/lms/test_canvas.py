"""Tests of Canvas: its downloads are read, and its importers accept the exported grades and feedback."""

from __future__ import annotations

import json
import re
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.files.archives.contents import Archive
from grader.files.csv_sheet import read_sheet
from grader.grading.results import CriterionResult, Result, Results, Sentence
from grader.lms.archive.submissions import read_submissions
from grader.lms.canvas.archive import earlier_attempts, naming
from grader.lms.canvas.export import export_grades
from grader.lms.canvas.feedback import entry_name
from grader.lms.canvas.gradebook import check, parse_gradebook, recognises
from grader.lms.export_request import ExportedFiles, ExportRequest, GradebookFile, Missing
from grader.lms.feedback_notebook import feedback_notebook, summary_line
from grader.models.errors import IntakeError
from grader.models.submission import Student, Submission
from tests.lms.canvas_model import Course, Upload, User, download_entries, upload_feedback
from tests.lms.graded import graded_folder, handed_in
from tests.support.builders import notebook_bytes, write_zip, zip_bytes

NB = notebook_bytes("x = 1")
ANN, BOB, CHEN = User(41, "Lee, Ann", "alee"), User(42, "O'Brien, Bob", "bobo"), User(43, "陳, 美麗", "mchen")
COURSE = Course((ANN, BOB, CHEN), {900: "Who is ill?", 901: "Homework 2"})


def submitted(*users: User) -> list[Submission]:
    return [
        handed_in(
            str(user.id),
            user.name,
            lms="canvas",
            entry=f"{re.sub('[^a-z]', '', user.name.lower())}_{user.id}_7{user.id}_hw.ipynb",
        )
        for user in users
    ]


def run_export(tmp_path: Path, results: Results, sheet: bytes | None, **order: object) -> ExportedFiles:
    sheets: tuple[GradebookFile, ...] = ()
    if sheet is not None:
        sheets = (GradebookFile(tmp_path / "2026-03 Grades-DL.csv"),)
        sheets[0].path.write_bytes(sheet)
    return export_grades(results, replace(ExportRequest(tmp_path / "out", sheets), **order))  # type: ignore[arg-type]


def notes_text(done: ExportedFiles) -> str:
    return "\n".join(map(str, done.notes))


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("entries", "owners"),
    [
        pytest.param(["_4567_89123_hw.ipynb"], [("", "4567", "hw.ipynb")], id="a name of punctuation alone"),
        pytest.param(["doejane_4567_89123_1_hw.ipynb"], [("doejane", "4567", "1_hw.ipynb")], id="a file with a number"),
        pytest.param(
            ["team_2_4567_89123_hw.ipynb", "doejane_4568_89124_hw.ipynb"],
            [("team_2", "4567", "hw.ipynb"), ("doejane", "4568", "hw.ipynb")],
            id="a group's name with a number, beside plain names",
        ),
        pytest.param(
            ["team_1_4567_89123_hw.ipynb", "team_2_4568_89124_hw.ipynb"],
            [("team_1", "4567", "hw.ipynb"), ("team_2", "4568", "hw.ipynb")],
            id="nothing but groups with numbers",
        ),
        pytest.param(
            ["doejane_4567_89123_20260301_hw.ipynb", "lee_4568_89124_20260301_hw.ipynb"],
            [("doejane", "4567", "20260301_hw.ipynb"), ("lee", "4568", "20260301_hw.ipynb")],
            id="everybody's file begins with the date",
        ),
        pytest.param(
            ["eve_42_41_70_hw.ipynb", "bob_42_71_hw.ipynb", "bob_42_72_b.ipynb"],
            [("eve_42", "41", "hw.ipynb"), ("bob", "42", "")],
            id="who is called Eve_42 is not the user 42",
        ),
        pytest.param(
            ["team_2_LATE_4567_89123_hw.ipynb"], [("team_2", "4567", "hw.ipynb")], id="LATE stands before the ids"
        ),
        pytest.param(
            ["late_LATE_4_5_LATE_6_7_x.ipynb"], [("late", "4", "LATE_6_7_x.ipynb")], id="a student called Late"
        ),
        pytest.param(["LATE_anon_a1B2c_9_1_2_x.ipynb"], [("anon a1B2c", "a1B2c", "1_2_x.ipynb")], id="anonymous"),
    ],
)
def test_entry_names_give_owners(tmp_path: Path, entries: list[str], owners: list[tuple[str, str, str]]) -> None:
    read = read_submissions(
        [write_zip(tmp_path / "c.zip", dict.fromkeys(entries, NB))], workspace=tmp_path / "w", lms="canvas"
    )
    assert [(submission.student.name, submission.student.key) for submission in read] == [
        (name or entry, key) for (name, key, _file), entry in zip(owners, entries, strict=False)
    ]
    assert all(
        submission.notebook_name == file for submission, (_name, _key, file) in zip(read, owners, strict=True) if file
    )


def test_dates_in_names_are_not_ids(tmp_path: Path) -> None:
    exports = {f"hw_2026_11_24T10_0{minute}_00.ipynb": notebook_bytes(f"x = {minute}") for minute in range(3)}
    found = read_submissions([write_zip(tmp_path / "class.zip", exports)], workspace=tmp_path / "w").submissions
    assert {submission.lms for submission in found} == {"folder"} and len(found) == 3, (
        "three students, not a single student with three uploads"
    )


@pytest.mark.parametrize(
    ("names", "earlier"),
    [
        (["hw.ipynb", "hw-1.ipynb", "hw-2.ipynb"], {"hw.ipynb", "hw-1.ipynb"}),
        (["hw-1.ipynb"], set()),
        (["hw-1.ipynb", "hw-2.ipynb"], set()),
        (["hw.ipynb", "data-1.csv"], set()),
        (["my.model.ipynb", "my-1.model.ipynb"], {"my.model.ipynb"}),
        (["hw.ipynb", "hw-7.ipynb", "hw-01234567-89ab-cdef-0123-456789abcdef.ipynb"], {"hw.ipynb", "hw-7.ipynb"}),
        (["hw.ipynb", "hw-a.ipynb"], set()),
    ],
)
def test_earlier_attempts_are_found(names: list[str], earlier: set[str]) -> None:
    assert earlier_attempts(names) == earlier


def test_notebook_in_a_zip_keeps_the_uploads_entry(tmp_path: Path) -> None:
    content = {"leeann_41_70_hw.zip": zip_bytes({"hw/a.ipynb": NB}), "bob_42_71_b.ipynb": NB}
    read = read_submissions([write_zip(tmp_path / "c.zip", content)], workspace=tmp_path / "w")
    assert [(submission.notebook_name, submission.entry) for submission in read] == [
        ("a.ipynb", "leeann_41_70_hw.zip"),
        ("b.ipynb", "bob_42_71_b.ipynb"),
    ]


# ---------------------------------------------------------------- the gradebook

SETTINGS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from([",", ";"]),
        "comma": st.booleans(),
        "mark": st.booleans(),
        "sis": st.booleans(),
        "two_names": st.booleans(),
        "manual": st.booleans(),
    }
)
PERSON = st.text(
    st.characters(categories=("L", "Nd", "Zs", "Po", "Pd"), exclude_characters="\x85\xa0"), min_size=1, max_size=9
)
TOTALS = st.floats(0, 100).map(lambda points: round(points, 4)) | st.none()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.dictionaries(st.integers(1, 10**14), PERSON, min_size=1, max_size=6),
    form=SETTINGS,
    possible=st.sampled_from([100.0, 20.0, 0.0]),
    data=st.data(),
)
def test_canvas_imports_the_exported_grades(
    tmp_path: Path, names: dict[int, str], form: dict[str, bool], possible: float, data: st.DataObject
) -> None:
    """Export, fill in and import: graded students get their grade, and nothing else changes."""
    users = [User(number, f"{name}, X", f"login{number}") for number, name in names.items()]
    before = {(900, user.id): data.draw(st.sampled_from(["", "EX", "N/A", "55.00"])) for user in users} | {
        (901, user.id): "12.50" for user in users
    }
    course = Course(users, COURSE.assignments, {900: possible}, before)
    graded = data.draw(st.lists(st.sampled_from(users), min_size=1, unique=True))
    totals = {str(user.id): data.draw(TOTALS) for user in graded}
    room = tmp_path / str(len(list(tmp_path.iterdir())))
    results = graded_folder(room / "results", submitted(*graded), totals)
    run_export(room, results, course.exported(**form))  # type: ignore[arg-type]
    changes = course.imported(room / "out" / "canvas-gradebook.csv")
    scale = possible / 100 if possible else 1.0
    expected = {
        (900, user.id): total * scale
        for user in graded
        if (total := totals[str(user.id)]) is not None and before[900, user.id] in ("", "55.00")
    }
    unchanged = {place for place in expected if before[place] and abs(float(before[place]) - expected[place]) < 0.005}
    assert changes.keys() == expected.keys() - unchanged
    assert all(abs(float(changes[place]) - expected[place]) <= 0.0051 for place in changes)


def test_every_other_byte_of_the_teachers_file_stays(tmp_path: Path) -> None:
    sheet = COURSE.exported(mark=True, manual=True)
    results = graded_folder(tmp_path / "r", submitted(ANN, CHEN), {"41": 87.5, "43": 60.0})
    done = run_export(tmp_path, results, sheet)
    new = done.files[0].read_bytes()
    assert new == sheet.replace(b"alee,Section 1,", b"alee,Section 1,87.5").replace(
        b"mchen,Section 1,", b"mchen,Section 1,60"
    )
    assert "grades are in the column Who is ill? (900)" in notes_text(done)
    assert "No submission, left unchanged: O'Brien, Bob." in notes_text(done)
    assert "posted by hand" in notes_text(done)
    assert b'"Student, Test",999999,f00d,Section 1,,,,' in new


def test_canvas_test_student_is_skipped(tmp_path: Path) -> None:
    results = graded_folder(tmp_path / "r", submitted(ANN), {"41": 87.5})
    notes = notes_text(run_export(tmp_path, results, COURSE.exported(two_names=True), missing=Missing.ZERO))
    assert "No submission, graded 0" in notes and "Student, Test" not in notes


def test_zeros_are_written_into_empty_cells_only(tmp_path: Path) -> None:
    course = replace(COURSE, users=(ANN, BOB, CHEN, User(44, "Fu, D")), grades={(900, 42): "EX", (900, 44): "70.00"})
    results = graded_folder(tmp_path / "r", submitted(ANN), {"41": None})
    run_export(tmp_path, results, course.exported(), missing=Missing.ZERO)
    assert course.imported(tmp_path / "out" / "canvas-gradebook.csv") == {(900, 43): "0"}


@pytest.mark.parametrize(
    "unsure",
    [
        pytest.param(handed_in("42", "team_2", lms="canvas", entry="team_2_42_742_hw.ipynb"), id="a group's others"),
        pytest.param(handed_in("Mei-Li"), id="a name that is in no line"),
        pytest.param(handed_in("a1B2c", lms="canvas", entry="anon_a1B2c_7_hw.ipynb"), id="anonymous"),
    ],
)
def test_unmatched_submission_prevents_zeros(tmp_path: Path, unsure: Submission) -> None:
    results = graded_folder(tmp_path / "r", [*submitted(ANN), unsure], {"41": 50.0, "42": 60.0})
    done = run_export(tmp_path, results, COURSE.exported(), missing=Missing.ZERO)
    changes = COURSE.imported(done.files[0])
    assert changes.pop((900, 42), "60") == "60" and changes == {(900, 41): "50"}
    assert "No zeros were written" in notes_text(done)


def test_notes_for_the_teacher(tmp_path: Path) -> None:
    course = replace(COURSE, points={900: 10.0}, grades={(900, 42): "9.00", (900, 43): "EX"})
    people = (ANN, BOB, CHEN, User(44, "Gone, Al"))
    totals = {"41": None, "42": 60.0, "43": 50.0, "44": 1.0}
    results = graded_folder(tmp_path / "r", submitted(*people), totals, full=50.0)
    notes = notes_text(run_export(tmp_path, results, course.exported()))
    for sentence in (
        "The column counts 10 points, the assignment 50: the grades were scaled.",
        "missing from the gradebook, skipped: Gone, Al.",
        "Without a grade because the total is open, left unchanged: Lee, Ann.",
        "something other than a grade: 陳, 美麗 (EX).",
        "Existing grades were replaced: O'Brien, Bob (9.00 → 12).",
        "More than the column's full points: O'Brien, Bob (12).",
    ):
        assert sentence in notes


def test_ids_of_another_lms_match_no_row(tmp_path: Path) -> None:
    """Match students of Moodle by login or by a unique name: Moodle's participant 41 is not Canvas's user 41."""
    strangers = [
        Submission(Student("41", "Ng, Di", "41", username="BOBO"), lms="moodle"),
        Submission(Student("x", "Ann Lee", "43"), lms="moodle"),
        Submission(Student("y", "Nobody", "42"), lms="moodle"),
    ]
    results = graded_folder(tmp_path / "r", strangers, {"41": 10.0, "x": 20.0, "y": 30.0})
    done = run_export(tmp_path, results, COURSE.exported())
    assert COURSE.imported(done.files[0]) == {(900, 42): "10", (900, 41): "20"}
    assert "skipped: Nobody." in notes_text(done)


def test_shared_name_matches_no_row(tmp_path: Path) -> None:
    course = replace(COURSE, users=(ANN, User(50, "Lee, Ann", "alee2"), BOB))
    results = graded_folder(tmp_path / "r", [handed_in("Ann Lee"), handed_in("bobo")], {"Ann Lee": 10.0, "bobo": 5.0})
    done = run_export(tmp_path, results, course.exported())
    assert course.imported(done.files[0]) == {(900, 42): "5"}
    assert "skipped: Ann Lee" in notes_text(done)


def test_two_submissions_of_one_student_are_skipped(tmp_path: Path) -> None:
    results = graded_folder(tmp_path / "r", [handed_in("alee"), handed_in("Ann Lee")], {"alee": 10.0, "Ann Lee": 90.0})
    done = run_export(tmp_path, results, COURSE.exported())
    assert COURSE.imported(done.files[0]) == {}
    assert "skipped: alee, Ann Lee." in notes_text(done)


def test_group_and_member_names_are_noted(tmp_path: Path) -> None:
    team = handed_in("41", "team_2", lms="canvas", entry="team_2_41_741_hw.ipynb")
    done = run_export(tmp_path, graded_folder(tmp_path / "r", [team], {"41": 80.0}), COURSE.exported())
    assert COURSE.imported(done.files[0]) == {(900, 41): "80"}
    assert "team_2 (Lee, Ann)" in notes_text(done)


# ---------------------------------------------------------------- which column


@pytest.mark.parametrize(
    ("assignments", "wanted", "column"),
    [
        pytest.param({1: "Quiz", 2: "who is ill"}, "", 2, id="by title, without regard to case and marks"),
        pytest.param({1: "Quiz", 2: "疾病預測"}, "", 2, id="by the title in another language"),
        pytest.param({1: "Quiz", 2: "disease"}, "", 2, id="by the assignment's id"),
        pytest.param({1: "Quiz"}, "", 1, id="the only one"),
        pytest.param({1: "Quiz", 2: "HW 2: Who is ill?"}, "", 2, id="within a longer title"),
        pytest.param({1: "Who is ill? (resit)", 2: "Who is ill?"}, "", 2, id="exact before longer"),
        pytest.param({1: "Quiz", 2: "Who is ill?"}, "1", 1, id="asked for by id"),
        pytest.param({1: "Quiz", 2: "Who is ill?"}, "quiz", 1, id="asked for by title"),
        pytest.param({1: "Quiz", 2: "Who is ill?"}, "Quiz (1)", 1, id="asked for by heading"),
        pytest.param({1: "Quiz, (2) HW (7)", 2: "Other"}, "Quiz, (2) HW (7) (1)", 1, id="brackets and a comma"),
    ],
)
def test_the_column_is_found(tmp_path: Path, assignments: dict[int, str], wanted: str, column: int) -> None:
    course = replace(COURSE, assignments=assignments)
    results = graded_folder(tmp_path / "r", submitted(ANN), {"41": 50.0})
    done = run_export(tmp_path, results, course.exported(), column=wanted)
    assert course.imported(done.files[0]) == {(column, 41): "50"}


@pytest.mark.parametrize("titles", [("Who", "Is ill?"), ("Disease exam", "Quiz")], ids=["a word of it", "the id in it"])
def test_column_with_a_similar_word_is_not_chosen(tmp_path: Path, titles: tuple[str, str]) -> None:
    course = replace(COURSE, assignments=dict(enumerate(titles, 1)))
    results = graded_folder(tmp_path / "r", submitted(ANN), {"41": 50.0})
    with pytest.raises(IntakeError, match="0 columns match"):
        run_export(tmp_path, results, course.exported())


@pytest.mark.parametrize(
    ("assignments", "wanted", "says"),
    [
        (
            {1: "Quiz", 2: "Test"},
            "",
            '0 columns.*"disease"; expected one of Quiz \\(1\\), Test.*--column "Quiz \\(1\\)"',
        ),
        ({1: "Who is ill?", 2: "Who is ill?"}, "", "2 columns.*Who is ill\\? \\(1\\), Who is ill\\? \\(2\\)"),
        ({1: "Quiz", 2: "Test"}, "Qiuz", '0 columns match "Qiuz"'),
        ({1: "Final Score"}, "", "no assignment that takes grades"),
    ],
)
def test_ambiguous_column_is_refused_with_candidates(
    tmp_path: Path, assignments: dict[int, str], wanted: str, says: str
) -> None:
    sheet = replace(COURSE, assignments=assignments).exported()
    with pytest.raises(IntakeError, match=says):
        run_export(tmp_path, graded_folder(tmp_path / "r", submitted(ANN), {"41": 50.0}), sheet, column=wanted)
    assert not (tmp_path / "out" / "canvas-gradebook.csv").exists()


# ---------------------------------------------------------------- before grading

HEAD = "Student,ID,SIS Login ID,Section,HW (1)\n"
LINE = '"Lee, Ann",41,alee,1,\n'


@pytest.mark.parametrize(
    ("sheet", "says"),
    [
        pytest.param(
            "Name,ID,SIS Login ID,Section,HW (1)\n" + LINE, "line 1: found the columns Name, ID", id="renamed"
        ),
        pytest.param("Student,ID,SIS Login ID,HW (1)\n" + LINE, "expected Student, ID, ... Section", id="no section"),
        pytest.param("Student,SIS Login ID,Section,HW (1)\nAnn,alee,1,\n", "expected Student, ID", id="no ID"),
        pytest.param(HEAD + LINE + LINE, "lines 2, 3: found 41 in the column", id="twice"),
        pytest.param(HEAD + LINE + "Bob,1E+14,bobo,1,\n", "lines 3: found '1E\\+14'", id="spoilt by a spreadsheet"),
        pytest.param(HEAD + LINE + "Bob,,bobo,1,\n", "lines 3: found ''", id="without an id"),
        pytest.param(HEAD.replace("HW (1)", "HW") + LINE, "found no assignment.*among the columns HW", id="no column"),
        pytest.param(HEAD.replace(",", "\t") + LINE, "expected UTF-8 with commas", id="tabs"),
        pytest.param(HEAD + "Bob,42,bobo,1,\n", "no student in common: found Bob \\(42\\)", id="another course"),
        pytest.param(HEAD + "    Points Possible,,,,(read only)\n" + LINE, "found no assignment", id="read only"),
        pytest.param("\n", "is not a table", id="empty"),
    ],
)
def test_a_gradebook_that_does_not_fit_is_refused_before_grading(tmp_path: Path, sheet: str, says: str) -> None:
    path = tmp_path / "grades.csv"
    path.write_text(sheet, "utf-8")
    with pytest.raises(IntakeError, match=says) as raised:
        check(submitted(ANN), [GradebookFile(path)])
    assert "grades.csv" in str(raised.value)


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    path = tmp_path / "grades.csv"
    path.write_text(HEAD.replace("(1)", "") + LINE + LINE + "Bob,x,bobo,1,\n", "utf-8")
    with pytest.raises(IntakeError) as raised:
        check(submitted(ANN), [GradebookFile(path)])
    assert all(part in str(raised.value) for part in ("lines 2, 3", "lines 4: found 'x'", "found no assignment"))


def test_check_needs_one_gradebook_with_known_students(tmp_path: Path) -> None:
    path = tmp_path / "grades.csv"
    path.write_bytes(COURSE.exported())
    check(submitted(ANN, User(77, "New, Al")), [GradebookFile(path)])
    check(submitted(ANN), [])
    with pytest.raises(IntakeError, match="2 gradebooks were given; expected one"):
        check(submitted(ANN), [GradebookFile(path)] * 2)
    hidden = handed_in("a1B2c", "anon a1B2c", lms="canvas", entry="anon_a1B2c_7_hw.ipynb")
    with pytest.raises(IntakeError, match="submissions are anonymous"):
        check([hidden], [GradebookFile(path)])


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ("Student,ID,SIS Login ID,Section,HW (1)", True),
        ("LastName,FirstName,ID,SIS Login ID,Section,HW (1)", True),
        ("Identifier,Full name,Grade,Maximum grade", False),
        ("Last Name,First Name,Username,Student ID,HW [Total Pts: 100 Score] |1", False),
        ("Student,SIS Login ID,Section,HW (1)", True),
        ("Student,ID,Sections,HW (1)", True),
        ("Student,ID,Grade", False),
    ],
)
def test_its_own_gradebook_is_recognised(tmp_path: Path, header: str, known: bool) -> None:
    path = tmp_path / "grades.csv"
    path.write_text(header + "\n", "utf-8")
    assert recognises(read_sheet(path)) is known


def test_column_without_full_points_is_not_scaled(tmp_path: Path) -> None:
    path = tmp_path / "grades.csv"
    path.write_text(HEAD + "    Points Possible,,,,0.00\n" + LINE, "utf-8")
    assert [column.max for column in parse_gradebook(read_sheet(path)).columns] == [0.0]


# ---------------------------------------------------------------- feedback

UPLOADED = st.text(
    st.characters(codec="utf-8", exclude_characters="\0/\\", exclude_categories=("Cc", "Cs")), min_size=1, max_size=12
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=st.dictionaries(st.integers(100, 10**6), st.tuples(PERSON, UPLOADED), min_size=1, max_size=4),
    late=st.booleans(),
    hidden=st.booleans(),
)
def test_every_notebook_returns_to_its_own_upload(
    tmp_path: Path, people: dict[int, tuple[str, str]], late: bool, hidden: bool
) -> None:
    """Download, grade, upload again: Canvas attaches each student's notebook to that student's submission only."""
    uploads = [
        Upload(10**7 + place, user, f"{file}.ipynb", f"{place:05d}" if hidden else "")
        for place, (user, (_name, file)) in enumerate(people.items())
    ]
    names = {user: name for user, (name, _file) in people.items()}
    room = tmp_path / str(len(list(tmp_path.iterdir())))
    entries = download_entries(uploads, names, set(people) if late else set())
    archive = write_zip(
        room / "submissions.zip", {entry: notebook_bytes(f"x = {place}") for place, entry in enumerate(entries)}
    )
    read = read_submissions([archive], lms="canvas", workspace=room / "w")
    results = graded_folder(
        room / "r", read, {submission.student.id: float(n) for n, submission in enumerate(read)}, executed=NB
    )
    run_export(room, results, None)
    taken, ignored = upload_feedback(room / "out" / "canvas-feedback.zip", uploads)
    assert not ignored and taken.keys() == {upload.id for upload in uploads}
    keys = {upload.anonymous or str(upload.user): upload.id for upload in uploads}
    for submission in results.submissions:
        first = nbformat.reads(taken[keys[submission.student.key]][1].decode(), 4).cells[0]
        assert f"Result: {submission.total:g} of 100 points" in first.source.replace("&#46;", ".")


def test_entry_name_avoids_link(tmp_path: Path) -> None:
    leeann = Result(
        student=Student("41", "leeann", "41"),
        total=1.0,
        max=1.0,
        outcome="ok",
        lms="canvas",
        origin="leeann_41_7_linkage.ipynb",
    )
    assert entry_name(leeann, "7", "linkage.ipynb") == "leeann_41_7_-linkage.ipynb"
    assert (
        entry_name(replace(leeann, student=Student("41", "anon", "41")), "7", "a_link.ipynb")
        == "student_41_7_a_-link.ipynb"
    )


def test_zip_upload_gets_a_zip(tmp_path: Path) -> None:
    """Return a zip for an uploaded zip, as Canvas keeps the name of the student's upload."""
    content = {
        "leeann_41_70_hw.zip": zip_bytes({"a.ipynb": NB}),
        "bob_42_71_hw.tar": b"",
        "chen_43_72_report.pdf": b"%PDF-1.7",
        "dan_44_text.html": b"<p>hello</p>",
        "eve_45_73_broken.ipynb": b"{",
    }
    read = read_submissions([write_zip(tmp_path / "c.zip", content)], workspace=tmp_path / "w")
    done = run_export(tmp_path, graded_folder(tmp_path / "r", read, {}), None)
    with zipfile.ZipFile(tmp_path / "out" / "canvas-feedback.zip") as archive:
        assert archive.namelist() == ["leeann_41_70_hw.zip", "eve_45_73_broken.ipynb"]
        with zipfile.ZipFile(archive.open("leeann_41_70_hw.zip")) as inner:
            assert inner.namelist() == ["a.ipynb"]
            nbformat.validate(nbformat.reads(inner.read("a.ipynb").decode(), 4))
    assert "no upload to attach feedback to; send the report to: bob, chen, dan." in notes_text(done)
    assert "each upload adds another comment" in notes_text(done) and "export it (Grades, Export" in notes_text(done)


def test_the_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    results = graded_folder(tmp_path / "r", submitted(ANN, BOB), {"41": 1.0, "42": None}, executed=NB)
    first = {path.name: path.read_bytes() for path in run_export(tmp_path, results, COURSE.exported()).files}
    again = {path.name: path.read_bytes() for path in run_export(tmp_path, results, COURSE.exported()).files}
    assert first == again and set(first) == {"canvas-gradebook.csv", "canvas-feedback.zip"}


def test_anonymous_students_are_exported_by_id(tmp_path: Path) -> None:
    """Export an anonymous id of digits by this id; it is not the user with that number."""
    hidden = [
        handed_in(key, f"anon {key}", lms="canvas", entry=f"anon_{key}_7{n}_hw.ipynb")
        for n, key in enumerate(["00041", "a1B2c"])
    ]
    named = handed_in("41", "leeann", lms="canvas", entry="leeann_41_75_hw.ipynb")
    course = replace(COURSE, users=(ANN, replace(BOB, id=41_000)))
    results = graded_folder(tmp_path / "r", [*hidden, named], {"00041": 1.0, "a1B2c": 2.0, "41": 3.0})
    done = run_export(tmp_path, results, course.exported())
    assert course.imported(done.files[0]) == {(900, 41): "3"}
    assert [path.name for path in done.files] == [
        "canvas-gradebook.csv",
        "canvas-anonymous-grades.csv",
        "canvas-anonymous-reports.zip",
        "canvas-feedback.zip",
    ]
    assert "a1B2c" in done.files[1].read_text("utf-8") and "leeann" not in done.files[1].read_text("utf-8")
    with zipfile.ZipFile(done.files[2]) as archive:
        assert archive.namelist() == ["00041.html", "a1B2c.html"]
    assert "2 submissions are anonymous" in notes_text(done)


# ---------------------------------------------------------------- the cell with the result


def result(folder: Path, **changes: object) -> Result:
    base = Result(student=Student("41", "leeann", "41"), total=87.5, max=100.0, outcome="ok", folder=folder)
    return replace(base, **changes)  # type: ignore[arg-type]


def test_feedback_notebook_begins_with_the_translated_result(tmp_path: Path) -> None:
    (tmp_path / "executed.ipynb").write_bytes(NB)
    points = CriterionResult(
        "acc",
        60.0,
        60.0,
        reason="ran",
        title={"en": "Accuracy", "zh-TW": "準確率"},
        said=Sentence("Every cell ran from top to bottom."),
    )
    notebook = nbformat.reads(feedback_notebook(result(tmp_path, criteria=(points,)), "zh-TW").decode(), 4)
    nbformat.validate(notebook)
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "code"]
    assert "準確率" in notebook.cells[0].source and "87&#46;5" in notebook.cells[0].source
    assert not re.search("[a-z]{4}", notebook.cells[0].source), "nothing is left in English"


@pytest.mark.parametrize("outcome", ["missing", "forbidden", "grader_fault", "ok"])
def test_feedback_notebook_without_a_run_holds_the_result(tmp_path: Path, outcome: str) -> None:
    (tmp_path / "executed.ipynb").write_bytes(b"{ not json")
    notebook = nbformat.reads(feedback_notebook(result(tmp_path, outcome=outcome, total=None), "en").decode(), 4)
    assert len(notebook.cells) == 1 and "open, a person has to look" in notebook.cells[0].source
    assert "holds only the result" in notebook.cells[0].source


ATTACKS = [
    "<script>alert(1)</script>",
    "![x](http://evil.example/p.png)",
    "[click](javascript:alert(1))",
    "https://evil.example",
    "$\\href{javascript:alert(1)}{x}$",
    "\n\n# Result: 100 of 100 points\n- **Accuracy**: 100",
    "`<img src=x onerror=alert(1)>`",
    "&lt;script&gt;",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_student_text_is_escaped(tmp_path: Path, attack: str) -> None:
    points = CriterionResult(attack, 1.0, 2.0, reason=attack, said=Sentence("{name} failed.", {"name": attack}))
    source = json.loads(feedback_notebook(result(tmp_path, criteria=(points,)), "en"))["cells"][0]["source"]
    text = "".join(source)
    assert not re.search(r"[<>\[\]$\\`!]|https?://", text)
    assert sum(line.startswith("#") for line in text.splitlines()) == 1
    assert sum(line.startswith("- ") for line in text.splitlines()) == 1
    assert "\n" not in (line := summary_line(result(tmp_path, criteria=(points,)), "en")) and "<" not in line


def test_cell_id_of_the_student_stays_unique(tmp_path: Path) -> None:
    other = json.loads(NB)
    other["cells"][0]["id"] = "grader-result-0"
    (tmp_path / "executed.ipynb").write_text(json.dumps(other))
    notebook = nbformat.reads(feedback_notebook(result(tmp_path), "en").decode(), 4)
    assert len({cell.id for cell in notebook.cells}) == 2
    nbformat.validate(notebook)


def test_empty_archive_has_a_naming() -> None:
    assert naming(Archive(()))("doejane_4_5_hw.ipynb") is not None


def test_large_course_is_fast(tmp_path: Path) -> None:
    users = [User(number, f"Last{number}, First", f"login{number}") for number in range(1, 1001)]
    course = Course(users, {number: f"Homework {number}" for number in range(1, 41)})
    results = Results(
        assignment="disease",
        title={"en": "Homework 7"},
        submissions=tuple(
            Result(
                student=Student(str(user.id), user.name, str(user.id)),
                total=50.0,
                max=100.0,
                outcome="ok",
                lms="canvas",
            )
            for user in users
        ),
        folder=tmp_path,
    )
    started = time.perf_counter()
    done = run_export(tmp_path, results, course.exported())
    assert time.perf_counter() - started < 10
    assert len(course.imported(done.files[0])) == 1000
