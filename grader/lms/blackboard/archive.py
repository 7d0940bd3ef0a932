"""Blackboard's "Assignment File Download": whose file an entry is.

``HW 1_alee_attempt_2026-03-05-23-59-58_hw1.ipynb``: the assignment's title, the user's name, the attempt's time, the
file's name. Beside each attempt lies ``HW 1_alee_attempt_2026-03-05-23-59-58.txt``, which says who it is
(``Name: Ann Lee (alee)``) and holds what was typed in. Title and user's name may have ``_`` in them: where one ends,
that first line tells, or what all entries begin with.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from os.path import commonprefix

from grader.files.archives.contents import Archive, Entry
from grader.lms.identity import Naming, Owner

_ENTRY = re.compile(
    r"(?P<head>[^/]+?)_(?:group)?attempt_(?P<when>(?:19|20)[0-9]{2}(?:-[0-9]{2}){5})(?:_(?P<file>[^/]*)|(?P<about>\.txt))"
)
# The label is in the site's language; the last brackets hold the user's name.
_WHO = re.compile(r"[^:：]{1,40}[:：]\s*(?P<name>.*\S)\s*\((?P<username>[^()]+)\)\s*")
_NOTHING_TYPED = (
    "There is no student submission text data for this assignment.",
    "There are no student comments for this assignment.",
)
_ABOUT_BYTES = 2**18


@dataclass(frozen=True, slots=True)
class _About:
    """What the text beside an attempt says."""

    name: str
    username: str
    typed: bool


def naming(content: Archive) -> Naming:
    heads = {entry.name: found["head"] for entry in content.entries if (found := _ENTRY.fullmatch(entry.name))}
    abouts = {entry.name: _about(entry, heads[entry.name]) for entry in content.entries if _is_about(entry.name)}
    usernames = {heads[name]: one.username for name, one in abouts.items() if one.username}
    title = _title(heads.values(), usernames)
    names = {one.username: one.name for one in reversed(abouts.values()) if one.username}

    def parse(name: str) -> Owner | None:
        found = _ENTRY.fullmatch(name)
        when = _time(found["when"]) if found else None
        if found is None or when is None:
            return None
        head = found["head"]
        username = usernames.get(head) or _username(head, title)
        about = abouts.get(name) if found["about"] else None
        return Owner(
            name=names.get(username, username),
            rest="text.txt" if found["about"] else found["file"],
            origin=name[: found.end("when")],
            key=username,
            username=username,
            typed=about is not None and about.typed,
            about=found["about"] is not None and not (about and about.typed),
            submitted_at=when,
        )

    return parse


def _is_about(name: str) -> bool:
    found = _ENTRY.fullmatch(name)
    return found is not None and found["about"] is not None


def _about(entry: Entry, head: str) -> _About:
    with entry.path.open("rb") as file:
        text = file.read(_ABOUT_BYTES).decode("utf-8-sig", "replace")
    who = _WHO.fullmatch(text.partition("\n")[0].rstrip("\r"))
    typed = not all(sentence in text for sentence in _NOTHING_TYPED)
    # The entry's name is the LMS's word; whoever the text says must end it.
    if who is None or not head.casefold().endswith(f"_{who['username']}".casefold()):
        return _About("", "", typed)
    return _About(who["name"], head[-len(who["username"]) :], typed)


def _title(heads: Iterable[str], usernames: Mapping[str, str]) -> str:
    """The assignment's title as it begins the entries; empty when they have none in common."""
    told = Counter(head.removesuffix(f"_{username}") for head, username in usernames.items())
    if told:
        return told.most_common(1)[0][0]
    return commonprefix(sorted(set(heads))).rpartition("_")[0]  # noqa: RUF071  texts, not paths


def _username(head: str, title: str) -> str:
    inside = head.removeprefix(f"{title}_")
    return inside if title and inside != head else head.rpartition("_")[2]


def _time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d-%H-%M-%S")
    except ValueError:
        return None
