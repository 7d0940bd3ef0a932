"""Align a student's cells with the teacher's, whatever the student or an editor did to them.

Cells are found by nbgrader's ``grade_id`` where it is still there. Some editors drop unknown metadata: then by text,
then by position between known cells. Points, kinds and locks in the student's metadata are never read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from nbformat import NotebookNode

from grader.spec.formats.nbgrader_source import LOCKED, SourceCell

_MAX_CELLS = 2_000  # beyond, cells are only found by their grade_id
_MAX_PAIRS = 2_000  # of one text: occurrences in the student's notebook times occurrences in the teacher's


@dataclass(frozen=True, slots=True)
class Alignment:
    """The teacher's index for each of the student's that was found, both from 0."""

    places: Mapping[int, int]
    lost: bool = False  # the teacher's cells have grade_ids, but none of them was found
    repeated: tuple[str, ...] = ()  # grade_ids found more than once


def align(student: Sequence[NotebookNode], teacher: Sequence[SourceCell]) -> Alignment:
    """Return the alignment of two notebooks' cells."""
    places, repeated = _by_grade_id(student, teacher)
    lost = not places and any(cell.id for cell in teacher)
    if max(len(student), len(teacher)) <= _MAX_CELLS:
        places |= _by_text(student, teacher, places)
        if lost:
            places |= _by_position(student, teacher, places)
    return Alignment(places, lost, repeated)


def _by_grade_id(
    student: Sequence[NotebookNode], teacher: Sequence[SourceCell]
) -> tuple[dict[int, int], tuple[str, ...]]:
    """Align by ``grade_id``; the last cell with an id counts, as in nbgrader; earlier ones are the student's own."""
    known = {cell.id: place for place, cell in enumerate(teacher) if cell.id}
    last: dict[int, int] = {}
    repeated: list[str] = []
    for index, cell in enumerate(student):
        place = known.get(grade_id(cell))
        if place is not None:
            repeated += [teacher[place].id] if place in last else []
            last[place] = index
    return {index: place for place, index in last.items()}, tuple(dict.fromkeys(repeated))


def grade_id(cell: NotebookNode) -> str:
    """Return the ``grade_id`` of a student's cell, or ""; nothing else in its metadata is trusted."""
    marks = cell.metadata.get("nbgrader")
    name = marks.get("grade_id") if isinstance(marks, dict) else None
    return name if isinstance(name, str) else ""


def _by_text(
    student: Sequence[NotebookNode], teacher: Sequence[SourceCell], known: Mapping[int, int]
) -> dict[int, int]:
    """Align cells whose text is still as released, in the same order; skip cells that are already known."""
    taken = set(known.values())
    left = [index for index, cell in enumerate(student) if index not in known and cell.source.strip()]
    open_ = [place for place, cell in enumerate(teacher) if place not in taken and cell.released.strip()]
    texts = {index: (student[index].cell_type, student[index].source.strip()) for index in left}
    released = {place: (teacher[place].cell_type, teacher[place].released.strip()) for place in open_}
    count, released_count = Counter(texts.values()), Counter(released.values())
    # Texts that occur very often, such as a horizontal line, identify no cell, and could make the comparison slow.
    left = [index for index in left if count[texts[index]] * released_count[texts[index]] <= _MAX_PAIRS]
    matcher = SequenceMatcher(None, [texts[i] for i in left], [released[p] for p in open_], autojunk=False)
    blocks = matcher.get_matching_blocks()
    return {left[block.a + step]: open_[block.b + step] for block in blocks for step in range(block.size)}


def _by_position(
    student: Sequence[NotebookNode], teacher: Sequence[SourceCell], known: Mapping[int, int]
) -> dict[int, int]:
    """Align cells of one type in turn between two known cells, where both notebooks have equally many."""
    anchors = [(-1, -1), *sorted(known.items()), (len(student), len(teacher))]
    found: dict[int, int] = {}
    for (index, place), (next_index, next_place) in pairwise(anchors):
        if next_place <= place:
            continue  # cells were moved, so the ones between cannot be told apart
        for cell_type in ("code", "markdown"):
            indices = [i for i in range(index + 1, next_index) if student[i].cell_type == cell_type]
            places = [p for p in range(place + 1, next_place) if teacher[p].cell_type == cell_type and teacher[p].id]
            if len(indices) == len(places):
                found |= dict(zip(indices, places, strict=True))
    return found


def merge_order(
    student: Sequence[NotebookNode], teacher: Sequence[SourceCell], alignment: Alignment
) -> list[tuple[int | None, int | None]]:
    """Return the cells of the notebook to run as pairs (teacher's index, student's index).

    The teacher's cells come in the teacher's order, locked ones always; each of the student's own cells follows the
    teacher's cell after which it stood.
    """
    index_of = {place: index for index, place in alignment.places.items()}
    own: dict[int, list[int]] = {}
    before = -1
    for index in range(len(student)):
        before = alignment.places.get(index, before)
        if index not in alignment.places:
            own.setdefault(before, []).append(index)
    order: list[tuple[int | None, int | None]] = [(None, index) for index in own.get(-1, [])]
    for place, cell in enumerate(teacher):
        if cell.kind in LOCKED or place in index_of:
            order.append((place, index_of.get(place)))
        order += [(None, index) for index in own.get(place, [])]
    return order
