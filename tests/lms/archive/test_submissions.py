"""Tests of reading whole classes in every packing, and of mistakes of students and teachers."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.files.archives.contents import Entry
from grader.lms.archive.notebook_selection import build_submission
from grader.lms.archive.student_files import StudentFile, StudentUpload
from grader.lms.archive.submissions import read_submissions
from grader.lms.identity import Owner, fold_case
from grader.models.errors import IntakeError, OutputError
from grader.models.run import Outcome
from grader.models.submission import Student, Submission
from tests.support.builders import (
    by_name,
    canvas_name,
    moodle_name,
    notebook_bytes,
    said,
    write_folder,
    write_tar,
    write_zip,
    zip_bytes,
)

NB = notebook_bytes("model = 1")


def intake(tmp_path: Path, files: Mapping[str, bytes], lms: str = "auto") -> dict[str, Submission]:
    """Return the submissions in a zip of ``files``, by the student's name."""
    return by_name(
        read_submissions([write_zip(tmp_path / "in" / "class.zip", files)], lms=lms, workspace=tmp_path / "work")
    )


F = "_assignsubmission_file"

# ---------------------------------------------------------------- whole archives

PEOPLE = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="/\\_&<>\"`|':"),
    min_size=1,
    max_size=12,
)
FILES = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters='/\\:*?"<>|~.'),
    min_size=1,
    max_size=12,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.data())
def test_every_student_and_every_file_is_found(tmp_path: Path, data: st.DataObject) -> None:
    """Read an archive built by the LMS's rules: every file is used, attached or named in a note."""
    style = data.draw(st.sampled_from(["moodle", "flat", "canvas"]))
    people = data.draw(st.dictionaries(st.integers(1, 10**6), PEOPLE, min_size=1, max_size=5))
    named = st.sets(st.tuples(FILES, st.sampled_from([".ipynb", ".csv", ".png"])).map("".join), min_size=1, max_size=4)
    files: dict[str, bytes] = {}
    handed_in: dict[str, set[str]] = {}
    for number, person in people.items():
        handed_in[str(number)] = {unicodedata.normalize("NFC", name) for name in data.draw(named)}
        for upload, name in enumerate(sorted(handed_in[str(number)]), 1):
            if style == "canvas":
                files[canvas_name(person, number, upload, name)] = NB
            else:
                files[moodle_name(person, number, name, flat=style == "flat")] = NB
    room = tmp_path / str(len(list(tmp_path.iterdir())))
    read = read_submissions([write_zip(room / "c.zip", files)], workspace=room)
    assert {submission.student.id for submission in read} == set(handed_in)
    for submission in read:
        found = {submission.notebook_name} | {attachment.name for attachment in submission.attachments}
        names = handed_in[submission.student.id]
        assert all(name in said(submission) for name in names - found)
        assert (submission.notebook is None) == (not any(name.endswith(".ipynb") for name in names))


def test_moodle_class(tmp_path: Path) -> None:
    read = intake(
        tmp_path,
        {
            moodle_name("林小明", 12, "hw.ipynb"): NB,
            moodle_name("林小明", 12, "images/1.png"): b"picture",
            moodle_name("林小明", 12, "onlinetext.html", typed=True): b"<p>Hello</p>",
            moodle_name("陳美麗", 13, "report.pdf"): b"%PDF-1.7",
            moodle_name("Ann Lee", 14, "onlinetext.html", typed=True): b"<p>Hello</p>",
            moodle_name("Bob", 15, "empty.ipynb"): b"",
            moodle_name("Cid", 16, ".DS_Store"): b"x",
            moodle_name("Default group", None, "hw.ipynb"): NB,
        },
    )
    lin = read["林小明"]
    assert (lin.student.id, lin.notebook_name, lin.origin) == ("12", "hw.ipynb", f"林小明_12{F}")
    assert [(attachment.name, attachment.path.read_bytes()) for attachment in lin.attachments] == [
        ("images/1.png", b"picture"),
        ("onlinetext.html", b"<p>Hello</p>"),
    ]
    assert (lin.outcome, lin.late, lin.notes, len(lin.digest)) == (None, None, (), 64)
    assert "report.pdf is a PDF document" in said(read["陳美麗"])
    assert "text typed into the LMS" in said(read["Ann Lee"])
    assert read["Bob"].notebook is not None and read["Bob"].outcome is None
    assert "Nothing was handed in" in said(read["Cid"])
    assert {name for name in read if read[name].outcome is Outcome.MISSING} == {"陳美麗", "Ann Lee", "Cid"}
    assert read["Default group"].student.id == "Default-group"


