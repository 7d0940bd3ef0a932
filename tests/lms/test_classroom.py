"""Google Classroom's Drive folder: students named in files or in cells, and forged names in cells."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.files.archives.contents import Entry
from grader.lms import classroom
from grader.lms.archive.submissions import read_submissions
from grader.lms.classroom import Claim, plain_title, read_claim
from grader.models.submission import Submission
from tests.support.builders import by_name, said, write_folder, write_zip
from tests.support.notebooks import notebook_bytes

NB = notebook_bytes("model = 1")
DRIVE = "hw1-20240301T142232Z-001.zip"


def intake(
    tmp_path: Path, files: Mapping[str, bytes], *, name: str = "class.zip", lms: str = "auto"
) -> dict[str, Submission]:
    archive = write_zip(tmp_path / "in" / name, files)
    return by_name(read_submissions([archive], lms=lms, workspace=tmp_path / "work"))


# ---------------------------------------------------------------- titles


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("hw1", "hw1"),
        ("Copy of hw1", "hw1"),
        ("Copy of Copy of hw1", "hw1"),
        ("hw1 (1)", "hw1"),
        ("hw1(12)", "hw1"),
        ("「hw1」的副本", "hw1"),
        ("hw1 的副本", "hw1"),
        ("Kopie von hw1", "hw1"),
        ("Copie de hw1", "hw1"),
        ("Copia de hw1", "hw1"),
        ("Cópia de hw1", "hw1"),
        ("hw1 のコピー", "hw1"),
        ("Lin - hw1 (2)", "Lin - hw1"),
        ("Copy of", "Copy of"),
        ("(1)", "(1)"),
        ("", ""),
    ],
)
def test_plain_title(text: str, title: str) -> None:
    assert plain_title(text) == title


@settings(deadline=None)
@given(st.text(max_size=40))
def test_plain_title_is_idempotent(text: str) -> None:
    assert plain_title(plain_title(text)) == plain_title(text)


def test_plain_title_of_long_names_is_fast() -> None:
    started = time.monotonic()
    for text in ("copy of " * 3000, "(1)" * 5000, " " * 20000, "「" * 9000, "- " * 9000):
        plain_title(text)
    assert time.monotonic() - started < 5


# ---------------------------------------------------------------- owners


def test_copies_made_by_classroom(tmp_path: Path) -> None:
    files = {f"{who} - hw1.ipynb": NB for who in ("王小明", "Ann - Marie Lee", "O'Brien, Bob")}
    read = intake(tmp_path, {**files, "王小明 - photo.png": b"png", "Copy of Cid - hw1.ipynb": NB})
    assert set(read) == {"王小明", "Ann - Marie Lee", "O'Brien, Bob", "Cid"}
    assert {submission.lms for submission in read.values()} == {"classroom"}
    assert [attachment.name for attachment in read["王小明"].attachments] == ["王小明 - photo.png"]
    assert read["王小明"].notes == ()


def test_folder_around_the_class_in_a_download_in_parts(tmp_path: Path) -> None:
    first = write_zip(tmp_path / "in" / DRIVE, {"hw1/Lin - hw1.ipynb": NB, "hw1/Chen - hw1.ipynb": NB})
    second = write_zip(
        tmp_path / "in" / DRIVE.replace("001", "002"), {"hw1/Lin - hw1.pdf": b"%PDF", "hw1/Wu - hw1.ipynb": NB}
    )
    read = by_name(read_submissions([first, second], workspace=tmp_path / "work"))
    assert set(read) == {"Lin", "Chen", "Wu"}
    assert [attachment.name for attachment in read["Lin"].attachments] == ["Lin - hw1.pdf"]


def test_students_named_in_cells(tmp_path: Path) -> None:
    read = intake(
        tmp_path,
        {
            "hw1.ipynb": notebook_bytes('STUDENT_ID = "B123"\nSTUDENT_NAME = "王小明"', "model = 1"),
            "hw1 (1).ipynb": notebook_bytes("#md# 作業一\n\n**學號**：B124\n\n姓名：陳美麗", "model = 1"),
            "Copy of hw1.ipynb": notebook_bytes("# 學號: B125", "model = 1"),
            "hw1 (2).ipynb": NB,
            "photos.zip": b"PK",
        },
        name=DRIVE,
    )
    assert set(read) == {"王小明", "陳美麗", "B125", "hw1 (2)", "photos"}
    assert [read[name].student.username for name in ("王小明", "陳美麗", "B125")] == ["B123", "B124", "B125"]
    assert "read from its own cells: B123 王小明. Anyone can write" in said(read["王小明"])
    assert said(read["hw1 (2)"]) == ""


def test_two_notebooks_with_one_student_stay_separate_with_a_note(tmp_path: Path) -> None:
    files = {
        "hw1.ipynb": notebook_bytes('STUDENT_ID = "B123"', "honest = 1"),
        "hw1 (1).ipynb": notebook_bytes('STUDENT_ID = "ｂ123 "', "forged = 1"),
        "hw1 (2).ipynb": notebook_bytes('STUDENT_ID = "B999"', "alone = 1"),
    }
    read = intake(tmp_path, files, name=DRIVE)
    assert len(read) == 3 and len({submission.student.id for submission in read.values()}) == 3
    flagged = [submission for submission in read.values() if "2 notebooks name" in said(submission)]
    assert {submission.notebook_name for submission in flagged} == {"hw1.ipynb", "hw1 (1).ipynb"}
    assert all("hw1.ipynb" in said(submission) and "hw1 (1).ipynb" in said(submission) for submission in flagged)


def test_name_in_a_cell_does_not_replace_the_student_of_another_notebook(tmp_path: Path) -> None:
    mallory = notebook_bytes('name = "Lin"', "forged = 1")
    read = intake(tmp_path, {"Lin - hw1.ipynb": NB, "Chen - hw1.ipynb": NB, "final.ipynb": mallory})
    assert set(read) == {"Lin (Lin - hw1)", "Chen", "Lin (final)"}
    assert all(("2 notebooks" in said(submission)) == name.startswith("Lin") for name, submission in read.items())


def test_two_students_with_one_name_stay_separate(tmp_path: Path) -> None:
    files = {"Lin - hw1.ipynb": NB, "Lin - hw1(1).ipynb": NB, "Wu - hw1.ipynb": NB}
    assert len(intake(tmp_path, files)) == 3


@pytest.mark.parametrize(
    "names",
    [
        ["lin.ipynb", "chen.ipynb", "wu.ipynb"],
        ["Lin - hw1.ipynb", "Chen - hw2.ipynb", "Wu - final.ipynb"],
        ["lin/hw1.ipynb", "chen/hw1.ipynb"],
        ["Lin - hw1/a.ipynb", "Chen - hw1/a.ipynb"],
        ["Lin - hw1.ipynb"],
    ],
    ids=["names", "no common title", "folders", "folders with titles", "single notebook"],
)
def test_other_folders_are_not_read_as_classroom(tmp_path: Path, names: list[str]) -> None:
    claim = notebook_bytes('STUDENT_ID = "B1"', "model = 1")
    read = read_submissions([write_folder(tmp_path / "in", dict.fromkeys(names, claim))], workspace=tmp_path / "work")
    assert {submission.lms for submission in read} == {"folder"} and len(read) == len(names)


def test_class_data_is_placed_beside_every_notebook(tmp_path: Path) -> None:
    files = {"hw (1).ipynb": NB, "hw (2).ipynb": NB, "hw (3).ipynb": NB, "patients.csv": b"1", "hw (4).txt": b"sorry"}
    read = intake(tmp_path, files)
    assert set(read) == {"hw (1)", "hw (2)", "hw (3)", "hw (4)"} and {
        submission.lms for submission in read.values()
    } == {"classroom"}
    assert all([attachment.name for attachment in read[f"hw ({n})"].attachments] == ["patients.csv"] for n in (1, 2, 3))


def test_requested_classroom(tmp_path: Path) -> None:
    claim = notebook_bytes('STUDENT_ID = "B1"', "model = 1")
    read = intake(tmp_path, {"my work.ipynb": claim, "final.ipynb": NB}, lms="classroom")
    assert set(read) == {"B1", "final"}


# ---------------------------------------------------------------- claims in cells


def claim(tmp_path: Path, *cells: str) -> Claim:
    path = tmp_path / "hw.ipynb"
    path.write_bytes(notebook_bytes(*cells))
    return read_claim(Entry(path.name, path, path.stat().st_size))


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ('STUDENT_ID = "B1"', Claim("B1")),
        ("student_id='B1'  # mine", Claim("B1")),
        ("sid = 'B1'; name = 'Lin'", Claim("B1")),
        ('學號 = "B1"\n姓名 = "林"', Claim("B1", "林")),
        ("# 學號：B1\n# 姓名：林小明", Claim("B1", "林小明")),
        ("#md| 學號: B1 |", Claim("B1")),
        ("#md> **Student ID:** `B1`\n> **Name:** Ann Lee", Claim("B1", "Ann Lee")),
        ("#mdName: ____", Claim()),
        ("#md姓名：請填寫", Claim()),
        ('STUDENT_ID = "YOUR ID HERE"', Claim()),
        ('STUDENT_ID = "xxxxxx"', Claim()),
        ('STUDENT_ID = ""', Claim()),
        ("STUDENT_ID = input()", Claim()),
        ('STUDENT_ID = "a" * 10**9', Claim("a")),
        ("print('學號: B1')", Claim()),
        ('file_name = "data.csv"', Claim()),
        ('STUDENT_ID = "B1\x00\u202eevil"', Claim()),
        ('STUDENT_ID = "' + "9" * 100 + '"', Claim()),
        ('STUDENT_ID = "B1"\nSTUDENT_ID = "B2"', Claim("B1")),
    ],
)
def test_read_claim(tmp_path: Path, cell: str, found: Claim) -> None:
    assert claim(tmp_path, cell) == found


def test_only_the_first_cells_are_read_and_no_code_is_run(tmp_path: Path) -> None:
    assert claim(tmp_path, *["x = 1"] * 10, 'STUDENT_ID = "B1"') == Claim()
    assert claim(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'w')", 'SID = "B1"') == Claim("B1")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xd8\xff", b"[]"])
def test_broken_notebook_has_no_claim(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "hw.ipynb"
    path.write_bytes(data)
    assert read_claim(Entry(path.name, path, len(data))) == Claim()


def test_long_lines_are_read_fast(tmp_path: Path) -> None:
    started = time.monotonic()
    claim(tmp_path, "\n".join(["#md" + "#" * 300_000, "姓名：" + "*" * 300_000, "name" + " " * 300_000 + "="]))
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("name", [DRIVE, "hw 1-20240301T142232Z-1-001.zip", "作業-20240301T142232Z-001 (1).zip"])
def test_is_download(name: str) -> None:
    assert classroom.is_download(name) and not classroom.is_download("hw1-20240301.zip")
