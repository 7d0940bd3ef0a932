"""The bundled class: the submissions for one assignment, packed as Moodle packs them."""

from __future__ import annotations

import tomllib
import zipfile
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from grader.files.csv_export import csv_text
from grader.i18n.message import message
from grader.models.errors import IntakeError

WORKSHEET = (
    "Identifier", "Full name", "Status", "Grade", "Maximum grade", "Grade can be changed",
    "Last modified (submission)", "Last modified (grade)", "Feedback comments",
)  # fmt: skip
SAMPLES, CLASS_LIST = "samples", "class.toml"
# The characters that Moodle's clean_filename removes from a name.
NOT_IN_MOODLE_NAMES = str.maketrans("", "", "&<>\"`|':\\/")


def write_demo_archive(assignment_folder: Path, archive: Path) -> Path:
    """Write the class of ``samples/class.toml`` as one "Download all submissions" archive."""
    samples = assignment_folder / SAMPLES
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as moodle:
        for student in _students(samples):
            name = student["name"].translate(NOT_IN_MOODLE_NAMES)
            folder = f"{name}_{student['id']}_assignsubmission_file"
            moodle.writestr(f"{folder}/{student['handed_in_as']}", _submitted_bytes(samples / student["file"]))
            for attachment in student.get("attachments", []):
                moodle.writestr(f"{folder}/{Path(attachment).name}", (samples / attachment).read_bytes())
    return archive


def write_demo_worksheet(assignment_folder: Path, worksheet: Path) -> Path:
    """Write the same class as one "Download grading worksheet" CSV, with a student who submitted nothing."""
    absent = {"name": "吳小安", "id": "20199"}
    rows = [
        (f"Participant {student['id']}", student["name"], "Submitted for grading", "", "100.00", "Yes", "-", "-", "")
        for student in (*_students(assignment_folder / SAMPLES), absent)
    ]
    worksheet.parent.mkdir(parents=True, exist_ok=True)
    worksheet.write_bytes(csv_text([WORKSHEET, *rows]).encode())
    return worksheet


def _students(samples: Path) -> list[dict[str, Any]]:
    try:
        with (samples / CLASS_LIST).open("rb") as file:
            students: list[dict[str, Any]] = tomllib.load(file)["student"]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise IntakeError(
            message("{path}: the bundled class cannot be read: {error}", path=samples / CLASS_LIST, error=error)
        ) from error
    return students


def _submitted_bytes(path: Path) -> bytes:
    """Return the bytes of a submitted file. Notebooks are kept as readable ``.py`` sources; other files are copied."""
    if path.suffix != ".py":
        return path.read_bytes()
    text: str = nbformat.writes(jupytext.read(path, fmt="py:percent"))
    return text.encode()