def test_canvas_class(tmp_path: Path) -> None:
    long, short = notebook_bytes("a = 1", "b = 2", "c = 3"), notebook_bytes("a")
    read = intake(
        tmp_path,
        {
            canvas_name("doejane", 4, 50, "hw.ipynb", late=True): long,
            canvas_name("doejane", 4, 51, "hw-1.ipynb", late=True): short,
            canvas_name("王小明", 5, 60, "a.ipynb"): short,
            canvas_name("王小明", 5, 61, "b.ipynb"): long,
            canvas_name("anon", "a1B2c", 70, "hw.ipynb"): NB,
            "roepat_6_text.html": b"<p>text</p>",
        },
    )
    assert {
        name: (submission.student.id, submission.notebook_name, submission.late) for name, submission in read.items()
    } == {
        "doejane": ("4", "hw-1.ipynb", True),
        "王小明": ("5", "b.ipynb", False),
        "anon a1B2c": ("a1B2c", "hw.ipynb", False),
        "roepat": ("6", "", False),
    }
    assert "Earlier attempts were left out: hw.ipynb" in said(read["doejane"])
    assert "b.ipynb was taken" in said(read["王小明"]) and "Left out: a.ipynb" in said(read["王小明"])


@pytest.mark.parametrize("wrapped", ["", "Course-HW1-99/"], ids=["bare", "repacked"])
@pytest.mark.parametrize("form", ["zip", "tar", "folder"])
def test_same_class_in_every_packing(tmp_path: Path, form: str, wrapped: str) -> None:
    files = {
        wrapped + moodle_name(name, number, "hw.ipynb"): NB for number, name in enumerate(["林小明", "陳美麗", "Ann"])
    }
    path = tmp_path / "in"
    make = {"zip": write_zip, "tar": write_tar, "folder": write_folder}[form]
    read = by_name(read_submissions([make(path, files)], workspace=tmp_path / "work"))
    assert {name: submission.student.id for name, submission in read.items()} == {
        "林小明": "0",
        "陳美麗": "1",
        "Ann": "2",
    }
    assert all(submission.notebook and submission.notebook.read_bytes() == NB for submission in read.values())


# ---------------------------------------------------------------- mistakes of students


def test_path_out_of_the_archive_is_refused_for_its_student_only(tmp_path: Path) -> None:
    read = intake(
        tmp_path,
        {
            moodle_name("Eve", 7, "../../evil.ipynb"): NB,
            moodle_name("Ann", 8, "hw.ipynb"): NB,
            moodle_name("Ann", 8, "../evil.sh"): b"rm",
            moodle_name("Bob", 9, "hw.ipynb"): NB,
            "../stray.ipynb": NB,
        },
    )
    assert {name: submission.outcome for name, submission in read.items()} == {
        "Eve": Outcome.FORBIDDEN,
        "Ann": None,
        "Bob": None,
        "../stray.ipynb": Outcome.FORBIDDEN,
    }
    assert "points outside the archive" in str(read["Eve"].problem)
    assert "evil.sh was refused" in said(read["Ann"]) and read["Ann"].attachments == ()
    assert not [path for path in tmp_path.rglob("*") if "evil" in path.name or "stray" in path.name]


