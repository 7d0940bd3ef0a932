"""The teacher's notebook in nbgrader's format, cell by cell: what runs, what was handed out, what a test is worth.

After nbgrader 0.9: ``nbgraderformat``, ``utils`` and the preprocessors that clear solutions, hidden tests and mark
schemes. Older metadata (schemas 0 to 2) is read as nbgrader upgrades it.
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

from grader.notebook import parse

SCHEMA = 3
STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
TEXT_STUB = "YOUR ANSWER HERE"
SOLUTION, HIDDEN, SCHEME = "SOLUTION", "HIDDEN TESTS", "MARK SCHEME"
_ID = re.compile(r"[a-zA-Z0-9_\-]+")
_AUTOTEST = re.compile(r"^\s*#+\s*(?:HASHED\s+)?AUTOTEST\b", re.MULTILINE)
_MAX_POINTS = 1e6


class Kind(StrEnum):
    TEST = "test"  # locked, gives points when it runs
    ANSWER = "answer"  # the student's, judged by tests
    MANUAL = "manual"  # the student's, judged by a person
    TASK = "task"  # locked; what the student adds below is judged by a person
    GIVEN = "given"  # locked, worth nothing
    PLAIN = "plain"  # nobody's business


LOCKED = (Kind.TEST, Kind.TASK, Kind.GIVEN)
GRADED = (Kind.TEST, Kind.MANUAL, Kind.TASK)


@dataclass(frozen=True, slots=True)
class SourceCell:
    kind: Kind
    cell_type: str
    source: str  # as it runs: with hidden tests, without solutions and mark schemes
    released: str  # as it was handed out
    id: str = ""
    points: float = 0.0
    hidden: frozenset[int] = frozenset()  # numbers of the lines of ``source`` that were not handed out, from 1
    marks: Mapping[str, Any] | None = None  # nbgrader's metadata, schema 3, with the checksum of what was handed out
    metadata: Mapping[str, Any] = field(default_factory=dict)  # all the other, tags for example
    attachments: Mapping[str, Any] | None = None

    @property
    def gives_number(self) -> bool:
        """Whether the cell ends in an expression, whose value may be points."""
        try:
            last = ast.parse(self.source).body[-1:]
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return True  # IPython's own lines, which only IPython can read
        ended = self.source.rstrip().endswith(";")
        return bool(last) and isinstance(last[0], ast.Expr) and not ended


def is_nbgraders(node: NotebookNode) -> bool:
    return any(isinstance(cell.metadata.get("nbgrader"), dict) for cell in node.cells)


def read_source(path: Path) -> tuple[tuple[SourceCell, ...], tuple[str, ...]]:
    """The cells, and every problem that keeps the notebook from being graded."""
    release = path.parents[2] / "release" / path.parent.name / path.name if len(path.parents) > 2 else path
    return _read(path, _state(path), release, _state(release) if release != path else None)


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=64)  # asked three times for each student
def _read(path: Path, _now: object, release: Path, released: object) -> tuple[tuple[SourceCell, ...], tuple[str, ...]]:
    parsed = parse.parse(path.read_bytes())
    if parsed.notebook is None:
        return (), (str(parsed.problem),)
    problems: list[str] = []
    handed_out = _handed_out(release) if released is not None else {}
    cells = tuple(_cell(place, cell, handed_out, problems) for place, cell in enumerate(parsed.notebook.cells, 1))
    seen: set[str] = set()
    for cell in cells:
        if cell.id and cell.id in seen:
            problems.append(f"grade_id {cell.id!r} found twice, expected once")
        seen.add(cell.id)
    return cells, tuple(problems)


def _handed_out(release: Path) -> Mapping[str, str]:
    """Sources by grade_id in the course's own release, whose stubs may be the teacher's."""
    parsed = parse.parse(release.read_bytes()).notebook
    marked = [(cell, marks(cell)) for cell in parsed.cells] if parsed is not None else []
    return {str(found["grade_id"]): cell.source for cell, found in marked if found and found.get("grade_id")}


def _cell(place: int, cell: NotebookNode, handed_out: Mapping[str, str], problems: list[str]) -> SourceCell:
    found = marks(cell)
    if found is None:
        cut = _without(_without(cell.source, SOLUTION), SCHEME)
        return SourceCell(Kind.PLAIN, cell.cell_type, cut, _without(cut, HIDDEN))
    name = str(found.get("grade_id", ""))
    where = f"cell {place} ({name})" if name else f"cell {place}"
    problems += [f"{where}: {problem}" for problem in _problems(cell, found)]
    kind = _kind(found)
    # What carries its own checksum was handed out as it stands: then nothing is to be cut.
    as_released = found.get("checksum") == checksum(cell.source, cell.cell_type, found)
    source = cell.source if as_released else _without(_stubbed(cell, kind), SCHEME)
    released = _without(source, HIDDEN)
    if kind in (Kind.ANSWER, Kind.MANUAL):
        released = handed_out.get(name, released)
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
    """nbgrader's metadata of a cell in the form of schema 3; None where it means nothing."""
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


