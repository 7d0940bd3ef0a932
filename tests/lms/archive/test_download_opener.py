"""Classes in several archives, and in archives within an archive."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.lms.archive.submissions import read_submissions
from grader.models.errors import IntakeError
from grader.models.submission import Submission
from tests.lms.systems import SYSTEMS, Person
from tests.support.builders import (
    by_name,
    canvas_name,
    moodle_name,
    notebook_bytes,
    said,
    write_folder,
    write_zip,
    zip_bytes,
)

NB = notebook_bytes("model = 1")
DRIVE = "HW1-20260301T101010Z"
NAMES = ("林小明", "陳美麗", "Ann")


def intake(tmp_path: Path, *paths: Path) -> dict[str, Submission]:
    return by_name(read_submissions(paths, workspace=tmp_path / "work"))


def moodle(*names: str, first: int = 10) -> bytes:
    return zip_bytes({moodle_name(name, number, "hw.ipynb"): NB for number, name in enumerate(names, first)})


# ---------------------------------------------------------------- archives in an archive


@pytest.mark.parametrize("around", ["", "backup/", "Downloads/2026/"])
@pytest.mark.parametrize("beside", [{}, {"Grades-HW1-12.csv": b"Identifier,Grade\r\n"}], ids=["alone", "worksheet"])
@pytest.mark.parametrize("form", ["zip", "folder"])
def test_download_packed_in_another_archive(tmp_path: Path, form: str, around: str, beside: dict[str, bytes]) -> None:
    files = {around + name: data for name, data in {"Course-HW1-12.zip": moodle(*NAMES), **beside}.items()}
    path = (write_zip if form == "zip" else write_folder)(tmp_path / "in.zip", files)
    read = intake(tmp_path, path)
    assert {name: submission.student.key for name, submission in read.items()} == {
        "林小明": "10",
        "陳美麗": "11",
        "Ann": "12",
    }
    assert {submission.lms for submission in read.values()} == {"moodle"}


def test_downloads_of_several_groups_are_one_class(tmp_path: Path) -> None:
    files = {"group A.zip": moodle("林小明", "Ann"), "group B.zip": moodle("陳美麗", first=30)}
    assert set(intake(tmp_path, write_zip(tmp_path / "c.zip", files))) == set(NAMES)


def test_same_download_twice_is_read_once_and_reported(tmp_path: Path) -> None:
    read = intake(tmp_path, write_folder(tmp_path / "in", {"1.zip": moodle("Ann"), "2.zip": moodle("Ann")}))
    assert "the archives hold this name twice" in said(read["Ann"])


@pytest.mark.parametrize("order", ["first", "last"])
def test_damaged_inner_archive_is_an_error(tmp_path: Path, order: str) -> None:
    good, bad = ("2.zip", "1.zip") if order == "first" else ("1.zip", "2.zip")
    path = write_folder(tmp_path / "in", {good: moodle("Ann"), bad: moodle("Bob")[:-30]})
    with pytest.raises(IntakeError, match=f"{bad} is damaged or cut off"):
        intake(tmp_path, path)


def test_one_zip_per_student_is_a_class(tmp_path: Path) -> None:
    files = {"lin.zip": zip_bytes({"hw.ipynb": NB}), "ann.zip": zip_bytes({"a/hw.ipynb": NB, "a/x.csv": b"1"})}
    read = intake(tmp_path, write_folder(tmp_path / "in", files))
    assert {name: submission.notebook_name for name, submission in read.items()} == {
        "lin": "hw.ipynb",
        "ann": "hw.ipynb",
    }


@pytest.mark.parametrize("place", ["0eve.zip", "eve.zip"])
def test_zip_of_a_student_with_names_of_others_is_one_submission(tmp_path: Path, place: str) -> None:
    files = {place: moodle("Ann", "林小明"), "ann.zip": zip_bytes({"hw.ipynb": NB})}
    read = intake(tmp_path, write_folder(tmp_path / "in", files))
    assert set(read) == {place.removesuffix(".zip"), "ann"}


def test_inner_archives_of_students_are_no_classes(tmp_path: Path) -> None:
    files = {
        moodle_name("Eve", 7, "all.zip"): moodle(*NAMES),
        moodle_name("Bob", 8, "hw.zip"): zip_bytes({"h.ipynb": NB}),
    }
    assert set(intake(tmp_path, write_zip(tmp_path / "c.zip", files))) == {"Eve", "Bob"}


@pytest.mark.parametrize(
    "inside",
    [
        {"hw1.ipynb": NB, "hw1 (1).ipynb": NB, "Copy of hw1.ipynb": NB},
        {"submitted/lin/hw1/hw.ipynb": NB, "submitted/lin/hw2/hw.ipynb": NB, "nbgrader_config.py": b""},
    ],
    ids=["copies", "course folder"],
)
def test_file_names_of_a_student_make_no_class(tmp_path: Path, inside: dict[str, bytes]) -> None:
    assert set(intake(tmp_path, write_folder(tmp_path / "in", {"lin.zip": zip_bytes(inside)}))) == {"lin"}


# ---------------------------------------------------------------- downloads in parts


def parts() -> dict[str, bytes]:
    return {
        f"{DRIVE}-001.zip": zip_bytes({"HW1/林小明/hw.ipynb": NB, "HW1/Ann/a.csv": b"1"}),
        f"{DRIVE}-002.zip": zip_bytes({"HW1/陳美麗/hw.ipynb": NB, "HW1/Ann/hw.ipynb": NB}),
    }


@pytest.mark.parametrize("packed", ["given", "folder", "zip"])
def test_drive_download_in_parts_is_one_class(tmp_path: Path, packed: str) -> None:
    at = write_folder(tmp_path / "in", parts())
    given = {"given": sorted(at.iterdir()), "folder": [at], "zip": [write_zip(tmp_path / "c.zip", parts())]}[packed]
    read = intake(tmp_path, *given)
    assert set(read) == set(NAMES)
    assert [attachment.name for attachment in read["Ann"].attachments] == ["a.csv"]


def test_parts_of_two_downloads_are_two_classes(tmp_path: Path) -> None:
    names = [f"{DRIVE}-001.zip", "HW1-20260402T090000Z-1-001.zip"]
    paths = [write_zip(tmp_path / name, {"HW1/lin/hw.ipynb": NB, "HW1/ann/hw.ipynb": NB}) for name in names]
    assert len(read_submissions(paths, workspace=tmp_path / "work")) == 4


def test_truncated_part_is_an_error(tmp_path: Path) -> None:
    files = parts() | {f"{DRIVE}-003.zip": zip_bytes({"HW1/x/hw.ipynb": NB})[:-40]}
    with pytest.raises(IntakeError, match=r"-003\.zip is damaged or cut off"):
        intake(tmp_path, write_folder(tmp_path / "in", files))


# ---------------------------------------------------------------- files other than plain archives


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"<!DOCTYPE html><html>Log in</html>", r"a web page \(HTML\)"),
        (b"", "an empty file"),
        (b"Rar!\x1a\x07\x01\x00", "a RAR archive"),
    ],
    ids=["login page", "empty", "rar"],
)
def test_file_that_is_no_archive_is_an_error(tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "class.zip").write_bytes(data)
    with pytest.raises(IntakeError, match=rf"class\.zip is {says}; expected zip or tar"):
        intake(tmp_path, tmp_path / "class.zip")


def test_zip_after_other_text_is_read(tmp_path: Path) -> None:
    (tmp_path / "c.zip").write_bytes(b"Warning: session_start()\n" + moodle(*NAMES))
    assert set(intake(tmp_path, tmp_path / "c.zip")) == set(NAMES)


# ---------------------------------------------------------------- archives of one student


def test_archives_of_one_student_share_one_limit(tmp_path: Path) -> None:
    files = {
        canvas_name("eve", 1, number, f"{number}.zip"): zip_bytes({f"{number}/{n}": b"" for n in range(1200)})
        for number in (1, 2)
    }
    read = intake(tmp_path, write_zip(tmp_path / "c.zip", files | {canvas_name("ann", 2, 3, "hw.ipynb"): NB}))
    assert "1.zip was unpacked" in said(read["eve"]) and "2.zip holds more than 800 files" in said(read["eve"])
    assert read["ann"].notebook is not None


def test_nested_archives_are_opened_once(tmp_path: Path) -> None:
    innermost = zip_bytes({"hw.ipynb": NB})
    for _depth in range(30):
        innermost = zip_bytes({"hw.zip": innermost})
    (submission,) = intake(
        tmp_path, write_zip(tmp_path / "c.zip", {moodle_name("Ann", 1, "hw.zip"): innermost})
    ).values()
    assert submission.notebook is None and "hw.zip is a zip archive" in said(submission)


def test_inner_archive_is_not_unpacked_for_detection(tmp_path: Path) -> None:
    read_submissions(
        [write_folder(tmp_path / "in", {"eve.zip": zip_bytes({"hw.ipynb": NB})})], workspace=tmp_path / "w"
    )
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith("inner-")]


@pytest.mark.parametrize("name", ["blackboard", "gradescope", "canvas", "moodle, flat"])
def test_inner_download_of_each_lms_is_detected(tmp_path: Path, name: str) -> None:
    people = [Person(number, "Ann", last, {f"hw{number}.ipynb": NB}) for number, last in ((7, "Lee"), (8, "林"))]
    inner = zip_bytes(SYSTEMS[name].archive(people))
    read = read_submissions([write_zip(tmp_path / "c.zip", {"d.zip": inner})], workspace=tmp_path / "w")
    assert {submission.lms for submission in read} == {name.partition(",")[0]} and len(read) == 2
