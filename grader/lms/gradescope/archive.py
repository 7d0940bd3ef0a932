"""Gradescope's "Download Submissions": whose file an entry is.

``assignment_7_export/submission_metadata.yml`` says who handed in which submission, ``submission_123/`` beside it holds
the files. Where that file is missing or broken, each folder is a student of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from grader.files.archives.contents import Archive
from grader.i18n.message import Message, message
from grader.lms.gradescope.metadata import FILE, Metadata, Record, Submitter, read_metadata
from grader.lms.identity import Naming, Owner, safe_id
from grader.models.submission import Student

_NAME = re.compile(r"(?P<folder>submission_(?P<id>[0-9]{1,20}))/(?P<rest>.*)", re.DOTALL)
_CLASS = Owner(name="", rest="", origin=FILE, about=True)


def naming(content: Archive) -> Naming:
    """As the archive's own list of submissions says it."""
    found = next((entry for entry in content.entries if entry.name == FILE), None)
    metadata = read_metadata(found.path) if found else Metadata(problem=message("{file} is missing", file=FILE))
    return partial(parse_name, metadata=metadata)


def parse_name(name: str, metadata: Metadata) -> Owner | None:
    """The owner of the entry ``name``, or None when Gradescope would not have named it so."""
    if name == FILE:
        return _CLASS
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    record = metadata.records.get(found["folder"], Record())
    owner = owner_of(found["folder"], record.submitters, record.created_at)
    nameless = () if owner.name != found["folder"] else (_nameless(found["folder"], metadata),)
    return replace(owner, rest=found["rest"], notes=nameless)


def owner_of(folder: str, submitters: Sequence[Submitter], created_at: datetime | None) -> Owner:
    """Several submitters are a group; nobody known is called by the folder."""
    people = [one for one in submitters if one.name or one.email or one.sid]
    alone = people[0] if len(people) == 1 else Submitter()
    return Owner(
        name=", ".join(map(_called, people)) or folder,
        rest="",
        origin=folder,
        key=folder.removeprefix("submission_"),
        submitted_at=created_at,
        email=alone.email,
        username=alone.sid,
        group=tuple(map(_member, people)) if len(people) > 1 else (),
    )


def _called(one: Submitter) -> str:
    return one.name or one.email or one.sid


def _member(one: Submitter) -> Student:
    return Student(
        safe_id(one.sid or one.email or one.name), _called(one), key=one.sid or one.email, email=one.email,
        username=one.sid,
    )  # fmt: skip


def _nameless(folder: str, metadata: Metadata) -> Message:
    reason = metadata.problem or message("{file} names nobody for it", file=FILE)
    return message("Whose submission {folder} is was not to be found: {reason}.", folder=folder, reason=reason)
