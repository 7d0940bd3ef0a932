"""Feedback for Moodle: the comment in the worksheet, and the zip for "Upload multiple feedback files in a zip".

Moodle cuts the name of a zip's entry at ``_`` and goes by the second part, the participant's number. Versions that know
the ids of groups (those that ``archive`` finds) give a group's file to all of its members.
"""

from __future__ import annotations

import html
import re
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

from grader.files.atomic import atomic_file
from grader.files.csv_sheet import format_number
from grader.grading.results import Result
from grader.i18n.catalogue import LANGUAGES, Translation, translation
from grader.i18n.message import message
from grader.lms.identity import Owner
from grader.lms.moodle import archive

FILE = "feedback.zip"
_TIME = (1980, 1, 1, 0, 0, 0)  # the same reports make the same archive
_MODE = 0o644 << 16
_BREAK = "<br>"
_POINTS = r"(?:[0-9]+(?:\.[0-9]+)?|–)"
_LINE = re.compile(rf"[^<>]+: {_POINTS} / {_POINTS}")


# ---------------------------------------------------------------- comments


def feedback_comment(result: Result, language: Translation) -> str:
    """Return the total and a line for each criterion, as HTML, the format of Moodle's comments."""
    total = message("Total: {points} / {max}", points=_points(result.total), max=_points(result.max))
    named = [(language.title(criterion.title) or criterion.id, criterion) for criterion in result.criteria]
    criteria = [f"{html.escape(name)}: {_points(found.points)} / {_points(found.max)}" for name, found in named]
    return _BREAK.join([html.escape(language.say(total)), *criteria])


def is_generated_comment(text: str) -> bool:
    """Check whether ``text`` is an earlier comment by the grader that no person has changed."""
    first, *others = re.split(r"<br\s*/?>", text)
    return any(pattern.fullmatch(first) for pattern in _totals()) and all(_LINE.fullmatch(line) for line in others)


def _totals() -> list[re.Pattern[str]]:
    gap = "\0"
    total = message("Total: {points} / {max}", points=gap, max=gap)
    texts = [html.escape(translation(language).say(total)) for language in LANGUAGES]
    return [re.compile(re.escape(text).replace(re.escape(gap), _POINTS)) for text in texts]


def _points(points: float | None) -> str:
    return "–" if points is None else format_number(points, decimal_comma=False)


# ---------------------------------------------------------------- reports


def archive_owner(result: Result) -> Owner | None:
    """Return the owner that Moodle's archive names for a result, or None if its report cannot be returned."""
    owner = archive.parse_name(f"{result.origin}/") if result.lms == "moodle" else None
    return owner if owner is not None and owner.key else None


def entry_name(result: Result) -> str:
    """Return the report's name in the zip, in the form of the submissions' archive: in a folder, or without."""
    # A "_" that was added by hand would move the number to another place.
    name, mark, rest = result.origin.rpartition("_assignsubmission_")
    person, _, number = name.rpartition("_")
    # Moodle skips a file whose name begins with these characters, but not a folder.
    flat = result.entry.startswith(f"{result.origin}_") and not person.startswith((".", "~"))
    return f"{person.replace('_', ' ')}_{number}{mark}{rest}{'_' if flat else '/'}{result.report.name}"


def write_feedback(results: Iterable[Result], path: Path) -> None:
    """Write the zip of reports; raises ``OutputError`` if ``path`` cannot be written or a report cannot be read."""
    with atomic_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for result in results:
            info = zipfile.ZipInfo(entry_name(result), _TIME)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, _MODE
            with result.report.open("rb") as report, packed.open(info, "w") as entry:
                shutil.copyfileobj(report, entry)
