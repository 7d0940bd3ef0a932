"""Assignments in nbgrader's format: cell metadata, hidden tests and points."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from grader.i18n.message import Message, join_list, message, prefixed
from grader.models.assignment import Assignment, Limits
from grader.models.course import Course, TestResult
from grader.models.errors import AssignmentError
from grader.notebook import parse
from grader.scoring.rubric.course_test import Tested
from grader.spec.formats import nbgrader_points
from grader.spec.formats.course_packages import missing_packages
from grader.spec.formats.handed_out import split_files
from grader.spec.formats.nbgrader_alignment import Alignment, align, grade_id, merge_order
from grader.spec.formats.nbgrader_config import cell_seconds
from grader.spec.formats.nbgrader_source import GRADED, LOCKED, CellKind, SourceCell, checksum, is_nbgrader, read_source

_IGNORED = ("__pycache__", "feedback", "gradebook.db")
_HIDDEN_LINES = "# Hidden tests ran here; they are not shown."
_TEACHER, _STUDENT = "given", "own"  # prefixes of cell ids


# ---------------------------------------------------------------- the assignment


def load(folder: Path) -> Assignment | None:
    """Return the assignment in ``source/<assignment>`` or ``release/<assignment>``; None if it is not nbgrader's."""
    paths = sorted(path for path in folder.glob("*.ipynb") if not path.name.startswith("."))
    parsed = {path: parse.parse(path.read_bytes()).notebook for path in paths}
    if not any(node is not None and is_nbgrader(node) for node in parsed.values()):
        return None
    folder = folder.resolve()
    problems: list[Message] = []
    rubric: list[Tested] = []
    for path in (folder / path.name for path in paths):
        cells, found = read_source(path)
        problems += [prefixed(f"{path}: ", problem) for problem in found]
        rubric += [
            Tested(criterion_id(path.name, cell), cell.points, title={"en": f"{path.stem} · {cell.id}"})
            for cell in cells
            if cell.kind in GRADED
        ]
    if not problems and not rubric:
        problems.append(
            message("{path}: no cell gives points; mark tests in nbgrader's Create Assignment toolbar", path=folder)
        )
    if problems:
        raise AssignmentError(problems)
    notebooks = {path.name: folder / path.name for path in paths}
    given, warnings = split_files(_files(folder))
    return Assignment(
        id=folder.name,
        version=_version(notebooks.values()),
        folder=folder,
        title={"en": folder.name},
        rubric=tuple(rubric),
        limits=Limits(cell_seconds=cell_seconds(folder)),
        course=Course("nbgrader", notebooks, files=given, folder=folder.name),
        warnings=warnings + missing_packages([folder, folder.parent.parent]),
    )


def criterion_id(name: str, cell: SourceCell) -> str:
    """Return, for example, ``problem1/correct_squares``: grade_ids are only unique within a notebook."""
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
    """Return the teacher's cells; raise ``AssignmentError`` if the notebook was broken after it was loaded."""
    cells, problems = read_source(course.notebooks[name])
    if problems:
        raise AssignmentError([prefixed(f"{course.notebooks[name]}: ", problem) for problem in problems])
    return cells


# ---------------------------------------------------------------- before the run


def prepare(handed_in: NotebookNode, name: str, course: Course) -> tuple[NotebookNode, tuple[Message, ...]]:
    """Return the notebook to run: the teacher's locked cells as released, in order, and the student's between them."""
    teacher = _source(name, course)
    alignment = align(handed_in.cells, teacher)
    cells = []
    changed: list[str] = []
    for place, index in merge_order(handed_in.cells, teacher, alignment):
        submitted = handed_in.cells[index] if index is not None else None
        if place is None:
            assert submitted is not None
            cells.append(_student_cell(submitted, f"{_STUDENT}-{index}"))
            continue
        cell = teacher[place]
        if cell.kind in LOCKED and not _is_unchanged(submitted, cell):
            changed.append(cell.id)
        cells.append(_teacher_cell(cell, place, submitted))
    notes = _notes(alignment, changed, handed_in, {cell.id for cell in teacher})
    return new_notebook(cells=cells), tuple(notes)


