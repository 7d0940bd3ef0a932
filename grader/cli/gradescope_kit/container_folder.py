"""Read the submission that Gradescope puts into an autograder's container, and its student.

https://gradescope-autograders.readthedocs.io/en/latest/submission_metadata/
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from grader.lms import folder
from grader.lms.archive.notebook_selection import build_submission
from grader.lms.archive.student_files import StudentFile, StudentUpload
from grader.lms.gradescope.archive import owner_of
from grader.lms.gradescope.metadata import parse_time, submitter
from grader.models.submission import Student, Submission

METADATA = "submission_metadata.json"
_MAX_BYTES = 64 * 2**20  # it holds the results of all earlier submissions


def read_container(root: Path, workspace: Path, *, with_pictures: bool) -> Submission:
    """Return all files below ``root/submission`` as one submission; archives are unpacked into ``workspace``.

    Fields of the student that the metadata lacks stay empty: Gradescope itself knows the student.
    """
    content = folder.scan(root / "submission")
    metadata = _metadata(root / METADATA)
    users = metadata.get("users")
    people = [_submitter(user) for user in users if isinstance(user, dict)] if isinstance(users, list) else []
    owner = owner_of(f"submission_{_text(metadata.get('id'))}", people, parse_time(_text(metadata.get("created_at"))))
    upload = StudentUpload(
        owner,
        "gradescope",
        files=[StudentFile(entry.name, entry, source=0, listed=entry.name) for entry in content.entries],
        refused=list(content.refused),
    )
    student = Student("submission", owner.name, owner.key, owner.email, owner.username)
    return build_submission(student, upload, workspace, with_pictures=with_pictures)


def _metadata(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_bytes()) if path.stat().st_size <= _MAX_BYTES else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _submitter(user: dict[str, Any]) -> Student:
    return submitter(_text(user.get("name")), _text(user.get("sid")), _text(user.get("email")))


def _text(value: object) -> str:
    return str(value)[:500] if isinstance(value, str | int) else ""