def test_path_out_of_a_plain_archive_is_refused(tmp_path: Path) -> None:
    read = intake(tmp_path, {"lin.ipynb": NB, "chen/../../evil.ipynb": NB, "/etc/x.ipynb": NB, "../lin.ipynb": NB})
    assert {name: submission.outcome for name, submission in read.items() if submission.outcome} == {
        "chen": Outcome.FORBIDDEN,
        "/etc/x.ipynb": Outcome.FORBIDDEN,
        "../lin.ipynb": Outcome.FORBIDDEN,
    }
    assert read["lin"].notes == ()


@pytest.mark.parametrize(
    ("file", "content", "notebook", "says"),
    [
        ("hw.zip", zip_bytes({"hw/hw.ipynb": NB, "hw/data.csv": b"1"}), "hw.ipynb", "hw.zip was unpacked"),
        ("hw.zip", zip_bytes({"../hw.ipynb": NB}), "", "hw.ipynb was refused: its name points outside"),
        ("hw.zip", zip_bytes({"hw.ipynb": NB})[:-25], "", "hw.zip is damaged or cut off"),
        ("hw.rar", b"Rar!\x1a\x07\x01\x00", "", "hw.rar is a RAR archive"),
        ("hw.zip", zip_bytes({"hw.zip": zip_bytes({"hw.ipynb": NB})}), "", "hw.zip is a zip archive"),
        ("hw.zip", zip_bytes({}), "", "Nothing was handed in"),
        ("hw.ipynb.txt", NB, "hw.ipynb.txt", "contains a notebook"),
        ("hw.json", NB, "hw.json", "contains a notebook"),
        ("hw", NB, "hw", "contains a notebook"),
        ("hw.json", b'{"a": 1}', "", "JSON text"),
        ("hw.py", b"import keras\n", "", "hw.py is a Python script"),
        ("HW.IPYNB", b"\xff\xd8\xff", "HW.IPYNB", ""),
        ("hw.docx", zip_bytes({"word/document.xml": b"x"}), "", "a Word document"),
    ],
)
def test_single_file(tmp_path: Path, file: str, content: bytes, notebook: str, says: str) -> None:
    submission = intake(tmp_path, {moodle_name("Ann", 3, file): content})["Ann"]
    assert submission.notebook_name == notebook
    assert (submission.notebook is None) == (notebook == "") == (submission.outcome is not None)
    assert says in said(submission)


def test_archive_beside_a_notebook_is_not_unpacked(tmp_path: Path) -> None:
    submission = intake(
        tmp_path, {"ann/hw.ipynb": NB, "ann/photos.zip": zip_bytes({"1.png": b"1"}), "bob/hw.ipynb": NB}
    )["ann"]
    assert [attachment.name for attachment in submission.attachments] == ["photos.zip"]


def test_attachments_that_cannot_be_placed_are_reported(tmp_path: Path) -> None:
    names = ["a", "a/b", ".ipython/startup.py", "x" * 250, "ok/" + "y" * 190, "b" + "/c" * 500]
    files = {f"ann/{name}": b"1" for name in names} | {"ann/hw.ipynb": NB, "bob/hw.ipynb": NB}
    submission = intake(tmp_path, files)["ann"]
    assert {attachment.name for attachment in submission.attachments} == {"a", "ok/" + "y" * 190}
    assert said(submission).count("was not placed beside the notebook") == 4


def test_latest_of_equal_notebooks_is_taken(tmp_path: Path) -> None:
    read = intake(tmp_path, {canvas_name("ann", 1, 99, "a.ipynb"): NB, canvas_name("ann", 1, 100, "b.ipynb"): NB})
    assert read["ann"].notebook_name == "b.ipynb"
    read = intake(
        tmp_path, {"ann/b.ipynb": b"{", "ann/a.ipynb": NB, "ann/c-checkpoint.ipynb": NB + b" ", "bob/h.ipynb": NB}
    )
    assert read["ann"].notebook_name == "a.ipynb"


