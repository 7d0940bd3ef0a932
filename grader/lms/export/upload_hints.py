"""Where each file that was written is uploaded, in the words on the LMS's own pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from grader.i18n.message import Message, message

_SAID = 8  # files named one by one
_PLACES = (
    (
        "grades-for-moodle*.csv",
        message("{file}: Moodle, the assignment › Submissions › Actions › Upload grading worksheet."),
    ),
    (
        "feedback*.zip",
        message("{file}: Moodle, the assignment › Submissions › Actions › Upload multiple feedback files in a zip."),
    ),
    ("canvas-gradebook*", message("{file}: Canvas, Grades › Import.")),
    ("canvas-feedback*.zip", message("{file}: Canvas, Grades › the assignment's menu › Re-Upload Submissions.")),
    ("blackboard-gradebook*", message("{file}: Blackboard, Grade Center › Work Offline › Upload.")),
    ("*-reports.zip", message("{file}: the reports, to look up or to hand out by yourself.")),
    (
        "gradescope-autograder.zip",
        message("{file}: Gradescope, Configure Autograder › Zip file upload."),
    ),
    (
        "gradebook.db",
        message("{file}: in the place of the course's own, for nbgrader's formgrader and nbgrader export."),
    ),
    ("autograded", message("{file}: into the course's folder, for the formgrader.")),
    ("feedback", message("{file}: into the course's folder, for nbgrader release_feedback.")),
)
_ELSE = message("{file}: a line for each student, to look up, to enter by hand, or for what imports such lists.")


def places(files: Sequence[Path], folder: Path) -> Iterator[Message]:
    """A sentence for each of ``files``, which were written below ``folder``."""
    for file in files[:_SAID]:
        place = next((place for pattern, place in _PLACES if fnmatchcase(file.name, pattern)), _ELSE)
        shown = file.relative_to(folder) if file.is_relative_to(folder) else file
        yield Message(place.template, {"file": shown.as_posix()})
    if len(files) > _SAID:
        yield message("… and {n} more files.", n=len(files) - _SAID)
