"""Load an otter assignment: the output of ``otter assign``, an unpacked autograder zip, or tests beside a notebook."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from grader.i18n.message import Message, message, prefixed, unexpected
from grader.models.assignment import Assignment, Limits
from grader.models.course import Course
from grader.models.errors import AssignmentError
from grader.notebook import parse
from grader.scoring.rubric.course_test import Tested
from grader.spec.formats.course_packages import missing_packages
from grader.spec.formats.handed_out import split_files
from grader.spec.formats.otter_test_files import TestFile, is_test_file, read_file, read_metadata

# Otter has no time limit for a cell. An endless cell leaves most of the notebook's time to the others.
CELL_SECONDS = 100.0
CONFIG = "otter_config.json"
TESTS = "tests"
METADATA = "otter"  # key in the metadata of a notebook and of its cells
# Otter's own files, and files that students must not get: tests, solutions, the token for Gradescope.
NOT_HANDED_OUT = re.compile(
    r"tests|otter_config\.json|requirements\.(txt|r)|environment\.yml|run_autograder|run_otter\.py|setup\.sh"
    r"|.*\.(ipynb|otter)|.*-(sol|template|answers)\.pdf|.*-autograder.*\.zip|__pycache__|\..*",
    re.IGNORECASE,
)
_STARTS_OTTER = re.compile(r"^[^#\n]*\botter\.Notebook\(", re.MULTILINE)
# grader.check("q1"), and what came before otter: ok.grade("q1"), check("tests/q1.py").
_CHECK = re.compile(
    r"""(?:\.check|\.grade|\bcheck)\(\s*(?P<quote>["'])(?:\.?/?tests/)?(?P<question>[^"'\n]+?)(?:\.py)?(?P=quote)"""
)
# Settings that change grades but are not supported; ignoring them would give wrong grades.
REFUSED: Mapping[str, Message] = {
    "grade_from_log": message("logs hold pickled objects, which are not opened; notebooks are run again"),
    "plugins": message("they are code for otter's own process; remove them and apply their effect to the grades"),
    "score_threshold": message("points are given for each question; apply the threshold to the total"),
}


@dataclass(frozen=True, slots=True)
class Config:
    """Settings in ``otter_config.json`` that change how a notebook is run and scored."""

    seed: int | None = None
    seed_variable: str | None = None
    points_possible: float | None = None
    assignment_name: str | None = None  # also in the metadata of students' notebooks


def load(folder: Path) -> Assignment | None:
    """Return the assignment in ``folder``, or None if it has no otter tests; raise ``AssignmentError``."""
    try:
        return _load(folder)
    except OSError as error:
        problem = message("{path}: cannot be read: {error}", path=error.filename, error=error.strerror)
        raise AssignmentError([problem]) from error


def _load(folder: Path) -> Assignment | None:
    inner = folder / "autograder"  # in the output of otter assign; without a configuration, it has a notebook
    place = inner if (inner / CONFIG).is_file() or next(inner.glob("*.ipynb"), None) is not None else folder
    tests = _test_files(place)
    paths = sorted(path for path in place.glob("*.ipynb") if path.is_file() and not path.name.startswith("."))
    notebooks = {path: _parsed(path) for path in paths}
    if tests:
        notebooks = _checking(notebooks, tests)
    else:
        tests = {question: path for path, node in notebooks.items() for question in _metadata_tests(node)}
        if not tests:
            _refuse_notebooks_without_tests(notebooks)
            return None
        notebooks = {path: node for path, node in notebooks.items() if path in tests.values()}
    config = read_config(place)
    given, warnings = split_files(_student_files(place))
    course = Course("otter", _notebook(place, list(notebooks), config), tests, given)
    files = read_tests(course)
    scale = scale_of(config, files)
    title = next(iter(course.notebooks)).removesuffix(".ipynb")
    return Assignment(
        id=re.sub(r"[^a-z0-9_]+", "-", title.lower()).strip("-") or "otter",
        version="otter",
        folder=place.resolve(),
        title={"en": title},
        limits=Limits(cell_seconds=CELL_SECONDS),
        rubric=tuple(Tested(name, file.possible * scale, title={"en": name}) for name, file in files.items()),
        warnings=warnings + missing_packages([place]),
        course=course,
    )


def _test_files(place: Path) -> dict[str, Path]:
    """Return test files by question; none if the folder ``tests`` is not otter's."""
    paths = [path for path in sorted((place / TESTS).glob("*.py")) if path.name != "__init__.py"]
    is_otter = (place / CONFIG).is_file() or any(is_test_file(path.read_text("utf-8", "replace")) for path in paths)
    return {path.stem: path for path in paths} if is_otter else {}


def _checking(notebooks: Mapping[Path, NotebookNode | None], tests: Collection[str]) -> dict[Path, NotebookNode | None]:
    """Return the notebooks that check one of the questions; all of them if none does, or if there is only one."""
    checking = {path: node for path, node in notebooks.items() if node is not None and _checks(node, tests)}
    return dict(checking if checking and len(notebooks) > 1 else notebooks)


def _checks(node: NotebookNode, tests: Collection[str]) -> bool:
    return any(question in tests for cell in node.cells for question in checked_questions(cell))


def checked_questions(cell: NotebookNode) -> Iterator[str]:
    """Yield the questions that a code cell checks, by calls and by otter's metadata."""
    if cell.cell_type == "code":
        code = "\n".join(line.partition("#")[0] for line in cell.source.split("\n"))
        yield from (found["question"] for found in _CHECK.finditer(code))
        tests = metadata_of(cell).get("tests")
        yield from (test for test in tests if isinstance(test, str)) if isinstance(tests, list) else ()


def _notebook(place: Path, notebooks: list[Path], config: Config) -> dict[str, Path]:
    """Return the assignment's only notebook by name; the file is missing in an autograder zip."""
    if len(notebooks) > 1:
        names = ", ".join(path.name for path in notebooks)
        problem = message(
            "{path}: found {n} notebooks ({names}), expected one", path=place, n=len(notebooks), names=names
        )
        raise AssignmentError([problem])
    title = re.sub(r"[^\w -]+", "-", config.assignment_name or place.resolve().name)  # also used in file names
    path = notebooks[0] if notebooks else place / f"{title}.ipynb"
    return {path.name: path}


def _student_files(place: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files beside the student's notebook: an autograder zip's ``files``, else all that are not otter's."""
    archive = (place / "run_autograder").is_file()
    folder = place / "files" if archive else place
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if archive or not NOT_HANDED_OUT.fullmatch(path.name):
            yield path.name, path


# ------------------------------------------------------------------ tests


def read_tests(course: Course) -> dict[str, TestFile]:
    """Return tests by question in otter's order; raise ``AssignmentError`` with the problems of all files."""
    problems: list[Message] = []
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
        problem = message("{path}: cannot be read as UTF-8 text: {error}", path=path, error=error)
        raise AssignmentError([problem]) from error


def _parsed(path: Path) -> NotebookNode | None:
    return parse.parse(path.read_bytes()).notebook


def metadata_of(node: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return otter's part of the metadata of a notebook or a cell; empty if it is missing or no object."""
    found = (node or {}).get("metadata", {}).get(METADATA)
    return found if isinstance(found, Mapping) else {}


def _metadata_tests(parsed: NotebookNode | None) -> Mapping[str, Any]:
    tests = metadata_of(parsed).get("tests")
    return tests if isinstance(tests, Mapping) else {}


def _refuse_notebooks_without_tests(notebooks: Mapping[Path, NotebookNode | None]) -> None:
    """Raise AssignmentError for otter's notebooks; what they carry of another format would grade them wrongly."""
    problems: list[Message] = []
    for path, node in notebooks.items():
        if node is not None and any(map(_is_assignment_config, node.cells)):
            problems.append(
                message(
                    "{path}: found otter's master notebook; run `otter assign {path} dist` and give dist", path=path
                )
            )
        elif node is not None and any(
            _STARTS_OTTER.search(cell.source) for cell in node.cells if cell.cell_type == "code"
        ):
            problems.append(
                message(
                    "{path}: the notebook calls otter's checks, but has no tests: there are none in {tests} beside it, "
                    "and none in its metadata. Give the folder autograder that otter assign wrote.",
                    path=path,
                    tests=TESTS,
                )
            )
    if problems:
        raise AssignmentError(problems)


def _is_assignment_config(cell: NotebookNode) -> bool:
    return cell.cell_type == "raw" and re.match(r"#\s*ASSIGNMENT CONFIG", cell.source) is not None


# ------------------------------------------------------------------ configuration


def folder_of(course: Course) -> Path:
    """Return the folder of the tests, or of the notebook that contains them."""
    path = next(iter(course.tests.values()))
    return path.parent if path.suffix == ".ipynb" else path.parent.parent


def read_config(folder: Path) -> Config:
    """Return otter's configuration, its defaults without the file; raise ``AssignmentError`` with every problem."""
    path = folder / CONFIG
    if not path.is_file():
        return Config()
    try:
        found = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise AssignmentError([message("{path}: cannot be read as JSON: {error}", path=path, error=error)]) from error
    if not isinstance(found, dict):
        raise AssignmentError([unexpected(str(path), type(found).__name__, message("a JSON object"))])
    problems = [prefixed(f"{path}: ", problem) for problem in _config_problems(found)]
    if problems:
        raise AssignmentError(problems)
    return Config(*(found.get(field.name) for field in fields(Config)))


def _config_problems(found: Mapping[str, Any]) -> Iterable[Message]:
    for setting, why in REFUSED.items():
        if found.get(setting):
            value = json.dumps(found[setting])[:60]
            yield message("{place}: found {found}, expected none: {why}", place=setting, found=value, why=why)
    if found.get("lang", "python") != "python":
        yield message(
            "lang: found {found}, expected 'python': notebooks in R do not run here", found=repr(found["lang"])
        )
    seed, variable, possible, name = (found.get(field.name) for field in fields(Config))
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        yield unexpected("seed", repr(seed), message("an integer"))
    if variable is not None and not (isinstance(variable, str) and variable.isidentifier()):
        yield unexpected("seed_variable", repr(variable), message("the name of a variable"))
    if possible is not None and (isinstance(possible, bool) or not isinstance(possible, int | float) or possible < 0):
        yield unexpected("points_possible", repr(possible), message("0 or more"))
    if name is not None and not isinstance(name, str):
        yield unexpected("assignment_name", repr(name), message("a string"))


def scale_of(config: Config, files: Mapping[str, TestFile]) -> float:
    """Return the factor for all points; not 1 where the configuration sets the total of all questions."""
    possible = sum(file.possible for file in files.values())
    return config.points_possible / possible if config.points_possible is not None and possible else 1.0
