"""Find assignments: by id, by folder, or by the notebook that a student wrote for one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nbformat import NotebookNode

from grader.data.public_sets.definitions import SETS
from grader.i18n.message import message
from grader.models.assignment import Assignment
from grader.models.errors import AssignmentError, IntakeError
from grader.notebook import parse
from grader.spec.formats.course_format import load_course
from grader.spec.listing import FILE_NAME, assignment_folders
from grader.spec.loader import load_assignment


def by_name(name: str) -> Assignment:
    """Load an assignment by its id, or by a folder with an ``assignment.toml`` or nbgrader or otter notebooks.

    Raises ``AssignmentError``, also for an id that is the name of such a folder here: the folder may be a student's,
    and an assignment's generator is run.
    """
    folder, known = Path(name), assignment_folders()
    has_file = (folder / FILE_NAME).exists()
    course = load_course(folder) if folder.is_dir() and not has_file else None
    if (has_file or course is not None) and name in known and not known[name].samefile(folder):
        problem = message(
            "{name} is an assignment of the grader, and a folder here has the same name. Write {folder} for the "
            "folder, or start the grader in another folder.",
            name=name,
            folder=f"./{name}",
        )
        raise AssignmentError([problem])
    if has_file:
        return load_assignment(folder)
    if course is not None:
        return course
    if name not in known:
        if folder.is_file():
            problem = message("{path}: expected a folder; unpack the archive and give its folder", path=folder)
            raise AssignmentError([problem])
        problem = message(
            "{name}: no such assignment; expected one of {names}, or a folder with an {file}",
            name=name,
            names=", ".join(known),
            file=FILE_NAME,
        )
        raise AssignmentError([problem])
    return load_assignment(known[name])


def by_notebook(path: Path) -> Assignment:
    """Return the bundled assignment that a notebook is for; raise ``IntakeError`` unless exactly one fits."""
    if not path.is_file():
        raise IntakeError(message("{path}: file not found", path=path))
    loaded = [load_assignment(folder) for folder in assignment_folders().values()]
    notebook = parse.parse(path.read_bytes()).notebook
    candidates = recognise(notebook, loaded) if notebook is not None else []
    if len(candidates) != 1:
        ids = ", ".join(assignment.id for assignment in candidates or loaded)
        raise IntakeError(
            message(
                "{path}: cannot tell which assignment this is for; say --assignment, one of {ids}", path=path, ids=ids
            )
        )
    return candidates[0]


def recognise(notebook: NotebookNode, assignments: Iterable[Assignment]) -> list[Assignment]:
    """Return the assignments that a notebook may be for.

    That is the one named in its metadata by the starter notebook, else those whose data its code mentions.
    """
    assignments = list(assignments)
    note = notebook.metadata.get("grader")
    named = note.get("assignment") if isinstance(note, dict) else None
    same_id = [assignment for assignment in assignments if assignment.id == named]
    if same_id:
        return same_id
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return [assignment for assignment in assignments if _mentions_data(code, assignment)]


def _mentions_data(code: str, assignment: Assignment) -> bool:
    if assignment.public is not None:
        return SETS[assignment.public.set].in_code.search(code) is not None
    return assignment.data is not None and any(path.name in code for path in assignment.data.files)
