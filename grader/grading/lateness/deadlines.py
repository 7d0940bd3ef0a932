"""What is due when, as the command line says it, laid over what the assignment says."""

from __future__ import annotations

from dataclasses import replace

from grader.grading.lateness import datetimes, rules
from grader.i18n.message import Message, join_lines, message
from grader.models.assignment import Assignment
from grader.models.errors import IntakeError
from grader.models.lateness import LatePolicy


def with_deadline(assignment: Assignment, due: str | None, late: str | None) -> Assignment:
    """``assignment`` with ``--due`` and ``--late``; raises ``IntakeError`` with what is wrong with them.

    A policy without a due time, whoever wrote it, is an error: nothing could ever be late.
    """
    problems: list[Message] = []
    policy = assignment.late or LatePolicy()
    if late is not None:
        other = rules.parsed_policy(late)
        if other is None:
            problems.append(
                message(
                    "--late: found {found}, expected none, zero, percent:10 (a day), percent:10:50 (and 50 at most), "
                    "late-days:3 or late-days:3:10 (percent for each day beyond).",
                    found=late,
                )
            )
        else:
            policy = replace(other, due=policy.due, grace_minutes=policy.grace_minutes, timezone=policy.timezone)
    if due is not None:
        moment = datetimes.parsed_moment(due)
        if moment is None:
            problems.append(
                message(
                    "--due: found {found}, expected a date and a time such as 2026-11-30 23:59, with an offset such as "
                    "+08:00 where this computer's time zone is another.",
                    found=due,
                )
            )
        policy = replace(policy, due=moment)
    if policy.policy != "none" and policy.due is None and not problems:
        problems.append(message("Late work is to cost points, but nothing is due: say when with --due, or in [late]."))
    if problems:
        raise IntakeError(join_lines(problems))
    return replace(assignment, late=None if policy.due is None else policy)
