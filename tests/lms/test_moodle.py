"""Tests of Moodle: its archive is read, its worksheet is filled in, and its importers accept the files."""

from __future__ import annotations

import contextlib
import csv
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.files.csv_sheet import read_sheet
from grader.grading.results import CriterionResult, Result, Results
from grader.i18n.catalogue import translation
from grader.lms.archive.submissions import read_submissions
from grader.lms.export import exporter
from grader.lms.export_request import ExportedFiles, ExportRequest, GradebookFile, Missing
from grader.lms.moodle.export import check, export_grades, recognises
from grader.lms.moodle.worksheet import UNGRADED
from grader.models.errors import IntakeError
from grader.models.submission import Student, Submission
from tests.lms.moodle_site import PACKS, Person, Site
from tests.support.builders import by_name, notebook_bytes, write_zip, zip_bytes

NB = notebook_bytes("x = 1")
LANGUAGE = pytest.mark.parametrize("language", PACKS)


def handed_in(tmp_path: Path, site: Site, numbers: Sequence[int], *, flat: bool = False) -> tuple[Submission, ...]:
    entries = site.entries({number: {"hw.ipynb": NB} for number in numbers}, flat=flat)
    return read_submissions([write_zip(tmp_path / "class.zip", entries)], workspace=tmp_path / "work").submissions


def graded(tmp_path: Path, submissions: Sequence[Submission], totals: Mapping[str, float | None]) -> Results:
    """Return results out of 20 points; ``totals`` are by the student's name."""
    students: list[Result] = []
    for submission in submissions:
        folder = tmp_path / "out" / "students" / submission.student.id
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.html").write_text(f"report of {submission.student.name}")
        total = totals.get(submission.student.name, 15.0)
        criteria = (CriterionResult("accuracy", 10.0, 10.0), CriterionResult("<plot>", total and total - 10, 10.0))
        students.append(
            Result(
                student=submission.student,
                total=total,
                max=20.0,
                outcome="ok",
                lms=submission.lms,
                origin=submission.origin,
                entry=submission.entry,
                criteria=criteria,
                folder=folder,
            )
        )
    return Results(assignment="hw", submissions=tuple(students), folder=tmp_path / "out")


def moodle_result(student: Student, total: float, maximum: float) -> Result:
    return Result(student=student, total=total, max=maximum, outcome="ok", lms="moodle")


def run_export(
    tmp_path: Path, results: Results, sheet: bytes | None, *, missing: Missing = Missing.BLANK, language: str = "en"
) -> ExportedFiles:
    paths = () if sheet is None else (tmp_path / "Grades-C-HW1-99.csv",)
    for path in paths:
        path.write_bytes(sheet or b"")
    return export_grades(results, ExportRequest(tmp_path / "out", tuple(map(GradebookFile, paths)), missing, language))


def notes_text(back: ExportedFiles) -> str:
    return "\n".join(map(str, back.notes))


def people(*names: str) -> list[Person]:
    return [Person(number, name) for number, name in enumerate(names, 11)]


def comment(total: str, plot: str) -> str:
    return f"Total: {total} / 20<br>accuracy: 10 / 10<br>&lt;plot&gt;: {plot} / 10"


# ---------------------------------------------------------------- reading


@LANGUAGE
@pytest.mark.parametrize("flat", [False, True], ids=["folders", "flat"])
def test_blind_students_are_distinguished_in_every_language(tmp_path: Path, language: str, flat: bool) -> None:
    site = Site(people("Ann", "Bob"), PACKS[language], blind=True)
    read = by_name(handed_in(tmp_path, site, [11, 12], flat=flat))
    word = PACKS[language].participant.replace("/", "")
    assert {name: submission.student.key for name, submission in read.items()} == {
        f"{word} 11": "11",
        f"{word} 12": "12",
    }
    assert all(submission.submitted_at is None for submission in read.values()), (
        "an entry's time is that of the download"
    )


