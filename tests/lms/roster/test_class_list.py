"""Class lists of every make, and who on them handed in what: never by a guess."""

from __future__ import annotations

import time
import unicodedata
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.lms import person_names
from grader.lms.archive.submissions import read_submissions
from grader.lms.identity import Owner
from grader.lms.roster.class_list import Person, Roster, read_roster
from grader.lms.roster.roster_matching import ClassList, match, match_all
from grader.models.errors import IntakeError
from grader.models.intake import Intake
from grader.models.submission import Student
from tests.lms import moodle_site
from tests.support.builders import canvas_name, moodle_name, notebook_bytes, write_folder, write_zip

NB = notebook_bytes("model = 1")


def roster(tmp_path: Path, text: str, encoding: str = "utf-8") -> Roster:
    path = tmp_path / "roster.csv"
    path.write_bytes(text.encode(encoding))
    return read_roster(path)


MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum grade,Grade can be changed,Last modified (submission)\n"
    'Participant 12,林小明,lin@x.tw,Submitted,,100,Yes,"Monday, 30 November 2026, 11:59 PM"\n'
    "Participant 13,Ann Lee,ann@x.tw,No submission,,100,Yes,-\n"
)
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Homework (77)\n"
    "    Points Possible,,,,,100\n"
    '"Doe, Jane",4567,s1,jdoe,A,\n'
    '"Doe, Jane",4567,s1,jdoe,B,\n'
    '"Student, Test",9999,,x,A,\n'
)


@pytest.mark.parametrize(
    ("text", "people"),
    [
        pytest.param(
            "座號,班級,學號,姓名\n1,高二1,410012345,林小明\n2,高二1,410012346,陳 美麗\n\n",
            [Person(2, "林小明", "410012345"), Person(3, "陳 美麗", "410012346")],
            id="a class in Taiwan",
        ),
        pytest.param(
            "First name\tLast name\tID number\tEmail address\tGroups\nJane\tDoe\t7\tj@x\tTeam A\n小明\t林\t8\t\t\n",
            [Person(2, "Jane Doe", "7", email="j@x", group="Team A"), Person(3, "林小明", "8")],
            id="Moodle's participants",
        ),
        pytest.param(
            MOODLE,
            [
                Person(2, "林小明", key="12", email="lin@x.tw", submitted=datetime(2026, 11, 30, 23, 59)),
                Person(3, "Ann Lee", key="13", email="ann@x.tw"),
            ],
            id="Moodle's worksheet",
        ),
        pytest.param(CANVAS, [Person(3, "Doe, Jane", "s1", "4567", "jdoe")], id="Canvas's gradebook"),
        pytest.param(
            "LastName,FirstName,ID,SIS Login ID,Section\nDoe,Jane,4567,jdoe,A\nStudent,Test,9999,x,A\n",
            [Person(2, "Jane Doe", key="4567", username="jdoe")],
            id="Canvas's gradebook with names in two columns",
        ),
        pytest.param(
            "組別;組員\nA;林小明、410012346、a@x.tw\n",
            [
                Person(2, "林小明", group="A"),
                Person(2, number="410012346", group="A"),
                Person(2, email="a@x.tw", group="A"),
            ],
            id="groups",
        ),
        pytest.param("#,E-Mail,ＮＡＭＥ\n1,a@x,Ann\n", [Person(2, "Ann", email="a@x")], id="headings of any width"),
    ],
)  # fmt: skip
def test_lists(tmp_path: Path, text: str, people: list[Person]) -> None:
    assert list(roster(tmp_path, text).people) == people
    assert list(roster(tmp_path, "\ufeff" + text.replace("\n", "\r\n"), "utf-8").people) == people


