"""Which LMS an archive came from, told by how its files are named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from os.path import commonprefix
from pathlib import Path

from grader.files.archives.contents import Archive
from grader.i18n.message import message
from grader.lms import folder
from grader.lms.archive.student_grouping import Given
from grader.lms.systems import BY_NAME, SYSTEMS, title_of
from grader.models.errors import IntakeError

LMS = ("auto", "folder", *BY_NAME)
_MOST_AROUND = 5


def is_class(content: Archive, *, lms: str) -> bool:
    """Whether ``content`` is a class's download and no student's own archive."""
    return _named_by_lms(Path(), content, lms, "", class_only=True) is not None


def named(path: Path, content: Archive, lms: str, assignment: str) -> Given:
    """``content`` with the LMS that named it, and without the folder that a teacher's own packing puts around all."""
    given = _named_by_lms(path, content, lms, assignment)
    if given is not None:
        return given
    names = _names(content)
    if lms in BY_NAME and names:
        raise IntakeError(
            message(
                "{path} was not made by {lms}: no entry is named as there, for example {name}. Try --lms auto.",
                path=path, lms=title_of(lms), name=names[0],
            )
        )  # fmt: skip
    inner = content
    while prefix := folder.wrapper([entry.name for entry in inner.entries]):
        inner = _unwrapped(inner, prefix)
    why = message("No LMS names files so: each notebook or folder at the top stands for a student.")
    if lms == "folder":
        why = message("Read as a folder, as was asked: each notebook or folder at the top stands for a student.")
    return Given(path, "folder", why, content, inner, folder.parse_name)


def _named_by_lms(path: Path, content: Archive, lms: str, assignment: str, *, class_only: bool = False) -> Given | None:
    around = _folders_around([entry.name for entry in content.entries])
    for system in SYSTEMS:
        if lms not in ("auto", system.name) or (class_only and system.names_like_students):
            continue
        naming = system.naming
        if lms == system.name and system.naming_on_request is not None:
            naming = system.naming_on_request
        whole = content if system.one_assignment is None else system.one_assignment(content, assignment)
        names = _names(whole)
        for prefix in around:
            inner = _unwrapped(whole, prefix)
            parse = naming(inner)
            fitting = sum(parse(name.removeprefix(prefix)) is not None for name in names)
            # A request by name needs one fitting entry; a guess needs more than half.
            if (lms == system.name and fitting) or (lms == "auto" and 2 * fitting > len(names)):
                why = message(
                    "{fitting} of {all} files are named as {lms} names them.",
                    fitting=fitting, all=len(names), lms=system.title,
                )  # fmt: skip
                return Given(path, system.name, why, whole, inner, parse, left_out=_left_out(content, whole))
    return None


def _left_out(content: Archive, whole: Archive) -> tuple[str, ...]:
    """What a course's tree holds beside the assignment that is graded."""
    if whole is content:
        return ()
    kept = {entry.path for entry in whole.entries}
    return tuple(entry.name for entry in content.entries if entry.path not in kept)


def _names(content: Archive) -> list[str]:
    return [entry.name for entry in content.entries] + [one.name for one in content.refused]


def _folders_around(names: Sequence[str]) -> list[str]:
    """What all names begin with, from nothing to the innermost folder: packing may add one to what an LMS has."""
    whole = commonprefix(names)  # noqa: RUF071  texts, not paths
    return ["", *(whole[: found.end()] for found in re.finditer("/", whole))][:_MOST_AROUND]


def _unwrapped(content: Archive, prefix: str) -> Archive:
    if not prefix:
        return content
    return replace(
        content,
        entries=tuple(replace(entry, name=entry.name.removeprefix(prefix)) for entry in content.entries),
        refused=tuple(replace(one, name=one.name.removeprefix(prefix)) for one in content.refused),
        skipped=tuple(name.removeprefix(prefix) for name in content.skipped),  # the folder itself is "" now
    )
