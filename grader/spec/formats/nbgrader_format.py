"""Assignments in nbgrader's format: its cells' metadata, its hidden tests, its way of giving points."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from grader.i18n.message import Message, join_list, message
from grader.models.assignment import Assignment
from grader.models.course import Course, Test
from grader.models.errors import AssignmentError
from grader.notebook import parse
from grader.scoring.rubric.course_test import Tested
from grader.spec.formats import nbgrader_points
from grader.spec.formats.course_format import Prepared
from grader.spec.formats.nbgrader_cells import arranged, mark_of, match
from grader.spec.formats.nbgrader_source import GRADED, LOCKED, Kind, SourceCell, checksum, is_nbgraders, read_source

_IGNORED = ("__pycache__", "feedback", "gradebook.db")
_HIDDEN_LINES = "# Hidden tests stood here; they ran, and are not shown."
_TEACHERS, _OWN = "given", "own"  # how cell ids begin


# ---------------------------------------------------------------- the assignment


def load(folder: Path) -> Assignment | None:
    """The assignment in ``source/<assignment>`` or ``release/<assignment>``; None when nothing there is nbgrader's."""
    paths = sorted(path for path in folder.glob("*.ipynb") if not path.name.startswith("."))
    parsed = {path: parse.parse(path.read_bytes()).notebook for path in paths}
    if not any(node is not None and is_nbgraders(node) for node in parsed.values()):
        return None
    folder = folder.resolve()
    problems: list[str] = []
    rubric: list[Tested] = []
    for path in (folder / one.name for one in paths):
        cells, found = read_source(path)
        problems += [f"{path}: {problem}" for problem in found]
        rubric += [
            Tested(criterion(path.name, cell), cell.points, title={"en": f"{path.stem} · {cell.id}"})
            for cell in cells
            if cell.kind in GRADED
        ]
    if not problems and not rubric:
        problems.append(f"{folder}: no cell gives points; mark tests as such in nbgrader's Create Assignment toolbar")
    if problems:
        raise AssignmentError(problems)
    notebooks = {path.name: folder / path.name for path in paths}
    return Assignment(
        id=folder.name,
        version=_version(notebooks.values()),
        folder=folder,
        title={"en": folder.name},
        rubric=tuple(rubric),
        course=Course("nbgrader", notebooks, files=dict(_files(folder)), folder=folder.name),
    )


def criterion(name: str, cell: SourceCell) -> str:
    """``problem1/correct_squares``: a cell's id is its notebook's alone."""
    return f"{PurePosixPath(name).stem}/{cell.id}"


def _version(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.iterdir()):
        if not path.name.startswith(".") and path.name not in _IGNORED and path.suffix not in (".ipynb", ".pyc"):
            yield path.name, path


def _source(name: str, course: Course) -> tuple[SourceCell, ...]:
    """The teacher's cells; raises AssignmentError when the notebook was broken since it was loaded."""
    cells, problems = read_source(course.notebooks[name])
    if problems:
        raise AssignmentError([f"{course.notebooks[name]}: {problem}" for problem in problems])
    return cells


# ---------------------------------------------------------------- before the run


def prepared(handed_in: NotebookNode, name: str, course: Course) -> Prepared:
    """The teacher's locked cells as the teacher wrote them, in the teacher's order; the student's between them."""
    ours = _source(name, course)
    matched = match(handed_in.cells, ours)
    cells = []
    changed: list[str] = []
    for place, index in arranged(handed_in.cells, ours, matched):
        theirs = handed_in.cells[index] if index is not None else None
        if place is None:
            assert theirs is not None
            cells.append(_own(theirs, f"{_OWN}-{index}"))
            continue
        cell = ours[place]
        if cell.kind in LOCKED and not _as_handed_out(theirs, cell):
            changed.append(cell.id)
        cells.append(_teachers(cell, place, theirs))
    return Prepared(new_notebook(cells=cells), tuple(_notes(matched.lost, matched.doubled, changed, handed_in, ours)))


def _as_handed_out(theirs: NotebookNode | None, cell: SourceCell) -> bool:
    if theirs is None or theirs.cell_type != cell.cell_type:
        return False
    return bool(theirs.source.strip() == cell.released.strip())


def _own(cell: NotebookNode, name: str) -> NotebookNode:
    own = copy.deepcopy(cell)
    own.id = name
    own.metadata.pop("nbgrader", None)
    return own


def _teachers(cell: SourceCell, place: int, theirs: NotebookNode | None) -> NotebookNode:
    """The teacher's cell at ``place``; with the student's text in it where that is the student's to write."""
    make = {"code": new_code_cell, "markdown": new_markdown_cell}.get(cell.cell_type, new_raw_cell)
    name = f"{_TEACHERS}-{place}"
    if cell.kind in LOCKED or theirs is None:
        given: NotebookNode = make(cell.source, id=name, metadata=_metadata(cell))
        return given | {"attachments": cell.attachments} if cell.attachments else given
    made: NotebookNode = make(theirs.source, id=name, metadata=_metadata(cell))
    if theirs.cell_type == cell.cell_type:
        made |= {key: copy.deepcopy(theirs[key]) for key in ("attachments", "outputs") if theirs.get(key)}
    if cell.kind is Kind.MANUAL and _says_unchanged(theirs):
        made.metadata["unchanged"] = True
    return made


def _metadata(cell: SourceCell) -> dict[str, Any]:
    own = {} if cell.marks is None else {"nbgrader": dict(cell.marks)}
    return dict(cell.metadata) | own if cell.kind in LOCKED else own