def test_a_list_saved_by_excel_in_taiwan(tmp_path: Path) -> None:
    assert roster(tmp_path, "學號,姓名\n1,林小明\n", "cp950").people == (Person(2, "林小明", "1"),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("座號,班級\n1,A\n", "none of its columns says who a student is; found 座號, 班級"),
        ("學號,姓名\n,\n", "lists no student"),
        ("學號,姓名\n1,林\n1,陳\n2,王\n2,李\n", r"lines 2 and 3: found 1 twice, for 林 and for 陳.*\n.*lines 4 and 5"),
        ("hello", "is no table"),
    ],
)
def test_lists_that_are_none(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(IntakeError, match=says):
        roster(tmp_path, text)


def test_times_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    read = roster(tmp_path, MOODLE.replace("Monday, 30 November 2026, 11:59 PM", "30 de noviembre"))
    assert read.people[0].submitted is None
    assert "1 times in the column Last modified (submission)" in str(read.doubts[0])


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Lin Xiao-Ming", "Xiao-Ming Lin"),
        ("Doe, Jane", "doejane"),
        ("Doe, Jane", "Jane Doe"),
        ("林 小明", "林小明"),
        ("ＬＩＮ　Ａｎｎ", "lin ann"),
        ("O'Brien, Ann", "Ann OBrien"),
        (unicodedata.normalize("NFD", "Müller Hans"), "hans MÜLLER"),
        ("Straße Ann", "ann strasse"),
    ],
)
def test_one_name_in_two_spellings(one: str, other: str) -> None:
    assert person_names.spellings(one) & person_names.spellings(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Müller Hans", "Muller Hans"), ("林小明", "林曉明"), ("Ann Lee", "Ann Leeds"), ("Ann", "Ann Lee"), ("", "Ann")],
)
def test_two_names(one: str, other: str) -> None:
    assert not person_names.spellings(one) & person_names.spellings(other)


@given(st.text(max_size=30))
def test_any_name_is_its_own_spelling(name: str) -> None:
    assert person_names.spellings(name) == person_names.spellings(unicodedata.normalize("NFD", name))
    assert bool(person_names.spellings(name)) == bool(person_names.words(name))
    assert all(len(part) >= 1 for part in person_names.within(name))


# ---------------------------------------------------------------- matching

LIN = Person(1, "林小明", "410012345", email="lin@x.tw", username="b123")
DOE = Person(2, "Doe, Jane", "410012346", key="4567")
LEE, LEE_TOO = Person(3, "Ann Lee", "410012347", group="Team A"), Person(4, "Ann Lee", "410012348")
MULLER = Person(5, "Müller Hans", "5")
WANG = Person(6, "王一", "12", group="Team A", aliases=("catlover",))
PEOPLE = ClassList([LIN, DOE, LEE, LEE_TOO, MULLER, WANG])


def owner(name: str, **others: str) -> Owner:
    return Owner(name, "hw.ipynb", name, **others)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("handed", "found"),
    [
        pytest.param(owner("x", email="LIN@x.tw"), [LIN], id="address"),
        pytest.param(owner("x", username="b123"), [LIN], id="login"),
        pytest.param(owner("x", username="410012345"), [LIN], id="number as login"),
        pytest.param(owner("doejane", key="4567"), [DOE], id="the LMS's own id"),
        pytest.param(owner("Chen", key="4567"), [], id="an id by chance, of another name"),
        pytest.param(owner("林小明", key="12"), [LIN], id="a participant's id is another's number"),
        pytest.param(owner("410012345"), [LIN], id="a folder named by the number"),
        pytest.param(owner("hw1_410012345_林小明"), [LIN], id="number and name in a file's"),
        pytest.param(owner("410012345林小明"), [LIN], id="without anything between"),
        pytest.param(owner("410012345_Jane Doe"), [LIN], id="a Western name the other way round says nothing"),
        pytest.param(owner("410012345_王一"), [], id="the number of one and the name of another"),
        pytest.param(owner("410012345 410012346"), [], id="two numbers"),
        pytest.param(owner("5"), [MULLER], id="a short number alone"),
        pytest.param(owner("hw 5"), [], id="a short number beside something"),
        pytest.param(owner("小明 林"), [LIN], id="the other way round"),
        pytest.param(owner("林小明 作業"), [LIN], id="a name and a word"),
        pytest.param(owner("Ann Lee"), [], id="two of one name"),
        pytest.param(owner("Ann Lee 410012348"), [LEE_TOO], id="two of one name, told apart by number"),
        pytest.param(owner("Hans Muller"), [], id="accents alone are a proposal"),
        pytest.param(owner("Ann"), [], id="half a name"),
        pytest.param(owner("catlover"), [WANG], id="as the teacher says"),
        pytest.param(owner("team a"), [LEE, WANG], id="a group of the list"),
        pytest.param(owner(""), [], id="no name"),
    ],
)
def test_who_it_is(handed: Owner, found: list[Person]) -> None:
    its = match(handed, PEOPLE)
    assert list(its.people) == found
    assert (its.doubt is None) == bool(found) == (its.how is not None)


def test_two_of_one_name_are_both_named() -> None:
    doubt = str(match(owner("Ann Lee"), PEOPLE).doubt)
    assert "Ann Lee (410012347)" in doubt and "Ann Lee (410012348)" in doubt


