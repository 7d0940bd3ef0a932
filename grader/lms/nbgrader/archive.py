"""nbgrader's course folder: ``submitted/{student}/{assignment}/{notebook}.ipynb`` with ``timestamp.txt`` beside it.

The teacher gives the course folder, its ``submitted`` folder, or an archive of either. All notebooks of a student
belong to one submission.
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
    """Return the submissions of ``assignment`` in a course folder, below ``submitted/``; any other content unchanged.

    Raise ``IntakeError`` if there are none, or if there are several assignments and ``assignment`` is empty.
    """
    prefix = _submitted_prefix(content)
    if prefix is None:
        return content
    inside = _below(content, prefix)
    found_ids = sorted({found["assignment"] for name in _names(inside) if (found := _NAME.fullmatch(name))})
    if not found_ids or (len(found_ids) == 1 and not assignment):
        return inside
    if assignment not in found_ids:
        raise IntakeError(_no_choice(content.name, assignment, found_ids))
    return _only_assignment(inside, assignment)


def _submitted_prefix(content: Archive) -> str | None:
    """Return the names' part before ``{student}/{assignment}/``; None if it is no course folder of nbgrader.

    A single student's folder called ``submitted`` is no sign of a course folder: students choose these names.
    """
    names = [entry.name for entry in content.entries]
    tops = {name.split("/")[0] for name in names}
    for around in ("", *(f"{top}/" for top in tops if len(tops) == 1)):
        prefix = f"{around}{STEP}/"
        if not any(name.startswith(prefix) and len(_parts_after(name, prefix)) >= 3 for name in names):
            continue
        alone = not around and tops == {STEP}
        if alone or _is_stamped(names, prefix) or any(name.startswith(_course_files(around)) for name in names):
            return prefix
    deep = all(len(name.split("/")) >= 3 for name in names)
    return "" if names and deep and (PurePosixPath(content.name).stem == STEP or _is_stamped(names, "")) else None


def _parts_after(name: str, prefix: str) -> list[str]:
    return name.removeprefix(prefix).split("/")


def _course_files(around: str) -> tuple[str, ...]:
    """Return files and folders that a teacher's course has beside ``submitted``."""
    return tuple(f"{around}{name}" for name in ("gradebook.db", "nbgrader_config.py", "source/", "release/"))


def _is_stamped(names: Sequence[str], prefix: str) -> bool:
    """Return whether at least half of the submissions have nbgrader's ``timestamp.txt``."""
    parts = [_parts_after(name, prefix) for name in names if name.startswith(prefix)]
    handed_in = {tuple(part[:2]) for part in parts if len(part) >= 3}
    stamped = {tuple(part[:2]) for part in parts if part[2:] == [TIMESTAMP]}
    return bool(stamped) and 2 * len(stamped) >= len(handed_in)


def _names(content: Archive) -> Iterable[str]:
    entries, refused = content.entries, content.refused
    return [*(entry.name for entry in entries), *(item.name for item in refused), *content.skipped]


def _below(content: Archive, prefix: str) -> Archive:
    """Return the part below ``prefix``, with names that begin with ``submitted/``."""

    def renamed(name: str) -> str:
        return f"{STEP}/{name.removeprefix(prefix)}"

    return replace(
        content,
        entries=tuple(
            replace(entry, name=renamed(entry.name)) for entry in content.entries if entry.name.startswith(prefix)
        ),
        # Paths out of the archive are not below ``prefix``, but a teacher should see them.
        refused=tuple(
            replace(item, name=renamed(item.name)) if item.name.startswith(prefix) else item for item in content.refused
        ),
        skipped=tuple(renamed(name) for name in content.skipped if name.startswith(prefix)),
    )


def _only_assignment(content: Archive, assignment: str) -> Archive:
    def wanted(name: str) -> bool:
        found = _NAME.fullmatch(name)
        return found is None or found["assignment"] == assignment

    return replace(
        content,
        entries=tuple(entry for entry in content.entries if wanted(entry.name)),
        refused=tuple(item for item in content.refused if wanted(item.name)),
        skipped=tuple(name for name in content.skipped if wanted(name)),
    )


def _no_choice(path: str, assignment: str, there: list[str]) -> Message:
    if assignment:
        return message(
            "{path} contains no submissions for {assignment}; there are submissions for {there}.",
            path=path, assignment=assignment, there=join_list(there),
        )  # fmt: skip
    return message(
        "{path} contains several assignments: {there}; expected one. Grade with the course's own assignment, such as "
        "source/{first}, or give a folder with one assignment only.",
        path=path, there=join_list(there), first=there[0],
    )  # fmt: skip


# ---------------------------------------------------------------- owners


def naming(content: Archive) -> Naming:
    """Return the naming of ``content``, with the times in the files ``timestamp.txt``."""
    times: dict[str, tuple[datetime | None, tuple[Message, ...]]] = {}
    for entry in content.entries:
        found = _NAME.fullmatch(entry.name)
        if found and found["rest"] == TIMESTAMP:
            text = entry.head(_TIMESTAMP_BYTES).decode("utf-8", "replace").strip()
            when = parse_time(text)
            bad = message("{file} contains no time: found {found}.", file=TIMESTAMP, found=repr(text[:60]))
            times[found["origin"]] = (when, () if when else (bad,))
    return partial(parse_name, times=times)


def parse_name(name: str, times: dict[str, tuple[datetime | None, tuple[Message, ...]]]) -> Owner | None:
    """Return the owner of the entry ``name``, or None if nbgrader has no such entry."""
    found = _NAME.fullmatch(name)
    if found is None:
        # A student's folder without an assignment is no submission.
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
    """Parse ``2015-02-02 14:58:23.948203 America/Los_Angeles``; without a zone the time is in UTC.

    Return None if it is no time, or not a plausible one.
    """
    found = _TIME.fullmatch(text)
    when = _to_datetime(*found.groups()) if found is not None else None
    return when if when is not None and is_plausible(when) else None


def _to_datetime(day: str, clock: str, fraction: str | None, zone: str) -> datetime | None:
    try:
        when = datetime.fromisoformat(f"{day}T{clock}{fraction or ''}")
        if re.fullmatch(r"Z|[-+]\d\d:?\d\d", zone):
            return datetime.fromisoformat(when.isoformat() + zone)
        return when.replace(tzinfo=ZoneInfo(zone) if zone not in ("", "UTC") else UTC)
    except (ValueError, OSError, LookupError):  # no such day, or no such zone
        return None
