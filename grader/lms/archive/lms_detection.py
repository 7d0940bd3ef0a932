"""Which LMS an archive came from, told by how its files are named."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from os.path import commonprefix
from pathlib import Path

from grader.files.archives.contents import Archive
from grader.i18n.message import message
from grader.lms import classroom, folder
from grader.lms.archive.student_grouping import Given
from grader.lms.blackboard import archive as blackboard
from grader.lms.canvas import archive as canvas
from grader.lms.gradescope import archive as gradescope
from grader.lms.identity import Naming
from grader.lms.moodle import archive as moodle
from grader.lms.nbgrader import archive as nbgrader
from grader.models.errors import IntakeError
from grader.models.intake import called

# How each names the entries of this very archive; in this order they are tried.
NAMING: Mapping[str, Callable[[Archive], Naming]] = {
    "moodle": moodle.naming,
    "blackboard": blackboard.naming,  # before Canvas, whose two numbers any title and student number can hold
    "canvas": canvas.naming,
    "gradescope": gradescope.naming,
    "nbgrader": nbgrader.naming,
    "classroom": classroom.naming,
}
LMS = ("auto", "folder", *NAMING)
_WHEN_ASKED: Mapping[str, Callable[[Archive], Naming]] = {"classroom": classroom.asked}  # what nobody should guess
_AS_STUDENTS_DO = frozenset({"nbgrader", "classroom"})  # one student's own archive may be named so inside
_MOST_AROUND = 5


def is_class(content: Archive, *, lms: str) -> bool:
    """Whether ``content`` is a class's download and no student's own archive."""
    return _named_by_lms(Path(), content, lms, "", but=_AS_STUDENTS_DO) is not None


def named(path: Path, content: Archive, lms: str, assignment: str) -> Given:
    """``content`` with the LMS that named it, and without the folder that a teacher's own packing puts around all."""
    given = _named_by_lms(path, content, lms, assignment)
    if given is not None:
        return given
    names = _names(content)
    if lms in NAMING and names:
        raise IntakeError(
            message(
                "{path} was not made by {lms}: no entry is named as there, for example {name}. Try --lms auto.",
                path=path, lms=called(lms), name=names[0],
            )
        )  # fmt: skip
    inner = content
    while prefix := folder.wrapper([entry.name for entry in inner.entries]):
        inner = _unwrapped(inner, prefix)
    why = message("No LMS names files so: each notebook or folder at the top stands for a student.")
    if lms == "folder":
        why = message("Read as a folder, as was asked: each notebook or folder at the top stands for a student.")
    return Given(path, "folder", why, content, inner, folder.parse_name)


def _named_by_lms(path: Path, content: Archive, lms: str, assignment: str, but: Container[str] = ()) -> Given | None:
    around = _folders_around([entry.name for entry in content.entries])
    for known, naming in NAMING.items():
        if lms not in ("auto", known) or known in but:
            continue
        whole = nbgrader.only(content, assignment) if known == "nbgrader" else content
        names = _names(whole)
        for prefix in around:
            inner = _unwrapped(whole, prefix)
            parse = _WHEN_ASKED.get(lms, naming)(inner)
            fitting = sum(parse(name.removeprefix(prefix)) is not None for name in names)
            # A request by name needs one fitting entry; a guess needs more than half.
            if (lms == known and fitting) or (lms == "auto" and 2 * fitting > len(names)):
                why = message(
                    "{fitting} of {all} files are named as {lms} names them.",
                    fitting=fitting, all=len(names), lms=called(known),
                )  # fmt: skip
                return Given(path, known, why, whole, inner, parse, left_out=_left_out(content, whole))
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
