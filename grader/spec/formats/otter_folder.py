"""An otter assignment's folder: what ``otter assign`` made, an autograder zip unpacked, or tests beside a notebook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from grader.i18n.message import Message
from grader.models.assignment import Assignment
from grader.models.course import Course
from grader.models.errors import AssignmentError
from grader.notebook import parse
from grader.scoring.rubric.course_test import Tested
from grader.spec.formats.otter_test_files import TestFile, read_file, read_metadata

CONFIG = "otter_config.json"
TESTS = "tests"
METADATA = "otter"  # of a notebook and of its cells
# Otter's own files, and what a student must not find: tests, solutions, the token for Gradescope.
NOT_HANDED_OUT = re.compile(
    r"tests|otter_config\.json|requirements\.(txt|r)|environment\.yml|run_autograder|run_otter\.py|setup\.sh"
    r"|.*\.(ipynb|zip|otter)|.*-(sol|template|answers)\.pdf|__pycache__|\..*",
    re.IGNORECASE,
)
# What would change a grade and cannot be done here: nobody shall believe that it was.
REFUSED: Mapping[str, str] = {
    "grade_from_log": "logs hold pickled objects, which are not opened here; notebooks are run anew",
    "plugins": "they are code for otter's own process; take them out, and apply their effect to the grades",
    "score_threshold": "points are given for each question; apply the threshold to the total",
}


@dataclass(frozen=True, slots=True)
class Config:
    """What of ``otter_config.json`` changes how a notebook is run and scored."""

    seed: int | None = None
    seed_variable: str | None = None
    points_possible: float | None = None
    assignment_name: str | None = None  # as students' notebooks carry it


def load(folder: Path) -> Assignment | None:
    """None when there are no tests of otter's in ``folder``; raises AssignmentError with every problem."""
    try:
        return _load(folder)
    except OSError as error:
        raise AssignmentError([f"{error.filename}: cannot be read: {error.strerror}"]) from error


def _load(folder: Path) -> Assignment | None:
    place = folder / "autograder" if (folder / "autograder" / CONFIG).is_file() else folder
    tests = _test_files(place)
    notebooks = sorted(path for path in place.glob("*.ipynb") if path.is_file())
    if not tests:
        parsed = {path: _parsed(path) for path in notebooks}
        tests = {question: path for path, one in parsed.items() for question in _metadata_tests(one)}
        notebooks = [path for path in notebooks if path in tests.values()]
        if not tests:
            _refuse_masters(parsed)
            return None
    config = read_config(place)
    course = Course("otter", _by_name(place, notebooks, config), tests, dict(_beside(place)))
    files = read_tests(course)
    scale = scale_of(config, files)
    title = next(iter(course.notebooks)).removesuffix(".ipynb")
    return Assignment(
        id=re.sub(r"[^a-z0-9_]+", "-", title.lower()).strip("-") or "otter",
        version="otter",
        folder=place.resolve(),
        title={"en": title},
        rubric=tuple(Tested(name, file.possible * scale, title={"en": name}) for name, file in files.items()),
        course=course,
    )


def _test_files(place: Path) -> dict[str, Path]:
    """By question; none where the folder ``tests`` is somebody else's."""
    paths = [path for path in sorted((place / TESTS).glob("*.py")) if path.name != "__init__.py"]
    ours = (place / CONFIG).is_file() or any("OK_FORMAT" in path.read_text("utf-8", "replace") for path in paths)
    return {path.stem: path for path in paths} if ours else {}


def _by_name(place: Path, notebooks: list[Path], config: Config) -> dict[str, Path]:
    """One: otter grades one notebook, whatever its name; an autograder zip has none in it."""
    if len(notebooks) > 1:
        names = ", ".join(path.name for path in notebooks)
        raise AssignmentError([f"{place}: found {len(notebooks)} notebooks ({names}), expected the assignment's one"])
    title = re.sub(r"[^\w -]+", "-", config.assignment_name or place.resolve().name)  # it names files as well
    path = notebooks[0] if notebooks else place / f"{title}.ipynb"
    return {path.name: path}


def _beside(place: Path) -> Iterator[tuple[str, Path]]:
    """What students find beside their notebook: of an autograder's archive its ``files``, else what is not otter's."""
    archive = (place / "run_autograder").is_file()
    folder = place / "files" if archive else place
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if archive or not (NOT_HANDED_OUT.fullmatch(path.name) or _has_notebooks(path)):
            yield path.name, path


