"""The bundled class: what was handed in for one assignment, packed as Moodle packs it."""

from __future__ import annotations

import tomllib
import zipfile
from pathlib import Path

import jupytext
import nbformat

from grader.errors import IntakeError

SAMPLES, CLASS_LIST = "samples", "class.toml"
# What Moodle's clean_filename leaves out of a name.
NOT_IN_MOODLE_NAMES = str.maketrans("", "", "&<>\"`|':\\/")


def write_demo_archive(assignment_folder: Path, archive: Path) -> Path:
    """Writes the class of ``samples/class.toml`` as one "Download all submissions" archive."""
    samples = assignment_folder / SAMPLES
    try:
        with (samples / CLASS_LIST).open("rb") as file:
            students = tomllib.load(file)["student"]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise IntakeError(f"{samples / CLASS_LIST}: the bundled class cannot be read: {error}") from error
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as moodle:
        for student in students:
            name = student["name"].translate(NOT_IN_MOODLE_NAMES)
            folder = f"{name}_{student['id']}_assignsubmission_file"
            moodle.writestr(f"{folder}/{student['handed_in_as']}", _handed_in(samples / student["file"]))
            for attachment in student.get("attachments", []):
                moodle.writestr(f"{folder}/{Path(attachment).name}", (samples / attachment).read_bytes())
    return archive


def _handed_in(path: Path) -> bytes:
    """Notebooks are kept as readable ``.py`` sources; everything else goes in as it is."""
    if path.suffix != ".py":
        return path.read_bytes()
    text: str = nbformat.writes(jupytext.read(path, fmt="py:percent"))
    return text.encode()
