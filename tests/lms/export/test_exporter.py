"""Export of grades: gradebooks given with the submissions, and ``grader export`` at any later time."""

from __future__ import annotations

import contextvars
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.cli.arguments import EXPORT_FORMATS, Lms, MissingGrade
from grader.cli.commands import grade_command
from grader.cli.commands.grade_command import GradeOptions
from grader.cli.demo import write_demo_archive, write_demo_worksheet
from grader.cli.main import main
from grader.files.csv_sheet import read_sheet
from grader.grading.results import LatenessResult, read_results
from grader.i18n.catalogue import translation
from grader.lms.archive import submissions as intake
from grader.lms.archive.lms_detection import LMS
from grader.lms.export import exporter
from grader.lms.export.exporter import FORMATS, choose_format, inconsistencies, split_gradebooks
from grader.lms.export.upload_hints import upload_hints
from grader.lms.export_request import ExportedFiles, ExportRequest, GradebookFile, Missing
from grader.models.errors import IntakeError
from grader.pipeline import ClassFiles
from grader.sandbox.base import Job, Reply
from grader.sandbox.fake import FakeSandbox, finished
from grader.spec import discovery
from tests.lms.api.test_push import results_folder
from tests.support.builders import canvas_name, moodle_name, notebook_bytes, write_zip

WORKSHEET = (
    'Identifier,"Full name",Status,Grade,"Maximum grade","Grade can be changed","Last modified (submission)",'
    '"Last modified (grade)","Feedback comments"'
)
GRADEBOOK = "Student,ID,SIS Login ID,Section,Who is ill? (34)\r\n    Points Possible,,,,100\r\n"
BLACKBOARD = '"Last Name","First Name","Username","Who is ill? [Total Pts: 100 Score] |12345"\r\n'


def worksheet(path: Path, *numbers: int) -> Path:
    rows = [f'"Participant {number}",Student {number},Submitted,,100.00,Yes,-,-,' for number in numbers]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join([WORKSHEET, *rows, ""]).encode())
    return path


def lists(folder: Path) -> dict[str, Path]:
    """Write a gradebook of each LMS that exports gradebooks, and two files that are no gradebook."""
    paths = {"moodle": worksheet(folder / "moodle.csv", 4567, 4568, 4569, 9999, 4570)}
    for name, text in {
        "canvas": GRADEBOOK + '"Lin, A",4567,lin,A,\r\n',
        "blackboard": BLACKBOARD + '"Lin","A","4567",""\r\n',
        "own": "name,points\r\nLin,3\r\n",
        "words": "I did it all by myself.\n",
    }.items():
        paths[name] = folder / f"{name}.csv"
        paths[name].write_text(text, newline="")
    return paths


def edited(folder: Path, change: Callable[[list[dict[str, Any]]], None]) -> Path:
    """Change the submissions in ``grades.json`` as a person does by hand, and return the folder."""
    path = folder / "grades.json"
    grades = json.loads(path.read_text("utf-8"))
    change(grades["submissions"])
    path.write_text(json.dumps(grades, ensure_ascii=False), "utf-8-sig")
    return folder


