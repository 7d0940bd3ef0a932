"""File names in Gradescope's "Download Submissions".

``assignment_7_export/submission_metadata.yml`` names the students of each submission; ``submission_123/`` beside it
has the files. If that file is missing or damaged, each folder counts as a student of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from grader.files.archives.contents import Archive
from grader.i18n.message import Message, message
from grader.lms.gradescope.metadata import FILE, Metadata, Record, read_metadata
from grader.lms.identity import Naming, Owner
from grader.models.submission import Student

_NAME = re.compile(r"(?P<folder>submission_(?P<id>[0-9]{1,20}))/(?P<rest>.*)", re.DOTALL)
_CLASS = Owner(name="", rest="", origin=FILE, about=True)


def naming(content: Archive) -> Naming:
    """Return the naming of ``content``, with the students in the archive's own metadata."""
    found = next((entry for entry in content.entries if entry.name == FILE), None)
    metadata = read_metadata(found.path) if found else Metadata(problem=message("{file} is missing", file=FILE))
    return partial(parse_name, metadata=metadata)


def parse_name(name: str, metadata: Metadata) -> Owner | None:
    """Return the owner of the entry ``name``, or None if Gradescope would not give an entry this name."""
    if name == FILE:
        return _CLASS
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    record = metadata.records.get(found["folder"], Record())
    owner = owner_of(found["folder"], record.submitters, record.created_at)
    notes = (_unknown_student(found["folder"], metadata),) if owner.name == found["folder"] else ()
    return replace(owner, rest=found["rest"], notes=notes)


def owner_of(folder: str, submitters: Sequence[Student], created_at: datetime | None) -> Owner:
    """Return the owner of a submission: a group if there are several submitters, named after ``folder`` if none."""
    people = [student for student in submitters if student.name]
    single = people[0] if len(people) == 1 else Student("", "")
    return Owner(
        name=", ".join(student.name for student in people) or folder,
        rest="",
        origin=folder,
        key=folder.removeprefix("submission_"),
        submitted_at=created_at,
        email=single.email,
        username=single.username,
        group=tuple(people) if len(people) > 1 else (),
    )


def _unknown_student(folder: str, metadata: Metadata) -> Message:
    reason = metadata.problem or message("{file} names no student for it", file=FILE)
    return message("The student of {folder} is not known: {reason}.", folder=folder, reason=reason)
