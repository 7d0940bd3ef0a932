"""Read the teacher's notebook in nbgrader's format: the executed and the released source and the points of each cell.

Source: nbgrader 0.9, ``nbgraderformat``, ``utils`` and the preprocessors that clear solutions, hidden tests and mark
schemes. Older metadata (schemas 0 to 2) is upgraded as nbgrader does.
"""

from __future__ import annotations

import ast
import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from grader.i18n.message import Message, message, prefixed, unexpected
from grader.notebook import parse

SCHEMA = 3
STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
TEXT_STUB = "YOUR ANSWER HERE"
SOLUTION, HIDDEN, SCHEME = "SOLUTION", "HIDDEN TESTS", "MARK SCHEME"
_ID = re.compile(r"[a-zA-Z0-9_\-]+")
_AUTOTEST = re.compile(r"^\s*#+\s*(?:HASHED\s+)?AUTOTEST\b", re.MULTILINE)
_MAX_POINTS = 1e6


class CellKind(StrEnum):
    """The role of a cell in nbgrader."""

    TEST = "test"  # locked; gives points when it runs without an error
    ANSWER = "answer"  # written by the student, graded by tests
    MANUAL = "manual"  # written by the student, graded by a person
    TASK = "task"  # locked; the student adds cells below it, graded by a person
    GIVEN = "given"  # locked, without points
    PLAIN = "plain"  # not marked by nbgrader


LOCKED = (CellKind.TEST, CellKind.TASK, CellKind.GIVEN)
GRADED = (CellKind.TEST, CellKind.MANUAL, CellKind.TASK)


@dataclass(frozen=True, slots=True)
class SourceCell:
    """A cell of the teacher's notebook."""

    kind: CellKind
    cell_type: str
    source: str  # executed: with hidden tests, without solutions and mark schemes
    released: str  # the students' version
    id: str = ""
    points: float = 0.0
    hidden: frozenset[int] = frozenset()  # lines of ``source`` that were not released, from 1
    marks: Mapping[str, Any] | None = None  # nbgrader's metadata, schema 3, with the checksum of ``released``
    metadata: Mapping[str, Any] = field(default_factory=dict)  # other metadata, tags for example
    attachments: Mapping[str, Any] | None = None

    @property
    def gives_number(self) -> bool:
        """True if the cell ends in an expression: its value can be partial points."""
        try:
            last = ast.parse(self.source).body[-1:]
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return True  # IPython syntax, which Python cannot parse
        ended = self.source.rstrip().endswith(";")
        return bool(last) and isinstance(last[0], ast.Expr) and not ended


def is_nbgrader(node: NotebookNode) -> bool:
    """Return whether a cell of the notebook is marked by nbgrader."""
    return any(isinstance(cell.metadata.get("nbgrader"), dict) for cell in node.cells)


def read_source(path: Path) -> tuple[tuple[SourceCell, ...], tuple[Message, ...]]:
    """Return the cells of the teacher's notebook, and every problem that prevents grading with it."""
    release = path.parents[2] / "release" / path.parent.name / path.name if len(path.parents) > 2 else path
    return _read(path, _file_state(path), release, _file_state(release) if release != path else None)


def _file_state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=64)  # called three times for each student
def _read(
    path: Path, _state: object, release: Path, released: object
) -> tuple[tuple[SourceCell, ...], tuple[Message, ...]]:
    parsed = parse.parse(path.read_bytes())
    if parsed.notebook is None:
        assert parsed.problem is not None
        return (), (parsed.problem,)
    problems: list[Message] = []
    stubs = _released_sources(release) if released is not None else {}
    cells = tuple(_cell(place, cell, stubs, problems) for place, cell in enumerate(parsed.notebook.cells, 1))
    seen: set[str] = set()
    for cell in cells:
        if cell.id and cell.id in seen:
            problems.append(message("grade_id {id} found twice, expected once", id=repr(cell.id)))
        seen.add(cell.id)
    return cells, tuple(problems)


def _released_sources(release: Path) -> Mapping[str, str]:
    """Return sources by grade_id in the course's released notebook, which may have stubs of the teacher's own."""
    parsed = parse.parse(release.read_bytes()).notebook
    marked = [(cell, marks(cell)) for cell in parsed.cells] if parsed is not None else []
    return {str(found["grade_id"]): cell.source for cell, found in marked if found and found.get("grade_id")}


def _cell(place: int, cell: NotebookNode, stubs: Mapping[str, str], problems: list[Message]) -> SourceCell:
    found = marks(cell)
    if found is None:
        plain = _without(_without(cell.source, SOLUTION), SCHEME)
        return SourceCell(CellKind.PLAIN, cell.cell_type, plain, _without(plain, HIDDEN))
    name = str(found.get("grade_id", ""))
    where = f"cell {place} ({name}): " if name else f"cell {place}: "
    problems += [prefixed(where, problem) for problem in _problems(cell, found)]
    kind = _kind(found)
    # A cell whose checksum fits is in the released version already: nothing is to be removed.
    as_released = found.get("checksum") == checksum(cell.source, cell.cell_type, found)
    source = cell.source if as_released else _without(_stubbed(cell, kind), SCHEME)
    released = _without(source, HIDDEN)
    if kind in (CellKind.ANSWER, CellKind.MANUAL):
        released = stubs.get(name, released)
    points = _points(found.get("points", 0)) if kind in GRADED else 0.0
    found |= {"points": points} if kind in GRADED else {}
    found |= {"cell_type": cell.cell_type, "checksum": checksum(released, cell.cell_type, found)}
    return SourceCell(
        kind,
        cell.cell_type,
        source,
        released,
        name,
        points,
        hidden=_lines_of(source, HIDDEN),
        marks=found,
        metadata={key: value for key, value in cell.metadata.items() if key != "nbgrader"},
        attachments=cell.get("attachments"),
    )


