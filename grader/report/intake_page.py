"""Write ``intake.html``: every decision of the intake, doubtful ones first, before anything is graded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.files.atomic import write_text
from grader.grading.lateness.rules import assess_lateness
from grader.i18n.catalogue import Translation, translation
from grader.i18n.message import Message, message
from grader.models.assignment import Assignment
from grader.models.intake import INTAKE_PAGE, FileDecision, FileStatus, Intake, IntakeRecord
from grader.models.lateness import Lateness
from grader.report.pages import MessageGroup, environment, group_messages

_NAMES_SHOWN = 60  # file names per student and status

STATUS_HEADINGS = {
    FileStatus.NOTEBOOK: message("The notebook that is graded"),
    FileStatus.LEFT_OUT: message("Other notebooks, not graded"),
    FileStatus.BESIDE: message("Other files, kept beside it"),
    FileStatus.NOT_BESIDE: message("Other files that cannot lie beside a notebook"),
    FileStatus.UNPACKED: message("Unpacked"),
    FileStatus.FOR_ALL: message("For the whole class"),
    FileStatus.UNUSED: message("Nobody's, not used"),
    FileStatus.REFUSED: message("Refused"),
    FileStatus.SKIPPED: message("Folders, and what computers leave behind"),
}


@dataclass(frozen=True, slots=True)
class _Files:
    """Files with one status; ``more`` of them are not named."""

    status: FileStatus
    heading: Message
    shown: tuple[FileDecision, ...]
    more: int


@dataclass(frozen=True, slots=True)
class _Row:
    anchor: str
    record: IntakeRecord
    files: tuple[_Files, ...]
    late: Lateness | None


def write_intake_page(intake: Intake, assignment: Assignment, *, language: str, out: Path) -> Path:
    """Write ``out/intake.html`` and return its path; raises ``OutputError``."""
    path = out / INTAKE_PAGE
    rows = [_row(number, record, assignment) for number, record in enumerate(intake.records, 1)]
    page = (
        environment(language)
        .get_template("intake.html")
        .render(
            assignment=assignment,
            intake=intake,
            rows=sorted(rows, key=lambda row: row.record.submission.student.name.casefold()),
            doubts=_doubts(rows, translation(language)),
            sources=[(source, _by_status(source.files)) for source in intake.sources],
            files=len(intake.files),
        )
    )
    write_text(path, page)
    return path


def _row(number: int, record: IntakeRecord, assignment: Assignment) -> _Row:
    late = None if assignment.late is None else assess_lateness(assignment.late, record.submission, None)
    return _Row(f"submission-{number}", record, _by_status(record.files), late)


def _by_status(files: Sequence[FileDecision]) -> tuple[_Files, ...]:
    found: dict[FileStatus, list[FileDecision]] = {}
    for file in files:
        found.setdefault(file.status, []).append(file)
    return tuple(
        _Files(status, heading, tuple(found[status][:_NAMES_SHOWN]), max(0, len(found[status]) - _NAMES_SHOWN))
        for status, heading in STATUS_HEADINGS.items()
        if status in found
    )


def _doubts(rows: Sequence[_Row], language: Translation) -> list[MessageGroup[_Row]]:
    """Group the submissions by doubt, rare doubts first: a doubt that all submissions share is rarely a problem."""
    found = [(row, doubt) for row in rows for doubt in row.record.doubts]
    return sorted(group_messages(found, language), key=lambda group: len(group.entries))
