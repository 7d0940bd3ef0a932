"""Tests of Blackboard: owners of attempts, and the teacher's gradebook with grades filled in."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.files.csv_sheet import read_sheet
from grader.grading.results import Results
from grader.lms.archive.submissions import read_submissions
from grader.lms.blackboard.export import export_grades
from grader.lms.blackboard.gradebook import check, recognises
from grader.lms.export_request import ExportedFiles, ExportRequest, GradebookFile, Missing
from grader.lms.systems import SYSTEMS
from grader.models.errors import IntakeError
from grader.models.run import Outcome
from grader.models.submission import Student, Submission
from tests.lms.graded import graded_folder, handed_in
from tests.support.builders import by_name, notebook_bytes, said, write_zip, zip_bytes

NB = notebook_bytes("x = 1")
FIRST, SECOND = "2026-03-05-23-59-58", "2026-03-06-08-00-00"


def entry(title: str, username: str, file: str = "hw.ipynb", when: str = FIRST) -> str:
    """Return the name of an entry of "Assignment File Download", or of the text beside the attempt."""
    return f"{title}_{username}_attempt_{when}" + (f"_{file}" if file else ".txt")


def about(name: str, username: str, *, typed: str = "", comment: str = "", label: str = "Name") -> bytes:
    """Return the text beside an attempt."""
    return (
        f"{label}: {name} ({username})\nAssignment: HW\nDate Submitted: Thursday, March 5, 2026 11:59:58 PM CST\n"
        "Current Grade: Needs Grading\n\nSubmission Field:\n"
        f"{typed or 'There is no student submission text data for this assignment.'}\n\nComments:\n"
        f"{comment or 'There are no student comments for this assignment.'}\n\nFiles:\n"
        "\tOriginal filename: hw.ipynb\n\tFilename: HW_hw.ipynb\n"
    ).encode()


def intake(tmp_path: Path, files: dict[str, bytes], lms: str = "auto") -> dict[str, Submission]:
    return by_name(read_submissions([write_zip(tmp_path / "c.zip", files)], workspace=tmp_path / "w", lms=lms))


# ---------------------------------------------------------------- reading


def test_owners_and_files_of_a_class_are_read(tmp_path: Path) -> None:
    read = intake(
        tmp_path,
        {
            entry("HW_1", "a_lee"): NB,
            entry("HW_1", "a_lee", "data.csv"): b"1",
            entry("HW_1", "a_lee", ""): about("Ann (Annie) Lee", "a_lee"),
            entry("HW_1", "41234567"): NB,
            entry("HW_1", "41234567", ""): about("陳美麗", "41234567", label="姓名"),
            entry("HW_1", "bob", ""): about("Bob Ray", "bob", typed="<p>See my page</p>"),
            entry("HW_1", "cid", ""): about("Cid", "cid"),
            entry("HW_1", "dan", "report_attempt_2020-01-01-00-00-00_x.pdf"): b"%PDF-1.7",
        },
    )
    assert {
        name: (submission.student.key, submission.student.username, submission.notebook_name)
        for name, submission in read.items()
    } == {
        "Ann (Annie) Lee": ("a_lee", "a_lee", "hw.ipynb"),
        "陳美麗": ("41234567", "41234567", "hw.ipynb"),
        "Bob Ray": ("bob", "bob", ""),
        "Cid": ("cid", "cid", ""),
        "dan": ("dan", "dan", ""),
    }
    ann = read["Ann (Annie) Lee"]
    assert [attachment.name for attachment in ann.attachments] == ["data.csv"]
    assert (ann.lms, ann.origin, ann.submitted_at) == (
        "blackboard",
        "HW_1_a_lee_attempt_2026-03-05-23-59-58",
        datetime(2026, 3, 5, 23, 59, 58),
    )
    assert "Only a text typed into the LMS" in said(read["Bob Ray"])
    assert "Nothing was handed in" in said(read["Cid"])
    assert read["dan"].outcome is Outcome.MISSING and "report_attempt_2020" in said(read["dan"])


@pytest.mark.parametrize(
    ("title", "usernames"),
    [
        pytest.param("HW 1", ["ann", "bob"], id="plain"),
        pytest.param("HW_1", ["ann", "bob"], id="a title with _"),
        pytest.param("HW_1_2", ["41234567", "41234568"], id="numbers, as Canvas has them"),
        pytest.param("HW", ["ann_lee", "bob_ray"], id="user names with _"),
        pytest.param("HW_a", ["a_lee", "b_lee"], id="both with _"),
        pytest.param("作業一_上", ["b10_001", "c10_002"], id="a Chinese title"),
        pytest.param("HW", ["ann", "ann_b"], id="one name begins the other"),
        pytest.param("HW_attempt_1", ["ann", "bob"], id="attempt in the title"),
    ],
)
def test_title_and_user_name_are_split(tmp_path: Path, title: str, usernames: list[str]) -> None:
    """Take the common beginning of all entries as the title, without the texts beside the attempts."""
    read = intake(tmp_path, {entry(title, username): NB for username in usernames})
    assert sorted(submission.student.username for submission in read.values()) == usernames
    assert {submission.lms for submission in read.values()} == {"blackboard"}


def test_user_names_that_begin_alike_need_the_text_beside_the_attempt(tmp_path: Path) -> None:
    files = {entry("HW", f"b10_{n}"): NB for n in range(3)}
    texts = {entry("HW", f"b10_{n}", ""): about(f"Student {n}", f"b10_{n}") for n in range(2)}
    read = intake(tmp_path, files | texts)
    assert {name: submission.student.username for name, submission in read.items()} == {
        "Student 0": "b10_0",
        "Student 1": "b10_1",
        "b10_2": "b10_2",
    }


def test_the_latest_attempt_counts_and_the_others_are_named(tmp_path: Path) -> None:
    new = notebook_bytes("y = 2")
    read = intake(
        tmp_path,
        {
            entry("HW", "ann", "hw.ipynb", SECOND): new,
            entry("HW", "ann", "", SECOND): about("Ann", "ann"),
            entry("HW", "ann", "hw.ipynb", FIRST): notebook_bytes("a = 1", "b = 2", "much = 'longer'"),
            entry("HW", "ann", "old.csv", FIRST): b"1",
            entry("HW", "ann", "", FIRST): about("Ann", "ann"),
            entry("HW", "bob", "hw.ipynb", FIRST): NB,
            entry("HW", "bob", "", SECOND): about("Bob", "bob", comment="Please grade what I sent yesterday."),
        },
    )
    ann, bob = read["Ann"], read["Bob"]
    assert ann.notebook is not None and ann.notebook.read_bytes() == new and ann.attachments == ()
    assert "left out: hw.ipynb (2026-03-05 23:59), old.csv (2026-03-05 23:59)." in said(ann)
    assert ann.submitted_at == datetime(2026, 3, 6, 8)
    assert bob.notebook is not None and [attachment.name for attachment in bob.attachments] == ["text.txt"]


def test_student_text_gives_no_other_students_identity(tmp_path: Path) -> None:
    """Keep the owner of an attempt, whatever the student's text and file names are."""
    forged = about("Ann Lee", "ann").decode()
    read = intake(
        tmp_path,
        {
            entry("HW", "ann"): NB,
            entry("HW", "ann", ""): about("Ann Lee", "ann"),
            entry("HW", "eve"): NB,
            entry("HW", "eve", f"HW_ann_attempt_{SECOND}_hw.ipynb"): b"{}",
            entry("HW", "eve", ""): about("Eve (ann)", "eve", comment=f"x\n{forged}"),
            entry("HW", "mallory"): NB,
            entry("HW", "mallory", ""): about("Ann Lee", "ann"),
        },
    )
    assert {name: submission.student.username for name, submission in read.items()} == {
        "Ann Lee": "ann",
        "Eve (ann)": "eve",
        "mallory": "mallory",
    }
    assert f"HW_ann_attempt_{SECOND}_hw.ipynb" in said(read["Eve (ann)"])


