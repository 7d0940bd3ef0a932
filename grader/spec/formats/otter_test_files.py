"""Parse otter's test files, in both of their formats, without running them: values that are no literals are refused.

The points of a question are shared among its cases as otter does; a property test compares the two.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from textwrap import dedent
from typing import Any

from grader.i18n.message import Message, message, prefixed, unexpected
from grader.models.errors import AssignmentError


@dataclass(frozen=True, slots=True)
class Case:
    """A test case; ``points`` is None until they are shared out, ``code`` is empty for a function in a test file."""

    name: str
    code: str = ""
    hidden: bool = True  # otter's default for doctests
    points: float | None = None
    success_message: str = ""
    failure_message: str = ""


@dataclass(frozen=True, slots=True)
class TestFile:
    """The test cases of a question; ``source`` is the whole file to run if the cases are functions, else empty."""

    __test__ = False  # pytest would collect the class

    cases: tuple[Case, ...]
    all_or_nothing: bool = False
    source: str = ""

    @property
    def possible(self) -> float:
        """Points of all cases."""
        return math.fsum(case.points or 0.0 for case in self.cases)

    def earned(self, passed: Sequence[bool]) -> float:
        """Return the points for the cases that passed; ``passed`` has a value for each case."""
        if self.all_or_nothing:
            return self.possible if all(passed) else 0.0
        return math.fsum(case.points or 0.0 for case, ok in zip(self.cases, passed, strict=True) if ok)


_OK_TEST = re.compile(r"^test\s*=\s*\{.*?[\"']suites[\"']\s*:", re.MULTILINE | re.DOTALL)


def read_file(source: str, where: str) -> TestFile:
    """Return the parsed test file; raise ``AssignmentError``, which names ``where``."""
    with _problems_at(where):
        return _by_format(source)


def read_metadata(test: Any, where: str) -> TestFile:
    """Parse tests that ``otter assign`` put in a notebook's metadata: a doctest's ``dict``, or the text of a file."""
    with _problems_at(where):
        return _functions(_tree(test), test) if isinstance(test, str) else _doctests(test)


def is_test_file(source: str) -> bool:
    """Return whether a Python file looks like otter's tests; ``OK_FORMAT`` is missing before otter 3."""
    return "OK_FORMAT" in source or _OK_TEST.search(source) is not None


@contextmanager
def _problems_at(where: str) -> Iterator[None]:
    try:
        yield
    except AssignmentError as error:
        raise AssignmentError([prefixed(f"{where}: ", problem) for problem in error.problems]) from error


def _broken(problem: Message) -> AssignmentError:
    return AssignmentError([problem])


def _by_format(source: str) -> TestFile:
    tree = _tree(source)
    ok_format, test = (_assigned(tree).get(name) for name in ("OK_FORMAT", "test"))
    if ok_format is None and not is_test_file(source):
        raise _broken(
            message("found no OK_FORMAT, expected OK_FORMAT = True (doctests) or False (test_case functions)")
        )
    if ok_format is not None and not _literal(ok_format, "OK_FORMAT"):
        return _functions(tree, source)
    if test is None:
        raise _broken(message("OK_FORMAT is True, but found no test, expected {example}", example="test = {...}"))
    return _doctests(_literal(test, "test"))


