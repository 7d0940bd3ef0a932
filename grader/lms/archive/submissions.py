"""From what the teacher points at to one ``Submission`` per student; no file is dropped without a word."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from grader.i18n.message import Message, message
from grader.lms.archive import lms_detection
from grader.lms.archive.download_opener import read_download, together
from grader.lms.archive.lms_detection import LMS, is_class
from grader.lms.archive.notebook_selection import submission
from grader.lms.archive.student_files import HandedIn
from grader.lms.archive.student_grouping import Given, Who, by_student, merge, tell_apart
from grader.lms.archive.student_identity import Identified, identify
from grader.lms.identity import folded, unique_id
from grader.lms.roster.class_list import Roster
from grader.lms.roster.roster_matching import named
from grader.lms.systems import SYSTEMS
from grader.models.assignment import Assignment
from grader.models.errors import IntakeError, OutputError
from grader.models.intake import Intake, Received, Source
from grader.models.submission import Student, Submission


def read_submissions(
    paths: Sequence[Path],
    *,
    lms: str = "auto",
    workspace: Path,
    assignment: Assignment | None = None,
    roster: Roster | None = None,
) -> Intake:
    """What each student handed in, in the order of the archives and folders at ``paths``, with all that was decided.

    ``lms`` is one of ``LMS``; "auto" tells by how more than half of the entries are named. Archives are unpacked into
    a new folder under ``workspace``. Where the ``assignment`` asks for pictures of the students' own, archives beside
    a notebook are unpacked as well, and a notebook given by its path comes with the pictures and PDFs that lie beside
    it; of a course's tree that holds several assignments, the one of its id is taken. With a ``roster`` each gets the
    name, number and address of the list, as far as it is certain who it is.
    Raises ``IntakeError`` when a path gives no submission, ``OutputError`` when ``workspace`` cannot be written.
    """
    if lms not in LMS:
        raise IntakeError(
            message("LMS {found} is not known; expected one of {known}.", found=lms, known=", ".join(LMS))
        )
    try:
        workspace.mkdir(parents=True, exist_ok=True)
        room = Path(tempfile.mkdtemp(prefix="intake-", dir=workspace))
    except OSError as error:
        raise OutputError(
            message("{path} cannot be written: {reason}.", path=workspace, reason=str(error.strerror))
        ) from error
    students: dict[Who, HandedIn] = {}
    sources: list[Source] = []
    pictures = assignment.pictures if assignment is not None else None
    # Only a course's own assignment is called in its tree as it is called here.
    wanted = assignment.id if assignment is not None and assignment.course is not None else ""
    downloads = together(paths)
    for number, parts in enumerate(downloads):
        content = read_download(parts, room / f"{number:03d}", partial(is_class, lms=lms), pictures)
        given = lms_detection.named(parts[0], content, lms, wanted)
        found, loose = by_student(given, number)
        if not found:
            raise IntakeError(_nothing_found(given))
        for who, handed in found.items():
            merge(students, who, handed)
        sources.append(Source(", ".join(map(str, parts)), given.lms, given.why, tuple(loose)))
    tell_apart(students, [parts[0] for parts in downloads])
    identified, absent = identify(list(students.values()), roster)
    received = _received(identified, room, assignment)
    titles = {system.name: system.title for system in SYSTEMS}
    return Intake(tuple(received), tuple(sources), absent, () if roster is None else roster.doubts, titles)


def _received(students: Sequence[Identified], room: Path, assignment: Assignment | None) -> Iterator[Received]:
    taken: set[str] = set()
    with_pictures = assignment is not None and assignment.pictures is not None
    course = assignment.course if assignment is not None else None
    for number, one in enumerate(students):
        handed, owner = one.handed, one.handed.owner
        name = owner.name.strip() or owner.origin
        student = Student("", name, owner.key, owner.email, owner.username)
        if one.person is not None:
            student = named(student, one.person)
        wanted = (one.person.number if one.person else "") or owner.key or owner.name
        student = replace(student, id=unique_id(wanted, taken))
        taken.add(folded(student.id))
        made = submission(student, handed, room / f"nested-{number:05d}", with_pictures=with_pictures, course=course)
        if made.submitted_at is None and one.submitted is not None:
            made = replace(made, submitted_at=one.submitted)
        yield Received(made, tuple(handed.filed), _doubts(made, handed), one.how)


def _doubts(made: Submission, handed: HandedIn) -> tuple[Message, ...]:
    problem = () if made.problem is None else (made.problem,)
    said = [note for note in made.notes if note in handed.doubts or note not in handed.notes]
    others = [doubt for doubt in handed.doubts if doubt not in made.notes]
    return (*problem, *others, *said)  # Messages have no hash, and each is said once


def _nothing_found(source: Given) -> Message:
    count = len(source.content.entries)
    if not count:
        return message("{path} holds no submission: it is empty.", path=source.path)
    return message(
        "{path} holds no submission: none of its {count} files is a notebook, for example {name}.",
        path=source.path, count=count, name=source.content.entries[0].name,
    )  # fmt: skip
