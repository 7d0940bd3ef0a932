"""Which of a student's cells is which of the teacher's, whatever the student or another editor did to them.

By nbgrader's marks where they are still there. Where they were lost (some editors drop what they do not know), by
text, then by place between cells that are known. A student's words about points, kinds and locks are never read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from nbformat import NotebookNode

from grader.spec.formats.nbgrader_source import LOCKED, SourceCell

_LONGEST = 2_000  # cells that texts are compared for: beyond, only marks count
_PAIRS = 2_000  # of one text: how often it is there times how often it was handed out


@dataclass(frozen=True, slots=True)
class Matched:
    """``places``: the student's cell -> the teacher's, both from 0. ``doubled`` marks were found more than once."""

    places: Mapping[int, int]
    lost: bool = False  # none of the teacher's marks was found, though there are some
    doubled: tuple[str, ...] = ()


def match(theirs: Sequence[NotebookNode], ours: Sequence[SourceCell]) -> Matched:
    places, doubled = _by_mark(theirs, ours)
    lost = not places and any(cell.id for cell in ours)
    if max(len(theirs), len(ours)) <= _LONGEST:
        places |= _by_text(theirs, ours, places)
        if lost:
            places |= _by_place(theirs, ours, places)
    return Matched(places, lost, doubled)


def _by_mark(theirs: Sequence[NotebookNode], ours: Sequence[SourceCell]) -> tuple[dict[int, int], tuple[str, ...]]:
    """Of several cells with one mark the last counts, as in nbgrader; the others are the student's own."""
    known = {cell.id: place for place, cell in enumerate(ours) if cell.id}
    last: dict[int, int] = {}
    doubled: list[str] = []
    for index, cell in enumerate(theirs):
        place = known.get(mark_of(cell))
        if place is not None:
            doubled += [ours[place].id] if place in last else []
            last[place] = index
    return {index: place for place, index in last.items()}, tuple(dict.fromkeys(doubled))


def mark_of(cell: NotebookNode) -> str:
    """The student's ``grade_id``, or ""; it says which cell this was and nothing else."""
    found = cell.metadata.get("nbgrader")
    name = found.get("grade_id") if isinstance(found, dict) else None
    return name if isinstance(name, str) else ""


def _by_text(theirs: Sequence[NotebookNode], ours: Sequence[SourceCell], known: Mapping[int, int]) -> dict[int, int]:
    """Cells that still read as they were handed out, in the same order; what is known by its mark is left out."""
    taken = set(known.values())
    left = [index for index, cell in enumerate(theirs) if index not in known and cell.source.strip()]
    open_ = [place for place, cell in enumerate(ours) if place not in taken and cell.released.strip()]
    mine = {index: (theirs[index].cell_type, theirs[index].source.strip()) for index in left}
    yours = {place: (ours[place].cell_type, ours[place].released.strip()) for place in open_}
    often, there = Counter(mine.values()), Counter(yours.values())
    # A line across the page, or whatever somebody repeats to keep a grader busy, tells no place from another.
    left = [index for index in left if often[mine[index]] * there[mine[index]] <= _PAIRS]
    texts, wanted = [mine[index] for index in left], [yours[place] for place in open_]
    blocks = SequenceMatcher(None, texts, wanted, autojunk=False).get_matching_blocks()
    return {left[block.a + step]: open_[block.b + step] for block in blocks for step in range(block.size)}


def _by_place(theirs: Sequence[NotebookNode], ours: Sequence[SourceCell], known: Mapping[int, int]) -> dict[int, int]:
    """Between two cells that are known: the teacher's and the student's in turn, where there are as many of a type."""
    anchors = [(-1, -1), *sorted(known.items()), (len(theirs), len(ours))]
    found: dict[int, int] = {}
    for (index, place), (next_index, next_place) in pairwise(anchors):
        if next_place <= place:
            continue  # moved: nothing can be said of what lies between
        for cell_type in ("code", "markdown"):
            mine = [i for i in range(index + 1, next_index) if theirs[i].cell_type == cell_type]
            yours = [p for p in range(place + 1, next_place) if ours[p].cell_type == cell_type and ours[p].id]
            if len(mine) == len(yours):
                found |= dict(zip(mine, yours, strict=True))
    return found


def arranged(
    theirs: Sequence[NotebookNode], ours: Sequence[SourceCell], matched: Matched
) -> list[tuple[int | None, int | None]]:
    """The notebook to run as pairs (the teacher's place, the student's index): the teacher's cells in the teacher's
    order, locked ones in any case; each of the student's own cells after the one it stood after.
    """
    owner = {place: index for index, place in matched.places.items()}
    own: dict[int, list[int]] = {}
    before = -1
    for index in range(len(theirs)):
        before = matched.places.get(index, before)
        if index not in matched.places:
            own.setdefault(before, []).append(index)
    order: list[tuple[int | None, int | None]] = [(None, index) for index in own.get(-1, [])]
    for place, cell in enumerate(ours):
        if cell.kind in LOCKED or place in owner:
            order.append((place, owner.get(place)))
        order += [(None, index) for index in own.get(place, [])]
    return order
