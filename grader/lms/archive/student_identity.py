"""The students of a class: who each submission is on the class list, and whose submissions are one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from grader.grading.lateness import datetimes
from grader.i18n.message import Message, message
from grader.lms import person_names
from grader.lms.archive.student_files import HandedIn
from grader.lms.archive.student_grouping import add
from grader.lms.roster.class_list import Person, Roster
from grader.lms.roster.roster_matching import ClassList, Match, listed_student, match_all, members
from grader.models.submission import Student


@dataclass(frozen=True, slots=True)
class Identified:
    """One student's or group's; ``person`` is the one on the list whom it certainly is."""

    handed: HandedIn
    person: Person | None = None
    how: Message | None = None
    submitted: datetime | None = None  # as the list says


def identify(students: Sequence[HandedIn], roster: Roster | None) -> tuple[list[Identified], tuple[Student, ...]]:
    """Each with the person on the list, and those on the list from whom nothing came, nor anything that may be theirs.

    What the LMS itself says is one student's, in several archives, is one submission.
    """
    if roster is None:
        return [Identified(handed) for handed in students], ()
    people = ClassList(roster.people)
    matches = match_all([handed.owner for handed in students], people)
    found: dict[object, Identified] = {}
    for place, (handed, its) in enumerate(zip(students, matches, strict=True)):
        if its.doubt is not None:
            handed.doubts.append(its.doubt)
        one = _identified(handed, its, people)
        known = found.setdefault(one.person or place, one)
        if known is not one:
            add(known.handed, handed)
    # Whoever gives a file another's name must not make them absent: absent students may be given zeros.
    present = {person for its in matches for person in (*its.people, *its.maybe)}
    return list(found.values()), tuple(listed_student(one) for one in people.people if one not in present)


def _identified(handed: HandedIn, its: Match, people: ClassList) -> Identified:
    group = members(handed.owner, its, people)
    when = _submitted(handed, its)
    if group:
        handed.owner = replace(handed.owner, group=group)
        return Identified(handed, None, its.how, when)
    return Identified(handed, its.people[0] if its.people else None, its.how, when)


def _submitted(handed: HandedIn, its: Match) -> datetime | None:
    """When, of a group the last; not from a list that gives another id, as one of another assignment does."""
    own = handed.owner.key
    dated = [one for one in its.people if one.submitted is not None]
    # A group has an id of its own, which no line of the list has.
    by_name = [one for one in dated if person_names.spellings(one.name) & person_names.spellings(handed.owner.name)]
    if any(one.key and own and one.key != own for one in by_name):
        handed.doubts.append(
            message(
                "{name} has the id {own}, and another on the list: is that of another assignment? Its time "
                "was not used.",
                name=handed.owner.name, own=own,
            )
        )  # fmt: skip
        return None
    return max((one.submitted for one in dated if one.submitted is not None), key=datetimes.earliest, default=None)
