"""Lateness: due times in any time zone, and the penalty of each policy."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.grading.grading import grade_scores
from grader.grading.lateness.datetimes import earliest, latest, parse_datetime
from grader.grading.lateness.rules import apply_options, assess_lateness, due_time, parse_policy, policy_problems
from grader.i18n.catalogue import translation
from grader.i18n.message import message
from grader.models.errors import IntakeError
from grader.models.grade import Score
from grader.models.lateness import Extension, Lateness, LatePolicy
from grader.models.run import Outcome, Run
from grader.models.submission import Student, Submission
from tests.support.graded_class import ASSIGNMENT

TAIPEI = timezone(timedelta(hours=8))
DUE = datetime(2026, 11, 30, 23, 59, tzinfo=TAIPEI)
PERCENT = LatePolicy(DUE, "percent", percent_per_day=10, at_most=50)
FREE = LatePolicy(DUE, "late_days", free_days=3)


def submitted(at: datetime | None, *, late: bool | None = None, extension: Extension | None = None) -> Submission:
    return Submission(Student("a", "A"), Path("hw.ipynb"), submitted_at=at, late=late, extension=extension)


def late(policy: LatePolicy, by: timedelta, earned: float | None = 80, **extension: float) -> Lateness:
    own = Extension(**extension) if extension else None  # type: ignore[arg-type]
    found = assess_lateness(policy, submitted(DUE + by, extension=own), earned)
    assert found is not None
    return found


HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)


@pytest.mark.parametrize(
    ("policy", "by", "off"),
    [
        pytest.param(PERCENT, -DAY, 0, id="early"),
        pytest.param(PERCENT, 0 * HOUR, 0, id="on the minute"),
        pytest.param(PERCENT, timedelta(seconds=1), 8, id="one second late is one day"),
        pytest.param(PERCENT, DAY, 8, id="exactly one day"),
        pytest.param(PERCENT, DAY + timedelta(microseconds=1), 16, id="just over one day"),
        pytest.param(PERCENT, 30 * DAY, 40, id="limited to 50 percent"),
        pytest.param(LatePolicy(DUE, "percent", percent_per_day=100), 9 * DAY, 80, id="limited to all points"),
        pytest.param(LatePolicy(DUE), 9 * DAY, 0, id="no policy"),
        pytest.param(LatePolicy(DUE, "zero"), MINUTE, 80, id="zero"),
        pytest.param(LatePolicy(DUE, "zero", grace_minutes=15), 15 * MINUTE, 0, id="within grace"),
        pytest.param(
            LatePolicy(DUE, "percent", percent_per_day=10, grace_minutes=15), 16 * MINUTE, 8, id="after grace"
        ),
        pytest.param(FREE, 3 * DAY, 0, id="all free days used"),
        pytest.param(FREE, 3 * DAY + MINUTE, 80, id="one day after the free ones"),
        pytest.param(
            LatePolicy(DUE, "late_days", 10, free_days=3), 5 * DAY, 16, id="two days after the free ones, by percent"
        ),
    ],
)
def test_penalty_of_each_policy(policy: LatePolicy, by: timedelta, off: float) -> None:
    found = late(policy, by)
    assert found.taken_off == off
    assert found.late == (by > timedelta(minutes=policy.grace_minutes))
    assert (found.by or timedelta(0)) == (by if found.late else timedelta(0))


@pytest.mark.parametrize(
    ("extension", "by", "off"),
    [
        pytest.param({"days": 2}, 2 * DAY, 0, id="on time within two extra days"),
        pytest.param({"days": 2}, 2 * DAY + MINUTE, 8, id="late days count from the extended time"),
        pytest.param({"hours": 1.5}, 90 * MINUTE, 0, id="hours"),
        pytest.param({"days": -5}, 0 * DAY, 0, id="never before the due time of the class"),
    ],
)
def test_extension_moves_the_due_time(extension: dict[str, float], by: timedelta, off: float) -> None:
    found = late(PERCENT, by, **extension)
    assert (found.taken_off, found.extended) == (off, extension.get("days", 1) > 0)


def test_extension_with_its_own_due_time() -> None:
    due = datetime(2026, 12, 5, 12, 0)
    policy = LatePolicy(DUE, "zero", timezone="Asia/Taipei")
    assert due_time(policy, Extension(due)) == due.replace(tzinfo=TAIPEI)


def test_late_days_used_in_earlier_homework_are_subtracted() -> None:
    assert late(FREE, DAY, days_used=2).taken_off == 0
    assert late(FREE, 2 * DAY, days_used=2).taken_off == 80
    assert not late(FREE, 2 * DAY, days_used=2).extended


@pytest.mark.parametrize(("marked", "review"), [(True, True), (False, False), (None, False)])
@pytest.mark.parametrize("policy", [PERCENT, FREE, LatePolicy(DUE, "zero")], ids=lambda policy: policy.policy)
def test_unknown_submission_time_has_no_penalty_and_asks_for_review_if_marked_late(
    policy: LatePolicy, marked: bool | None, review: bool
) -> None:
    found = assess_lateness(policy, submitted(None, late=marked), 80)
    assert found is not None
    assert (found.taken_off, found.late, found.review is not None) == (0, None, review)


@pytest.mark.parametrize("year", [1, 1980, 9999])
def test_implausible_submission_time_counts_as_unknown(year: int) -> None:
    found = assess_lateness(PERCENT, submitted(datetime(year, 1, 1)), 80)
    assert found is not None and (found.by, found.taken_off) == (None, 0)


def test_submission_time_overrides_the_late_mark_of_the_lms() -> None:
    in_time = assess_lateness(PERCENT, submitted(DUE - DAY, late=True), 80)
    assert in_time is not None and (in_time.late, in_time.taken_off, in_time.review) == (False, 0, None)


def test_no_lateness_without_a_due_time_or_a_notebook() -> None:
    assert assess_lateness(LatePolicy(), submitted(DUE, late=True), 80) is None
    assert assess_lateness(PERCENT, replace(submitted(DUE + DAY), notebook=None), 80) is None


@given(
    st.floats(0, 1000).map(lambda points: round(points, 2)),
    st.integers(0, 10**6),
    st.sampled_from([PERCENT, FREE, LatePolicy(DUE, "zero"), LatePolicy(DUE, "percent", 33.3)]),
)
def test_penalty_is_between_zero_and_the_points_earned(earned: float, minutes: int, policy: LatePolicy) -> None:
    found = late(policy, minutes * MINUTE, earned)
    assert 0 <= found.taken_off <= earned
    later = late(policy, (minutes + 60) * MINUTE, earned)
    assert later.taken_off >= found.taken_off


# ---------------------------------------------------------------- time zones and clock changes

BERLIN = ZoneInfo("Europe/Berlin")


def test_due_time_in_another_zone_is_on_time() -> None:
    found = assess_lateness(PERCENT, submitted(datetime(2026, 11, 30, 15, 59, tzinfo=UTC)), 80)
    assert found is not None and found.late is False
    assert found.submitted is not None and found.submitted.utcoffset() == timedelta(hours=8)


def test_lateness_is_elapsed_time_across_a_clock_change() -> None:
    due = datetime(2026, 10, 24, 12, 0, tzinfo=BERLIN)  # the night has 25 hours until noon
    found = assess_lateness(LatePolicy(due, "percent", 10), submitted(datetime(2026, 10, 25, 12, 0, tzinfo=BERLIN)), 80)
    assert found is not None and (found.by, found.days) == (timedelta(hours=25), 2)


def test_extra_day_ends_at_the_same_time_of_day() -> None:
    policy = LatePolicy(datetime(2026, 10, 24, 23, 59), timezone="Europe/Berlin")
    due = due_time(policy, Extension(days=1))
    assert due is not None and (due.hour, due.utcoffset()) == (23, timedelta(hours=1))


@pytest.mark.parametrize("day", [datetime(2026, 10, 25, 2, 30), datetime(2026, 3, 29, 2, 30)], ids=["twice", "never"])
def test_ambiguous_local_time_is_read_in_favour_of_the_student(monkeypatch: pytest.MonkeyPatch, day: datetime) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        assert latest(day) - earliest(day) == timedelta(hours=1)
        found = assess_lateness(LatePolicy(day, "zero"), submitted(day), 80)
        assert found is not None and found.taken_off == 0
    finally:
        monkeypatch.undo()
        time.tzset()


# ---------------------------------------------------------------- parsing


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-30 23:59", datetime(2026, 11, 30, 23, 59)),
        ("2026/11/3 9:05", datetime(2026, 11, 3, 9, 5)),
        (" 2026-11-30T23:59:30Z ", datetime(2026, 11, 30, 23, 59, 30, tzinfo=UTC)),
        ("2026-11-30 23:59+08:00", DUE),
        ("2026-11-30 23:59 +0800", DUE),
        ("２０２６-11-30　23：59", datetime(2026, 11, 30, 23, 59)),
        ("2026年 11月 30日(一) 23:59", datetime(2026, 11, 30, 23, 59)),
        ("2026年11月30日,23:59", datetime(2026, 11, 30, 23, 59)),
        ("Monday, 30 November 2026, 11:59 PM", datetime(2026, 11, 30, 23, 59)),
        ("Monday, 30 November 2026, 12:05 AM", datetime(2026, 11, 30, 0, 5)),
        ("30 Nov 2026, 23:59", datetime(2026, 11, 30, 23, 59)),
        *[
            (text, None)
            for text in (
                "", "-", "2026-11-30", "20261130", "tomorrow", "30.11.2026 23:59", "11/30/2026 23:59",
                "2026-02-30 12:00", "2026-11-30 24:01", "0001-01-01 00:00", "1970-01-01 00:00",
                "Monday, 30 Brumaire 2026, 11:59 PM", "30 November 2026, 13:59 PM", "2026-11-30 23:59 +99:99",
            )
        ],
    ],
)  # fmt: skip
def test_parse_datetime(text: str, moment: datetime | None) -> None:
    assert parse_datetime(text) == moment


@given(st.text(max_size=40))
def test_parse_datetime_never_raises(text: str) -> None:
    assert parse_datetime(text) is None or isinstance(parse_datetime(text), datetime)


@given(st.text(max_size=20) | st.from_regex(r"(percent|late-days)(:[0-9.]+){0,3}", fullmatch=True))
def test_parse_policy_gives_a_valid_policy_or_none(text: str) -> None:
    found = parse_policy(text)
    assert found is None or list(policy_problems(found)) == []


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("none", LatePolicy()),
        ("ZERO", LatePolicy(policy="zero")),
        ("percent:10", LatePolicy(policy="percent", percent_per_day=10)),
        ("percent:12.5:50", LatePolicy(policy="percent", percent_per_day=12.5, at_most=50)),
        ("late-days:3", LatePolicy(policy="late_days", free_days=3)),
        ("late_days:3:10", LatePolicy(policy="late_days", free_days=3, percent_per_day=10)),
        *[
            (text, None)
            for text in ("", "percent", "percent:", "percent:-10", "percent:101", "percent:nan", "late-days:1.5",
                         "zero:1", "percent:10:0", "half")
        ],
    ],
)  # fmt: skip
def test_parse_policy(text: str, policy: LatePolicy | None) -> None:
    assert parse_policy(text) == policy


@pytest.mark.parametrize(
    ("due", "policy", "says"),
    [
        ("2026-11-30", None, "--due: found 2026-11-30, expected a date and a time"),
        ("2026-11-30 23:59", "half", "--late: found half"),
        (None, "percent:10", "no due time"),
        ("x", "y", "--late: found y"),
    ],
)
def test_invalid_options_are_reported(due: str | None, policy: str | None, says: str) -> None:
    with pytest.raises(IntakeError, match=says):
        apply_options(ASSIGNMENT, due, policy)


def test_problems_are_translated() -> None:
    with pytest.raises(IntakeError) as raised:
        apply_options(ASSIGNMENT, "x", "y")
    late, due = translation("zh-TW").say(raised.value.message).splitlines()
    assert "--late" in late and "--due" in due and "expected" not in late + due


def test_options_override_the_assignment() -> None:
    assert apply_options(ASSIGNMENT, None, None).late is None
    dated = apply_options(ASSIGNMENT, "2026-11-30 23:59+08:00", "percent:10:50")
    assert dated.late == PERCENT
    assert apply_options(dated, None, "zero").late == LatePolicy(DUE, "zero")


# ---------------------------------------------------------------- grades


def graded(total: float | None, submission: Submission, policy: LatePolicy) -> tuple[float | None, bool | None]:
    score = Score("one", {"en": "One"}, total, 100, None, message("Because."))
    grade = grade_scores(submission, Run(Outcome.OK), [score], policy)
    return grade.total, grade.late


def test_penalty_is_subtracted_and_an_open_total_stays_open() -> None:
    handed = submitted(DUE + HOUR)
    assert graded(85.55, handed, PERCENT) == (77.0, True)
    assert graded(None, handed, PERCENT) == (None, True)
    assert graded(0, handed, PERCENT) == (0, True)
    nothing = Submission(Student("a", "A"), submitted_at=DUE + HOUR)
    assert graded(80, nothing, PERCENT) == (80, None)


def test_late_mark_without_a_time_needs_review() -> None:
    score = Score("one", {"en": "One"}, 80, 100, None, message("Because."))
    handed = submitted(None, late=True)
    grade = grade_scores(handed, Run(Outcome.OK), [score], LatePolicy(DUE, "zero"))
    assert (grade.total, grade.late, grade.needs_review) == (80, True, True)