def _is_unchanged(submitted: NotebookNode | None, cell: SourceCell) -> bool:
    if submitted is None or submitted.cell_type != cell.cell_type:
        return False
    return bool(submitted.source.strip() == cell.released.strip())


def _student_cell(cell: NotebookNode, name: str) -> NotebookNode:
    own = copy.deepcopy(cell)
    own.id = name
    own.metadata.pop("nbgrader", None)
    return own


def _teacher_cell(cell: SourceCell, place: int, submitted: NotebookNode | None) -> NotebookNode:
    """Return the teacher's cell at ``place``, with the student's text if it is a cell for students to write."""
    make = {"code": new_code_cell, "markdown": new_markdown_cell}.get(cell.cell_type, new_raw_cell)
    name = f"{_TEACHER}-{place}"
    if cell.kind in LOCKED or submitted is None:
        given: NotebookNode = make(cell.source, id=name, metadata=_metadata(cell))
        if cell.attachments:
            given["attachments"] = copy.deepcopy(cell.attachments)
        return given
    made: NotebookNode = make(submitted.source, id=name, metadata=_metadata(cell))
    if submitted.cell_type == cell.cell_type:
        made.update({key: copy.deepcopy(submitted[key]) for key in ("attachments", "outputs") if submitted.get(key)})
    if cell.kind is CellKind.MANUAL and _has_original_checksum(submitted):
        made.metadata["unchanged"] = True
    return made


def _metadata(cell: SourceCell) -> dict[str, Any]:
    own = {} if cell.marks is None else {"nbgrader": dict(cell.marks)}
    return dict(cell.metadata) | own if cell.kind in LOCKED else own


def _has_original_checksum(submitted: NotebookNode) -> bool:
    """Return whether the cell's own checksum says that it is unchanged.

    The checksum is the student's word, but a student can only use it to lose points.
    """
    found = submitted.metadata.get("nbgrader")
    if not isinstance(found, dict) or not isinstance(found.get("checksum"), str) or not grade_id(submitted):
        return False
    full = {"grade": True, "solution": True, "locked": False} | found
    return bool(found["checksum"] == checksum(submitted.source, submitted.cell_type, full))


def _notes(
    alignment: Alignment, changed: Sequence[str], handed_in: NotebookNode, known: Collection[str]
) -> Iterator[Message]:
    if alignment.lost:
        yield message(
            "nbgrader's cell metadata is missing, as some editors drop it. The cells were found by their text and "
            "position."
        )
    elif changed:
        yield message(
            "These teacher's cells had been changed, moved or deleted; the teacher's version was run: {cells}.",
            cells=join_list(changed),
        )
    if alignment.repeated:
        yield message("Found more than once, the last one counts: {cells}.", cells=join_list(alignment.repeated))
    other = [name for cell in handed_in.cells if (name := grade_id(cell)) and name not in known]
    if len(other) > len(known) / 2:
        yield message("Most of the marked cells belong to another assignment: was the right notebook handed in?")


def longer_cells(_ready: NotebookNode) -> frozenset[int]:
    """Return no cells: in nbgrader the limit applies to tests too."""
    return frozenset()


# ---------------------------------------------------------------- after the run


def test_results(
    executed: NotebookNode | None, ready: NotebookNode, name: str, course: Course
) -> tuple[TestResult, ...]:
    """Return a result for each cell that gives points, in the teacher's order."""
    teacher = _source(name, course)
    indices = _indices(ready)
    intact = executed is not None and _is_what_ran(executed, ready)
    return tuple(
        _result(criterion_id(name, cell), cell, indices.get(place), ready, executed if intact else None)
        for place, cell in enumerate(teacher)
        if cell.kind in GRADED
    )