def _tree(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = str(error).replace("<unknown>, ", "")  # Python adds "(<unknown>, line 2)"
        raise _broken(message("found a Python syntax error: {error}", error=where)) from error


def _assigned(tree: ast.Module) -> dict[str, ast.expr]:
    """Return the expression assigned to each name at the file's top level; the last assignment counts."""
    found: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            found |= {target.id: node.value for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            found[node.target.id] = node.value
    return found


def _literal(node: ast.expr, place: str) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        expected = message("a literal value, as otter assign writes it: test files are read, not run")
        raise _broken(unexpected(f"line {node.lineno}: {place}", repr(ast.unparse(node)[:60]), expected)) from None


# ------------------------------------------------------------------ doctests


def _doctests(test: Any) -> TestFile:
    if not isinstance(test, dict) or "name" not in test:
        example = "{'name': ..., 'points': ..., 'suites': [...]}"
        raise _broken(message("test: found no name, expected {example}", example=example))
    suites = test.get("suites")
    if not isinstance(suites, list) or len(suites) != 1 or not isinstance(suites[0], dict):
        raise _broken(message("test: suites: expected a list with one suite, as otter does"))
    suite: Mapping[str, Any] = suites[0]
    if suite.get("type", "doctest") != "doctest":
        raise _broken(message("test: suites: type: found {found}, expected 'doctest'", found=repr(suite["type"])))
    for key in ("setup", "teardown"):
        if suite.get(key):
            raise _broken(message("test: suites: {key}: otter accepts none; move it into the cases", key=key))
    cases = suite.get("cases")
    if not isinstance(cases, list) or not all(isinstance(case, dict) and "code" in case for case in cases):
        raise _broken(message("test: suites: cases: expected a list of {example}", example="{'code': '>>> ...'}"))
    found = [_case(case, case.get("name", f"{test['name']} - {number}")) for number, case in enumerate(cases, 1)]
    return TestFile(share_points(test.get("points"), found), bool(test.get("all_or_nothing", False)))


def _case(options: Mapping[str, Any], name: Any, *, hidden: bool = True) -> Case:
    return Case(
        str(name),
        dedent(str(options.get("code", ""))),
        bool(options.get("hidden", hidden)),
        _points(options.get("points"), f"{name}: points"),
        str(options.get("success_message") or ""),
        str(options.get("failure_message") or ""),
    )


# ------------------------------------------------------------------ functions


# Parameters of otter's test_case, in its order.
_OPTIONS = ("name", "points", "hidden", "success_message", "failure_message")


def _functions(tree: ast.Module, source: str) -> TestFile:
    assigned = _assigned(tree)
    if "name" not in assigned:
        raise _broken(message("OK_FORMAT is False, but found no name, expected name = '...'"))
    name = _literal(assigned["name"], "name")
    found: dict[str, Mapping[str, Any]] = {}  # by function name; a second definition keeps the place of the first
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and (options := _decorated(node)) is not None:
            found[node.name] = options
    cases = [
        _case(options, options.get("name") or f"{name} - {number}", hidden=False)
        for number, options in enumerate(found.values(), 1)
    ]
    points = _literal(assigned["points"], "points") if "points" in assigned else None
    all_or_nothing = _literal(assigned["all_or_nothing"], "all_or_nothing") if "all_or_nothing" in assigned else False
    return TestFile(share_points(points, cases), bool(all_or_nothing), source)


def _decorated(node: ast.FunctionDef) -> Mapping[str, Any] | None:
    """Return the options of ``@test_case(...)``, or None if the function is no test case."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).rpartition(".")[2] == "test_case":
            options = dict(zip(_OPTIONS, decorator.args, strict=False))
            options |= {keyword.arg: keyword.value for keyword in decorator.keywords if keyword.arg is not None}
            unknown = options.keys() - set(_OPTIONS)
            if unknown or len(options) < len(decorator.args) + len(decorator.keywords):
                names = ", ".join(_OPTIONS)
                raise _broken(
                    message("line {line}: test_case takes {names}, each once", line=decorator.lineno, names=names)
                )
            return {option: _literal(value, f"test_case: {option}") for option, value in options.items()}
    return None


# ------------------------------------------------------------------ points


def share_points(points: Any, cases: Iterable[Case]) -> tuple[Case, ...]:
    """Return ``cases`` with the points of their question.

    ``points`` is None, a number for the question, or a list with a number for each case. Cases without points of their
    own share equally what the others leave. A question without any points is worth 1.
    """
    cases = list(cases)
    if isinstance(points, list):
        if len(points) != len(cases):
            raise _broken(
                unexpected("points", str(len(points)), message("one for each of the {n} cases", n=len(cases)))
            )
        cases = [replace(case, points=_points(value, "points")) for case, value in zip(cases, points, strict=True)]
        points = None
    total = _points(points, "points")
    own = math.fsum(case.points for case in cases if case.points is not None)
    unset = sum(case.points is None for case in cases)
    if total is None:
        total = own if any(case.points for case in cases) or not unset else 1.0
    if own > total + 1e-9:
        expected = message("at most the question's {total:g}", total=total)
        raise _broken(unexpected("points", message("{sum:g} for all cases", sum=own), expected))
    share = max(0.0, total - own) / unset if unset else 0.0
    return tuple(replace(case, points=share if case.points is None else case.points) for case in cases)


def _points(value: Any, place: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _broken(unexpected(place, repr(value), message("a number")))
    return float(value)
