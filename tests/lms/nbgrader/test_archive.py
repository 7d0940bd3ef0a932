"""nbgrader's course folder, its folder of submissions, archives of both, and Otter's exports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.lms.archive.submissions import read_submissions
from grader.lms.nbgrader.archive import parse_time
from grader.models.assignment import Assignment
from grader.models.course import Course
from grader.models.errors import IntakeError
from grader.models.run import Outcome
from grader.models.submission import Submission
from tests.support.builders import by_name, moodle_name, notebook_bytes, said, write_folder, write_zip, zip_bytes

NB = notebook_bytes("model = 1")
STAMP = b"2015-02-02 14:58:23.948203 America/Los_Angeles\n"
HANDED_IN = {
    "bitdiddle/ps1/p2.ipynb": NB,
    "bitdiddle/ps1/p1.ipynb": NB,
    "bitdiddle/ps1/data.csv": b"1",
    "bitdiddle/ps1/timestamp.txt": STAMP,
    "bitdiddle/ps1/submission_secret.txt": b"s",
    "bitdiddle/ps1/.ipynb_checkpoints/p1-checkpoint.ipynb": NB,
    "hacker/ps1/p1.ipynb": NB,
    "hacker/ps1/timestamp.txt": STAMP,
}
COURSE = {
    "nbgrader_config.py": b"c = get_config()",
    "gradebook.db": b"SQLite",
    "source/ps1/p1.ipynb": NB,
    "release/ps1/p1.ipynb": NB,
    "autograded/bitdiddle/ps1/p1.ipynb": NB,
}


def course(files: Mapping[str, bytes], top: str = "submitted/") -> dict[str, bytes]:
    return {top + name: data for name, data in files.items()}


def read(tmp_path: Path, path: Path, assignment: str = "", lms: str = "auto") -> dict[str, Submission]:
    of_course = Course("nbgrader", {"p1.ipynb": tmp_path}, folder=assignment)
    chosen = Assignment(assignment, "1", tmp_path, {"en": assignment}, (), course=of_course) if assignment else None
    return by_name(read_submissions([path], lms=lms, workspace=tmp_path / "work", assignment=chosen))


def shape(tmp_path: Path, form: str) -> Path:
    everything = COURSE | course(HANDED_IN)
    match form:
        case "course folder":
            return write_folder(tmp_path / "dl101", everything)
        case "course archive":
            return write_zip(tmp_path / "dl101.zip", course(everything, "dl101/"))
        case "submitted folder":
            return write_folder(tmp_path / "submitted", HANDED_IN)
        case "submitted archive":
            return write_zip(tmp_path / "x.zip", course(HANDED_IN))
        case _:
            return write_zip(tmp_path / "y.zip", HANDED_IN)


FORMS = ("course folder", "course archive", "submitted folder", "submitted archive", "archive of its contents")


@pytest.mark.parametrize("form", FORMS)
def test_class_in_every_packing(tmp_path: Path, form: str) -> None:
    found = read(tmp_path, shape(tmp_path, form))
    assert set(found) == {"bitdiddle", "hacker"} and {submission.lms for submission in found.values()} == {"nbgrader"}
    first = found["bitdiddle"]
    assert [attachment.name for attachment in first.attachments] == ["data.csv"]
    assert (first.origin, first.student.key, first.student.username) == ("submitted/bitdiddle/ps1", *["bitdiddle"] * 2)
    assert first.submitted_at == datetime(2015, 2, 2, 22, 58, 23, 948203, UTC)
    assert "was taken: it has the most code of several notebooks." in said(first)


def test_only_the_requested_assignment_is_read(tmp_path: Path) -> None:
    several = course(HANDED_IN | {"bitdiddle/ps2/q.ipynb": NB, "late/ps2/q.ipynb": NB})
    path = write_folder(tmp_path / "c", COURSE | several)
    assert set(read(tmp_path, path, "ps1")) == {"bitdiddle", "hacker"}
    found = read(tmp_path, path, "ps2")
    assert set(found) == {"bitdiddle", "late"} and found["bitdiddle"].notebook_name == "q.ipynb"
    with pytest.raises(IntakeError, match="several assignments: ps1, ps2"):
        read(tmp_path, path)
    with pytest.raises(IntakeError, match="no submissions for ps3; there are submissions for ps1, ps2"):
        read(tmp_path, path, "ps3")


def test_wrong_assignment_is_an_error_even_if_there_is_only_one(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "c", COURSE | course(HANDED_IN))
    with pytest.raises(IntakeError, match="for ps2; there are submissions for ps1"):
        read(tmp_path, path, "ps2")


def test_timestamp_alone_is_a_missing_submission(tmp_path: Path) -> None:
    files = course(HANDED_IN | {"empty/ps1/timestamp.txt": STAMP})
    submission = read(tmp_path, write_zip(tmp_path / "x.zip", files))["empty"]
    assert submission.outcome is Outcome.MISSING and "Nothing was handed in" in said(submission)


def test_path_out_of_the_folder_is_refused_for_its_student(tmp_path: Path) -> None:
    files = course(HANDED_IN | {"eve/ps1/../../../evil.ipynb": NB}) | {"../stray.ipynb": NB}
    found = read(tmp_path, write_zip(tmp_path / "x.zip", files))
    assert found["eve"].outcome is Outcome.FORBIDDEN and found["../stray.ipynb"].outcome is Outcome.FORBIDDEN


# ---------------------------------------------------------------- times


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2015-02-02 14:58:23.948203 America/Los_Angeles", datetime(2015, 2, 2, 22, 58, 23, 948203, UTC)),
        ("2015-02-02 15:58:23.948203 UTC", datetime(2015, 2, 2, 15, 58, 23, 948203, UTC)),
        ("2015-02-02 15:58:23", datetime(2015, 2, 2, 15, 58, 23, tzinfo=UTC)),
        ("2015-02-02T15:58:23.5+0800", datetime(2015, 2, 2, 15, 58, 23, 500000, timezone(timedelta(hours=8)))),
        ("2015-02-02 15:58:23 Asia/Taipei", datetime(2015, 2, 2, 7, 58, 23, tzinfo=UTC)),
        ("2015-02-02 15:58:23 Mars/Olympus", None),
        ("2015-02-02 15:58:23 ../../etc/passwd", None),
        ("2015-02-02 15:58:23 /etc/passwd", None),
        ("2015-13-02 15:58:23 UTC", None),
        ("2015-02-02 15:58:23 +99:99", None),
        ("0001-01-01 00:00:00 +08:00", None),  # in UTC there is no such year
        ("1970-01-01 00:00:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_parse_time(text: str, when: datetime | None) -> None:
    assert parse_time(text) == when


@settings(deadline=None)
@given(st.text(max_size=40) | st.text(max_size=20).map("2015-02-02 15:58:23 {}".format))
def test_parse_time_never_raises(text: str) -> None:
    found = parse_time(text)
    assert found is None or found.tzinfo is not None


def test_unreadable_timestamp_is_reported(tmp_path: Path) -> None:
    files = course(HANDED_IN | {"hacker/ps1/timestamp.txt": b"\xffsoon" * 1000})
    submission = read(tmp_path, write_zip(tmp_path / "x.zip", files))["hacker"]
    assert (
        submission.submitted_at is None
        and "timestamp.txt contains no time" in said(submission)
        and len(said(submission)) < 200
    )


# ---------------------------------------------------------------- other classes with similar names


@pytest.mark.parametrize(
    "files",
    [
        {"lin/hw.ipynb": NB, "eve/submitted/x/y/z.ipynb": NB, "eve/hw.ipynb": NB, "eve/gradebook.db": b"x"},
        {"lin/hw/hw.ipynb": NB, "chen/hw/hw.ipynb": NB, "eve/hw/hw.ipynb": NB, "eve/hw/timestamp.txt": STAMP},
        {"lin/hw/hw.ipynb": NB, "submitted/hw.ipynb": NB},
        {"lin/hw.ipynb": NB, "submitted/a/b/hw.ipynb": NB},
    ],
    ids=[
        "folder inside a student's",
        "timestamp of one student",
        "student called submitted",
        "student called submitted, deep",
    ],
)
def test_class_of_folders_is_not_read_as_nbgrader(tmp_path: Path, files: dict[str, bytes]) -> None:
    found = read(tmp_path, write_folder(tmp_path / "class", files))
    assert set(found) == {name.split("/")[0] for name in files}
    assert {submission.lms for submission in found.values()} == {"folder"}


def test_course_folder_of_a_student_in_a_moodle_archive_is_ignored(tmp_path: Path) -> None:
    files = {moodle_name("Eve", 7, name): NB for name in ("submitted/x/ps1/p.ipynb", "gradebook.db", "source/a.ipynb")}
    assert set(read(tmp_path, write_zip(tmp_path / "m.zip", files))) == {"Eve"}


def test_requested_nbgrader_must_fit(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="does not come from nbgrader"):
        read(tmp_path, write_folder(tmp_path / "c", {"lin/hw.ipynb": NB, "chen/hw.ipynb": NB}), lms="nbgrader")


# ---------------------------------------------------------------- exports of Otter


def test_export_of_otter(tmp_path: Path) -> None:
    export = {"hw01.ipynb": NB, "hw01.pdf": b"%PDF-1.7", ".OTTER_LOG": b"\x80\x04", "__zip_filename__": b"hw01_1.zip"}
    files = {moodle_name(who, number, f"hw01_2024_0{number}.zip"): zip_bytes(export)
             for number, who in enumerate(["Lin", "Chen"], 1)}  # fmt: skip
    found = read(tmp_path, write_zip(tmp_path / "m.zip", files))
    for submission in found.values():
        assert submission.notebook_name == "hw01.ipynb" and submission.outcome is None
        assert "hw01.pdf" in {attachment.name for attachment in submission.attachments}
        assert not [attachment.name for attachment in submission.attachments if attachment.name.startswith(".")]
