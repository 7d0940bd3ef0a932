"""Due times, lateness and late penalties. Pure arithmetic: no files, no clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from grader.grading.lateness.datetimes import earliest, is_plausible, is_time_zone, latest, parse_datetime
from grader.i18n.message import Message, join_lines, message, unexpected
from grader.models.assignment import Assignment
from grader.models.errors import IntakeError
from grader.models.lateness import Extension, Lateness, LatePolicy, Policy
from grader.models.submission import Submission

DAY = timedelta(days=1)


def assess_lateness(policy: LatePolicy, submission: Submission, earned: float | None) -> Lateness | None:
    """Return the lateness of ``submission`` and its penalty on the points ``earned`` (None: not known yet).

    Return None if there is no due time or no notebook. Without a submission time nothing is taken off; if the LMS
    marks the submission as late all the same, the result asks for a review.
    """
    extension, submitted = submission.extension, submission.submitted_at
    due = due_time(policy, extension)
    if due is None or submission.notebook is None:
        return None
    unknown = Lateness(due, submitted, None, policy.policy, message("The submission time is not known."))
    unknown = replace(unknown, extended=extension is not None and due != due_time(policy, None))
    if submitted is None or not is_plausible(submitted):
        if not submission.late:
            return unknown
        reason = message("The LMS marks it as late but gives no submission time: no points were taken off.")
        return replace(unknown, reason=reason, review=reason)
    moment = earliest(submitted)
    known = replace(unknown, submitted=moment.astimezone(due.tzinfo))
    late_by = moment - due.astimezone(UTC)
    if late_by <= timedelta(minutes=policy.grace_minutes):
        return replace(known, by=timedelta(0), reason=message("It was submitted on time."))
    days = -(-late_by // DAY)
    percent, reason = _PENALTIES[policy.policy](policy, days, extension.days_used if extension else 0)
    left = 0.0 if earned is None else round(earned * (100 - percent) / 100, 2)
    taken_off = 0.0 if earned is None else max(0.0, round(earned - left, 2))
    return replace(known, by=late_by, days=days, reason=reason, taken_off=taken_off)


def due_time(policy: LatePolicy, extension: Extension | None) -> datetime | None:
    """Return the due time for a student with ``extension``, with an offset; never before the class's due time."""
    if policy.due is None:
        return None
    zone = policy.timezone
    general = latest(policy.due, zone)
    if extension is None:
        return general
    if extension.due is not None:
        return max(general, latest(extension.due, zone))
    # An extra day ends at the same time of day, also across a clock change.
    moved = latest(policy.due + timedelta(days=extension.days), zone) + timedelta(hours=extension.hours)
    return max(general, moved)


# ---------------------------------------------------------------- penalties

Penalty = tuple[float, Message]  # percent of the points earned, 0 to 100, and the reason


def _none(_policy: LatePolicy, days: int, _used: int) -> Penalty:
    return 0.0, message("It is late (days begun: {days}); there is no penalty.", days=days)


def _zero(_policy: LatePolicy, days: int, _used: int) -> Penalty:
    return 100.0, message("It is late (days begun: {days}); late work gets no points.", days=days)


def _percent(policy: LatePolicy, days: int, _used: int) -> Penalty:
    per_day = policy.percent_per_day or 0.0
    off = min(per_day * days, policy.at_most)
    return off, message(
        "It is late (days begun: {days}): {off:g} % of the points earned are taken off, {each:g} % a day and "
        "{most:g} % at most.",
        days=days, off=off, each=per_day, most=policy.at_most,
    )  # fmt: skip


def _late_days(policy: LatePolicy, days: int, used: int) -> Penalty:
    free = max(0, policy.free_days - used)
    beyond = days - free
    if beyond <= 0:
        return 0.0, message("It is late (days begun: {days}); this uses {days} of {free} free late days.", days=days,
                            free=free)  # fmt: skip
    off = policy.at_most if policy.percent_per_day is None else min(policy.percent_per_day * beyond, policy.at_most)
    return off, message(
        "It is late (days begun: {days}), with {free} free late days left: for the other {beyond} days {off:g} % of "
        "the points earned are taken off.",
        days=days, free=free, beyond=beyond, off=off,
    )  # fmt: skip