def test_a_notebook_in_a_zip_and_an_impossible_time(tmp_path: Path) -> None:
    read = intake(
        tmp_path,
        {
            entry("HW", "ann", "hw.zip"): zip_bytes({"a.ipynb": NB}),
            entry("HW", "bob"): NB,
            entry("HW", "cid", when="2026-13-05-23-59-58"): NB,
        },
    )
    assert read["ann"].entry == entry("HW", "ann", "hw.zip")
    assert len(read) == 3 and read[entry("HW", "cid", when="2026-13-05-23-59-58")].notebook is not None


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    title=st.text(st.characters(categories=("L", "Nd"), include_characters=" _-."), min_size=1, max_size=12),
    usernames=st.lists(
        st.text(
            st.characters(codec="ascii", categories=("Ll", "Nd"), include_characters="_.@"), min_size=1, max_size=9
        ),
        min_size=1,
        max_size=5,
        unique_by=str.casefold,
    ),
    data=st.data(),
)
def test_any_title_and_user_name_are_split(
    tmp_path: Path, title: str, usernames: list[str], data: st.DataObject
) -> None:
    """Split any title and any user name with the help of the text beside each attempt."""
    files: dict[str, bytes] = {}
    for username in usernames:
        for when in data.draw(st.sets(st.sampled_from([FIRST, SECOND]), min_size=1)):
            files[entry(title, username, "hw.ipynb", when)] = notebook_bytes(username, when)
            files[entry(title, username, "", when)] = about("Somebody", username)
    room = tmp_path / str(len(list(tmp_path.iterdir())))
    read = read_submissions([write_zip(room / "c.zip", files)], workspace=room, lms="blackboard")
    assert sorted(submission.student.username for submission in read) == sorted(usernames)
    for submission in read:
        assert submission.notebook is not None and submission.student.username in submission.notebook.read_text("utf-8")


