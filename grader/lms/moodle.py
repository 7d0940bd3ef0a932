"""Moodle's "Download all submissions": whose file an entry is.

With folders ``Full name_123_assignsubmission_file/sub/hw.ipynb`` (before Moodle 4.1 the folder ends in ``_``), without
``Full name_123_assignsubmission_file_hw.ipynb``. The number is Moodle's id for the participant in this assignment, as
in "Participant 123" of the grading worksheet. Teams have their group's name and id; users without a group have no id.
"""

from __future__ import annotations

import re

from grader.archive.unpacking import Archive
from grader.lms.owner import Naming, Owner

_NAME = re.compile(
    r"(?P<name>[^/]+?)(?:_(?P<id>[0-9]+))?_assignsubmission_(?P<kind>[a-z0-9]+)(?P<old>_(?=/))?(?P<mark>[/_]|$)(?P<rest>.*)",
    re.DOTALL,
)
# With blind marking every name is the word for "participant", in the language of the site.
_BLIND = frozenset({"Participant", "參與者", "参与者", "Teilnehmerin", "Teilnehmer", "Participante", "Partecipante"})


def naming(_content: Archive) -> Naming:
    return parse_name


def parse_name(name: str) -> Owner | None:
    """The owner of the entry ``name``, or None when Moodle would not have named it so."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    person, key = found["name"], found["id"] or ""
    return Owner(
        name=f"{person} {key}" if person in _BLIND and key else person,
        rest=found["rest"],
        origin=name[: found.start("mark")],
        key=key,
        typed=found["kind"] == "onlinetext",
    )
