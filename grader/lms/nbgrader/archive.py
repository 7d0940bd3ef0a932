"""nbgrader's course folder: ``submitted/{student}/{assignment}/{notebook}.ipynb`` with ``timestamp.txt`` beside it.

Given is the course folder, its ``submitted`` folder, or an archive of either. All notebooks of a student belong to one
submission.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

from grader.files.archives.contents import Archive
from grader.grading.lateness.datetimes import is_plausible
from grader.i18n.message import Message, join_list, message
from grader.lms.identity import Naming, Owner
from grader.models.errors import IntakeError

STEP = "submitted"
TIMESTAMP = "timestamp.txt"
_OWN_FILES = (TIMESTAMP, "submission_secret.txt")
_TIMESTAMP_BYTES = 200
_NAME = re.compile(rf"(?P<origin>{STEP}/(?P<student>[^/]+)/(?P<assignment>[^/]+))/(?P<rest>.*)", re.DOTALL)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d{1,6})?\d*\s*(\S*)")


def select_assignment(content: Archive, assignment: str) -> Archive:
    """Of a course's tree what was handed in for ``assignment``, below ``submitted/``; any other content as it is.

    Raises IntakeError when it was not handed in, or when there are several assignments and none is named.
    """
    prefix = _place(content)
    if prefix is None:
        return content
    inside = _below(content, prefix)
    there = sorted({found["assignment"] for name in _names(inside) if (found := _NAME.fullmatch(name))})
    if not there or (len(there) == 1 and not assignment):
        return inside
    if assignment not in there:
        raise IntakeError(_which(content.name, assignment, there))
    return _kept(inside, assignment)


def _place(content: Archive) -> str | None:
    """What stands before ``{student}/{assignment}/`` in its names; None when it is no tree of nbgrader's.

    Students name their own folders: that one of them is called so makes no course of a class.
    """
    names = [entry.name for entry in content.entries]
    tops = {name.split("/")[0] for name in names}
    for around in ("", *(f"{top}/" for top in tops if len(tops) == 1)):
        prefix = f"{around}{STEP}/"
        if not any(name.startswith(prefix) and len(_after(name, prefix)) >= 3 for name in names):
            continue
        alone = not around and tops == {STEP}
        if alone or _is_stamped(names, prefix) or any(name.startswith(_marks(around)) for name in names):
            return prefix
    deep = all(len(name.split("/")) >= 3 for name in names)
    return "" if names and deep and (PurePosixPath(content.name).stem == STEP or _is_stamped(names, "")) else None


def _after(name: str, prefix: str) -> list[str]:
    return name.removeprefix(prefix).split("/")


def _marks(around: str) -> tuple[str, ...]:
    """What a teacher's course has beside ``submitted``."""
    return tuple(f"{around}{mark}" for mark in ("gradebook.db", "nbgrader_config.py", "source/", "release/"))


def _is_stamped(names: Sequence[str], prefix: str) -> bool:
    """Whether at least half of what was handed in has nbgrader's own word of when."""
    parts = [_after(name, prefix) for name in names if name.startswith(prefix)]
    handed_in = {tuple(part[:2]) for part in parts if len(part) >= 3}
    stamped = {tuple(part[:2]) for part in parts if part[2:] == [TIMESTAMP]}
    return bool(stamped) and 2 * len(stamped) >= len(handed_in)


def _names(content: Archive) -> Iterable[str]:
    return [*(one.name for one in content.entries), *(one.name for one in content.refused), *content.skipped]


def _below(content: Archive, prefix: str) -> Archive:
    """Names begin with ``submitted/``; what the teacher's course has beside it belongs to nobody."""

    def renamed(name: str) -> str:
        return f"{STEP}/{name.removeprefix(prefix)}"

    return replace(
        content,
        entries=tuple(replace(one, name=renamed(one.name)) for one in content.entries if one.name.startswith(prefix)),
        # What leads out of the archive is nowhere below, and is to be seen.
        refused=tuple(
            replace(one, name=renamed(one.name)) if one.name.startswith(prefix) else one for one in content.refused
        ),
        skipped=tuple(renamed(name) for name in content.skipped if name.startswith(prefix)),
    )


def _kept(content: Archive, assignment: str) -> Archive:
    def wanted(name: str) -> bool:
        found = _NAME.fullmatch(name)
        return found is None or found["assignment"] == assignment

    return replace(
        content,
        entries=tuple(one for one in content.entries if wanted(one.name)),
        refused=tuple(one for one in content.refused if wanted(one.name)),
        skipped=tuple(name for name in content.skipped if wanted(name)),
    )


def _which(path: str, assignment: str, there: list[str]) -> Message:
    if assignment:
        return message(
            "{path} holds nothing that was handed in for {assignment}; there are {there}.",
            path=path, assignment=assignment, there=join_list(there),
        )  # fmt: skip
    return message(
        "{path} holds several assignments: {there}; expected one. Grade by the course's own, such as source/{first}, "
        "or give a folder with that one alone.",
        path=path, there=join_list(there), first=there[0],
    )  # fmt: skip


# ---------------------------------------------------------------- whose file it is


def naming(content: Archive) -> Naming:
    """With the times that the files ``timestamp.txt`` say."""
    times: dict[str, tuple[datetime | None, tuple[Message, ...]]] = {}
    for entry in content.entries:
        found = _NAME.fullmatch(entry.name)
        if found and found["rest"] == TIMESTAMP:
            with entry.path.open("rb") as file:
                text = file.read(_TIMESTAMP_BYTES).decode("utf-8", "replace").strip()
            when = parse_time(text)
            bad = message("{file} holds no time: found {found}.", file=TIMESTAMP, found=repr(text[:60]))
            times[found["origin"]] = (when, () if when else (bad,))
    return partial(parse_name, times=times)


def parse_name(name: str, times: dict[str, tuple[datetime | None, tuple[Message, ...]]]) -> Owner | None:
    """The owner of the entry ``name``, or None when nbgrader would not have it there."""
    found = _NAME.fullmatch(name)
    if found is None:
        # A student's folder without an assignment's in it, or a file that lies astray: nobody's submission.
        return Owner("", "", name, about=True) if name.startswith(f"{STEP}/") and name.endswith("/") else None
    when, notes = times.get(found["origin"], (None, ()))
    return Owner(
        name=found["student"],
        rest=found["rest"],
        origin=found["origin"],
        key=found["student"],
        submitted_at=when,
        username=found["student"],
        about=found["rest"] in _OWN_FILES,
        notes=notes,
    )


def parse_time(text: str) -> datetime | None:
    """``2015-02-02 14:58:23.948203 America/Los_Angeles``; in UTC where no zone is named, None where it is no time, or
    none at which homework is handed in.
    """
    found = _TIME.fullmatch(text)
    when = _moment(*found.groups()) if found is not None else None
    return when if when is not None and is_plausible(when) else None


def _moment(day: str, clock: str, fraction: str | None, zone: str) -> datetime | None:
    try:
        when = datetime.fromisoformat(f"{day}T{clock}{fraction or ''}")
        if re.fullmatch(r"Z|[-+]\d\d:?\d\d", zone):
            return datetime.fromisoformat(when.isoformat() + zone)
        return when.replace(tzinfo=ZoneInfo(zone) if zone not in ("", "UTC") else UTC)
    except (ValueError, OSError, LookupError):  # no such day, or no such zone
        return None
