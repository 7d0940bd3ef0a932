"""Late work: what is due when, how late a submission is, and what that costs. Arithmetic only: no files, no clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from grader.grading.lateness.datetimes import earliest, is_plausible, is_zone, latest
from grader.i18n.message import Message, message, unexpected
from grader.models.lateness import Extension, Lateness, LatePolicy, Policy

DAY = timedelta(days=1)


def judged(
    policy: LatePolicy,
    extension: Extension | None,
    submitted: datetime | None,
    marked_late: bool | None,
    earned: float | None,
) -> Lateness | None:
    """How late it is and what that costs of the points ``earned`` (None: open); None where nothing is ever due.

    ``marked_late`` is the LMS's own word. Without a time it costs nothing and a person decides.
    """
    due = due_time(policy, extension)
    if due is None:
        return None
    whole = Lateness(due, submitted, None, policy.policy, message("Nobody says when it was handed in."))
    whole = replace(whole, extended=extension is not None and due != due_time(policy, None))
    if submitted is None or not is_plausible(submitted):
        if not marked_late:
            return whole
        reason = message("The LMS says that it is late, but not when it was handed in: nothing was taken off.")
        return replace(whole, reason=reason, review=reason)
    moment = earliest(submitted)
    shown = replace(whole, submitted=moment.astimezone(due.tzinfo))
    late_by = moment - due.astimezone(UTC)
    if late_by <= timedelta(minutes=policy.grace_minutes):
        return replace(shown, by=timedelta(0), reason=message("It was handed in on time."))
    days = -(-late_by // DAY)
    percent, reason = _COSTS[policy.policy](policy, days, extension.days_used if extension else 0)
    left = 0.0 if earned is None else round(earned * (100 - percent) / 100, 2)
    taken_off = 0.0 if earned is None else max(0.0, round(earned - left, 2))
    return replace(shown, by=late_by, days=days, reason=reason, taken_off=taken_off)


def due_time(policy: LatePolicy, extension: Extension | None) -> datetime | None:
    """When it is due for a student with ``extension``, with an offset; never earlier than for the class."""
    if policy.due is None:
        return None
    zone = policy.timezone
    general = latest(policy.due, zone)
    if extension is None:
        return general
    if extension.due is not None:
        return max(general, latest(extension.due, zone))
    # A day more ends at the same time of day, also where clocks change in between.
    moved = latest(policy.due + timedelta(days=extension.days), zone) + timedelta(hours=extension.hours)
    return max(general, moved)


# ---------------------------------------------------------------- what it costs

Cost = tuple[float, Message]  # percent of the points earned, 0 to 100, and why


def _nothing(_policy: LatePolicy, days: int, _used: int) -> Cost:
    return 0.0, message("It is late (days begun: {days}); that costs nothing here.", days=days)


def _everything(_policy: LatePolicy, days: int, _used: int) -> Cost:
    return 100.0, message("It is late (days begun: {days}), and late work gets no points.", days=days)


def _percent(policy: LatePolicy, days: int, _used: int) -> Cost:
    each = policy.percent_per_day or 0.0
    off = min(each * days, policy.at_most)
    template = message(
        "It is late (days begun: {days}): {off:g} % of the points earned are taken off, {each:g} % a day and "
        "{most:g} % at most.",
        days=days, off=off, each=each, most=policy.at_most,
    )  # fmt: skip
    return off, template


def _late_days(policy: LatePolicy, days: int, used: int) -> Cost:
    free = max(0, policy.free_days - used)
    beyond = days - free
    if beyond <= 0:
        return 0.0, message(
            "It is late (days begun: {days}); {days} of {free} free late days are used for it.", days=days, free=free
        )
    off = policy.at_most if policy.percent_per_day is None else min(policy.percent_per_day * beyond, policy.at_most)
    template = message(
        "It is late (days begun: {days}) and only {free} free late days were left: for the {beyond} beyond them "
        "{off:g} % of the points earned are taken off.",
        days=days, free=free, beyond=beyond, off=off,
    )  # fmt: skip
    return off, template


_COSTS: Mapping[Policy, Callable[[LatePolicy, int, int], Cost]] = {
    "none": _nothing,
    "percent": _percent,
    "late_days": _late_days,
    "zero": _everything,
}


# ---------------------------------------------------------------- as people write it

_EXAMPLE = "2026-11-30 23:59"


def parsed_policy(text: str) -> LatePolicy | None:
    """``none``, ``zero``, ``percent:10``, ``percent:10:50`` (at most), ``late-days:3``, ``late-days:3:10`` (percent for
    each day beyond); None for anything else.
    """
    name, *numbers = text.strip().lower().replace("_", "-").split(":")
    values = [float(one) for one in numbers if re.fullmatch(r"[0-9]{1,6}(?:\.[0-9]{1,6})?", one)]
    match name, values if len(values) == len(numbers) else None:
        case "none", []:
            policy = LatePolicy()
        case "zero", []:
            policy = LatePolicy(policy="zero")
        case "percent", [each]:
            policy = LatePolicy(policy="percent", percent_per_day=each)
        case "percent", [each, most]:
            policy = LatePolicy(policy="percent", percent_per_day=each, at_most=most)
        case "late-days", [days] if days.is_integer():
            policy = LatePolicy(policy="late_days", free_days=int(days))
        case "late-days", [days, each] if days.is_integer():
            policy = LatePolicy(policy="late_days", free_days=int(days), percent_per_day=each)
        case _:
            return None
    return None if any(_shape_problems(policy)) else policy


def problems(policy: LatePolicy) -> Iterator[Message]:
    """Yield the problems of a section ``[late]`` that types cannot express."""
    if policy.due is not None and not is_plausible(policy.due):
        yield unexpected("due", str(policy.due), message("a date and a time such as {example}", example=_EXAMPLE))
    if policy.timezone is not None and not is_zone(policy.timezone):
        yield unexpected("timezone", repr(policy.timezone), message("a name such as 'Asia/Taipei'"))
    yield from _shape_problems(policy)


def _shape_problems(policy: LatePolicy) -> Iterator[Message]:
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
        yield unexpected(
            "grace_minutes", f"{policy.grace_minutes:g}", message("{low} to {high}", low=0, high=7 * 24 * 60)
        )
