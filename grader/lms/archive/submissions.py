"""Read what the teacher downloaded into one ``Submission`` per student, and match the students to the class list."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from grader.grading.lateness import datetimes
from grader.i18n.message import Message, message
from grader.lms.archive.download_opener import group_download_parts, read_download
from grader.lms.archive.lms_detection import LMS, DetectedSource, detect_lms, is_class_download
from grader.lms.archive.notebook_selection import build_submission
from grader.lms.archive.student_files import StudentUpload
from grader.lms.archive.student_grouping import StudentKey, group_by_student, rename_after_paths
from grader.lms.folder import is_notebook
from grader.lms.identity import fold_case, spellings, unique_id
from grader.lms.roster.class_list import Roster
from grader.lms.roster.roster_matching import (
    RosterIndex,
    RosterMatch,
    group_members,
    match_all,
    person_as_student,
    with_person,
)
from grader.lms.systems import SYSTEMS
from grader.models.assignment import Assignment
from grader.models.errors import IntakeError, OutputError
from grader.models.intake import Intake, IntakeRecord, IntakeSource
from grader.models.submission import Student, Submission


def read_submissions(
    paths: Sequence[Path],
    *,
    lms: str = "auto",
    workspace: Path,
    assignment: Assignment | None = None,
    roster: Roster | None = None,
) -> Intake:
    """Return the submission of each student, in the order of the archives and folders, with every decision taken.

    ``lms`` is one of ``LMS``; "auto" detects it by the names of more than half of the entries. Archives are unpacked
    into a new folder under ``workspace``. If the ``assignment`` asks for the students' own pictures, archives beside a
    notebook are unpacked as well, and a notebook given by its path is read together with the pictures and PDFs beside
    it. Of a course folder with several assignments, the one with the id of ``assignment`` is read. With a ``roster``,
    students get their names, numbers and addresses from it, if the match is certain.
    Raise ``IntakeError`` if a path contains no submission, ``OutputError`` if ``workspace`` cannot be written.
    """
    if lms not in LMS:
        raise IntakeError(
            message("LMS {found} is not known; expected one of {known}.", found=lms, known=", ".join(LMS))
        )
    room = _unpacking_folder(workspace)
    uploads: dict[StudentKey, StudentUpload] = {}
    sources: list[IntakeSource] = []
    doubts: list[Message] = [] if roster is None else [*roster.doubts]
    pictures = assignment.pictures if assignment is not None else None
    # Only an assignment of a course has the same id in the course's folder.
    assignment_id = assignment.id if assignment is not None and assignment.course is not None else ""
    downloads = group_download_parts(paths)
    given_in = Counter(path.absolute().parent for path in paths if is_notebook(path.name))
    if pictures is not None:
        doubts += [_beside_several(folder) for folder, count in given_in.items() if count > 1]
    for number, parts in enumerate(downloads):
        alone = given_in[parts[0].absolute().parent] <= 1
        is_class = partial(is_class_download, lms=lms)
        content = read_download(parts, room / f"{number:03d}", is_class, pictures, alone=alone)
        detected = detect_lms(parts[0], content, lms, assignment_id)
        grouped = group_by_student(detected, number)
        if not grouped.uploads:
            raise IntakeError(_no_submission(detected))
        doubts += grouped.doubts
        for key, upload in grouped.uploads.items():
            known = uploads.setdefault(key, upload)
            if known is not upload:  # several archives of one class
                known.merge(upload)
        sources.append(IntakeSource(", ".join(map(str, parts)), detected.lms, detected.reason, grouped.decisions))
    rename_after_paths(uploads, [parts[0] for parts in downloads])
    matched, absent = _match_to_roster(list(uploads.values()), roster)
    records = tuple(_records(matched, room, assignment))
    titles = {system.name: system.title for system in SYSTEMS}
    return Intake(records, tuple(sources), absent, tuple(doubts), titles)


def _beside_several(folder: Path) -> Message:
    return message(
        "{folder} holds several of the given notebooks, so the pictures and PDFs there were given to none of them. "
        "Give a folder for each group instead.",
        folder=folder,
    )


def _unpacking_folder(workspace: Path) -> Path:
    try:
        workspace.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="intake-", dir=workspace))
    except OSError as error:
        raise OutputError(
            message("{path} cannot be written: {reason}.", path=workspace, reason=str(error.strerror))
        ) from error


def _no_submission(source: DetectedSource) -> Message:
    count = len(source.content.entries)
    if not count:
        return message("{path} contains no submission: it is empty.", path=source.path)
    return message(
        "{path} contains no submission: none of its {count} files is a notebook, for example {name}.",
        path=source.path, count=count, name=source.content.entries[0].name,
    )  # fmt: skip


# ---------------------------------------------------------------- class list


def _match_to_roster(
    uploads: Sequence[StudentUpload], roster: Roster | None
) -> tuple[list[StudentUpload], tuple[Student, ...]]:
    """Return the uploads, one for each student of the list, and the students of whom there is none.

    Uploads that the LMS itself assigns to one student, in several archives, are merged. A student who may be the
    author of any upload is not absent.
    """
    if roster is None:
        return list(uploads), ()
    index = RosterIndex(roster.people)
    matches = match_all([upload.owner for upload in uploads], index)
    found: dict[object, StudentUpload] = {}
    for place, (upload, match) in enumerate(zip(uploads, matches, strict=True)):
        _apply_match(upload, match, index)
        known = found.setdefault(upload.person or place, upload)
        if known is not upload:
            known.merge(upload)
    # A student who puts another's name on a file must not make that student absent, which may lead to a zero.
    present = {person for match in matches for person in (*match.people, *match.maybe)}
    return list(found.values()), tuple(person_as_student(person) for person in index.people if person not in present)


def _apply_match(upload: StudentUpload, match: RosterMatch, index: RosterIndex) -> None:
    if match.doubt is not None:
        upload.doubts.append(match.doubt)
    group = group_members(upload.owner, match, index)
    upload.matched = match.matched
    upload.listed_time = _listed_time(upload, match)
    if group:
        upload.owner = replace(upload.owner, group=group)
    elif match.people:
        upload.person = match.people[0]


def _listed_time(upload: StudentUpload, match: RosterMatch) -> datetime | None:
    """Return the submission time on the list, of a group the latest.

    A list with another id for the same name is of another assignment: its times are not used.
    """
    key = upload.owner.key
    dated = [person for person in match.people if person.submitted is not None]
    # A group has its own id, which no row of the list has.
    same_name = [person for person in dated if spellings(person.name) & spellings(upload.owner.name)]
    if any(person.key and key and person.key != key for person in same_name):
        upload.doubts.append(
            message(
                "{name} has the id {own}, and another one on the list, which may be of another assignment. The "
                "submission time on the list was not used.",
                name=upload.owner.name, own=key,
            )
        )  # fmt: skip
        return None
    times = [person.submitted for person in dated if person.submitted is not None]
    return max(times, key=datetimes.earliest, default=None)


# ---------------------------------------------------------------- records


def _records(uploads: Sequence[StudentUpload], room: Path, assignment: Assignment | None) -> Iterator[IntakeRecord]:
    taken: set[str] = set()
    with_pictures = assignment is not None and assignment.pictures is not None
    course = assignment.course if assignment is not None else None
    for number, upload in enumerate(uploads):
        owner, person = upload.owner, upload.person
        student = Student("", owner.name.strip() or owner.origin, owner.key, owner.email, owner.username)
        if person is not None:
            student = with_person(student, person)
        student = replace(student, id=unique_id((person.number if person else "") or owner.key or owner.name, taken))
        taken.add(fold_case(student.id))
        nested = room / f"nested-{number:05d}"
        submission = build_submission(student, upload, nested, with_pictures=with_pictures, course=course)
        if submission.submitted_at is None and upload.listed_time is not None:
            submission = replace(submission, submitted_at=upload.listed_time)
        yield IntakeRecord(submission, tuple(upload.decisions), _doubts(submission, upload), upload.matched)


def _doubts(submission: Submission, upload: StudentUpload) -> tuple[Message, ...]:
    """Return the problem, the doubts that are no notes, and the notes to check; a message has no hash."""
    problem = () if submission.problem is None else (submission.problem,)
    notes = [note for note in submission.notes if note in upload.doubts or note not in upload.notes]
    others = [doubt for doubt in upload.doubts if doubt not in submission.notes]
    return (*problem, *others, *notes)