def _kind(found: Mapping[str, Any]) -> Kind:
    if found["task"]:
        return Kind.TASK
    if found["solution"]:
        return Kind.MANUAL if found["grade"] else Kind.ANSWER
    return Kind.TEST if found["grade"] else Kind.GIVEN


def _problems(cell: NotebookNode, found: Mapping[str, Any]) -> Iterator[str]:
    version, name = found.get("schema_version"), found.get("grade_id")
    if version != SCHEMA:
        yield f"schema_version: found {version!r}, expected at most {SCHEMA}"
    if not isinstance(name, str) or not _ID.fullmatch(name):
        yield f"grade_id: found {name!r}, expected letters, digits, - and _"
    if (found["grade"] or found["task"]) and not 0 <= _points(found.get("points")) <= _MAX_POINTS:
        yield f"points: found {found.get('points')!r}, expected a number from 0 to {_MAX_POINTS:g}"
    for words in (SOLUTION, HIDDEN, SCHEME):
        if not _closed(cell.source, words):
            yield f"found BEGIN {words} without its END {words}, or one within another"
    if cell.cell_type == "code" and _AUTOTEST.search(cell.source):
        yield (
            "found ### AUTOTEST, which only nbgrader can make tests of: run nbgrader generate_assignment and give the "
            "assignment's folder below source_with_tests/ instead"
        )


def _points(value: object) -> float:
    """NaN for what is no number, or larger than any."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


def checksum(source: str, cell_type: str, found: Mapping[str, Any]) -> str:
    """As nbgrader computes it: by it an unchanged answer is known."""
    solution, grade = bool(found["solution"]), bool(found["grade"])
    locked = not solution and (grade or bool(found["locked"]))
    parts = [source, cell_type, str(grade), str(solution), str(locked), str(found.get("grade_id", ""))]
    parts += [str(float(_points(found.get("points"))))] if grade else []
    return hashlib.md5("".join(parts).encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


# ---------------------------------------------------------------- regions


def _regions(source: str, words: str) -> Iterator[tuple[int, str, str]]:
    """Number from 1, "begin", "in", "end" or "", and the line."""
    inside = False
    for number, line in enumerate(source.split("\n"), 1):
        if f"BEGIN {words}" in line:
            inside = True
            yield number, "begin", line
        elif f"END {words}" in line:
            inside = False
            yield number, "end", line
        else:
            yield number, "in" if inside else "", line


def _closed(source: str, words: str) -> bool:
    places = [place for _number, place, _line in _regions(source, words) if place in ("begin", "end")]
    return places == ["begin", "end"] * (len(places) // 2)


def _without(source: str, words: str) -> str:
    return "\n".join(line for _number, place, line in _regions(source, words) if not place)


def _lines_of(source: str, words: str) -> frozenset[int]:
    return frozenset(number for number, place, _line in _regions(source, words) if place)


def _stubbed(cell: NotebookNode, kind: Kind) -> str:
    """The source as students get it: each solution a stub, a whole cell where nothing says what part of it is."""
    stub = (STUB if cell.cell_type == "code" else TEXT_STUB).split("\n")
    lines: list[str] = []
    found: Sequence[tuple[int, str, str]] = list(_regions(cell.source, SOLUTION))
    if kind in (Kind.ANSWER, Kind.MANUAL) and not any(place == "begin" for _number, place, _line in found):
        already = cell.source.strip() in ("\n".join(stub), "")
        return cell.source if already else "\n".join(stub)
    for _number, place, line in found:
        if place == "begin":
            indent = line[: len(line) - len(line.lstrip())]
            lines += [indent + one for one in stub]
        elif not place:
            lines.append(line)
    return "\n".join(lines)
