"""File names in Blackboard's "Assignment File Download".

``HW 1_alee_attempt_2026-03-05-23-59-58_hw1.ipynb``: the assignment's title, the username, the attempt's time, the
file's name. Beside the files of each attempt is ``HW 1_alee_attempt_2026-03-05-23-59-58.txt``, which names the student
(``Name: Ann Lee (alee)``) and contains the typed text. Title and username may contain ``_``: the border between them
comes from that first line, or from the common beginning of all entries.
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
# The label is in the site's language; the last brackets contain the username.
_NAME_LINE = re.compile(r"[^:：]{1,40}[:：]\s*(?P<name>.*\S)\s*\((?P<username>[^()]+)\)\s*")
_NOTHING_TYPED = (
    "There is no student submission text data for this assignment.",
    "There are no student comments for this assignment.",
)
_ABOUT_BYTES = 2**18


@dataclass(frozen=True, slots=True)
class _AttemptText:
    """Contents of the text file beside an attempt. ``typed``: the student typed something."""

    name: str
    username: str
    typed: bool


def naming(content: Archive) -> Naming:
    """Return the naming of ``content``; the text file beside an attempt belongs to Blackboard unless text was typed."""
    heads = {entry.name: found["head"] for entry in content.entries if (found := _ENTRY.fullmatch(entry.name))}
    texts = {
        entry.name: _read_text(entry, heads[entry.name]) for entry in content.entries if _is_attempt_text(entry.name)
    }
    usernames = {heads[name]: text.username for name, text in texts.items() if text.username}
    title = _title(heads.values(), usernames)
    names = {text.username: text.name for text in reversed(texts.values()) if text.username}

    def parse(name: str) -> Owner | None:
        found = _ENTRY.fullmatch(name)
        when = _parse_time(found["when"]) if found else None
        if found is None or when is None:
            return None
        head = found["head"]
        username = usernames.get(head) or _username(head, title)
        text = texts.get(name) if found["about"] else None
        return Owner(
            name=names.get(username, username),
            rest="text.txt" if found["about"] else found["file"],
            origin=name[: found.end("when")],
            key=username,
            username=username,
            typed=text is not None and text.typed,
            about=found["about"] is not None and not (text and text.typed),
            submitted_at=when,
        )

    return parse


def _is_attempt_text(name: str) -> bool:
    found = _ENTRY.fullmatch(name)
    return found is not None and found["about"] is not None


def _read_text(entry: Entry, head: str) -> _AttemptText:
    text = entry.head(_ABOUT_BYTES).decode("utf-8-sig", "replace")
    who = _NAME_LINE.fullmatch(text.partition("\n")[0].rstrip("\r"))
    typed = not all(sentence in text for sentence in _NOTHING_TYPED)
    # The entry's name is written by Blackboard: it must end in the username that the text claims.
    if who is None or not head.casefold().endswith(f"_{who['username']}".casefold()):
        return _AttemptText("", "", typed)
    return _AttemptText(who["name"], head[-len(who["username"]) :], typed)


def _title(heads: Iterable[str], usernames: Mapping[str, str]) -> str:
    """Return the assignment's title, with which the entries begin; empty if they have no common beginning."""
    titles = Counter(head.removesuffix(f"_{username}") for head, username in usernames.items())
    if titles:
        return titles.most_common(1)[0][0]
    return commonprefix(sorted(set(heads))).rpartition("_")[0]  # noqa: RUF071  texts, not paths


def _username(head: str, title: str) -> str:
    inside = head.removeprefix(f"{title}_")
    return inside if title and inside != head else head.rpartition("_")[2]


def _parse_time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d-%H-%M-%S")
    except ValueError:
        return None