def _has_notebooks(path: Path) -> bool:
    """Then it is no data: what others handed in, results, solutions."""
    return path.is_dir() and any(one.suffix.lower() in (".ipynb", ".zip") for one in path.rglob("*"))


# ------------------------------------------------------------------ tests


def read_tests(course: Course) -> dict[str, TestFile]:
    """By question, in otter's order; raises AssignmentError with the problems of all of them."""
    problems: list[Message | str] = []
    files = {}
    for question in sorted(course.tests):
        try:
            files[question] = _read(course.tests[question], question)
        except AssignmentError as error:
            problems += error.problems
    if problems:
        raise AssignmentError(problems)
    return files


def _read(path: Path, question: str) -> TestFile:
    if path.suffix == ".ipynb":
        return read_metadata(_metadata_tests(_parsed(path))[question], f"{path}: metadata.otter.tests.{question}")
    try:
        return read_file(path.read_text("utf-8-sig"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise AssignmentError([f"{path}: cannot be read as UTF-8 text: {error}"]) from error


def _parsed(path: Path) -> NotebookNode | None:
    return parse.parse(path.read_bytes()).notebook


def metadata_of(node: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Otter's own part of a notebook's or a cell's metadata, whatever stands there."""
    found = (node or {}).get("metadata", {}).get(METADATA)
    return found if isinstance(found, Mapping) else {}


def _metadata_tests(parsed: NotebookNode | None) -> Mapping[str, Any]:
    tests = metadata_of(parsed).get("tests")
    return tests if isinstance(tests, Mapping) else {}


def _refuse_masters(parsed: Mapping[Path, NotebookNode | None]) -> None:
    masters = [path for path, one in parsed.items() if one is not None and any(map(_begins_a_master, one.cells))]
    if masters:
        raise AssignmentError(
            [f"{path}: found otter's master notebook; run `otter assign {path} dist` and give dist" for path in masters]
        )


def _begins_a_master(cell: NotebookNode) -> bool:
    return cell.cell_type == "raw" and re.match(r"#\s*ASSIGNMENT CONFIG", cell.source) is not None


# ------------------------------------------------------------------ configuration


def folder_of(course: Course) -> Path:
    """Where the tests lie, or the notebook that has them in it."""
    path = next(iter(course.tests.values()))
    return path.parent if path.suffix == ".ipynb" else path.parent.parent


def read_config(folder: Path) -> Config:
    """Raises AssignmentError with every problem; a folder without the file has otter's defaults."""
    path = folder / CONFIG
    if not path.is_file():
        return Config()
    try:
        found = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise AssignmentError([f"{path}: cannot be read as JSON: {error}"]) from error
    if not isinstance(found, dict):
        raise AssignmentError([f"{path}: found {type(found).__name__}, expected an object {{...}}"])
    problems = [f"{path}: {problem}" for problem in _problems(found)]
    if problems:
        raise AssignmentError(problems)
    return Config(*(found.get(field.name) for field in fields(Config)))


def _problems(found: Mapping[str, Any]) -> Iterable[str]:
    for word, why in REFUSED.items():
        if found.get(word):
            yield f"{word}: found {json.dumps(found[word])[:60]}, expected none: {why}"
    if found.get("lang", "python") != "python":
        yield f"lang: found {found['lang']!r}, expected 'python': notebooks in R do not run here"
    seed, variable, possible, name = (found.get(field.name) for field in fields(Config))
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        yield f"seed: found {seed!r}, expected a whole number"
    if variable is not None and not (isinstance(variable, str) and variable.isidentifier()):
        yield f"seed_variable: found {variable!r}, expected the name of a variable"
    if possible is not None and (isinstance(possible, bool) or not isinstance(possible, int | float) or possible < 0):
        yield f"points_possible: found {possible!r}, expected a number, 0 or more"
    if name is not None and not isinstance(name, str):
        yield f"assignment_name: found {name!r}, expected a text"


def scale_of(config: Config, files: Mapping[str, TestFile]) -> float:
    """By how much points count more where the teacher has set what all questions together are worth."""
    possible = sum(file.possible for file in files.values())
    return config.points_possible / possible if config.points_possible is not None and possible else 1.0