def test_a_proposal_is_only_said() -> None:
    assert "perhaps it is Müller Hans (5)" in str(match(owner("Hans Muller"), PEOPLE).doubt)


def test_members_are_found_one_by_one() -> None:
    group = (Student("", "Jane Doe"), Student("", "?", email="lin@x.tw"), Student("", "Nobody"))
    its = match(Owner("Team", "", "", group=group), PEOPLE)
    assert its.people == (DOE, LIN) and "Nobody" in str(its.doubt)


def test_who_gives_a_file_anothers_number_takes_nothing_from_them() -> None:
    """An impostor's file and the real one: neither is believed, both are said."""
    found = match_all([owner("410012345_hw1"), owner("410012345_hw1_final"), owner("Jane Doe")], PEOPLE)
    assert [one.people for one in found] == [(), (), (DOE,)]
    assert all("left open" in str(one.doubt) for one in found[:2])


def test_a_group_with_a_member_who_handed_in_alone_stays_a_group() -> None:
    found = match_all([owner("Team A"), owner("王一"), owner("catlover")], PEOPLE)
    assert [one.people for one in found] == [(), (), ()]
    team = Owner("Team", "", "", group=(Student("", "林小明"), Student("", "Jane Doe")))
    group, alone = match_all([team, owner("林小明")], PEOPLE)
    assert (group.people, alone.people) == ((LIN, DOE), ())
    assert group.doubt == alone.doubt is not None


def test_two_ids_in_one_lms_are_two_students() -> None:
    found = match_all([owner("林小明", key="1"), owner("林小明", key="2")], PEOPLE)
    assert [one.people for one in found] == [(), ()]


def test_what_the_lms_says_twice_of_one_student_is_one() -> None:
    found = match_all([owner("x", email="lin@x.tw"), owner("y", username="b123")], PEOPLE)
    assert [one.people for one in found] == [(LIN,), (LIN,)]


def test_a_thousand_students_are_matched_at_once() -> None:
    people = ClassList(Person(n, f"Student {n} Name{n}", f"41{n:07d}") for n in range(1000))
    started = time.perf_counter()
    found = match_all([owner(f"41{n:07d}_hw1") for n in range(1000)], people)
    assert all(len(one.people) == 1 for one in found)
    assert time.perf_counter() - started < 3


# ---------------------------------------------------------------- a class


def taken_in(tmp_path: Path, files: dict[str, bytes], text: str, *more: Path) -> Intake:
    paths = [write_zip(tmp_path / "c.zip", files), *more]
    return read_submissions(paths, workspace=tmp_path / "work", roster=roster(tmp_path, text))


def test_a_canvas_class(tmp_path: Path) -> None:
    intake = taken_in(
        tmp_path,
        {canvas_name("doejane", 4567, 1, "hw.ipynb"): NB, canvas_name("leeann", 9, 2, "hw.ipynb"): NB},
        CANVAS + '"Lin, 小明",5000,s2,lin,A,\n',
    )
    jane, lee = intake.submissions
    assert jane.student == Student("s1", "Doe, Jane", "4567", "", "s1")
    assert lee.student == Student("9", "leeann", "9")
    assert intake.absent == (Student("s2", "Lin, 小明", "5000", "", "s2"),)
    assert [str(doubt) for doubt in intake.received[1].doubts] == ["leeann is not on the list."]
    assert not any("list" in str(note) for one in intake for note in one.notes), (
        "nothing of it is the student's to read"
    )


def test_moodles_worksheet_says_when(tmp_path: Path) -> None:
    intake = taken_in(tmp_path, {moodle_name("林小明", 12, "hw.ipynb"): NB}, MOODLE)
    (one,) = intake.submissions
    assert one.submitted_at == datetime(2026, 11, 30, 23, 59)
    assert one.student.key == "12" and [each.name for each in intake.absent] == ["Ann Lee"]


def test_moodles_worksheet_says_when_of_a_team_too(tmp_path: Path) -> None:
    text = MOODLE.replace("Status", "Group").replace(",Submitted,", ",Team A,")
    (one,) = taken_in(tmp_path, {moodle_name("Team A", 31, "hw.ipynb"): NB}, text).received
    assert (one.submission.submitted_at, one.doubts) == (datetime(2026, 11, 30, 23, 59), ())


def test_the_worksheet_of_another_assignment_says_no_times(tmp_path: Path) -> None:
    intake = taken_in(tmp_path, {moodle_name("林小明", 99, "hw.ipynb"): NB}, MOODLE)
    assert intake.submissions[0].submitted_at is None
    assert "another assignment" in str(intake.received[0].doubts[0])