# ---------------------------------------------------------------- the gradebook

COLUMN = "Who is ill? [Total Pts: 100 Score] |12345"
TOTAL = "Total [Total Pts: up to 200 Score] |12346"
HEADER = ("Last Name", "First Name", "Username", "Student ID", "Last Access", "Availability", TOTAL, COLUMN)


def sheet_bytes(rows: Sequence[Sequence[str]], *, form: str = "xls", header: Sequence[str] = HEADER) -> bytes:
    """Return a download with a byte order mark: "xls" is tab-separated UTF-16, "csv" is UTF-8."""
    text = io.StringIO(newline="")
    delimiter = "\t" if form == "xls" else ","
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([header, *rows])
    if form == "xls":
        return codecs.BOM_UTF16_LE + text.getvalue().encode("utf-16-le")
    return codecs.BOM_UTF8 + text.getvalue().encode()


def line(username: str, grade: str = "", *, last: str = "Lee", first: str = "Ann", number: str = "") -> list[str]:
    return [last, first, username, number, "2026-03-01 10:00:00", "Yes", "0.00", grade]


def imported(path: Path, form: str = "xls") -> dict[str, str]:
    """Return the grades by user name as Blackboard reads them: by the numbers in the column headings."""
    text = path.read_bytes().decode("utf-16" if form == "xls" else "utf-8-sig")
    header, *rows = csv.reader(io.StringIO(text), delimiter="\t" if form == "xls" else ",")
    place = next(n for n, heading in enumerate(header) if heading.endswith("|12345"))
    return {row[header.index("Username")]: row[place] for row in rows}


def submitted(*usernames: str) -> list[Submission]:
    return [
        Submission(
            Student(username, username.title(), username, username=username),
            lms="blackboard",
            notebook=Path("hw.ipynb"),
        )
        for username in usernames
    ]


def run_export(
    tmp_path: Path, results: Results, sheet: bytes, *, name: str = "gc_HW.xls", **order: object
) -> ExportedFiles:
    path = tmp_path / name
    path.write_bytes(sheet)
    return export_grades(results, replace(ExportRequest(tmp_path / "out", (GradebookFile(path),)), **order))  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["xls", "csv"])
def test_the_teachers_own_download_is_filled_in(tmp_path: Path, form: str) -> None:
    rows = [
        line("ann", "Needs Grading(90.00)"),
        line("BOB", "In Progress", last="O'Brien", first="Bob"),
        line("cid", "Exempt", last="陳", first="美麗"),
        line("dan", "40.00", first="Dan"),
        line("eve", "", first="Eve"),
        line("fay", "Needs Grading", first="Fay"),
    ]
    sheet = sheet_bytes(rows, form=form)
    totals = {"ann": 87.25, "bob": 60.0, "cid": 50.0, "dan": 41.0, "gus": 1.0}
    results = graded_folder(tmp_path / "r", submitted(*totals), totals)
    done = run_export(tmp_path, results, sheet, name=f"gc_HW.{form}")
    path = tmp_path / "out" / f"blackboard-gradebook.{form}"
    assert done.files == (path,)
    expected = {"ann": "87.25", "BOB": "60", "cid": "Exempt", "dan": "41", "eve": "", "fay": "Needs Grading"}
    assert imported(path, form) == expected
    filled_by_hand = [[*row[:-1], expected[row[2]]] for row in rows]
    assert path.read_bytes() == sheet_bytes(filled_by_hand, form=form)
    notes = "\n".join(map(str, done.notes))
    for sentence in (
        f"The grades are in the column {COLUMN} of gc_HW.{form}.",
        "other than a grade: 陳, 美麗 (Exempt).",
        "were replaced: Lee, Dan (40.00 → 41).",
        "skipped: Gus.",
        "No submission, left unchanged: Lee, Eve.",
    ):
        assert sentence in notes


