"""Where each file that was written is uploaded, in the words on the LMS's own pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from grader.records import Message, message

# A list of grades can have several endings: only a zip is something else.
_GRADES, _ZIP = "grades", ".zip"
_PLACES: Mapping[tuple[str, str], Message] = {
    ("moodle", _GRADES): message("{file}: Moodle, the assignment › Submissions › Actions › Upload grading worksheet."),
    ("moodle", _ZIP): message(
        "{file}: Moodle, the assignment › Submissions › Actions › Upload multiple feedback files in a zip."
    ),
    ("canvas", _GRADES): message("{file}: Canvas, the course › Grades › Import."),
    ("canvas", _ZIP): message("{file}: Canvas, the assignment › Re-Upload Submissions."),
    ("blackboard", _GRADES): message("{file}: Blackboard, the Grade Centre › Work Offline › Upload."),
    ("gradescope", _GRADES): message("{file}: the totals by student; Gradescope itself takes results.json only."),
    ("gradescope", _ZIP): message("{file}: a results.json for each submission, as Gradescope's autograders write it."),
    ("csv", _GRADES): message("{file}: a line for each student, for a spreadsheet or an LMS that imports such lists."),
}
_SAID = 8  # files named one by one
_ELSE = message("{file}: for {lms}.")


def places(files: Sequence[Path], to: str, folder: Path) -> Iterator[Message]:
    """A sentence for each of ``files``, which were written below ``folder`` for the LMS ``to``."""
    for file in files[:_SAID]:
        place = _PLACES.get((to, _ZIP if file.suffix == _ZIP else _GRADES), _ELSE)
        yield Message(place.template, {"file": file.relative_to(folder).as_posix(), "lms": to})
    if len(files) > _SAID:
        yield message("… and {n} more files.", n=len(files) - _SAID)
