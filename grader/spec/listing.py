"""List the bundled assignments without loading them: fast, and without the libraries that grading needs."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.i18n.message import Titles, message
from grader.models.errors import AssignmentError

FILE_NAME = "assignment.toml"
STARTER = "starter.ipynb"  # beside it: the notebook that students get


@dataclass(frozen=True, slots=True)
class Summary:
    """An assignment as a list shows it."""

    id: str
    title: Titles
    points: float
    folder: Path


def assignment_folders() -> dict[str, Path]:
    """Return the folder of every known assignment by its name: beside the package if installed, else the checkout's."""
    package = Path(__file__).parents[1]
    return find_assignments([package / "assignments", package.parent / "assignments"])


def find_assignments(places: Sequence[Path]) -> dict[str, Path]:
    """Return folder name -> folder of every assignment directly below ``places``; the first place wins."""
    found: dict[str, Path] = {}
    for place in places:
        for path in sorted(place.glob(f"*/{FILE_NAME}")):
            found.setdefault(path.parent.name, path.parent)
    return found


def list_summaries() -> Iterator[Summary]:
    """Yield a summary of every known assignment; raise ``AssignmentError`` for an invalid file."""
    for folder in assignment_folders().values():
        path = folder / FILE_NAME
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
            points = sum(float(criterion["points"]) for criterion in content["rubric"])
            yield Summary(str(content["id"]), dict(content["title"]), points, folder)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AssignmentError([message("{path}: cannot be read: {error}", path=path, error=repr(error))]) from None
