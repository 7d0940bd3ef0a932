"""Detect the LMS that an archive comes from by the names of its files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from os.path import commonprefix
from pathlib import Path

from grader.files.archives.contents import Archive
from grader.i18n.message import Message, message
from grader.lms import folder
from grader.lms.identity import Naming
from grader.lms.systems import BY_NAME, SYSTEMS, title_of
from grader.models.errors import IntakeError

LMS = ("auto", "folder", *BY_NAME)
_MAX_WRAPPERS = 5


@dataclass(frozen=True, slots=True)
class DetectedSource:
    """The contents of one given path and the LMS they come from."""

    path: Path
    lms: str
    reason: Message  # why this LMS
    whole: Archive
    content: Archive  # ``whole`` with names relative to the folder around the class
    naming: Naming
    left_out: tuple[str, ...] = ()  # entries of a course folder outside the graded assignment


def is_class_download(content: Archive, *, lms: str) -> bool:
    """Return whether ``content`` is the download of a class, not one student's own archive."""
    return _detect(Path(), content, lms, "", class_only=True) is not None


def detect_lms(path: Path, content: Archive, lms: str, assignment: str) -> DetectedSource:
    """Return ``content`` with its LMS, without folders that the teacher's own packing put around the class.

    Files that no LMS would name so are read as a plain folder. Raise ``IntakeError`` if the LMS was requested by name
    and no file is named as that LMS names files.
    """
    detected = _detect(path, content, lms, assignment)
    if detected is not None:
        return detected
    names = _names(content)
    if lms in BY_NAME and names:
        raise IntakeError(
            message(
                "{path} does not come from {lms}: no entry has a name as {lms} gives it, for example {name}. "
                "Try --lms auto.",
                path=path, lms=title_of(lms), name=names[0],
            )
        )  # fmt: skip
    inner = content
    while prefix := folder.wrapper([entry.name for entry in inner.entries]):
        inner = _unwrap(inner, prefix)
    reason = message("No LMS names files this way: each notebook or folder at the top is one student's.")
    if lms == "folder":
        reason = message("Read as a folder, as requested: each notebook or folder at the top is one student's.")
    return DetectedSource(path, "folder", reason, content, inner, folder.parse_name)


def _detect(
    path: Path, content: Archive, lms: str, assignment: str, *, class_only: bool = False
) -> DetectedSource | None:
    prefixes = _common_folders([entry.name for entry in content.entries])
    for system in SYSTEMS:
        if lms not in ("auto", system.name) or (class_only and system.names_like_students):
            continue
        naming = system.naming
        if lms == system.name and system.naming_on_request is not None:
            naming = system.naming_on_request
        whole = content if system.one_assignment is None else system.one_assignment(content, assignment)
        names = _names(whole)
        for prefix in prefixes:
            inner = _unwrap(whole, prefix)
            parse = naming(inner)
            fitting = sum(parse(name.removeprefix(prefix)) is not None for name in names)
            # A request by name needs one fitting entry; detection needs more than half.
            if (lms == system.name and fitting) or (lms == "auto" and 2 * fitting > len(names)):
                reason = message(
                    "{fitting} of {all} files are named as {lms} names them.",
                    fitting=fitting, all=len(names), lms=system.title,
                )  # fmt: skip
                return DetectedSource(path, system.name, reason, whole, inner, parse, _left_out(content, whole))
    return None


def _left_out(content: Archive, whole: Archive) -> tuple[str, ...]:
    if whole is content:
        return ()
    kept = {entry.path for entry in whole.entries}
    return tuple(entry.name for entry in content.entries if entry.path not in kept)


def _names(content: Archive) -> list[str]:
    return [entry.name for entry in content.entries] + [refused.name for refused in content.refused]


def _common_folders(names: Sequence[str]) -> list[str]:
    """Return the common folder prefixes of all names, from none to the innermost: packing again adds folders."""
    common = commonprefix(names)  # noqa: RUF071  texts, not paths
    return ["", *(common[: found.end()] for found in re.finditer("/", common))][:_MAX_WRAPPERS]


def _unwrap(content: Archive, prefix: str) -> Archive:
    if not prefix:
        return content
    return replace(
        content,
        entries=tuple(replace(entry, name=entry.name.removeprefix(prefix)) for entry in content.entries),
        refused=tuple(replace(refused, name=refused.name.removeprefix(prefix)) for refused in content.refused),
        skipped=tuple(name.removeprefix(prefix) for name in content.skipped),  # the folder itself becomes ""
    )
