"""Who on the class list handed in what: by number or address first, by name then, and never by a guess.

What is not certain stays open and is said: the submission keeps the name that it came under, and a person decides, for
whom the list's column "Handed in as" is made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.i18n.message import Message, join_list, message
from grader.lms import person_names
from grader.lms.identity import Owner, folded
from grader.lms.roster.class_list import Person
from grader.models.submission import Student

_SHORT = 4  # numbers with fewer characters stand in names by chance

_Found = dict[Person, None]  # a set that keeps its order


@dataclass(frozen=True, slots=True)
class Match:
    """``people`` of the list: one, several of a group, nobody. What is said is for the teacher alone.

    ``sure``: the LMS or the list itself says so, as against a name that students choose for their files. ``maybe`` are
    those of whom it may be one: something came that may be theirs.
    """

    people: tuple[Person, ...] = ()
    how: Message | None = None
    doubt: Message | None = None
    sure: bool = False
    maybe: tuple[Person, ...] = ()


class ClassList:
    """The people of a list, found by all that tells them apart."""

    def __init__(self, people: Iterable[Person]) -> None:
        self.people = tuple(people)
        self._by: dict[str, dict[object, _Found]] = defaultdict(lambda: defaultdict(dict))
        for one in self.people:
            for alias in one.aliases:
                self._add("alias", folded(alias), one)
            for value in filter(None, (one.number, one.username, one.email)):
                self._add("number", folded(value), one)
            self._add("key", folded(one.key), one)
            self._add("words", person_names.words(one.name), one)
            self._add("group", person_names.words(one.group), one)
            for spelling in person_names.spellings(one.name):
                self._add("spelling", spelling, one)
                self._add("plain", person_names.without_marks(spelling), one)

    def _add(self, kind: str, value: object, person: Person) -> None:
        if value:
            self._by[kind][value][person] = None

    def find(self, kind: str, values: Iterable[object]) -> list[Person]:
        table: Mapping[object, _Found] = self._by[kind]
        return list(dict.fromkeys(one for value in values for one in table.get(value, ())))


def match_all(owners: Sequence[Owner], people: ClassList) -> list[Match]:
    """For each owner who it is; where several are taken for one student by what students wrote, none of them is."""
    matches = [match(owner, people) for owner in owners]
    claims: dict[Person, list[int]] = defaultdict(list)
    for place, found in enumerate(matches):
        for person in found.people:
            claims[person].append(place)
    for person, places in claims.items():
        if len(places) > 1 and not _one_students(places, owners, matches):
            called = join_list([owners[place].name for place in places])
            doubt = message("{names}: each of them may be {person}; left open.", names=called, person=person.shown)
            for place in places:
                # Of a group that the LMS names, what the others are taken for changes nothing.
                known = matches[place].people if owners[place].group else ()
                maybe = (*matches[place].maybe, person)
                matches[place] = replace(matches[place], people=known, how=None, doubt=doubt, maybe=maybe)
    return matches


def _one_students(places: Sequence[int], owners: Sequence[Owner], matches: Sequence[Match]) -> bool:
    keys = {owners[place].key for place in places}
    return all(matches[place].sure and len(matches[place].people) == 1 for place in places) and (
        len(keys - {""}) < 2  # two ids of one LMS are two students there, whatever a list says
    )


def match(owner: Owner, people: ClassList) -> Match:
    """The one on the list who is certainly ``owner``; a group's members where its name is a group's on the list."""
    found = _by_alias(owner, people) or _by_number(owner, people)
    if found is None and owner.group:
        return _members(owner, people)
    # A list's numbers, in the names that students give their files; then names.
    return (
        found
        or _by_number_within(owner, people)
        or _by_name(owner, people)
        or _as_group(owner, people)
        or _nobody(owner, people)
    )


def _by_alias(owner: Owner, people: ClassList) -> Match | None:
    found = people.find("alias", {folded(text) for text in (owner.name, owner.origin, owner.key) if text})
    return _only(owner, found, message("the list says that {name} is theirs", name=owner.name), sure=True)


def _by_number(owner: Owner, people: ClassList) -> Match | None:
    """By what the LMS itself says of the owner."""
    for value in filter(None, () if owner.claimed else (owner.email, owner.username)):
        if found := people.find("number", [folded(value)]):
            return _only(owner, found, message("{value} is the same in both", value=value), sure=True)
    # A participant's id in the LMS and a number on a list may be the same by chance: names have to agree.
    key = [folded(owner.key)] if owner.key else []
    found = [*people.find("key", key), *people.find("number", key)]
    found = list(dict.fromkeys(one for one in found if not one.name or _agree(owner.name, one.name)))
    return _only(owner, found, message("{value} is the same in both", value=owner.key), sure=True)


def _by_number_within(owner: Owner, people: ClassList) -> Match | None:
    """A number or an address as a student wrote it: in a notebook, as the name of a folder or file, or as a part of
    it: ``410012345_hw1.ipynb``.
    """
    parts = [
        folded(owner.username),
        folded(owner.name),
        *(part for part in person_names.words(owner.name) if len(part) >= _SHORT),
    ]
    found = people.find("number", parts)
    others = [one for one in people.find("words", person_names.within(owner.name)) if one not in found]
    if len(found) == 1 and others and not _agree(owner.name, found[0].name):
        doubt = message(
            "{handed} holds the number of {one} and the name of {other}: left open.",
            handed=owner.name, one=found[0].shown, other=others[0].shown,
        )  # fmt: skip
        return Match(doubt=doubt, maybe=(*found, *others))
    how = message("the name {name} holds the number", name=owner.name)
    return _only(owner, found, message("{value} is the same in both", value=owner.username) if owner.claimed else how)


def _by_name(owner: Owner, people: ClassList) -> Match | None:
    found = people.find("spelling", person_names.spellings(owner.name))
    return _only(owner, found or people.find("words", person_names.within(owner.name)), message("by the name"))


def _as_group(owner: Owner, people: ClassList) -> Match | None:
    found = people.find("group", [person_names.words(owner.name)])
    return Match(tuple(found), message("the list has a group of this name")) if found else None


def _members(owner: Owner, people: ClassList) -> Match:
    """Each of those whom the LMS names as a group, by itself."""
    matches = [match(as_owner(one), people) for one in owner.group]
    found = tuple(dict.fromkeys(person for one in matches for person in one.people))
    unknown = [one.name or one.email for one, its in zip(owner.group, matches, strict=True) if not its.people]
    if not unknown:
        return Match(found, message("each member of the group is on the list"), sure=True)
    doubt = message("Of the group {group} not on the list: {names}.", group=owner.name, names=join_list(unknown))
    return Match(found, doubt=doubt)


def _nobody(owner: Owner, people: ClassList) -> Match:
    near = people.find("plain", [person_names.without_marks(one) for one in person_names.spellings(owner.name)])
    if near:
        doubt = message(
            "{handed} is not on the list as it is written; perhaps it is {people}.",
            handed=owner.name, people=join_list([one.shown for one in near]),
        )  # fmt: skip
        return Match(doubt=doubt, maybe=tuple(near))
    return Match(doubt=message("{handed} is not on the list.", handed=owner.name))


def _only(owner: Owner, found: Sequence[Person], how: Message, *, sure: bool = False) -> Match | None:
    """The one that was found; of several none."""
    if not found:
        return None
    if len(found) == 1:
        return Match((found[0],), how, sure=sure)
    shown = join_list([one.shown for one in found])
    doubt = message("{handed} may be any of {people}: left open.", handed=owner.name, people=shown)
    return Match(doubt=doubt, maybe=tuple(found))


def _agree(one: str, other: str) -> bool:
    return (
        bool(person_names.spellings(one) & person_names.spellings(other))
        or one.isdigit()
        or person_names.words(other) in person_names.within(one)
    )


# ---------------------------------------------------------------- as the tables have them


def as_owner(student: Student) -> Owner:
    return Owner(student.name, "", "", student.key, email=student.email, username=student.username)


def members(owner: Owner, found: Match, people: ClassList) -> tuple[Student, ...]:
    """Who handed in together: those whom the LMS names, as the list knows them, else the list's own group."""
    if owner.group:
        known = [match(as_owner(one), people).people for one in owner.group]
        return tuple(named(one, its[0]) if len(its) == 1 else one for one, its in zip(owner.group, known, strict=True))
    return tuple(map(listed_student, found.people)) if len(found.people) > 1 else ()


def named(student: Student, person: Person) -> Student:
    """``student`` as the list knows them; what the LMS itself says of ids stays, as the only way back."""
    return replace(
        student,
        name=person.name or student.name,
        email=student.email or person.email,
        username=student.username or person.number or person.username,
    )


def listed_student(person: Person) -> Student:
    """Who is on the list, with an id as the list has it."""
    own = person.number or person.username or person.email or person.key
    return Student(own or person.name, person.name or own, person.key, person.email, person.number or person.username)