def test_zeros_for_students_without_a_submission(tmp_path: Path) -> None:
    sheet = sheet_bytes([line("ann"), line("bob"), line("cid", "Needs Grading"), line("dan", "7.00")])
    results = graded_folder(tmp_path / "r", submitted("ann"), {"ann": None})
    run_export(tmp_path, results, sheet, missing=Missing.ZERO)
    grades = imported(tmp_path / "out" / "blackboard-gradebook.xls")
    assert grades == {"ann": "", "bob": "0", "cid": "Needs Grading", "dan": "7.00"}


def test_comments_are_filled_in(tmp_path: Path) -> None:
    header = ("Username", COLUMN, "Grading Notes", "Notes Format", "Feedback to Learner", "Feedback Format")
    rows = [["ann", "Needs Grading", "", "", "", "SMART_TEXT"], ["bob", "", "", "", "Well done!", "HTML"]]
    results = graded_folder(tmp_path / "r", submitted("ann", "bob"), {"ann": 80.0, "bob": 70.0})
    run_export(tmp_path, results, sheet_bytes(rows, header=header), language="zh-TW")
    text = (tmp_path / "out" / "blackboard-gradebook.xls").read_bytes().decode("utf-16")
    _header, ann, bob = csv.reader(io.StringIO(text), delimiter="\t")
    assert ann[:2] == ["ann", "80"] and bob == ["bob", "70", "", "", "Well done!", "HTML"]
    assert ann[4].startswith("結果：80 分（滿分 100 分） | 準確率 – 80 分")


@pytest.mark.parametrize(
    ("headings", "wanted", "says"),
    [
        pytest.param(["HW 2 [Total Pts: 10 Score] |1"], "", "", id="the only one"),
        pytest.param(["HW 2 [Total Pts: 10] |1"], "", "", id="as older versions write it"),
        pytest.param(["作業 [總分: 10 分數] |1"], "", "", id="in another language"),
        pytest.param(["HW [Total Pts: 10 Score] |_1_1", "B [Total Pts: 5 Score] |_2_1"], "_1_1", "", id="by id"),
        pytest.param(
            ["A [Total Pts: 10 Score] |1", "B [Total Pts: 5 Score] |2"],
            "",
            '0 columns match "disease"',
            id="two",
        ),
        pytest.param(["HW [Total Pts: 10 Letter] |1"], "", "found no column that takes points", id="letters"),
        pytest.param(["HW [Total Pts: 10 Percentage] |1"], "", "found no column that takes points", id="percentages"),
        pytest.param(["HW [Total Pts: 10 Score]"], "", "found no column that takes points", id="the number is cut off"),
    ],
)
def test_column_is_chosen_or_refused(tmp_path: Path, headings: list[str], wanted: str, says: str) -> None:
    sheet = sheet_bytes([["ann", *[""] * len(headings)]], header=["Username", *headings])
    results = graded_folder(tmp_path / "r", submitted("ann"), {"ann": 50.0})
    if says:
        with pytest.raises(IntakeError, match=says):
            run_export(tmp_path, results, sheet, column=wanted)
        return
    (path,) = run_export(tmp_path, results, sheet, column=wanted).files
    assert path.read_bytes().decode("utf-16").splitlines()[1].startswith('"ann"\t"5"')


