"""Which of the files that a student handed in is which of a course's notebooks, renamed as they may be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path, PurePosixPath

from nbformat import NotebookNode

from grader.models.course import Course
from grader.notebook import parse

# What browsers, Colab and learning platforms add to a name: "Copy of ps1 (1)-2.ipynb".
_ADDED = re.compile(r"^(?:copy of |副本\s*)+|(?:\s*\(\d+\)|-\d+|[-_ ]copy\d*|的副本|副本)+$", re.IGNORECASE)
_MAX_CELLS = 2_000
_ALIKE = 0.7  # of a name's characters, where nothing else tells


def choose(found: Sequence[tuple[str, Path]], course: Course) -> Mapping[str, int]:
    """The course's notebook -> index in ``found``, which are the notebooks' names and files, the latest last.

    A file stands for the notebook that it is most like, by its very name, then by the marked cells and texts that they
    share, then by likeness of names. A single notebook is taken whatever it is called.
    """
    best: dict[str, tuple[tuple[float, float], int]] = {}
    for index, one in enumerate(found):
        likeness, name = max((_likeness(one, name, course), name) for name in course.notebooks)
        if likeness[0] > 0 or likeness[1] > _ALIKE:
            best[name] = max(best.get(name, (likeness, index)), (likeness, index))
    if not best and found and len(course.notebooks) == 1:
        return {name: len(found) - 1 for name in course.notebooks}
    return {name: best[name][1] for name in course.notebooks if name in best}


def _likeness(one: tuple[str, Path], name: str, course: Course) -> tuple[float, float]:
    """What the cells share, more where folder and name are the very ones; and how alike the names are."""
    path = PurePosixPath(one[0])
    right_folder = bool(course.folder) and path.parent.name == course.folder
    theirs, ours = _cells(one[1]), _cells(course.notebooks[name])
    shared = len(theirs & ours) / max(1, len(ours))
    mine, yours = _plain(path.name), _plain(name)
    alike = 1.0 if mine == yours else 0.9 * SequenceMatcher(None, mine, yours, autojunk=False).ratio()
    return 2.0 * right_folder * (shared > 0 or alike == 1.0) + (path.name == name) + shared, alike


def _plain(name: str) -> str:
    stem, before = PurePosixPath(name[:200]).stem.casefold().strip(), ""
    while stem != before:
        stem, before = _ADDED.sub("", stem).strip(), stem
    return stem


def _cells(path: Path) -> frozenset[str]:
    if not path.is_file():
        return frozenset()  # the teacher's: an autograder of otter's comes without one
    state = path.stat()
    return _read(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=256)
def _read(path: Path, _changed: int, size: int) -> frozenset[str]:
    """By what a notebook is known: its cells' marks, and texts long enough to be nobody else's."""
    node = parse.parse(path.read_bytes()).notebook if size <= parse.MAX_BYTES else None
    return frozenset(mark for cell in (node.cells[:_MAX_CELLS] if node else []) if (mark := _mark(cell)))


def _mark(cell: NotebookNode) -> str:
    found = cell.metadata.get("nbgrader")
    name = found.get("grade_id") if isinstance(found, dict) else None
    if isinstance(name, str):
        return f"#{name}"
    return cell.source.strip() if len(cell.source.strip()) > 40 else ""  # shorter ones stand in any notebook