def test_one_student_in_two_archives_of_two_systems(tmp_path: Path) -> None:
    canvas = write_zip(tmp_path / "canvas.zip", {canvas_name("linming", 77, 1, "b.ipynb"): notebook_bytes("a", "b")})
    text = "學號,姓名,繳交名稱\n1,林小明,linming\n"
    intake = taken_in(tmp_path, {moodle_name("林小明", 12, "a.ipynb"): NB}, text, canvas)
    # By name and by the teacher's word: two ids of the LMSs, so both stay.
    assert len(intake) == 2 and "left open" in str(intake.received[0].doubts)


def test_a_group_of_the_list(tmp_path: Path) -> None:
    text = "學號,姓名,組別\n1,林小明,Team A\n2,陳美麗,Team A\n3,王一,Team B\n"
    intake = taken_in(tmp_path, {moodle_name("Team A", 31, "hw.ipynb"): NB}, text)
    (one,) = intake.submissions
    assert [member.username for member in one.group] == ["1", "2"]
    assert [absent.id for absent in intake.absent] == ["3"]


def test_numbers_in_a_folder_of_notebooks(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "in", {"41001_hw.ipynb": NB, "hw-陳美麗.ipynb": NB, "copy.ipynb": NB})
    text = "學號,姓名\n41001,林小明\n41002,陳美麗\n"
    intake = read_submissions([folder], workspace=tmp_path / "w", roster=roster(tmp_path, text))
    assert sorted(one.student.id for one in intake) == ["41001", "41002", "copy"]
    assert intake.absent == ()


@pytest.mark.parametrize("language", moodle_site.PACKS)
@pytest.mark.parametrize("blind", [False, True], ids=["named", "blind"])
def test_moodles_worksheet_is_a_class_list_in_every_language(tmp_path: Path, language: str, blind: bool) -> None:
    people = [
        moodle_site.Person(number, name) for number, name in ((11, "王小明"), (12, "王小明"), (13, "O'Brien, Ann"))
    ]
    site = moodle_site.Site(people, moodle_site.PACKS[language], blind=blind)
    path = tmp_path / "Grades.csv"
    path.write_bytes(site.worksheet())
    listed = read_roster(path).people
    assert [one.key for one in listed] == ["11", "12", "13"]
    assert [one.name for one in listed] == ["" if blind else one.name for one in people]
    when = datetime(2026, 3, 5, 23, 59) if language in ("en", "zh_tw") else None
    assert {one.submitted for one in listed} == {when}


def test_a_number_written_into_a_notebook_does_not_join_it_to_its_owners(tmp_path: Path) -> None:
    """Both give it in a cell, as the course asks: the longer one does not become the other's homework."""
    own = notebook_bytes('STUDENT_ID = "410012345"\nSTUDENT_NAME = "林小明"')
    forged = notebook_bytes('STUDENT_ID = "410012345"\nSTUDENT_NAME = "王一"', "much = 'more code'")
    files = {"hw1.ipynb": own, "hw1 (1).ipynb": forged}
    archive = write_zip(tmp_path / "hw1-20240301T142232Z-001.zip", files)
    people = roster(tmp_path, "學號,姓名\n410012345,林小明\n410099999,王一\n")
    intake = read_submissions([archive], workspace=tmp_path / "work", roster=people)
    assert sorted(one.notebook_name for one in intake.submissions) == ["hw1 (1).ipynb", "hw1.ipynb"]
    assert not intake.absent, "who is absent may get a zero"
    claims = {one.submission.notebook_name: " ".join(map(str, one.doubts)) for one in intake.received}
    assert "the number of 林小明 (410012345) and the name of 王一 (410099999): left open" in claims["hw1 (1).ipynb"]


@pytest.mark.parametrize(
    "forged", ["林小明_final", "hw1_410012345", "王一 410012345"], ids=["name", "number", "number and another's name"]
)
def test_nobody_is_made_absent_by_a_file_in_their_name(tmp_path: Path, forged: str) -> None:
    files = {"林小明.ipynb": NB, f"{forged}.ipynb": NB, "陳美麗.ipynb": NB}
    intake = taken_in(tmp_path, files, "學號,姓名\n410012345,林小明\n2,陳美麗\n3,王一\n4,李四\n")
    absent = [student.name for student in intake.absent]
    assert "林小明" not in absent and "李四" in absent