@pytest.mark.parametrize(
    ("header", "rows", "says"),
    [
        pytest.param(
            ["User", COLUMN], [["ann", ""]], 'line 1: found the columns User, .*called "Username"', id="no user"
        ),
        pytest.param(
            ["Username", COLUMN], [["ann", ""], ["ANN", ""]], "lines 2, 3: found ann in the column", id="twice"
        ),
        pytest.param(
            ["Username", COLUMN], [["ann", ""], ["", "1"]], 'lines 3: the column "Username" is empty', id="nameless"
        ),
        pytest.param(
            ["Username", COLUMN], [["bob", ""]], "no student in common: found bob.*expected Ann", id="another"
        ),
        pytest.param(["Username", "HW"], [["ann", ""]], "found no column that takes points", id="no column"),
    ],
)
def test_misfit_gradebook_is_refused(tmp_path: Path, header: list[str], rows: list[list[str]], says: str) -> None:
    path = tmp_path / "gc.xls"
    path.write_bytes(sheet_bytes(rows, header=header))
    with pytest.raises(IntakeError, match=says) as raised:
        check(submitted("ann"), [GradebookFile(path)])
    assert "gc.xls" in str(raised.value)


def test_excel_document_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gc.xlsx"
    path.write_bytes(zip_bytes({"xl/workbook.xml": b"x"}))
    with pytest.raises(IntakeError, match="is an Excel document"):
        check(submitted("ann"), [GradebookFile(path)])
    with pytest.raises(IntakeError, match="2 gradebooks were given"):
        check(submitted("ann"), [GradebookFile(path)] * 2)
    check(submitted("ann"), [])


def test_students_of_other_systems_match_by_login_number_or_name(tmp_path: Path) -> None:
    sheet = sheet_bytes(
        [line("ann"), line("bob", number="b10901234", first="Bob"), line("cid", first="Cid"), line("dan", first="Cid")]
    )
    people = [handed_in("Ann"), handed_in("b10901234"), handed_in("Cid Lee")]
    results = graded_folder(tmp_path / "r", people, {"Ann": 1.0, "b10901234": 2.0, "Cid Lee": 3.0})
    done = run_export(tmp_path, results, sheet)
    assert imported(done.files[0]) == {"ann": "1", "bob": "2", "cid": "", "dan": ""}
    assert "skipped: Cid Lee." in "\n".join(map(str, done.notes))


def test_missing_gradebook_gives_a_table_and_a_note(tmp_path: Path) -> None:
    results = graded_folder(tmp_path / "r", submitted("ann"), {"ann": 50.0})
    done = export_grades(results, ExportRequest(tmp_path / "out"))
    assert [path.name for path in done.files] == ["grades-for-lms.csv"]
    assert "Work Offline" in str(done.notes[-1])


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (HEADER, True),
        (("Username", "HW [Total Pts: 10] |1"), True),
        (("Student", "ID", "SIS Login ID", "Section", "HW (1)"), False),
        (("User", "HW [Total Pts: 10] |1"), True),
        (("Username", "HW [Total Pts: 10 Score]"), True),
        (("Username", "Email", "Grade"), False),
    ],
)
def test_its_own_gradebook_is_recognised(tmp_path: Path, header: Sequence[str], known: bool) -> None:
    path = tmp_path / "gc.xls"
    path.write_bytes(sheet_bytes([], header=header))
    sheet = read_sheet(path)
    assert recognises(sheet) is known
    assert sum(system.recognises(sheet) for system in SYSTEMS if system.recognises) <= 1


# The builder calls folders by them, and "." is no folder's name.
USERNAMES = st.text(
    st.characters(codec="ascii", categories=("Ll", "Nd"), include_characters="._"), min_size=1, max_size=8
).filter(lambda name: name.strip("."))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=st.dictionaries(USERNAMES, st.none() | st.floats(0, 100), min_size=1, max_size=6),
    form=st.sampled_from(["xls", "csv"]),
    marker=st.sampled_from(["", "Needs Grading", "Needs Grading(3.00)", "12.00"]),
)
def test_blackboard_reads_the_exported_grades(
    tmp_path: Path, people: dict[str, float | None], form: str, marker: str
) -> None:
    room = tmp_path / str(len(list(tmp_path.iterdir())))
    results = graded_folder(room / "r", submitted(*people), people)
    sheet = sheet_bytes([line(username, marker) for username in ["zz-other", *people]], form=form)
    (path,) = run_export(room, results, sheet, name=f"g.{form}").files
    grades = imported(path, form)
    assert grades.pop("zz-other") == marker
    for username, total in people.items():
        if total is None:
            assert grades[username] == marker
        else:
            assert abs(float(grades[username]) - total) <= 0.0051