def test_thousands_of_notebooks_are_read_fast_with_short_notes(tmp_path: Path) -> None:
    (tmp_path / "hw.ipynb").write_bytes(NB)
    names = [f"{number}{suffix}" for number in range(4000) for suffix in (".ipynb", ".txt")]
    files = [StudentFile(name, Entry(name, tmp_path / "hw.ipynb", len(NB))) for name in names]
    started = time.process_time()
    upload = StudentUpload(Owner("Eve", "", "eve"), files=files)
    submission = build_submission(Student("eve", "Eve"), upload, tmp_path / "nested")
    assert time.process_time() - started < 4
    assert len(submission.attachments) == 4000 and len(said(submission)) < 1000


def test_other_files_in_an_lms_archive_become_submissions(tmp_path: Path) -> None:
    files = {moodle_name(name, 3, "hw.ipynb"): NB for name in ("Ann", "Bob")} | {"stray.csv": b"1"}
    read = intake(tmp_path, files)
    assert read["stray.csv"].outcome is Outcome.MISSING
    assert sorted(submission.student.id for submission in read.values()) == ["3", "3-2", "stray-csv"]


def test_student_in_two_archives_has_one_submission(tmp_path: Path) -> None:
    paths = [write_zip(tmp_path / f"{n}.zip", {moodle_name("Ann", 3, f"{n}.ipynb"): NB}) for n in (1, 2)]
    (submission,) = read_submissions(paths, workspace=tmp_path / "work")
    assert submission.notebook_name == "2.ipynb" and "1.ipynb" in said(submission)


# ---------------------------------------------------------------- mistakes of teachers


@pytest.mark.parametrize(
    ("name", "content", "lms", "says"),
    [
        ("gone.zip", None, "auto", "gone.zip cannot be read: No such file"),
        ("c.zip", zip_bytes({}), "auto", "contains no submission: it is empty"),
        ("c.zip", zip_bytes({"a.png": b"1", "b.csv": b"2"}), "auto", "none of its 2 files is a notebook"),
        (
            "c.zip",
            zip_bytes({"lin.ipynb": NB}),
            "moodle",
            "does not come from Moodle: no entry has a name as Moodle gives it, for example lin.ipynb",
        ),
        ("c.zip", zip_bytes({moodle_name("Ann", 3, "hw.ipynb"): NB}), "canvas", "does not come from Canvas"),
        ("c.zip", b"7z\xbc\xaf\x27\x1c", "auto", "c.zip is a 7z archive"),
        ("c.pdf", b"%PDF-", "auto", "a PDF document"),
        ("c.docx", zip_bytes({"word/document.xml": b"x"}), "auto", "a Word document"),
        ("c.ipynb", NB, "sakai", "LMS sakai is not known"),
    ],
)
def test_unreadable_input_gives_one_line(tmp_path: Path, name: str, content: bytes | None, lms: str, says: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(IntakeError, match=says) as raised:
        read_submissions([tmp_path / name], lms=lms, workspace=tmp_path / "work")
    assert "\n" not in str(raised.value)


def test_workspace_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(NB)
    with pytest.raises(OutputError, match="cannot be written"):
        read_submissions([tmp_path / "file"], workspace=tmp_path / "file" / "work")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.text(max_size=25).map(lambda name: name + ".ipynb"), min_size=1, max_size=5, unique=True))
def test_any_entry_names_give_submissions_or_an_error(tmp_path: Path, names: list[str]) -> None:
    room = tmp_path / str(len(list(tmp_path.iterdir())))
    names = [name.replace("\0", "").encode("utf-8", "replace").decode() for name in names]
    try:
        read = read_submissions([write_zip(room / "c.zip", dict.fromkeys(names, NB))], workspace=room)
    except IntakeError as error:
        assert str(error)
        return
    assert len({fold_case(submission.student.id) for submission in read}) == len(read)
    for submission in read:
        assert (submission.notebook is None) == (submission.problem is not None)
        assert all(".." not in PurePosixPath(attachment.name).parts for attachment in submission.attachments)
