"""The zip for "Upload multiple feedback files in a zip": each report under the name that its submission came with.

Moodle cuts an entry's name at ``_`` and goes by the second part, the participant's number; since it took up groups'
ids (the ones that ``archive`` finds), a group's file goes to all of its members.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

from grader.files.atomic import atomic_file
from grader.grading.results import Result
from grader.lms.identity import Owner
from grader.lms.moodle import archive

FILE = "feedback.zip"
_TIME = (1980, 1, 1, 0, 0, 0)  # the same reports make the same archive
_MODE = 0o644 << 16


def owner(result: Result) -> Owner | None:
    """Whose the result's entries in Moodle's archive were; None where no report finds its way back."""
    found = archive.parse_name(f"{result.origin}/") if result.lms == "moodle" else None
    return found if found is not None and found.key else None


def entry_name(result: Result) -> str:
    """In the form of the archive that the submission came in: a folder of its own, or all in one."""
    # What Moodle's own archive cannot have in a name would move the number to another place.
    name, mark, rest = result.origin.rpartition("_assignsubmission_")
    person, _, number = name.rpartition("_")
    # A file whose name begins so is passed over; a folder is not.
    flat = result.entry.startswith(f"{result.origin}_") and not person.startswith((".", "~"))
    return f"{person.replace('_', ' ')}_{number}{mark}{rest}{'_' if flat else '/'}{result.report.name}"


def write_feedback(results: Iterable[Result], path: Path) -> None:
    """Raises ``OutputError`` when ``path`` cannot be written or a report cannot be read."""
    with atomic_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for result in results:
            info = zipfile.ZipInfo(entry_name(result), _TIME)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, _MODE
            with result.report.open("rb") as report, packed.open(info, "w") as entry:
                shutil.copyfileobj(report, entry)
