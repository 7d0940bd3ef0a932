"""The assignments at hand: found by id, by folder, or by the notebook that answers one."""

from __future__ import annotations

from pathlib import Path

from grader.models.assignment import Assignment
from grader.models.errors import AssignmentError, IntakeError
from grader.notebook import parse
from grader.spec.formats import format_registry
from grader.spec.listing import FILE_NAME, assignment_folders
from grader.spec.loader import load_assignment, recognise


def by_name(name: str) -> Assignment:
    """By a folder with an ``assignment.toml`` or a course's own notebooks, or by id. Raises AssignmentError."""
    if (Path(name) / FILE_NAME).exists():
        return load_assignment(Path(name))
    course = format_registry.load(Path(name)) if Path(name).is_dir() else None
    if course is not None:
        return course
    known = assignment_folders()
    if name not in known:
        raise AssignmentError(
            [f"{name}: no such assignment; there are {', '.join(known)}; a folder needs an {FILE_NAME} in it"]
        )
    return load_assignment(known[name])


def by_notebook(path: Path) -> Assignment:
    """The one assignment a notebook is for; raises IntakeError when that cannot be told."""
    if not path.is_file():
        raise IntakeError(f"{path}: there is no such file")
    loaded = [load_assignment(folder) for folder in assignment_folders().values()]
    parsed = parse.parse(path.read_bytes())
    candidates = recognise(parsed.notebook, loaded) if parsed.notebook is not None else []
    if len(candidates) != 1:
        ids = ", ".join(assignment.id for assignment in candidates or loaded)
        raise IntakeError(f"{path}: cannot tell which assignment this is for; say --assignment, one of {ids}")
    return candidates[0]
