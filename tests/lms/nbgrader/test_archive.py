"""nbgrader's course folder, the folder of what was handed in, archives of both, and otter's exports."""

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
    meant = Assignment(assignment, "1", tmp_path, {"en": assignment}, (), course=of_course) if assignment else None
    return by_name(read_submissions([path], lms=lms, workspace=tmp_path / "work", assignment=meant))


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


FORMS = ("course folder", "course archive", "submitted folder", "submitted archive", "what is in it, archived")


@pytest.mark.parametrize("form", FORMS)
def test_a_class_in_any_packing(tmp_path: Path, form: str) -> None:
    found = read(tmp_path, shape(tmp_path, form))
    assert set(found) == {"bitdiddle", "hacker"} and {one.lms for one in found.values()} == {"nbgrader"}
    first = found["bitdiddle"]
    assert [one.name for one in first.attachments] == ["data.csv"]
    assert (first.origin, first.student.key, first.student.username) == ("submitted/bitdiddle/ps1", *["bitdiddle"] * 2)
    assert first.submitted_at == datetime(2015, 2, 2, 22, 58, 23, 948203, UTC)
    assert "was taken: it has the most code of several notebooks." in said(first)


def test_only_the_wanted_assignment(tmp_path: Path) -> None:
    several = course(HANDED_IN | {"bitdiddle/ps2/q.ipynb": NB, "late/ps2/q.ipynb": NB})
    path = write_folder(tmp_path / "c", COURSE | several)
    assert set(read(tmp_path, path, "ps1")) == {"bitdiddle", "hacker"}
    found = read(tmp_path, path, "ps2")
    assert set(found) == {"bitdiddle", "late"} and found["bitdiddle"].notebook_name == "q.ipynb"
    with pytest.raises(IntakeError, match="several assignments: ps1, ps2"):
        read(tmp_path, path)
    with pytest.raises(IntakeError, match="nothing that was handed in for ps3; there are ps1, ps2"):
        read(tmp_path, path, "ps3")


def test_the_only_assignment_needs_no_name_but_a_wrong_one_is_said(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "c", COURSE | course(HANDED_IN))
    with pytest.raises(IntakeError, match="for ps2; there are ps1"):
        read(tmp_path, path, "ps2")


def test_who_handed_in_nothing_but_the_time_is_seen(tmp_path: Path) -> None:
    files = course(HANDED_IN | {"empty/ps1/timestamp.txt": STAMP})
    one = read(tmp_path, write_zip(tmp_path / "x.zip", files))["empty"]
    assert one.outcome is Outcome.MISSING and "Nothing was handed in" in said(one)


def test_a_path_out_of_a_tree_is_its_student_s(tmp_path: Path) -> None:
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
def test_times(text: str, when: datetime | None) -> None:
    assert parse_time(text) == when


@settings(deadline=None)
@given(st.text(max_size=40) | st.text(max_size=20).map("2015-02-02 15:58:23 {}".format))
def test_any_text_is_a_time_or_none(text: str) -> None:
    found = parse_time(text)
    assert found is None or found.tzinfo is not None


def test_a_bad_time_is_said(tmp_path: Path) -> None:
    files = course(HANDED_IN | {"hacker/ps1/timestamp.txt": b"\xffsoon" * 1000})
    one = read(tmp_path, write_zip(tmp_path / "x.zip", files))["hacker"]
    assert one.submitted_at is None and "timestamp.txt holds no time" in said(one) and len(said(one)) < 200


# ---------------------------------------------------------------- what only looks like one


@pytest.mark.parametrize(
    "files",
    [
        {"lin/hw.ipynb": NB, "eve/submitted/x/y/z.ipynb": NB, "eve/hw.ipynb": NB, "eve/gradebook.db": b"x"},
        {"lin/hw/hw.ipynb": NB, "chen/hw/hw.ipynb": NB, "eve/hw/hw.ipynb": NB, "eve/hw/timestamp.txt": STAMP},
        {"lin/hw/hw.ipynb": NB, "submitted/hw.ipynb": NB},
        {"lin/hw.ipynb": NB, "submitted/a/b/hw.ipynb": NB},
    ],
    ids=["a student's own folder", "one student's time", "a student called so", "a student called so, deep"],
)
def test_a_class_of_folders_stays_one(tmp_path: Path, files: dict[str, bytes]) -> None:
    found = read(tmp_path, write_folder(tmp_path / "class", files))
    assert set(found) == {name.split("/")[0] for name in files}
    assert {one.lms for one in found.values()} == {"folder"}


def test_a_student_s_tree_in_moodle_s_archive_changes_nothing(tmp_path: Path) -> None:
    files = {moodle_name("Eve", 7, name): NB for name in ("submitted/x/ps1/p.ipynb", "gradebook.db", "source/a.ipynb")}
    assert set(read(tmp_path, write_zip(tmp_path / "m.zip", files))) == {"Eve"}


def test_another_class_is_not_taken_for_nbgrader_s(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="does not come from nbgrader"):
        read(tmp_path, write_folder(tmp_path / "c", {"lin/hw.ipynb": NB, "chen/hw.ipynb": NB}), lms="nbgrader")


# ---------------------------------------------------------------- otter's exports


def test_an_export_of_otter_s(tmp_path: Path) -> None:
    export = {"hw01.ipynb": NB, "hw01.pdf": b"%PDF-1.7", ".OTTER_LOG": b"\x80\x04", "__zip_filename__": b"hw01_1.zip"}
    files = {moodle_name(who, number, f"hw01_2024_0{number}.zip"): zip_bytes(export)
             for number, who in enumerate(["Lin", "Chen"], 1)}  # fmt: skip
    found = read(tmp_path, write_zip(tmp_path / "m.zip", files))
    for one in found.values():
        assert one.notebook_name == "hw01.ipynb" and one.outcome is None
        assert "hw01.pdf" in {other.name for other in one.attachments}
        assert not [other.name for other in one.attachments if other.name.startswith(".")]
