"""Assignments in the formats of nbgrader and otter-grader: the common protocol, and which file is which notebook."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Protocol

from nbformat import NotebookNode

from grader.i18n.message import Message, message
from grader.models.assignment import Assignment
from grader.models.course import Course, TestResult
from grader.models.errors import AssignmentError
from grader.notebook import parse
from grader.spec.formats import nbgrader_format, otter_format
from grader.spec.formats.nbgrader_alignment import grade_id

# Additions by browsers, Colab and learning platforms to a file name: "Copy of ps1 (1)-2.ipynb".
_ADDITIONS = re.compile(r"^(?:copy of |副本\s*)+|(?:\s*\(\d+\)|-\d+|[-_ ]copy\d*|的副本|副本)+$", re.IGNORECASE)
_MAX_CELLS = 2_000
_MIN_NAME_RATIO = 0.7  # similarity of two names, where nothing else tells


class CourseFormat(Protocol):
    """A format of another grader. ``name`` is always a key of ``course.notebooks``."""

    def load(self, folder: Path) -> Assignment | None:
        """Return the assignment in ``folder``, or None if the folder is not in this format.

        Raises ``AssignmentError`` with every problem of a broken assignment.
        """

    def prepare(self, notebook: NotebookNode, name: str, course: Course) -> tuple[NotebookNode, tuple[Message, ...]]:
        """Return a student's notebook with the teacher's cells in their places, and notes on what was corrected.

        Both notebooks are valid nbformat 4.5; in the returned one cell ids are unique.
        """

    def longer_cells(self, ready: NotebookNode) -> frozenset[int]:
        """Return the indices of cells that may take longer than the limit for one cell: half of the time left."""

    def test_results(
        self, executed: NotebookNode | None, ready: NotebookNode, name: str, course: Course
    ) -> tuple[TestResult, ...]:
        """Return a result for each criterion of the notebook.

        ``executed`` came back from the student's process; None if nothing came back. ``ready`` is the notebook that
        was run.
        """

    def student_view(
        self, executed: NotebookNode, ready: NotebookNode, name: str, course: Course
    ) -> NotebookNode | None:
        """Return ``executed`` without hidden tests, solutions and mark schemes.

        None if its cells are not those of ``ready``: the student's code has overwritten the results.
        """


# Otter first: many of its notebooks still have nbgrader's metadata, from the course's earlier years.
_FORMATS: Mapping[str, CourseFormat] = {"otter": otter_format, "nbgrader": nbgrader_format}


def format_of(course: Course) -> CourseFormat:
    """Return the format of ``course``."""
    return _FORMATS[course.format]


def load_course(folder: Path) -> Assignment | None:
    """Return the assignment in ``folder``, or None if it is in no known format; raise ``AssignmentError``.

    An assignment without any points is an error: it was the wrong folder, or everybody would get 0.
    """
    found = next((found for form in _FORMATS.values() if (found := form.load(folder)) is not None), None)
    if found is not None and found.points == 0:
        raise AssignmentError([_no_points(found)])
    return found


def _no_points(found: Assignment) -> Message:
    count = len(found.rubric)
    if found.course is not None and found.course.format == "otter":
        return message(
            "{path}: its {n} tested questions give 0 points together, so nothing can be graded. Give the folder "
            "autograder that otter assign wrote (in the students' version, hidden tests may have all the points), or "
            "set points in the questions.",
            path=found.folder,
            n=count,
        )
    return message(
        "{path}: its {n} graded cells give 0 points together, so nothing can be graded. Set the points of the tests in "
        "nbgrader's Create Assignment toolbar.",
        path=found.folder,
        n=count,
    )


# ---------------------------------------------------------------- files that a student submitted


def match_notebooks(files: Sequence[tuple[str, Path]], course: Course) -> Mapping[str, int]:
    """Return the index in ``files`` for each of the course's notebooks that was submitted, perhaps renamed.

    ``files`` holds names and paths, the latest submission last. A file belongs to the notebook it resembles most: by
    its exact name, then by the marked cells and texts that they share, then by similarity of the names. The only
    notebook of a course is taken from the last file, whatever its name.
    """
    best: dict[str, tuple[tuple[float, float], int]] = {}
    for index, (submitted, path) in enumerate(files):
        similarity, name = max((_similarity(submitted, path, name, course), name) for name in course.notebooks)
        if similarity[0] > 0 or similarity[1] > _MIN_NAME_RATIO:
            best[name] = max(best.get(name, (similarity, index)), (similarity, index))
    if not best and files and len(course.notebooks) == 1:
        return {name: len(files) - 1 for name in course.notebooks}
    return {name: best[name][1] for name in course.notebooks if name in best}


def _similarity(submitted: str, file: Path, name: str, course: Course) -> tuple[float, float]:
    """Return the share of common cells, higher if folder and name are exact, and the similarity of the names."""
    path = PurePosixPath(submitted)
    right_folder = bool(course.folder) and path.parent.name == course.folder
    expected = _cell_keys(course.notebooks[name])
    shared = len(_cell_keys(file) & expected) / max(1, len(expected))
    plain, expected_plain = _plain_name(path.name), _plain_name(name)
    ratio = 0.9 * SequenceMatcher(None, plain, expected_plain, autojunk=False).ratio()
    alike = 1.0 if plain == expected_plain else ratio
    return 2.0 * right_folder * (shared > 0 or alike == 1.0) + (path.name == name) + shared, alike


def _plain_name(name: str) -> str:
    stem, before = PurePosixPath(name[:200]).stem.casefold().strip(), ""
    while stem != before:
        stem, before = _ADDITIONS.sub("", stem).strip(), stem
    return stem


def _cell_keys(path: Path) -> frozenset[str]:
    if not path.is_file():
        return frozenset()  # an autograder zip of otter has no notebook
    state = path.stat()
    return _read_cell_keys(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=256)
def _read_cell_keys(path: Path, _changed: int, size: int) -> frozenset[str]:
    """Return what identifies a notebook: the ids of its marked cells, and texts long enough to be unique."""
    node = parse.parse(path.read_bytes()).notebook if size <= parse.MAX_BYTES else None
    return frozenset(key for cell in (node.cells[:_MAX_CELLS] if node else []) if (key := _cell_key(cell)))


def _cell_key(cell: NotebookNode) -> str:
    if name := grade_id(cell):
        return f"#{name}"
    return cell.source.strip() if len(cell.source.strip()) > 40 else ""  # shorter texts occur in any notebook