_PENALTIES: Mapping[Policy, Callable[[LatePolicy, int, int], Penalty]] = {
    "none": _none,
    "percent": _percent,
    "late_days": _late_days,
    "zero": _zero,
}


# ---------------------------------------------------------------- options of the command line


def apply_options(assignment: Assignment, due: str | None, late: str | None) -> Assignment:
    """Return ``assignment`` with the values of ``--due`` and ``--late``, which override its own.

    Raise ``IntakeError`` with every problem. A policy without a due time is an error: nothing could ever be late.
    """
    problems: list[Message] = []
    policy = assignment.late or LatePolicy()
    if late is not None:
        other = parse_policy(late)
        if other is None:
            problems.append(
                message(
                    "--late: found {found}, expected none, zero, percent:10 (a day), percent:10:50 (at most 50), "
                    "late-days:3 or late-days:3:10 (percent for each day after the free ones).",
                    found=late,
                )
            )
        else:
            policy = replace(other, due=policy.due, grace_minutes=policy.grace_minutes, timezone=policy.timezone)
    if due is not None:
        moment = parse_datetime(due)
        if moment is None:
            problems.append(
                message(
                    "--due: found {found}, expected a date and a time such as 2026-11-30 23:59, with an offset such as "
                    "+08:00 if it is not in this computer's time zone.",
                    found=due,
                )
            )
        policy = replace(policy, due=moment)
    if policy.policy != "none" and policy.due is None and not problems:
        problems.append(message("There is a late policy but no due time: set it with --due or in [late]."))
    if problems:
        raise IntakeError(join_lines(problems))
    return replace(assignment, late=None if policy.due is None else policy)


def parse_policy(text: str) -> LatePolicy | None:
    """Parse ``none``, ``zero``, ``percent:10``, ``percent:10:50`` (at most 50), ``late-days:3`` or ``late-days:3:10``
    (percent for each day after the free ones). Return None for anything else.
    """
    name, *numbers = text.strip().lower().replace("_", "-").split(":")
    values = [float(number) for number in numbers if re.fullmatch(r"[0-9]{1,6}(?:\.[0-9]{1,6})?", number)]
    match name, values if len(values) == len(numbers) else None:
        case "none", []:
            policy = LatePolicy()
        case "zero", []:
            policy = LatePolicy(policy="zero")
        case "percent", [per_day]:
            policy = LatePolicy(policy="percent", percent_per_day=per_day)
        case "percent", [per_day, most]:
            policy = LatePolicy(policy="percent", percent_per_day=per_day, at_most=most)
        case "late-days", [days] if days.is_integer():
            policy = LatePolicy(policy="late_days", free_days=int(days))
        case "late-days", [days, per_day] if days.is_integer():
            policy = LatePolicy(policy="late_days", free_days=int(days), percent_per_day=per_day)
        case _:
            return None
    return None if any(policy_problems(policy)) else policy


def policy_problems(policy: LatePolicy) -> Iterator[Message]:
    """Yield the problems of a section ``[late]`` that types cannot express."""
    if policy.due is not None and not is_plausible(policy.due):
        example = "2026-11-30 23:59"
        yield unexpected("due", str(policy.due), message("a date and a time such as {example}", example=example))
    if policy.timezone is not None and not is_time_zone(policy.timezone):
        yield unexpected("timezone", repr(policy.timezone), message("a name such as 'Asia/Taipei'"))
    per_day = policy.percent_per_day
    percent = message("a number above 0 and up to 100")
    if policy.policy == "percent" and per_day is None:
        yield message("percent_per_day: missing; policy 'percent' needs it")
    if per_day is not None and not 0 < per_day <= 100:
        yield unexpected("percent_per_day", f"{per_day:g}", percent)
    if not 0 < policy.at_most <= 100:
        yield unexpected("at_most", f"{policy.at_most:g}", percent)
    if not 0 <= policy.free_days <= 366:
        yield unexpected("free_days", str(policy.free_days), message("{low} to {high}", low=0, high=366))
    if not 0 <= policy.grace_minutes <= 7 * 24 * 60:
        week = message("{low} to {high}", low=0, high=7 * 24 * 60)
        yield unexpected("grace_minutes", f"{policy.grace_minutes:g}", week)
