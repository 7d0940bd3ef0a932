"""``intake.html``: every decision taken on the way in, what is in doubt first, before anything is graded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.files.atomic import write_text
from grader.grading.lateness import rules
from grader.i18n.catalogue import Translation, translation
from grader.i18n.message import Message, message
from grader.models.assignment import Assignment
from grader.models.intake import INTAKE_PAGE, Fate, Filed, Intake, Received, files_of
from grader.models.lateness import Lateness
from grader.report.pages import environment

_NAMES_SHOWN = 60  # of one fate, for one student

FATES = {
    Fate.NOTEBOOK: message("The notebook that is graded"),
    Fate.LEFT_OUT: message("Other notebooks, not graded"),
    Fate.BESIDE: message("Other files, kept beside it"),
    Fate.NOT_BESIDE: message("Other files that cannot lie beside a notebook"),
    Fate.UNPACKED: message("Unpacked"),
    Fate.FOR_ALL: message("For the whole class"),
    Fate.UNUSED: message("Nobody's, not used"),
    Fate.REFUSED: message("Refused"),
    Fate.SKIPPED: message("Folders, and what computers leave behind"),
}


@dataclass(frozen=True, slots=True)
class _Files:
    """Those with one fate; ``more`` are not named."""

    fate: Fate
    heading: Message
    shown: tuple[Filed, ...]
    more: int


@dataclass(frozen=True, slots=True)
class _Row:
    anchor: str
    received: Received
    files: tuple[_Files, ...]
    late: Lateness | None


@dataclass(frozen=True, slots=True)
class _Doubt:
    """Submissions to look at for one reason, each with its own sentence where they differ."""

    heading: str
    rows: tuple[tuple[_Row, str], ...]


def write_intake_page(intake: Intake, assignment: Assignment, *, language: str, out: Path) -> Path:
    """Write ``out/intake.html`` and return its path; raises ``OutputError``."""
    path = out / INTAKE_PAGE
    rows = [_row(number, one, assignment) for number, one in enumerate(intake.received, 1)]
    page = (
        environment(language)
        .get_template("intake.html")
        .render(
            assignment=assignment,
            intake=intake,
            rows=sorted(rows, key=lambda row: row.received.submission.student.name.casefold()),
            doubts=_doubts(rows, translation(language)),
            sources=[(source, _by_fate(source.files)) for source in intake.sources],
            files=len(files_of(intake)),
        )
    )
    write_text(path, page)
    return path


def _row(number: int, one: Received, assignment: Assignment) -> _Row:
    handed = one.submission
    late = None
    if assignment.late is not None and handed.notebook is not None:
        late = rules.judged(assignment.late, handed.extension, handed.submitted_at, handed.late, None)
    return _Row(f"submission-{number}", one, _by_fate(one.files), late)


def _by_fate(files: Sequence[Filed]) -> tuple[_Files, ...]:
    found: dict[Fate, list[Filed]] = {}
    for one in files:
        found.setdefault(one.fate, []).append(one)
    return tuple(
        _Files(fate, heading, tuple(found[fate][:_NAMES_SHOWN]), max(0, len(found[fate]) - _NAMES_SHOWN))
        for fate, heading in FATES.items()
        if fate in found
    )


def _doubts(rows: Sequence[_Row], language: Translation) -> list[_Doubt]:
    """By the kind of doubt, the rare before the frequent: what everybody has is seldom what is wrong."""
    found: dict[str, list[tuple[_Row, Message]]] = {}
    for row in rows:
        for doubt in row.received.doubts:
            found.setdefault(doubt.template, []).append((row, doubt))
    groups = []
    for those in sorted(found.values(), key=len):
        heading = language.outline([doubt for _row, doubt in those])
        said = [(row, language.say(doubt)) for row, doubt in those]
        groups.append(_Doubt(heading, tuple((row, "" if text == heading else text) for row, text in said)))
    return groups
