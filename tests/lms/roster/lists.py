"""Class lists for tests."""

from __future__ import annotations

from pathlib import Path

from grader.files.csv_sheet import read_sheet
from grader.lms.roster.class_list import Roster, parse_roster

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


def roster(tmp_path: Path, text: str, encoding: str = "utf-8") -> Roster:
    """Return the class list in a file with ``text``."""
    path = tmp_path / "roster.csv"
    path.write_bytes(text.encode(encoding))
    return parse_roster(read_sheet(path))