@pytest.mark.parametrize("old", [False, True], ids=["new", "before 4.1"])
def test_owners_of_team_submissions_are_read(tmp_path: Path, old: bool) -> None:
    site = Site([Person(11, "Ann", (3, "A_1")), Person(12, "Bob", (3, "A_1")), Person(13, "Cid")], teams=True, old=old)
    read = by_name(handed_in(tmp_path, site, [11, 12, 13]))
    new_names = {"A 1": "3", "Default group": ""}
    old_names = {"A 1-Ann": "11", "A 1-Bob": "12", "Default group-Cid": "13"}
    assert {name: submission.student.key for name, submission in read.items()} == (old_names if old else new_names)


# ---------------------------------------------------------------- export

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=10).filter(
    lambda name: any(character.isalnum() for character in name)
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_each_student_gets_the_exported_grade_and_report(tmp_path: Path, data: st.DataObject) -> None:
    """Export and import: Moodle gives each student the right grade and report. No other byte of the worksheet changes.

    The expected worksheet is built from scratch.
    """
    room = tmp_path / str(len(list(tmp_path.iterdir())))
    numbers = data.draw(st.lists(st.integers(1, 10**6), min_size=2, max_size=6, unique=True))
    site = Site(
        [Person(number, data.draw(NAMES)) for number in numbers],
        PACKS[data.draw(st.sampled_from(list(PACKS)))],
        maximum=data.draw(st.sampled_from([10, 20, 100])),
        blind=data.draw(st.booleans()),
        comments=data.draw(st.booleans()),
        old=data.draw(st.booleans()),
    )
    form: dict[str, Any] = {
        "delimiter": data.draw(st.sampled_from([",", ";", "\t"])),
        "ending": data.draw(st.sampled_from(["\n", "\r\n"])),
        "quote_all": data.draw(st.booleans()),
    }
    active = data.draw(st.lists(st.sampled_from(numbers), min_size=1, unique=True))
    submissions = handed_in(room, site, active, flat=data.draw(st.booleans()))
    totals = data.draw(st.lists(st.integers(0, 80), min_size=len(active), max_size=len(active)))
    results = graded(room, submissions, {})
    results = replace(
        results,
        submissions=tuple(
            replace(result, total=total / 4, criteria=())
            for result, total in zip(results.submissions, totals, strict=True)
        ),
    )
    back = run_export(room, results, site.worksheet(**form))
    expected = {result.student.key: (result.total or 0.0) / 20 * site.maximum for result in results.submissions}
    for person in site.people:
        if str(person.number) in expected:
            shown = site.shown(expected[str(person.number)])
            person.grade = shown.rstrip("0").rstrip(".,")
            own = next(
                result.total or 0.0 for result in results.submissions if result.student.key == str(person.number)
            )
            person.comment = f"Total: {own:g} / 20"
    assert back.files[0].read_bytes() == site.worksheet(**form)

    site.people = [Person(person.number, person.name) for person in site.people]
    site.upload_worksheet(back.files[0].read_bytes(), delimiter=str(form["delimiter"]))
    site.upload_feedback(back.files[1])
    for person in site.people:
        if str(person.number) in expected:
            assert site.unformat_float(person.grade) == pytest.approx(expected[str(person.number)], abs=0.0051)
            assert list(person.files) == ["report.html"]
        else:
            assert (person.grade, person.comment, person.files) == ("", "", {})


@pytest.mark.parametrize("flat", [False, True], ids=["folders", "flat"])
def test_all_members_of_a_team_get_its_grade_and_report(tmp_path: Path, flat: bool) -> None:
    site = Site(
        [
            Person(11, "Ann", (3, "A_&_B")),
            Person(12, "Bob", (3, "A_&_B")),
            Person(13, "Cid", (4, "C")),
            Person(14, "Dee"),
        ],
        teams=True,
    )
    submissions = handed_in(tmp_path, site, [11, 12, 13, 14], flat=flat)
    assert [submission.student.name for submission in submissions] == ["A  B", "C", "Default group"]
    back = run_export(tmp_path, graded(tmp_path, submissions, {"C": 20.0}), site.worksheet())
    site.upload_worksheet(back.files[0].read_bytes())
    assert [person.grade for person in site.people] == ["75.00", "75.00", "100.00", "75.00"]
    site.upload_feedback(back.files[1])
    assert [person.files.get("report.html") for person in site.people] == [
        b"report of A  B", b"report of A  B", b"report of C", None,
    ]  # fmt: skip
    assert "The report is not in feedback.zip, return it by hand: Default group." in notes_text(back)


def test_before_moodle_4_1_each_member_has_the_teams_files(tmp_path: Path) -> None:
    site = Site([Person(11, "Ann", (3, "A")), Person(12, "Bob", (3, "A")), Person(13, "Cid", (11, "B"))], teams=True)
    site.old = True
    submissions = handed_in(tmp_path, site, [11, 12, 13])
    back = run_export(tmp_path, graded(tmp_path, submissions, {"B-Cid": 20.0}), site.worksheet())
    site.upload_worksheet(back.files[0].read_bytes())
    site.upload_feedback(back.files[1], groups=False)
    assert [person.grade for person in site.people] == ["75.00", "75.00", "100.00"]
    assert [person.files for person in site.people] == [
        {"report.html": f"report of {name}".encode()} for name in ("A-Ann", "A-Bob", "B-Cid")
    ]


def test_group_id_equal_to_a_participants_number_returns_no_report(tmp_path: Path) -> None:
    """Leave the report out: a Moodle without ids of groups would give it to the participant with that number."""
    site = Site([Person(11, "Ann", (12, "A")), Person(12, "Bob", (5, "B"))], teams=True)
    submissions = handed_in(tmp_path, site, [11, 12])
    back = run_export(tmp_path, graded(tmp_path, submissions, {"A": 20.0, "B": 4.0}), site.worksheet())
    site.upload_worksheet(back.files[0].read_bytes())
    assert [person.grade for person in site.people] == ["100.00", "20.00"]
    site.upload_feedback(back.files[1], groups=False)
    assert [person.files for person in site.people] == [{}, {}]
    assert "The report is not in feedback.zip, return it by hand: A." in notes_text(back)


def test_groups_with_one_file_name_match_no_row(tmp_path: Path) -> None:
    site = Site([Person(11, "Ann", (3, "A_1")), Person(12, "Bob", (4, "A 1")), Person(13, "Cid", (5, "C"))], teams=True)
    submissions = handed_in(tmp_path, site, [11, 12, 13])
    back = run_export(tmp_path, graded(tmp_path, submissions, {}), site.worksheet(), missing=Missing.ZERO)
    site.upload_worksheet(back.files[0].read_bytes())
    assert [person.grade for person in site.people] == ["", "", "75.00"]
    assert "they are not in the worksheet: A 1, A 1." in notes_text(back)


def test_unmatched_submission_prevents_zeros(tmp_path: Path) -> None:
    """Write no zeros: the unmatched submission may be the homework of a student with an empty row."""
    site = Site(people("Ann", "Bob", "Cid"))
    results = graded(tmp_path, handed_in(tmp_path, site, [11, 12]), {})
    ann, bob = results.submissions
    lost = replace(results, submissions=(ann, replace(bob, student=replace(bob.student, key=""))))
    back = run_export(tmp_path, lost, site.worksheet(), missing=Missing.ZERO)
    site.upload_worksheet(back.files[0].read_bytes())
    assert [person.grade for person in site.people] == ["75.00", "", ""]
    assert "No zeros were written: 1 submissions" in notes_text(back)


def test_existing_grades_and_comments(tmp_path: Path) -> None:
    own, persons = comment("12", "2"), "Well done!"
    site = Site(people("New", "Same", "Other", "Kept", "Locked", "Open", "Absent", "Paper", "Beyond"))
    for person, grade, text in zip(
        site.people,
        ["-", "75.00", "60.00", "", "", "50.00", "-", "88.00", ""],
        ["", own, own, persons, "", persons, "", "", ""],
        strict=True,
    ):
        person.grade, person.comment, person.graded_at = grade, text, float(grade not in UNGRADED)
    site.people[4].locked = True
    submissions = handed_in(tmp_path, site, [11, 12, 13, 14, 15, 16, 19])
    results = graded(tmp_path, submissions, {"Open": None, "Beyond": 21.0})
    back = run_export(tmp_path, results, site.worksheet(), missing=Missing.ZERO)
    before = site.worksheet()
    new = comment("15", "5")
    for person, grade, text in zip(
        site.people,
        ["75", "75.00", "75", "75", "", "50.00", "0", "88.00", ""],
        [new, new, new, persons, "", persons, "", "", ""],
        strict=True,
    ):
        person.grade, person.comment = grade, text
    assert back.files[0].read_bytes() == site.worksheet() != before
    notes = notes_text(back)
    assert "Existing grades were replaced: Other (" in notes and "more recently in Moodle" in notes
    assert "locked in the LMS: Locked." in notes and "Existing feedback comments were kept: Kept." in notes
    assert "left unchanged in Moodle: Open." in notes and "the maximum grade: Beyond." in notes
    assert "No submission, graded 0: Participant" in notes and "20 here are 100 in Moodle" in notes


def test_upload_order_is_noted(tmp_path: Path) -> None:
    """Note the order: after the zip of feedback, Moodle considers the worksheet outdated and skips all rows."""
    site = Site(people("Ann"))
    back = run_export(tmp_path, graded(tmp_path, handed_in(tmp_path, site, [11]), {}), site.worksheet())
    site.upload_feedback(back.files[1])
    site.upload_worksheet(back.files[0].read_bytes())
    assert site.people[0].grade == ""
    assert "Upload grades-for-moodle.csv first and feedback.zip after it" in notes_text(back)


def test_grading_again_replaces_its_own_comments_in_any_language(tmp_path: Path) -> None:
    site = Site(people("Ann"))
    submissions = handed_in(tmp_path, site, [11])
    for total, language in ((12.0, "zh-TW"), (15.0, "en"), (18.0, "zh-TW")):
        results = graded(tmp_path, submissions, {"Ann": total})
        site.upload_worksheet(run_export(tmp_path, results, site.worksheet(), language=language).files[0].read_bytes())
    assert site.people[0].grade == "90.00"
    assert site.people[0].comment.startswith(translation("zh-TW").text("Total: {points} / {max}", points=18, max=20))


def test_worksheets_of_two_groups_are_both_filled(tmp_path: Path) -> None:
    sites = [Site([Person(11, "Ann")]), Site([Person(12, "Bob")])]
    submissions = [*handed_in(tmp_path / "a", sites[0], [11]), *handed_in(tmp_path / "b", sites[1], [12])]
    paths = []
    for number, site in enumerate(sites):
        paths.append(tmp_path / f"{number}.csv")
        paths[-1].write_bytes(site.worksheet())
    back = export_grades(
        graded(tmp_path, submissions, {}), ExportRequest(tmp_path / "out", tuple(map(GradebookFile, paths)))
    )
    assert [path.name for path in back.files] == ["grades-for-moodle.csv", "grades-for-moodle-2.csv", "feedback.zip"]
    for site, path in zip(sites, back.files, strict=False):
        site.upload_worksheet(path.read_bytes())
        assert site.people[0].grade == "75.00"


def test_worksheet_with_ten_thousand_rows_is_fast(tmp_path: Path) -> None:
    site = Site([Person(number, f"學生{number}", comment="x" * 100) for number in range(10_000)])
    students = [
        moodle_result(Student(str(number), f"學生{number}", str(number)), 7.5, 10.0) for number in range(0, 10_000, 2)
    ]
    started = time.process_time()
    back = run_export(
        tmp_path, Results(assignment="hw", submissions=tuple(students)), site.worksheet(), missing=Missing.ZERO
    )
    assert time.process_time() - started < 10, "about one second where nothing else runs"
    site.upload_worksheet(back.files[0].read_bytes())
    assert [person.grade for person in site.people] == ["75.00", "0.00"] * 5_000


def test_missing_worksheet_gives_a_plain_one(tmp_path: Path) -> None:
    site = Site(people('=HYPERLINK("http://x")', "Bob", "Cid"), maximum=20)
    submissions = handed_in(tmp_path, site, [11, 12, 13])
    back = run_export(tmp_path, graded(tmp_path, submissions, {"Cid": None}), None)
    text = back.files[0].read_bytes().decode("utf-8-sig")
    assert text.startswith("Identifier,Full name,Grade,Last modified (grade),Feedback comments\r\n")
    assert "Participant 11,'=HYPERLINK(httpx)" in text.replace('"', "") and "Participant 13" not in text
    site.upload_worksheet(back.files[0].read_bytes())
    assert [person.grade for person in site.people] == ["15.00", "15.00", ""]
    assert "was made without a grading worksheet" in notes_text(back)


def test_exporter_chooses_moodle(tmp_path: Path) -> None:
    site = Site(people("Ann"))
    results = graded(tmp_path, handed_in(tmp_path, site, [11]), {})
    assert exporter.export_grades(results, ExportRequest(tmp_path / "out")).files[0].name == "grades-for-moodle.csv"


# ---------------------------------------------------------------- the archive of reports


def test_the_archive_of_reports_is_the_same_each_time(tmp_path: Path) -> None:
    results = graded(tmp_path, handed_in(tmp_path, Site(people("林小明", "Bob")), [11, 12]), {})
    first = run_export(tmp_path, results, None).files[1].read_bytes()
    assert run_export(tmp_path, results, None).files[1].read_bytes() == first
    with zipfile.ZipFile(tmp_path / "out" / "feedback.zip") as archive:
        assert archive.namelist() == [f"{name}_assignsubmission_file/report.html" for name in ("林小明_11", "Bob_12")]


@pytest.mark.parametrize(
    "entry",
    [
        "Eve_12_assignsubmission_file/Ann_11_assignsubmission_file/hw.ipynb",
        "Eve_12_assignsubmission_file_Ann_11_assignsubmission_file_hw.ipynb",
        "Eve 11_12_assignsubmission_file/hw.ipynb",
        "Eve_11_x_12_assignsubmission_file/hw.ipynb",
    ],
)
def test_file_name_gives_no_other_students_grade(tmp_path: Path, entry: str) -> None:
    site = Site(people("Ann", "Eve"))
    files = {"Ann_11_assignsubmission_file/hw.ipynb": NB, entry: NB}
    submissions = read_submissions([write_zip(tmp_path / "c.zip", files)], workspace=tmp_path / "work").submissions
    results = graded(tmp_path, submissions, {"Ann": 5.0})
    back = run_export(tmp_path, results, site.worksheet())
    site.upload_worksheet(back.files[0].read_bytes())
    site.upload_feedback(back.files[1])
    assert [person.grade for person in site.people] == ["25.00", "75.00"]
    assert site.people[0].files == {"report.html": b"report of Ann"}
    assert list(site.people[1].files) == ["report.html"] and b"Eve" in site.people[1].files["report.html"]


def test_nickname_column_is_not_the_group_column(tmp_path: Path) -> None:
    """Ignore fields of a student's own profile, which a site may show before the status."""
    site = Site(people("Ann", "Eve"))
    sheet = site.worksheet().replace(b"s12@example.org", b"Ann").replace(b"s11@example.org", b"Eve")
    submissions = handed_in(tmp_path, site, [11])
    back = run_export(tmp_path, graded(tmp_path, submissions, {}), sheet, missing=Missing.ZERO)
    site.upload_worksheet(back.files[0].read_bytes())
    assert [person.grade for person in site.people] == ["75.00", "0.00"]


def test_shared_number_is_skipped(tmp_path: Path) -> None:
    site = Site(people("Ann", "Bob"))
    files = {f"{name}_assignsubmission_file/hw.ipynb": NB for name in ("Ann_11", "Eve_11", "Bob_12")}
    submissions = read_submissions([write_zip(tmp_path / "c.zip", files)], workspace=tmp_path / "work").submissions
    back = run_export(tmp_path, graded(tmp_path, submissions, {}), site.worksheet(), missing=Missing.ZERO)
    site.upload_worksheet(back.files[0].read_bytes())
    site.upload_feedback(back.files[1])
    assert [(person.grade, bool(person.files)) for person in site.people] == [("", False), ("75.00", True)]
    assert "they share a participant's number: Ann (11), Eve (11)." in notes_text(back)


# ---------------------------------------------------------------- worksheets that do not fit


def edited(site: Site, old: str, new: str) -> bytes:
    changed = site.worksheet().decode("utf-8").replace(old, new, 1)
    assert changed.encode() != site.worksheet()
    return changed.encode()


CLASS = Site(people("Ann", "Bob"))
XLSX = zip_bytes({"[Content_Types].xml": b"", "xl/workbook.xml": b""})


@pytest.mark.parametrize(
    ("sheet", "says"),
    [
        (zip_bytes({"Ann_11_assignsubmission_file/hw.ipynb": NB}), "is a zip archive; expected a table"),
        (XLSX, "is an Excel document; expected"),
        (CLASS.worksheet().decode("utf-8-sig").replace("Ann", "林小明").encode("cp950"), "is in the encoding cp950"),
        (CLASS.worksheet(delimiter=";").decode("utf-8-sig").replace("Ann", "Zoë").encode("cp1252"), "encoding cp1252"),
        (b"a,b\n1,2\n", "line 1: found the columns a, b; expected Moodle's grading worksheet"),
        (Site([]).worksheet(), "has no rows"),
        (replace(CLASS, scale="Poor\nGood").worksheet(), r"line 1: column Scale holds a scale \(Poor, Good\)"),
        (replace(CLASS, scale="1\n2", pack=PACKS["xx"]).worksheet(), r"column Asteikko holds a scale \(1, 2\)"),
        (replace(CLASS, maximum=0).worksheet(), "line 2: Maximum grade is 0.00; expected the same number above 0"),
        (edited(CLASS, ",Grade,", ",Points,"), "line 1: found Points; expected a column Grade"),
        (edited(CLASS, "Identifier", "No."), "line 1: found No.; expected a column Identifier"),
        (edited(CLASS, "Last modified (grade)", "When"), r"found When; expected a column Last modified \(grade\)"),
        (edited(CLASS, "Participant 12", "Bob"), "line 3: Identifier is Bob; expected a participant's number"),
        (edited(CLASS, "Participant 12", "Participant 11"), "line 3: Participant 11 is in line 2 as well"),
        (edited(CLASS, "for grading - ,,", "for grading - ,101,"), "Grade is 101; expected an empty cell or"),
        (edited(CLASS, "for grading - ,,", "for grading - ,A+,"), r"line 2: Grade is A\+"),
        (edited(CLASS, "Bob,", "Bob"), "line 3: 9 columns; expected 10"),
        (Site([Person(91, "Cyd")]).worksheet(), "no student who submitted: it has Participant 91, .* are of Ann 11"),
    ],
)  # fmt: skip
def test_worksheets_that_do_not_fit(tmp_path: Path, sheet: bytes, says: str) -> None:
    submissions = handed_in(tmp_path, CLASS, [11, 12])
    path = tmp_path / "Grades-C-HW1-99.csv"
    path.write_bytes(sheet)
    with pytest.raises(IntakeError, match=says) as raised:
        check(submissions, [GradebookFile(path)])
    assert str(path) in str(raised.value)
    with pytest.raises(IntakeError, match=says):
        run_export(tmp_path, graded(tmp_path, submissions, {}), sheet)
    assert not (tmp_path / "out" / "grades-for-moodle.csv").exists()


def test_many_problems_are_cut_off(tmp_path: Path) -> None:
    site = Site([Person(number, f"S{number}", grade="A") for number in range(100)])
    path = tmp_path / "g.csv"
    path.write_bytes(site.worksheet())
    with pytest.raises(IntakeError, match="There are more problems") as raised:
        check((), [GradebookFile(path)])
    assert len(str(raised.value).splitlines()) == 21


def test_separator_is_noted(tmp_path: Path) -> None:
    submissions = handed_in(tmp_path, CLASS, [11, 12])
    back = run_export(tmp_path, graded(tmp_path, submissions, {}), CLASS.worksheet(delimiter=";"))
    assert "choose semicolon as separator on uploading" in notes_text(back)


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_bytes(edited(replace(CLASS, maximum=10), "Submitted for grading - ,,", "Submitted for grading - ,11,"))
    twice = [tmp_path / "one.csv", tmp_path / "two.csv"]
    for path in twice:
        path.write_bytes(CLASS.worksheet())
    with pytest.raises(IntakeError) as raised:
        check(handed_in(tmp_path, CLASS, [11]), [*map(GradebookFile, [bad, *twice, tmp_path / "gone.csv"])])
    lines = str(raised.value).splitlines()
    assert len(lines) == 3
    assert "bad.csv, line 2: Grade is 11" in lines[0] and "gone.csv cannot be read" in lines[1]
    assert "one.csv and" in lines[2] and "both list Participant 11" in lines[2]


@settings(
    max_examples=3 * settings().max_examples // 2,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    language=st.sampled_from(list(PACKS)),
    place=st.tuples(st.integers(0, 600), st.integers(0, 40)),
    new=st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(["\n", ",", '"', '","', "\n\n", ";", "\0"]),
)
def test_damaged_worksheet_is_filled_in_or_refused(
    tmp_path: Path, language: str, place: tuple[int, int], new: str
) -> None:
    site = Site(people("Ann", "Bob", "Cid"), PACKS[language])
    text = site.worksheet().decode("utf-8")
    path = tmp_path / "g.csv"
    path.write_bytes((text[: place[0]] + new + text[sum(place) :]).encode())
    students = [moodle_result(Student(str(key), "Ann", str(key)), 5.0, 10.0) for key in (11, 12)]
    try:
        export_grades(
            Results(assignment="hw", submissions=tuple(students)),
            ExportRequest(tmp_path / "out", (GradebookFile(path),)),
        )
    except IntakeError as error:
        assert str(path) in str(error)
        return
    grades = []
    for sheet in (path, tmp_path / "out" / "grades-for-moodle.csv"):
        moodle = Site(people("Ann", "Bob", "Cid"), PACKS[language])
        with contextlib.suppress(AssertionError, csv.Error):  # Moodle refuses it
            moodle.upload_worksheet(sheet.read_bytes(), delimiter=read_sheet(sheet).delimiter)
        grades.append(moodle.people[2].grade)
    assert grades[0] == grades[1], "a student without a submission got another student's grade"


@LANGUAGE
@pytest.mark.parametrize("blind", [False, True], ids=["named", "blind"])
def test_every_language_is_recognised(tmp_path: Path, language: str, blind: bool) -> None:
    site = Site(people("Ann", "Bob"), PACKS[language], blind=blind)
    path = tmp_path / "g.csv"
    path.write_bytes(site.worksheet())
    assert recognises(read_sheet(path))
    check(handed_in(tmp_path, site, [11, 12]), [GradebookFile(path)])


@pytest.mark.parametrize(
    "sheet",
    [
        Site([]).worksheet(),
        edited(CLASS, ",Grade,", ",Points,"),
        edited(CLASS, "Identifier", "No."),
        replace(CLASS, scale="Poor\nGood").worksheet(),
        CLASS.worksheet(delimiter=";").decode("utf-8-sig").replace("Ann", "林").encode("cp950"),
    ],
    ids=["nobody", "renamed grade", "renamed identifier", "scale", "Big5"],
)
def test_faulty_worksheet_is_recognised(tmp_path: Path, sheet: bytes) -> None:
    path = tmp_path / "g.csv"
    path.write_bytes(sheet)
    assert recognises(read_sheet(path))


@pytest.mark.parametrize(
    "text",
    [
        "Student,ID,SIS Login ID,Section,HW1 (55)\n    Points Possible,,,,10\nLee,4567,ann1,1,\nRoe,4568,bob2,1,\n",
        "Last Name,First Name,Username,Student ID,HW1 [Total Pts: 10 Score] |55\nLee,Ann,s11,7,\nRoe,Bob,s12,7,\n",
        "OrgDefinedId,Username,HW1 Points Grade <Numeric MaxPoints:10>,End-of-Line Indicator\n#1,s11,,#\n#2,s12,,#\n",
        "SID,Email,Total Score\nB10,a@b.org,7\nB11,b@b.org,7\n",
    ],
)
def test_gradebook_of_another_lms_is_not_recognised(tmp_path: Path, text: str) -> None:
    path = tmp_path / "g.csv"
    path.write_text(text)
    assert not recognises(read_sheet(path))


def test_results_of_another_lms_are_refused(tmp_path: Path) -> None:
    result = Result(student=Student("lin", "lin"), total=1.0, max=1.0, outcome="ok")
    with pytest.raises(IntakeError, match="holds no results of submissions from Moodle"):
        export_grades(Results(assignment="hw", submissions=(result,), folder=tmp_path), ExportRequest(tmp_path / "out"))