def marks(cell: NotebookNode) -> dict[str, Any] | None:
    """Return nbgrader's metadata of a cell, upgraded to schema 3; None if the cell is not marked."""
    raw = cell.metadata.get("nbgrader")
    if not isinstance(raw, dict):
        return None
    found = {"grade": False, "solution": False, "locked": False, "task": False} | dict(raw)
    if not any(found[name] for name in ("grade", "solution", "locked", "task")):
        return None
    version = found.get("schema_version", 0)
    if isinstance(version, int) and version < SCHEMA:
        found["schema_version"] = SCHEMA
        if version == 0 and found["grade"]:
            found["points"] = found.get("points") or 0.0
    return found


def _kind(found: Mapping[str, Any]) -> CellKind:
    if found["task"]:
        return CellKind.TASK
    if found["solution"]:
        return CellKind.MANUAL if found["grade"] else CellKind.ANSWER
    return CellKind.TEST if found["grade"] else CellKind.GIVEN


def _problems(cell: NotebookNode, found: Mapping[str, Any]) -> Iterator[Message]:
    version, name = found.get("schema_version"), found.get("grade_id")
    if version != SCHEMA:
        yield unexpected("schema_version", repr(version), message("at most {limit}", limit=SCHEMA))
    if not isinstance(name, str) or not _ID.fullmatch(name):
        yield unexpected("grade_id", repr(name), message("letters, digits, - and _"))
    if (found["grade"] or found["task"]) and not 0 <= _points(found.get("points")) <= _MAX_POINTS:
        expected = message("a number from {low} to {high:g}", low=0, high=_MAX_POINTS)
        yield unexpected("points", repr(found.get("points")), expected)
    for region in (SOLUTION, HIDDEN, SCHEME):
        if not _closed(cell.source, region):
            yield message("found BEGIN {region} without END {region}, or a region inside another", region=region)
    if cell.cell_type == "code" and _AUTOTEST.search(cell.source):
        yield message(
            "found ### AUTOTEST, which only nbgrader can turn into tests: run nbgrader generate_assignment and give "
            "the assignment's folder below source_with_tests/ instead"
        )


def _points(value: object) -> float:
    """Return NaN for a value that is no number or larger than any float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


def checksum(source: str, cell_type: str, found: Mapping[str, Any]) -> str:
    """Return nbgrader's checksum of a cell, by which it recognises an unchanged answer."""
    solution, grade = bool(found["solution"]), bool(found["grade"])
    locked = not solution and (grade or bool(found["locked"]))
    parts = [source, cell_type, str(grade), str(solution), str(locked), str(found.get("grade_id", ""))]
    parts += [str(float(_points(found.get("points"))))] if grade else []
    return hashlib.md5("".join(parts).encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


# ---------------------------------------------------------------- regions


def _regions(source: str, region: str) -> Iterator[tuple[int, str, str]]:
    """Yield for each line its number from 1, "begin", "in", "end" or "" for outside the region, and the line."""
    inside = False
    for number, line in enumerate(source.split("\n"), 1):
        if f"BEGIN {region}" in line:
            inside = True
            yield number, "begin", line
        elif f"END {region}" in line:
            inside = False
            yield number, "end", line
        else:
            yield number, "in" if inside else "", line


def _closed(source: str, region: str) -> bool:
    places = [place for _number, place, _line in _regions(source, region) if place in ("begin", "end")]
    return places == ["begin", "end"] * (len(places) // 2)


def _without(source: str, region: str) -> str:
    return "\n".join(line for _number, place, line in _regions(source, region) if not place)


def _lines_of(source: str, region: str) -> frozenset[int]:
    return frozenset(number for number, place, _line in _regions(source, region) if place)


def _stubbed(cell: NotebookNode, kind: CellKind) -> str:
    """Return the source with a stub in place of each solution; a cell without solution markers becomes a stub."""
    stub = (STUB if cell.cell_type == "code" else TEXT_STUB).split("\n")
    lines: list[str] = []
    found: Sequence[tuple[int, str, str]] = list(_regions(cell.source, SOLUTION))
    if kind in (CellKind.ANSWER, CellKind.MANUAL) and not any(place == "begin" for _number, place, _line in found):
        already = cell.source.strip() in ("\n".join(stub), "")
        return cell.source if already else "\n".join(stub)
    for _number, place, line in found:
        if place == "begin":
            indent = line[: len(line) - len(line.lstrip())]
            lines += [indent + text for text in stub]
        elif not place:
            lines.append(line)
    return "\n".join(lines)