def _indices(ready: NotebookNode) -> dict[int, int]:
    """Return for each of the teacher's cells its index in the notebook that ran."""
    ids = [cell.id.partition("-") for cell in ready.cells]
    return {int(number): index for index, (prefix, _dash, number) in enumerate(ids) if prefix == _TEACHER}


def _is_what_ran(executed: NotebookNode, ready: NotebookNode) -> bool:
    """Return whether the cells are the same, the teacher's with the same text.

    Otherwise the student's code has overwritten the file with the results.
    """

    def form(node: NotebookNode) -> list[tuple[str, str, str]]:
        return [(cell.get("id", ""), cell.cell_type, cell.source if _is_teachers(cell) else "") for cell in node.cells]

    return form(executed) == form(ready)


def _is_teachers(cell: NotebookNode) -> bool:
    return str(cell.get("id", "")).startswith(_TEACHER)


def _result(
    criterion: str, cell: SourceCell, index: int | None, ready: NotebookNode, executed: NotebookNode | None
) -> TestResult:
    if cell.kind is CellKind.TASK:
        return _ungraded(criterion, cell)
    if cell.kind is CellKind.MANUAL:
        return _manual(criterion, cell, ready.cells[index] if index is not None else None)
    if executed is None or index is None:
        lost = message("The notebook's results are lost: it overwrote them, or ended before it had any.")
        return TestResult(criterion, 0.0, cell.points, lost)
    noted = executed.metadata.get("grader")
    noted = noted if isinstance(noted, dict) else {}
    ended_in = index in (noted.get("died_cell"), noted.get("timeout_cell"))
    slow = noted.get("slow_cells")
    stopped = isinstance(slow, list) and index in slow
    found = nbgrader_points.cell_points(cell, executed.cells[index], ended_in=ended_in, stopped=stopped)
    return TestResult(criterion, found.points, cell.points, found.reason, found.review)


def _manual(criterion: str, cell: SourceCell, answer: NotebookNode | None) -> TestResult:
    if answer is None:
        gone = message("The cell for this answer is missing. Check whether the answer is elsewhere in the notebook.")
        return TestResult(criterion, None, cell.points, gone, gone)
    if answer.metadata.get("unchanged") or answer.source.strip() == cell.released.strip():
        return TestResult(criterion, 0.0, cell.points, message("No answer: the cell was not changed."))
    return _ungraded(criterion, cell)


def _ungraded(criterion: str, cell: SourceCell) -> TestResult:
    reason = message("A person gives these points.")
    return TestResult(criterion, None, cell.points, reason, message("An answer needs manual grading."))


def student_view(executed: NotebookNode, ready: NotebookNode, name: str, course: Course) -> NotebookNode | None:
    """Return ``executed`` without hidden tests and their results, with nbgrader's metadata from the teacher's copy."""
    teacher = _source(name, course)
    if not _is_what_ran(executed, ready):
        return None
    for place, index in _indices(ready).items():
        cell, ran = teacher[place], executed.cells[index]
        ran.metadata |= _metadata(cell)
        if cell.hidden:
            _hide_tests(cell, ran)
    return executed


def _hide_tests(cell: SourceCell, ran: NotebookNode) -> None:
    error = nbgrader_points.cell_error(ran) if cell.cell_type == "code" else None
    in_hidden = error is not None and nbgrader_points.failed_in_hidden_part(cell, ran)
    ran.source = f"{cell.released}\n{_HIDDEN_LINES}" if cell.cell_type == "code" else cell.released
    if cell.cell_type != "code":
        return
    ran.outputs = []
    if error is not None:
        # A traceback quotes the lines around the error, so only the error itself is kept, and of a hidden test only
        # its type.
        ename, evalue = (_hidden_name(error.name), "in a hidden test") if in_hidden else (error.name, error.message)
        ran.outputs = [new_output("error", ename=ename, evalue=evalue, traceback=[])]


def _hidden_name(name: str) -> str:
    """Return the public name of an error in a hidden test; a NameError would tell which name to define."""
    return "Exception" if name == "NameError" else nbgrader_points.public_name(name)