def run(*arguments: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Run ``grader`` in this process and return its exit status, stdout and stderr."""
    monkeypatch.setattr(sys, "argv", ["grader", *arguments])
    monkeypatch.setenv("LANG", "C.UTF-8")
    with pytest.raises(SystemExit) as ended:
        contextvars.copy_context().run(main)
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


# ---------------------------------------------------------------- recognising gradebooks


def test_gradebooks_are_split_from_submissions(tmp_path: Path) -> None:
    paths = lists(tmp_path)
    handed_in, sheets = split_gradebooks((tmp_path, *paths.values()))
    assert handed_in == (tmp_path, paths["own"], paths["words"])
    assert [file.path for file in sheets] == [paths["moodle"], paths["canvas"], paths["blackboard"]]


def test_only_one_lms_recognises_a_gradebook(tmp_path: Path) -> None:
    paths = lists(tmp_path)
    for name, path in paths.items():
        assert exporter.gradebook_system(GradebookFile(path)) == (name if name in FORMATS else None)


def test_gradebook_without_submissions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="Give the submissions as well"):
        split_gradebooks([lists(tmp_path)["moodle"]])


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("grades.xlsx", b"PK\x03\x04....xl/"),
        ("grades.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        ("a.ods", b"PK\x03\x04"),
    ],
    ids=["Excel", "old Excel", "OpenDocument"],
)
def test_gradebook_saved_by_a_spreadsheet_is_refused(tmp_path: Path, name: str, head: bytes) -> None:
    (tmp_path / name).write_bytes(head)
    with pytest.raises(IntakeError, match="Give the file as the LMS wrote it"):
        split_gradebooks([tmp_path, tmp_path / name])


def test_blackboards_xls_is_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.xls"
    path.write_bytes(
        b"\xff\xfe" + BLACKBOARD.replace(",", "\t").encode("utf-16-le") + "Lin\tA\tlin\t\r\n".encode("utf-16-le")
    )
    assert exporter.gradebook_system(GradebookFile(path)) == "blackboard"


@pytest.mark.parametrize(
    ("systems", "sheet", "to", "meant"),
    [
        (["moodle", "moodle", "canvas"], None, "auto", "moodle"),
        (["folder"], None, "auto", "csv"),
        ([], None, "auto", "csv"),
        (["folder"], "canvas", "auto", "canvas"),
        (["moodle"], "moodle", "auto", "moodle"),
        (["moodle"], "canvas", "canvas", "canvas"),
        (["moodle"], None, "csv", "csv"),
    ],
)
def test_format_is_chosen(tmp_path: Path, systems: list[str], sheet: str | None, to: str, meant: str) -> None:
    sheets = (GradebookFile(lists(tmp_path)[sheet]),) if sheet else ()
    assert choose_format(systems, ExportRequest(tmp_path / "out", sheets), to=to) == meant


@pytest.mark.parametrize(
    ("systems", "names", "to", "says"),
    [
        (["moodle"], ["canvas"], "auto", "is a gradebook of canvas, but the grades are for moodle"),
        (["folder"], ["moodle", "canvas"], "auto", "but the grades are for moodle"),
        (["moodle"], ["moodle"], "csv", "but the grades are for csv"),
        (["moodle"], ["own"], "auto", "is not a known gradebook; expected one from moodle, blackboard"),
        (["moodle"], ["nowhere"], "auto", "there is no such file"),
        (["moodle"], [], "schoology", "LMS schoology is not known; expected one of auto, csv, moodle"),
    ],
)
def test_misfit_gradebooks_are_refused(
    tmp_path: Path, systems: list[str], names: list[str], to: str, says: str
) -> None:
    paths = lists(tmp_path) | {"nowhere": tmp_path / "nowhere.csv"}
    with pytest.raises(IntakeError, match=says):
        gradebooks = tuple(GradebookFile(paths[name]) for name in names)
        choose_format(systems, ExportRequest(tmp_path / "out", gradebooks), to=to)


def test_teachers_gradebook_is_not_overwritten(tmp_path: Path) -> None:
    sheet = lists(tmp_path)["moodle"]
    with pytest.raises(IntakeError, match="would be overwritten"):
        choose_format(["moodle"], ExportRequest(tmp_path / "a" / "..", (GradebookFile(sheet),)))


def test_column_needs_a_gradebook(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="give the gradebook as well"):
        choose_format(["canvas"], ExportRequest(tmp_path, column="Homework 2"))


def test_every_lms_is_in_the_help() -> None:
    assert {lms.value for lms in Lms} == set(LMS)


def test_every_export_format_is_in_the_help() -> None:
    assert set(EXPORT_FORMATS) == set(FORMATS)


def test_the_command_line_names_every_grade_of_a_missing_submission() -> None:
    assert {missing.value for missing in MissingGrade} == {missing.value for missing in Missing}


# ---------------------------------------------------------------- grades.json, edited by hand


def test_edited_total_is_exported_with_a_note(tmp_path: Path) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        rows[0]["total"] = 95.5
        rows[1]["criteria"][3]["points"] = 12
        for row in rows[4]["criteria"]:
            row["points"] = 5

    results = read_results(edited(results_folder(tmp_path, "folder"), change))
    assert results.submissions[0].total == 95.5
    assert [str(line) for line in inconsistencies(results)] == [
        "陳怡君: the total of 95.5 is exported, though the points add up to 100.",
        "Lin Chih-Wei: the total of 77.91 is exported, though the points add up to 80.91.",
        "李美玲: every criterion has its points (20), but the total is open and is not exported; write it into "
        "grades.json.",
    ]
    handed = exporter.export_grades(results, ExportRequest(tmp_path / "upload"))
    assert len(handed.notes) == 3
    assert ",95.5," in handed.files[0].read_text("utf-8-sig")


def test_unedited_class_has_no_inconsistencies(tmp_path: Path) -> None:
    results = read_results(results_folder(tmp_path, "folder"))
    assert list(inconsistencies(results)) == []
    late = replace(results.submissions[0], total=90.0, lateness=LatenessResult(taken_off=10.0))
    assert list(inconsistencies(replace(results, submissions=(late,)))) == []


@pytest.mark.parametrize(
    ("where", "value", "says"),
    [
        ("total", "85", "submissions.1.total: Input should be a valid number (found \"85\")"),
        ("total", -1, "submissions.1.total: Input should be greater than or equal to 0 (found -1)"),
        ("total", float("nan"), "submissions.1.total: Input should be a finite number (found NaN)"),
        ("total", True, "submissions.1.total: Input should be a valid number (found true)"),
        ("max", None, "submissions.1.max: Input should be a valid number (found null)"),
        ("criteria", {}, "submissions.1.criteria: Input should be a valid array (found {})"),
    ],
)  # fmt: skip
def test_error_in_grades_json_names_student_and_place(tmp_path: Path, where: str, value: object, says: str) -> None:
    folder = edited(results_folder(tmp_path, "folder"), lambda rows: rows[1].update({where: value}))
    with pytest.raises(IntakeError) as caught:
        read_results(folder)
    assert f"  Lin Chih-Wei: {says}" in str(caught.value).splitlines()


def test_all_errors_are_reported_at_once(tmp_path: Path) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        rows[0]["total"], rows[1]["criteria"][0]["points"], rows[2]["student"] = "?", [], 3
        del rows[3]["max"]

    with pytest.raises(IntakeError) as caught:
        read_results(edited(results_folder(tmp_path, "folder"), change))
    lines = str(caught.value).splitlines()
    assert [line.partition(" (found")[0] for line in lines[1:-1]] == [
        "  陳怡君: submissions.0.total: Input should be a valid number",
        "  Lin Chih-Wei: submissions.1.criteria.0.points: Input should be a valid number",
        "  ?: submissions.2.student: Input should be an object",
        "  張大文: submissions.3.max: Field required",
    ]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"assignment": "x"}', '{"submissions": 3}', "\ud83d"])
def test_broken_grades_json_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "grades.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(IntakeError, match="cannot be exported"):
        read_results(tmp_path)


@pytest.mark.parametrize("name", ["", ".", "..", "../../home", "a/b", "a\\b", "/etc", "\0"])
def test_id_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    folder = edited(results_folder(tmp_path, "folder"), lambda rows: rows[0]["student"].update(id=name))
    with pytest.raises(IntakeError, match=r"陳怡君: submissions\.0\.student\.id"):
        read_results(folder)


def test_repeated_id_is_refused(tmp_path: Path) -> None:
    folder = edited(results_folder(tmp_path, "folder"), lambda rows: rows[0]["student"].update(id="s002"))
    with pytest.raises(IntakeError, match=r"Lin Chih-Wei: .* is there twice"):
        read_results(folder)


# ---------------------------------------------------------------- grader export


def written(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


@pytest.mark.parametrize("to", FORMATS)
def test_the_same_results_give_the_same_files(
    tmp_path: Path, to: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = results_folder(tmp_path / "results", to)
    before = written(folder)
    for out in ("one", "two", "one"):
        status, printed, err = run(
            "export", str(folder), "--to", to, "--out", str(tmp_path / out), monkeypatch=monkeypatch, capsys=capsys
        )
        assert (status, err) == (0, ""), err
        assert f"To upload, in {tmp_path / out}:" in printed
    assert written(tmp_path / "one") == written(tmp_path / "two") != {}
    assert written(folder) == before


def test_a_worksheet_is_filled_in_at_any_later_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, sheet = results_folder(tmp_path / "results", "moodle"), lists(tmp_path)["moodle"]
    edited(folder, lambda rows: rows[0].update(total=91))
    status, printed, err = run("export", str(folder), str(sheet), monkeypatch=monkeypatch, capsys=capsys)
    assert (status, err) == (0, "")
    assert (
        "grades-for-moodle.csv: Moodle, the assignment › Submissions › Actions › Upload grading worksheet." in printed
    )
    assert "! 陳怡君: the total of 91 is exported" in printed
    assert 'Participant 4567",Student 4567,Submitted,91,' in (folder / "upload" / "grades-for-moodle.csv").read_text(
        "utf-8"
    )


@pytest.mark.parametrize("language", ["en", "zh-TW"])
def test_errors_are_translated(
    tmp_path: Path, language: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, printed, err = run("export", str(tmp_path), "--lang", language, monkeypatch=monkeypatch, capsys=capsys)
    assert (status, printed) == (1, "")
    assert ("not found" in err) is (language == "en")


# ---------------------------------------------------------------- where to upload


@pytest.mark.parametrize("to", ["moodle", "canvas", "blackboard"])
def test_every_file_has_an_upload_hint(tmp_path: Path, to: str) -> None:
    folder = results_folder(tmp_path / "results", to)
    keys = ("4567", "4568", "4569", "9999", "4570")
    entries = [canvas_name("lin", key, number, "hw.ipynb") for number, key in enumerate(keys)]

    def change(rows: list[dict[str, Any]]) -> None:
        for row, entry in zip(rows, entries, strict=True):
            row |= {"entry": entry, "origin": entry}

    results = read_results(edited(folder, change))
    out = tmp_path / "upload"
    handed = exporter.export_grades(results, ExportRequest(out, (GradebookFile(lists(tmp_path)[to]),)), to=to)
    hints = [str(hint) for hint in upload_hints(handed.files, out)]
    assert hints and all(f": {to.capitalize()}, " in hint for hint in hints), hints


def test_hints_for_many_files_are_cut_off(tmp_path: Path) -> None:
    hints = [str(hint) for hint in upload_hints([tmp_path / f"{n}.txt" for n in range(40)], tmp_path)]
    assert len(hints) == 9
    assert hints[-1] == "… and 32 more files."


# ---------------------------------------------------------------- grader grade, with a gradebook


def moodle_archive(folder: Path, *numbers: int) -> Path:
    names = {
        moodle_name(f"Student {number}", number, "hw.ipynb"): notebook_bytes(f"print({number})") for number in numbers
    }
    return write_zip(folder / "handed-in.zip", names)


def graded(
    paths: list[Path], out: Path, monkeypatch: pytest.MonkeyPatch, script: Callable[[Job], Reply] = finished
) -> FakeSandbox:
    """Run ``grader grade`` with a sandbox that runs nothing, and return the sandbox."""
    sandbox = FakeSandbox(script)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(out.parent / "config"))
    options = GradeOptions(out, "auto", 1)
    given = ClassFiles(tuple(paths))
    grade_command.grade(discovery.by_name("disease"), given, options, translation("en"), lambda *_, **__: sandbox)
    return sandbox


def test_archive_and_worksheet_give_files_to_upload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = worksheet(tmp_path / "Grades-DL-82.csv", 1, 2, 3)
    out = tmp_path / "out"
    graded([moodle_archive(tmp_path, 1, 2), sheet], out, monkeypatch)
    printed = capsys.readouterr().out
    assert printed.index("Open: ") < printed.index(f"To upload, in {out / 'upload'}:")
    rows = (out / "upload" / "grades-for-moodle.csv").read_text("utf-8-sig").splitlines()
    before = sheet.read_text("utf-8-sig").splitlines()
    assert rows[3] == before[3], "the row of a student without a submission stays unchanged"
    assert rows[1].startswith('"Participant 1",Student 1,Submitted,10,100.00,Yes,-,-,')
    assert read_results(out).submissions[0].student.key == "1"
    assert written(out / "upload").keys() == {"grades-for-moodle.csv", "feedback.zip"}


def test_a_worksheet_of_another_assignment_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = worksheet(tmp_path / "Grades-DL-83.csv", 71, 72)
    with pytest.raises(IntakeError, match="lists no student who submitted"):
        graded([sheet, moodle_archive(tmp_path, 1, 2)], tmp_path / "out", monkeypatch)
    assert not (tmp_path / "out" / "students").exists()


def test_the_bundled_class_has_a_worksheet_that_fits(tmp_path: Path) -> None:
    folder = discovery.by_name("disease").folder
    archive = write_demo_archive(folder, tmp_path / "handed-in.zip")
    sheet = write_demo_worksheet(folder, tmp_path / "Grades.csv")
    submissions = intake.read_submissions([archive], workspace=tmp_path / "work")
    order = ExportRequest(tmp_path / "out", (GradebookFile(sheet),))
    assert choose_format([submission.lms for submission in submissions], order) == "moodle"
    exporter.check_gradebooks("moodle", submissions.submissions, [GradebookFile(sheet)])
    assert len(read_sheet(sheet).rows) == 1 + len(submissions) + 1, "the header, and a student without a submission"


def test_other_table_is_a_submission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = lists(tmp_path)["words"].rename(tmp_path / "answer.txt")
    sandbox = graded([moodle_archive(tmp_path, 1), words], tmp_path / "out", monkeypatch)
    assert len(sandbox.jobs) == 1
    assert [submission.outcome for submission in read_results(tmp_path / "out").submissions] == ["ok", "missing"]


def test_stopped_class_is_not_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped_at_the_second(job: Job) -> Reply:
        if b"print(2)" in job.notebook:
            raise KeyboardInterrupt
        return finished(job)

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        graded([moodle_archive(tmp_path, 1, 2)], out, monkeypatch, stopped_at_the_second)
    assert f"grader export {out} writes" in capsys.readouterr().err.replace("\n", " ")
    assert not (out / "upload").exists()
    assert len(read_results(out).submissions) == 1


def test_failed_export_keeps_the_grades(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f'"Student, {number}",{number},s{number},A,,\r\n' for number in (1, 2))
    sheet = tmp_path / "gradebook.csv"
    sheet.write_text(
        GRADEBOOK.replace("Who is ill? (34)", "A (34),B (35)").replace(",100", ",100,100") + rows, newline=""
    )
    archive = write_zip(tmp_path / "a.zip", {canvas_name("student", 1, 7, "hw.ipynb"): notebook_bytes("1")})
    out = tmp_path / "out"
    with pytest.raises(IntakeError, match=r"(?s)--column.*The class is graded, nothing is lost"):
        graded([archive, sheet], out, monkeypatch)
    assert len(read_results(out).submissions) == 1
    handed = exporter.export_grades(
        read_results(out), ExportRequest(out / "upload", (GradebookFile(sheet),), column="35")
    )
    assert isinstance(handed, ExportedFiles)
