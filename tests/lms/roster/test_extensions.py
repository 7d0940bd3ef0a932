"""Tests of the table of extensions, and of its problems, which are reported with their lines."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from grader.lms.roster.extensions import apply_extensions
from grader.models.errors import IntakeError
from grader.models.intake import Intake, IntakeRecord
from grader.models.lateness import Extension, LatePolicy
from grader.models.submission import Student, Submission

DUE = LatePolicy(datetime(2026, 11, 30, 23, 59, tzinfo=timezone(timedelta(hours=8))), timezone="Asia/Taipei")
LIN = Student("1001", "林小明", "12", "lin@x.tw", "1001")
ANN, ANN_TOO = Student("1002", "Ann Lee", "13"), Student("1003", "Lee Ann", "14")
TEAM = Submission(Student("team", "Team A", "31"), Path("hw.ipynb"), group=(Student("", "王一", "", "", "1004"),))
ABSENT = Student("1005", "沒交", "", "", "1005")
CLASS = Intake(
    (*(IntakeRecord(Submission(student, Path("hw.ipynb"))) for student in (LIN, ANN, ANN_TOO)), IntakeRecord(TEAM)),
    absent=(ABSENT,),
)


def extended(tmp_path: Path, text: str, policy: LatePolicy | None = DUE) -> dict[str, Extension]:
    path = tmp_path / "extensions.csv"
    path.write_text(text, "utf-8")
    taken = apply_extensions(CLASS, path, policy)
    return {submission.student.id: submission.extension for submission in taken if submission.extension is not None}


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("學號,天數\n1001,2\n1002,0.5\n", {"1001": Extension(days=2), "1002": Extension(days=0.5)}),
        ("Email;Hours\nLIN@x.tw;1,5\n", {"1001": Extension(hours=1.5)}),
        ("姓名,期限,備註\n林 小明,2026-12-05 12:00,sick\n", {"1001": Extension(datetime(2026, 12, 5, 12, 0))}),
        ("Student ID,Days,Late days used\n1001,,2\n", {"1001": Extension(days_used=2)}),
        ("學號,天數\n1004,1\n", {"team": Extension(days=1)}),
        ("學號,天數\n1005,1\n", {}),
    ],
    ids=["days", "hours", "due", "late days used", "of a group member", "of an absent student"],
)
def test_apply_extensions(tmp_path: Path, text: str, given: dict[str, Extension]) -> None:
    assert extended(tmp_path, text) == given


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("學號,天數,dus\n1001,1,x\n", "line 1: found the unknown columns dus"),
        ("天數,備註\n1,x\n", "line 1: no column identifies a student"),
        ("學號,備註\n1001,x\n", "line 1: no column gives the extra time"),
        ("學號,天數\n9999,1\n", "line 2: found 9999, expected a student"),
        ("姓名,天數\nAnn Lee,1\n", r"line 2: Ann Lee may be any of Ann Lee \(1002\), Lee Ann \(1003\)"),
        ("學號,姓名,天數\n1001,Ann Lee,1\n", "line 2: found the name Ann Lee, but 1001 is 林小明"),
        ("學號,天數\n1001,soon\n", "line 2: found 'soon', expected a number"),
        ("學號,天數\n1001,-1\n", "line 2: found '-1'"),
        ("學號,天數\n1001,\n", "line 2: found no extra time"),
        ("學號,天數\n1001,1\n1001,2\n", "line 3: found a second line"),
        ("學號,期限\n1001,tomorrow\n", "line 2: found 'tomorrow', expected a date and a time"),
        ("學號,期限\n1001,2026-11-01 12:00\n", "before the class's 2026-11-30 23:59"),
        ("學號,期限,天數\n1001,2026-12-01 12:00,3\n", "and also days or hours, expected one"),
        ("學號,天數\n,1\n", "line 2: found no student"),
    ],
)
def test_problem_is_reported_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(IntakeError, match=says):
        extended(tmp_path, text)


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(IntakeError) as raised:
        extended(tmp_path, "學號,天數\n9999,1\n1001,x\n1002,1\n")
    assert [line.partition(":")[0].rsplit(" ", 1)[-1] for line in str(raised.value).splitlines()] == ["2", "3"]


def test_extensions_need_a_due_time(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="no due time"):
        extended(tmp_path, "學號,天數\n1001,1\n", None)


def test_doubts_about_lateness() -> None:
    late = IntakeRecord(Submission(LIN, Path("hw.ipynb"), late=True))
    taken = apply_extensions(Intake((late,)), None, DUE)
    assert "The LMS marks it as late" in str(taken.records[0].doubts[0])
    assert "The submission times of 1 of 1 notebooks are not known" in str(taken.doubts[0])
    assert apply_extensions(Intake((late,)), None, None).review_count == 0
