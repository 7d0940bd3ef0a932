"""Moodle's "Download all submissions": whose file an entry is.

With folders ``Full name_123_assignsubmission_file/sub/hw.ipynb`` (before Moodle 4.1 the folder ends in ``_``), without
``Full name_123_assignsubmission_file_hw.ipynb``. The number is Moodle's id for the participant in this assignment, as
in "Participant 123" of the grading worksheet. Teams have their group's name and id, users without a group no id; before
Moodle 4.1 every member has an entry, ``Group-Full name_123``. In a name Moodle itself writes no ``_``.

An entry's time is that of the download, not of the submission: it is not read.
"""

from __future__ import annotations

import re
from dataclasses import replace

from grader.files.archives.contents import Archive
from grader.lms.identity import Naming, Owner
from grader.lms.moodle.column_names import PARTICIPANT

_NAME = re.compile(
    r"(?P<name>[^/]+?)(?:_(?P<id>[0-9]+))?_assignsubmission_(?P<kind>[a-z0-9]+)(?P<old>_(?=/))?(?P<mark>[/_]|$)(?P<rest>.*)",
    re.DOTALL,
)


def naming(content: Archive) -> Naming:
    """With blind marking all have one name, the word for "participant": they are told apart by their numbers."""
    named = (*(one.name for one in content.entries), *(one.name for one in content.refused), *content.skipped)
    owners = [owner for owner in map(_parsed, named) if owner is not None and owner.key]
    names = {owner.name for owner in owners}
    if len(names) > 1 or len({owner.key for owner in owners}) < 2:
        return parse_name
    return lambda name: _numbered(_parsed(name), names)


def parse_name(name: str) -> Owner | None:
    """The owner of the entry ``name``, or None when Moodle would not have named it so."""
    return _numbered(_parsed(name), PARTICIPANT)


def _numbered(owner: Owner | None, words: frozenset[str] | set[str]) -> Owner | None:
    if owner is None or not owner.key or owner.name not in words:
        return owner
    return replace(owner, name=f"{owner.name} {owner.key}")


def _parsed(name: str) -> Owner | None:
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    return Owner(
        name=found["name"],
        rest=found["rest"],
        origin=name[: found.start("mark")],
        key=found["id"] or "",
        typed=found["kind"] == "onlinetext",
    )
