"""Class lists from several LMSs and schools."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from grader.files.csv_sheet import read_sheet
from grader.lms.roster.class_list import Person, parse_roster
from grader.models.errors import IntakeError
from tests.lms import moodle_site
from tests.lms.roster.lists import CANVAS, MOODLE, roster


@pytest.mark.parametrize(
    ("text", "people"),
    [
        pytest.param(
            "座號,班級,學號,姓名\n1,高二1,410012345,林小明\n2,高二1,410012346,陳 美麗\n\n",
            [Person(2, "林小明", "410012345"), Person(3, "陳 美麗", "410012346")],
            id="school list in Taiwan",
        ),
        pytest.param(
            "First name\tLast name\tID number\tEmail address\tGroups\nJane\tDoe\t7\tj@x\tTeam A\n小明\t林\t8\t\t\n",
            [Person(2, "Jane Doe", "7", email="j@x", group="Team A"), Person(3, "林小明", "8")],
            id="Moodle participants",
        ),
        pytest.param(
            MOODLE,
            [
                Person(2, "林小明", key="12", email="lin@x.tw", submitted=datetime(2026, 11, 30, 23, 59)),
                Person(3, "Ann Lee", key="13", email="ann@x.tw"),
            ],
            id="Moodle grading worksheet",
        ),
        pytest.param(CANVAS, [Person(3, "Doe, Jane", "s1", "4567", "jdoe")], id="Canvas gradebook"),
        pytest.param(
            "LastName,FirstName,ID,SIS Login ID,Section\nDoe,Jane,4567,jdoe,A\nStudent,Test,9999,x,A\n",
            [Person(2, "Jane Doe", key="4567", username="jdoe")],
            id="Canvas gradebook with two name columns",
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
        pytest.param("#,E-Mail,ＮＡＭＥ\n1,a@x,Ann\n", [Person(2, "Ann", email="a@x")], id="headings in full width"),
    ],
)  # fmt: skip
def test_parse_roster(tmp_path: Path, text: str, people: list[Person]) -> None:
    assert list(roster(tmp_path, text).people) == people
    assert list(roster(tmp_path, "\ufeff" + text.replace("\n", "\r\n"), "utf-8").people) == people


def test_big5_list_of_excel(tmp_path: Path) -> None:
    assert roster(tmp_path, "學號,姓名\n1,林小明\n", "cp950").people == (Person(2, "林小明", "1"),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("座號,班級\n1,A\n", "no column identifies a student; found 座號, 班級"),
        ("學號,姓名\n,\n", "lists no student"),
        ("學號,姓名\n1,林\n1,陳\n2,王\n2,李\n", r"lines 2 and 3: found 1 for 林 and for 陳.*\n.*lines 4 and 5"),
        ("hello", "is not a table"),
    ],
)
def test_invalid_lists(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(IntakeError, match=says):
        roster(tmp_path, text)


def test_unreadable_submission_times_are_reported(tmp_path: Path) -> None:
    read = roster(tmp_path, MOODLE.replace("Monday, 30 November 2026, 11:59 PM", "30 de noviembre"))
    assert read.people[0].submitted is None
    assert "1 times in the column Last modified (submission)" in str(read.doubts[0])


@pytest.mark.parametrize("language", moodle_site.PACKS)
@pytest.mark.parametrize("blind", [False, True], ids=["named", "blind"])
def test_moodle_worksheet_in_every_language(tmp_path: Path, language: str, blind: bool) -> None:
    people = [
        moodle_site.Person(number, name) for number, name in ((11, "王小明"), (12, "王小明"), (13, "O'Brien, Ann"))
    ]
    site = moodle_site.Site(people, moodle_site.PACKS[language], blind=blind)
    path = tmp_path / "Grades.csv"
    path.write_bytes(site.worksheet())
    found = parse_roster(read_sheet(path)).people
    assert [person.key for person in found] == ["11", "12", "13"]
    assert [person.name for person in found] == ["" if blind else person.name for person in people]
    when = datetime(2026, 3, 5, 23, 59) if language in ("en", "zh_tw") else None
    assert {person.submitted for person in found} == {when}
