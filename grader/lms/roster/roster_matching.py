"""Match submissions to the class list: by number or address first, then by name, never by a guess.

An uncertain match stays open: the submission keeps the name of its files and gets a doubt for the teacher, who can
decide with the list's column "Handed in as".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.i18n.message import Message, join_list, message
from grader.lms.identity import Owner, fold_case, name_parts, names_within, spellings, strip_accents
from grader.lms.roster.class_list import Person
from grader.models.submission import Student

_MIN_NUMBER = 4  # shorter numbers occur in names by chance

_Found = dict[Person, None]  # a set that keeps its order


@dataclass(frozen=True, slots=True)
class RosterMatch:
    """The students of the list who submitted something: none, one, or the members of a group."""

    people: tuple[Person, ...] = ()
    matched: Message | None = None  # how they were found
    doubt: Message | None = None  # for the teacher
    sure: bool = False  # told by the LMS or the list, not by a name that a student chose for a file
    maybe: tuple[Person, ...] = ()  # candidates of an open match


class RosterIndex:
    """The people of a class list, by everything that identifies them."""

    def __init__(self, people: Iterable[Person]) -> None:
        self.people = tuple(people)
        self._by: dict[str, dict[object, _Found]] = defaultdict(lambda: defaultdict(dict))
        for person in self.people:
            for alias in person.aliases:
                self._add("alias", fold_case(alias), person)
            for value in filter(None, (person.number, person.username, person.email)):
                self._add("number", fold_case(value), person)
            self._add("key", fold_case(person.key), person)
            self._add("parts", name_parts(person.name), person)
            self._add("group", name_parts(person.group), person)
            for spelling in spellings(person.name):
                self._add("spelling", spelling, person)
                self._add("plain", strip_accents(spelling), person)

    def _add(self, kind: str, value: object, person: Person) -> None:
        if value:
            self._by[kind][value][person] = None

    def find(self, kind: str, values: Iterable[object]) -> list[Person]:
        """Return the people with one of ``values``; ``kind`` is alias, number, key, parts, group, spelling or plain."""
        table: Mapping[object, _Found] = self._by[kind]
        return list(dict.fromkeys(person for value in values for person in table.get(value, ())))


def match_all(owners: Sequence[Owner], index: RosterIndex) -> list[RosterMatch]:
    """Return the match of each owner. A student matched by several owners stays open, unless the LMS itself says so."""
    matches = [match_owner(owner, index) for owner in owners]
    claims: dict[Person, list[int]] = defaultdict(list)
    for place, match in enumerate(matches):
        for person in match.people:
            claims[person].append(place)
    for person, places in claims.items():
        if len(places) > 1 and not _same_student(places, owners, matches):
            names = join_list([owners[place].name for place in places])
            doubt = message("{names}: each may be {person}; not matched.", names=names, person=person.shown)
            for place in places:
                # The other members of a group that the LMS names stay matched.
                known = matches[place].people if owners[place].group else ()
                maybe = (*matches[place].maybe, person)
                matches[place] = replace(matches[place], people=known, matched=None, doubt=doubt, maybe=maybe)
    return matches


def _same_student(places: Sequence[int], owners: Sequence[Owner], matches: Sequence[RosterMatch]) -> bool:
    keys = {owners[place].key for place in places}
    return all(matches[place].sure and len(matches[place].people) == 1 for place in places) and (
        len(keys - {""}) < 2  # two ids of one LMS are two students there, even if the list disagrees
    )


def match_owner(owner: Owner, index: RosterIndex) -> RosterMatch:
    """Return the student of the list who is certainly ``owner``, or the members of a group."""
    match = _by_alias(owner, index) or _by_number(owner, index)
    if match is None and owner.group:
        return _by_members(owner, index)
    # First numbers of the list within the names of files, then names.
    return (
        match
        or _by_number_within(owner, index)
        or _by_name(owner, index)
        or _by_group_name(owner, index)
        or _no_match(owner, index)
    )


def _by_alias(owner: Owner, index: RosterIndex) -> RosterMatch | None:
    found = index.find("alias", {fold_case(text) for text in (owner.name, owner.origin, owner.key) if text})
    return _only(owner, found, message("the list names {name} as the submission", name=owner.name), sure=True)


def _by_number(owner: Owner, index: RosterIndex) -> RosterMatch | None:
    """Match by what the LMS itself says about the owner."""
    for value in filter(None, () if owner.claimed else (owner.email, owner.username)):
        if found := index.find("number", [fold_case(value)]):
            return _only(owner, found, message("{value} is the same in both", value=value), sure=True)
    # An id of the LMS may equal a number of the list by chance: the names have to agree as well.
    key = [fold_case(owner.key)] if owner.key else []
    found = [*index.find("key", key), *index.find("number", key)]
    found = list(dict.fromkeys(person for person in found if not person.name or _names_agree(owner.name, person.name)))
    return _only(owner, found, message("{value} is the same in both", value=owner.key), sure=True)


def _by_number_within(owner: Owner, index: RosterIndex) -> RosterMatch | None:
    """Match by a number or address that a student wrote: in a notebook, or in a file name like 410012345_hw1.ipynb."""
    parts = [
        fold_case(owner.username),
        fold_case(owner.name),
        *(part for part in name_parts(owner.name) if len(part) >= _MIN_NUMBER),
    ]
    found = index.find("number", parts)
    others = [person for person in index.find("parts", names_within(owner.name)) if person not in found]
    if len(found) == 1 and others and not _names_agree(owner.name, found[0].name):
        doubt = message(
            "{handed} contains the number of {one} and the name of {other}: not matched.",
            handed=owner.name, one=found[0].shown, other=others[0].shown,
        )  # fmt: skip
        return RosterMatch(doubt=doubt, maybe=(*found, *others))
    matched = message("the name {name} contains the number", name=owner.name)
    if owner.claimed:
        matched = message("{value} is the same in both", value=owner.username)
    return _only(owner, found, matched)


def _by_name(owner: Owner, index: RosterIndex) -> RosterMatch | None:
    found = index.find("spelling", spellings(owner.name))
    return _only(owner, found or index.find("parts", names_within(owner.name)), message("by name"))


def _by_group_name(owner: Owner, index: RosterIndex) -> RosterMatch | None:
    found = index.find("group", [name_parts(owner.name)])
    return RosterMatch(tuple(found), message("the list has a group of this name")) if found else None


def _by_members(owner: Owner, index: RosterIndex) -> RosterMatch:
    """Match each member of a group that the LMS names."""
    matches = [match_owner(student_as_owner(student), index) for student in owner.group]
    found = tuple(dict.fromkeys(person for match in matches for person in match.people))
    unknown = [
        student.name or student.email for student, match in zip(owner.group, matches, strict=True) if not match.people
    ]
    if not unknown:
        return RosterMatch(found, message("each member of the group is on the list"), sure=True)
    doubt = message(
        "Members of the group {group} not on the list: {names}.", group=owner.name, names=join_list(unknown)
    )
    return RosterMatch(found, doubt=doubt)


def _no_match(owner: Owner, index: RosterIndex) -> RosterMatch:
    near = index.find("plain", [strip_accents(spelling) for spelling in spellings(owner.name)])
    if near:
        doubt = message(
            "{handed} is not on the list with this spelling; it may be {people}.",
            handed=owner.name, people=join_list([person.shown for person in near]),
        )  # fmt: skip
        return RosterMatch(doubt=doubt, maybe=tuple(near))
    return RosterMatch(doubt=message("{handed} is not on the list.", handed=owner.name))


def _only(owner: Owner, found: Sequence[Person], matched: Message, *, sure: bool = False) -> RosterMatch | None:
    """Return the match if there is exactly one person, an open match if there are several, None if there is none."""
    if not found:
        return None
    if len(found) == 1:
        return RosterMatch((found[0],), matched, sure=sure)
    people = join_list([person.shown for person in found])
    doubt = message("{handed} may be any of {people}: not matched.", handed=owner.name, people=people)
    return RosterMatch(doubt=doubt, maybe=tuple(found))


def _names_agree(name: str, listed_name: str) -> bool:
    return (
        bool(spellings(name) & spellings(listed_name))
        or name.isdigit()
        or name_parts(listed_name) in names_within(name)
    )


# ---------------------------------------------------------------- students made of matches


def student_as_owner(student: Student) -> Owner:
    """Return ``student`` in the form that is matched to the list."""
    return Owner(student.name, "", "", student.key, email=student.email, username=student.username)


def group_members(owner: Owner, match: RosterMatch, index: RosterIndex) -> tuple[Student, ...]:
    """Return the members of a group: those that the LMS names, with the list's data, else the list's own group."""
    if owner.group:
        matches = [match_owner(student_as_owner(student), index).people for student in owner.group]
        return tuple(
            with_person(student, people[0]) if len(people) == 1 else student
            for student, people in zip(owner.group, matches, strict=True)
        )
    return tuple(map(person_as_student, match.people)) if len(match.people) > 1 else ()


def with_person(student: Student, person: Person) -> Student:
    """Return ``student`` with the data of the list; ids of the LMS stay, because grades are returned by them."""
    return replace(
        student,
        name=person.name or student.name,
        email=student.email or person.email,
        username=student.username or person.number or person.username,
    )


def person_as_student(person: Person) -> Student:
    """Return a student of the list, with the id that the list gives."""
    own = person.number or person.username or person.email or person.key
    return Student(own or person.name, person.name or own, person.key, person.email, person.number or person.username)
