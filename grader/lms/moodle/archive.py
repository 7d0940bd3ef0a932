"""File names in Moodle's "Download all submissions".

With folders ``Full name_123_assignsubmission_file/sub/hw.ipynb`` (before Moodle 4.1 the folder ends in ``_``), without
``Full name_123_assignsubmission_file_hw.ipynb``. The number is Moodle's id for the participant in this assignment, as
in "Participant 123" of the grading worksheet. Groups have their own name and id, users without a group no id; before
Moodle 4.1 every member has an entry, ``Group-Full name_123``. In a full name Moodle itself never writes ``_``.

The time of an entry is that of the download, not of the submission, and is not read.
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
    """Return the naming of ``content``. With blind marking, all participants have one name and get their id added."""
    entry_names = [entry.name for entry in content.entries]
    refused_names = [refused.name for refused in content.refused]
    owners = [_parse(name) for name in (*entry_names, *refused_names, *content.skipped)]
    names = {owner.name for owner in owners if owner is not None and owner.key}
    keys = {owner.key for owner in owners if owner is not None and owner.key}
    if len(names) > 1 or len(keys) < 2:
        return parse_name
    return lambda name: _with_id(_parse(name), names)


def parse_name(name: str) -> Owner | None:
    """Return the owner of the entry ``name``, or None if Moodle would not give an entry this name."""
    return _with_id(_parse(name), PARTICIPANT)


def _with_id(owner: Owner | None, anonymous: frozenset[str] | set[str]) -> Owner | None:
    """Add the id to the name of ``owner`` if the name is one of ``anonymous``, the words for "participant"."""
    if owner is None or not owner.key or owner.name not in anonymous:
        return owner
    return replace(owner, name=f"{owner.name} {owner.key}")


def _parse(name: str) -> Owner | None:
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