def _says_unchanged(theirs: NotebookNode) -> bool:
    """By the checksum that came with it. Believed only against the student: it says that nothing was answered."""
    found = theirs.metadata.get("nbgrader")
    if not isinstance(found, dict) or not isinstance(found.get("checksum"), str) or not mark_of(theirs):
        return False
    full = {"grade": True, "solution": True, "locked": False} | found
    return bool(found["checksum"] == checksum(theirs.source, theirs.cell_type, full))


def _notes(
    lost: bool, doubled: Sequence[str], changed: Sequence[str], handed_in: NotebookNode, ours: Sequence[SourceCell]
) -> Iterator[Message]:
    if lost:
        yield message(
            "The marks by which nbgrader knows its cells are gone, as some editors drop them. The cells were found by "
            "their text and their place."
        )
    elif changed:
        yield message(
            "These cells are the teacher's and had been changed, moved or deleted; the teacher's were run: {cells}.",
            cells=join_list(changed),
        )
    if doubled:
        yield message("Found more than once, the last one counts: {cells}.", cells=join_list(doubled))
    known = {cell.id for cell in ours}
    other = [name for cell in handed_in.cells if (name := mark_of(cell)) and name not in known]
    if len(other) > len(known) / 2:
        yield message("Most of the marked cells are of another assignment: was the right notebook handed in?")


# ---------------------------------------------------------------- after the run


def tests(executed: NotebookNode | None, ready: NotebookNode, name: str, course: Course) -> tuple[Test, ...]:
    """One for each cell that gives points, in the teacher's order."""
    ours = _source(name, course)
    places = _places(ready)
    whole = executed is not None and _is_what_ran(executed, ready)
    return tuple(
        _test(criterion(name, cell), cell, places.get(place), ready, executed if whole else None)
        for place, cell in enumerate(ours)
        if cell.kind in GRADED
    )


def _places(ready: NotebookNode) -> dict[int, int]:
    """The teacher's place -> index in the notebook that ran."""
    ids = [cell.id.partition("-") for cell in ready.cells]
    return {int(number): index for index, (whose, _dash, number) in enumerate(ids) if whose == _TEACHERS}


def _is_what_ran(executed: NotebookNode, ready: NotebookNode) -> bool:
    """The same cells, with the teacher's text; otherwise the notebook wrote over the file that holds its results."""

    def form(node: NotebookNode) -> list[tuple[str, str, str]]:
        return [(cell.get("id", ""), cell.cell_type, cell.source if _is_teachers(cell) else "") for cell in node.cells]

    return form(executed) == form(ready)


def _is_teachers(cell: NotebookNode) -> bool:
    return str(cell.get("id", "")).startswith(_TEACHERS)


def _test(name: str, cell: SourceCell, index: int | None, ready: NotebookNode, executed: NotebookNode | None) -> Test:
    if cell.kind is Kind.TASK:
        return _open(name, cell)
    if cell.kind is Kind.MANUAL:
        return _manual(name, cell, ready.cells[index] if index is not None else None)
    if executed is None or index is None:
        said = message("The notebook's results are lost: it wrote over them, or was ended before there were any.")
        return Test(name, 0.0, cell.points, said)
    noted = executed.metadata.get("grader")
    ended_in = isinstance(noted, dict) and index in (noted.get("died_cell"), noted.get("timeout_cell"))
    found = nbgrader_points.worth(cell, executed.cells[index], ended_in=ended_in)
    return Test(name, found.points, cell.points, found.reason, found.review)


def _manual(name: str, cell: SourceCell, theirs: NotebookNode | None) -> Test:
    if theirs is None:
        said = message("The cell for this answer is gone. Look whether the answer stands elsewhere in the notebook.")
        return Test(name, None, cell.points, said, said)
    if theirs.metadata.get("unchanged") or theirs.source.strip() == cell.released.strip():
        return Test(name, 0.0, cell.points, message("No answer: the cell is as it was handed out."))
    return _open(name, cell)


def _open(name: str, cell: SourceCell) -> Test:
    said = message("A person gives these points.")
    return Test(name, None, cell.points, said, message("An answer waits for a person's points."))


def shown(executed: NotebookNode, ready: NotebookNode, name: str, course: Course) -> NotebookNode | None:
    """Without hidden tests and what they gave; with nbgrader's metadata as the teacher's copy has it."""
    ours = _source(name, course)
    if not _is_what_ran(executed, ready):
        return None
    for place, index in _places(ready).items():
        cell, ran = ours[place], executed.cells[index]
        ran.metadata |= _metadata(cell)
        if cell.hidden:
            _hide(cell, ran)
    return executed


def _hide(cell: SourceCell, ran: NotebookNode) -> None:
    error = nbgrader_points.failed(ran) if cell.cell_type == "code" else None
    ran_hidden = error is not None and nbgrader_points.in_hidden_part(cell, ran)
    ran.source = f"{cell.released}\n{_HIDDEN_LINES}" if cell.cell_type == "code" else cell.released
    if cell.cell_type != "code":
        return
    ran.outputs = []
    if error is not None:
        # A traceback shows the lines around: only its last word is kept, and only of a test that was handed out.
        ename, evalue = (_hidden_name(error.name), "in a hidden test") if ran_hidden else (error.name, error.message)
        ran.outputs = [new_output("error", ename=ename, evalue=evalue, traceback=[])]


def _hidden_name(name: str) -> str:
    """Which name a NameError is about is not told, so that nothing can be said of it either."""
    return "Exception" if name == "NameError" else nbgrader_points.public_name(name)
