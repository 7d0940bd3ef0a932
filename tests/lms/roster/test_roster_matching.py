"""Tests of matching submissions to the class list: only exact matches count, all others stay open."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import pytest

from grader.lms.archive.submissions import read_submissions
from grader.lms.identity import Owner
from grader.lms.roster.class_list import Person
from grader.lms.roster.roster_matching import RosterIndex, match_all, match_owner
from grader.models.intake import Intake
from grader.models.submission import Student
from tests.lms.roster.lists import CANVAS, MOODLE, roster
from tests.support.builders import canvas_name, moodle_name, notebook_bytes, write_folder, write_zip

NB = notebook_bytes("model = 1")

LIN = Person(1, "林小明", "410012345", email="lin@x.tw", username="b123")
DOE = Person(2, "Doe, Jane", "410012346", key="4567")
LEE, LEE_TOO = Person(3, "Ann Lee", "410012347", group="Team A"), Person(4, "Ann Lee", "410012348")
MULLER = Person(5, "Müller Hans", "5")
WANG = Person(6, "王一", "12", group="Team A", aliases=("catlover",))
INDEX = RosterIndex([LIN, DOE, LEE, LEE_TOO, MULLER, WANG])


def owner(name: str, **others: str) -> Owner:
    return Owner(name, "hw.ipynb", name, **others)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("handed", "found"),
    [
        pytest.param(owner("x", email="LIN@x.tw"), [LIN], id="email"),
        pytest.param(owner("x", username="b123"), [LIN], id="login"),
        pytest.param(owner("x", username="410012345"), [LIN], id="number as login"),
        pytest.param(owner("doejane", key="4567"), [DOE], id="id of the LMS"),
        pytest.param(owner("Chen", key="4567"), [], id="id of the LMS with another name"),
        pytest.param(owner("林小明", key="12"), [LIN], id="id of the LMS equals the number of another student"),
        pytest.param(owner("410012345"), [LIN], id="folder named by number"),
        pytest.param(owner("hw1_410012345_林小明"), [LIN], id="number and name in a file name"),
        pytest.param(owner("410012345林小明"), [LIN], id="number and name without a separator"),
        pytest.param(owner("410012345_Jane Doe"), [LIN], id="Western name in the other order beside a number"),
        pytest.param(owner("410012345_王一"), [], id="number and name of different students"),
        pytest.param(owner("410012345 410012346"), [], id="two numbers"),
        pytest.param(owner("5"), [MULLER], id="short number alone"),
        pytest.param(owner("hw 5"), [], id="short number beside other text"),
        pytest.param(owner("小明 林"), [LIN], id="name in the other order"),
        pytest.param(owner("林小明 作業"), [LIN], id="name and other text"),
        pytest.param(owner("Ann Lee"), [], id="two students with one name"),
        pytest.param(owner("Ann Lee 410012348"), [LEE_TOO], id="two students with one name, and a number"),
        pytest.param(owner("Hans Muller"), [], id="name without its accents"),
        pytest.param(owner("Ann"), [], id="half of a name"),
        pytest.param(owner("catlover"), [WANG], id="alias given by the teacher"),
        pytest.param(owner("team a"), [LEE, WANG], id="group of the list"),
        pytest.param(owner(""), [], id="no name"),
    ],
)
def test_match_owner(handed: Owner, found: list[Person]) -> None:
    match = match_owner(handed, INDEX)
    assert list(match.people) == found
    assert (match.doubt is None) == bool(found) == (match.matched is not None)


def test_students_with_one_name_are_both_proposed() -> None:
    doubt = str(match_owner(owner("Ann Lee"), INDEX).doubt)
    assert "Ann Lee (410012347)" in doubt and "Ann Lee (410012348)" in doubt


def test_name_without_accents_is_only_proposed() -> None:
    assert "it may be Müller Hans (5)" in str(match_owner(owner("Hans Muller"), INDEX).doubt)


def test_group_members_are_matched_individually() -> None:
    group = (Student("", "Jane Doe"), Student("", "?", email="lin@x.tw"), Student("", "Nobody"))
    match = match_owner(Owner("Team", "", "", group=group), INDEX)
    assert match.people == (DOE, LIN) and "Nobody" in str(match.doubt)


def test_two_files_with_one_number_both_stay_open() -> None:
    """Leave the forged file and the real file open, with a doubt for both."""
    found = match_all([owner("410012345_hw1"), owner("410012345_hw1_final"), owner("Jane Doe")], INDEX)
    assert [match.people for match in found] == [(), (), (DOE,)]
    assert all("not matched" in str(match.doubt) for match in found[:2])


def test_group_stays_matched_if_a_member_also_submits_alone() -> None:
    found = match_all([owner("Team A"), owner("王一"), owner("catlover")], INDEX)
    assert [match.people for match in found] == [(), (), ()]
    team = Owner("Team", "", "", group=(Student("", "林小明"), Student("", "Jane Doe")))
    group, alone = match_all([team, owner("林小明")], INDEX)
    assert (group.people, alone.people) == ((LIN, DOE), ())
    assert group.doubt == alone.doubt is not None


def test_two_lms_ids_with_one_name_stay_open() -> None:
    found = match_all([owner("林小明", key="1"), owner("林小明", key="2")], INDEX)
    assert [match.people for match in found] == [(), ()]


def test_lms_may_name_one_student_twice() -> None:
    found = match_all([owner("x", email="lin@x.tw"), owner("y", username="b123")], INDEX)
    assert [match.people for match in found] == [(LIN,), (LIN,)]


def test_matching_a_thousand_students_is_fast() -> None:
    people = RosterIndex(Person(n, f"Student {n} Name{n}", f"41{n:07d}") for n in range(1000))
    started = time.perf_counter()
    found = match_all([owner(f"41{n:07d}_hw1") for n in range(1000)], people)
    assert all(len(match.people) == 1 for match in found)
    assert time.perf_counter() - started < 3


# ---------------------------------------------------------------- whole classes


def read_class(tmp_path: Path, files: dict[str, bytes], text: str, *more: Path) -> Intake:
    paths = [write_zip(tmp_path / "c.zip", files), *more]
    return read_submissions(paths, workspace=tmp_path / "work", roster=roster(tmp_path, text))


def test_canvas_class(tmp_path: Path) -> None:
    intake = read_class(
        tmp_path,
        {canvas_name("doejane", 4567, 1, "hw.ipynb"): NB, canvas_name("leeann", 9, 2, "hw.ipynb"): NB},
        CANVAS + '"Lin, 小明",5000,s2,lin,A,\n',
    )
    jane, lee = intake.submissions
    assert jane.student == Student("s1", "Doe, Jane", "4567", "", "s1")
    assert lee.student == Student("9", "leeann", "9")
    assert intake.absent == (Student("s2", "Lin, 小明", "5000", "", "s2"),)
    assert [str(doubt) for doubt in intake.records[1].doubts] == ["leeann is not on the list."]
    assert not any("list" in str(note) for submission in intake for note in submission.notes), "shown to students"


def test_moodle_worksheet_gives_submission_times(tmp_path: Path) -> None:
    intake = read_class(tmp_path, {moodle_name("林小明", 12, "hw.ipynb"): NB}, MOODLE)
    (submission,) = intake.submissions
    assert submission.submitted_at == datetime(2026, 11, 30, 23, 59)
    assert submission.student.key == "12" and [student.name for student in intake.absent] == ["Ann Lee"]


def test_moodle_worksheet_gives_submission_times_of_groups(tmp_path: Path) -> None:
    text = MOODLE.replace("Status", "Group").replace(",Submitted,", ",Team A,")
    (record,) = read_class(tmp_path, {moodle_name("Team A", 31, "hw.ipynb"): NB}, text).records
    assert (record.submission.submitted_at, record.doubts) == (datetime(2026, 11, 30, 23, 59), ())


def test_times_in_the_worksheet_of_another_assignment_are_not_used(tmp_path: Path) -> None:
    intake = read_class(tmp_path, {moodle_name("林小明", 99, "hw.ipynb"): NB}, MOODLE)
    assert intake.submissions[0].submitted_at is None
    assert "another assignment" in str(intake.records[0].doubts[0])


def test_student_with_ids_of_two_systems_stays_open(tmp_path: Path) -> None:
    canvas = write_zip(tmp_path / "canvas.zip", {canvas_name("linming", 77, 1, "b.ipynb"): notebook_bytes("a", "b")})
    text = "學號,姓名,繳交名稱\n1,林小明,linming\n"
    intake = read_class(tmp_path, {moodle_name("林小明", 12, "a.ipynb"): NB}, text, canvas)
    # Matched by name and by alias, but with two ids: both stay open.
    assert len(intake) == 2 and "not matched" in str(intake.records[0].doubts)


def test_group_of_the_list(tmp_path: Path) -> None:
    text = "學號,姓名,組別\n1,林小明,Team A\n2,陳美麗,Team A\n3,王一,Team B\n"
    intake = read_class(tmp_path, {moodle_name("Team A", 31, "hw.ipynb"): NB}, text)
    (submission,) = intake.submissions
    assert [member.username for member in submission.group] == ["1", "2"]
    assert [student.id for student in intake.absent] == ["3"]


def test_folder_of_notebooks_named_by_number_or_name(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", {"41001_hw.ipynb": NB, "hw-陳美麗.ipynb": NB, "copy.ipynb": NB})
    text = "學號,姓名\n41001,林小明\n41002,陳美麗\n"
    intake = read_submissions([folder], workspace=tmp_path / "w", roster=roster(tmp_path, text))
    assert sorted(submission.student.id for submission in intake) == ["41001", "41002", "copy"]
    assert intake.absent == ()


def test_notebook_with_another_students_number_is_not_merged_with_theirs(tmp_path: Path) -> None:
    """Keep both notebooks with the number in a cell: the longer notebook must not replace the real notebook."""
    own = notebook_bytes('STUDENT_ID = "410012345"\nSTUDENT_NAME = "林小明"')
    forged = notebook_bytes('STUDENT_ID = "410012345"\nSTUDENT_NAME = "王一"', "much = 'more code'")
    files = {"hw1.ipynb": own, "hw1 (1).ipynb": forged}
    archive = write_zip(tmp_path / "hw1-20240301T142232Z-001.zip", files)
    people = roster(tmp_path, "學號,姓名\n410012345,林小明\n410099999,王一\n")
    intake = read_submissions([archive], workspace=tmp_path / "work", roster=people)
    assert sorted(submission.notebook_name for submission in intake.submissions) == ["hw1 (1).ipynb", "hw1.ipynb"]
    assert not intake.absent, "an absent student may get a zero"
    claims = {record.submission.notebook_name: " ".join(map(str, record.doubts)) for record in intake.records}
    assert "the number of 林小明 (410012345) and the name of 王一 (410099999): not matched" in claims["hw1 (1).ipynb"]


@pytest.mark.parametrize(
    "forged", ["林小明_final", "hw1_410012345", "王一 410012345"], ids=["name", "number", "number and another's name"]
)
def test_forged_file_name_makes_no_student_absent(tmp_path: Path, forged: str) -> None:
    files = {"林小明.ipynb": NB, f"{forged}.ipynb": NB, "陳美麗.ipynb": NB}
    intake = read_class(tmp_path, files, "學號,姓名\n410012345,林小明\n2,陳美麗\n3,王一\n4,李四\n")
    absent = [student.name for student in intake.absent]
    assert "林小明" not in absent and "李四" in absent
