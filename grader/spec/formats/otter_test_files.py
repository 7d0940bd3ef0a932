"""Otter's test files, both formats, read without running them: what is not written down literally is refused.

The points of a question are shared out as otter does; a property test holds both against each other.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from textwrap import dedent
from typing import Any

from grader.models.errors import AssignmentError


@dataclass(frozen=True, slots=True)
class Case:
    """``points`` is None until they are shared out; ``code`` is empty where the case is a function of its file."""

    name: str
    code: str = ""
    hidden: bool = True  # as otter assumes where a doctest does not say
    points: float | None = None
    success_message: str = ""
    failure_message: str = ""


@dataclass(frozen=True, slots=True)
class TestFile:
    """The cases of one question; ``source`` is the whole file where they are functions, to be run as it is."""

    __test__ = False  # for pytest

    cases: tuple[Case, ...]
    all_or_nothing: bool = False
    source: str = ""

    @property
    def possible(self) -> float:
        return math.fsum(case.points or 0.0 for case in self.cases)

    def earned(self, passed: Sequence[bool]) -> float:
        """``passed`` has one value for each case."""
        if self.all_or_nothing:
            return self.possible if all(passed) else 0.0
        return math.fsum(case.points or 0.0 for case, one in zip(self.cases, passed, strict=True) if one)


class _BrokenError(ValueError):
    """Says what was found and what was expected; ``where`` it was is known outside."""


def read_file(source: str, where: str) -> TestFile:
    """Raises AssignmentError, which names ``where``."""
    try:
        return _by_format(source)
    except _BrokenError as error:
        raise AssignmentError([f"{where}: {error}"]) from error


def read_metadata(test: Any, where: str) -> TestFile:
    """As ``otter assign`` keeps a question's tests in a notebook: a doctest's ``dict``, or the text of a file."""
    try:
        return _functions(_tree(test), test) if isinstance(test, str) else _doctests(test)
    except _BrokenError as error:
        raise AssignmentError([f"{where}: {error}"]) from error


def _by_format(source: str) -> TestFile:
    tree = _tree(source)
    ok_format = _assigned(tree).get("OK_FORMAT")
    if ok_format is None:
        raise _BrokenError("found no OK_FORMAT, expected OK_FORMAT = True (doctests) or False (test_case functions)")
    if not _literal(ok_format, "OK_FORMAT"):
        return _functions(tree, source)
    test = _assigned(tree).get("test")
    if test is None:
        raise _BrokenError("OK_FORMAT is True, but found no test, expected test = {...}")
    return _doctests(_literal(test, "test"))


def _tree(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        raise _BrokenError(f"found a Python syntax error{f' in line {line}' if line else ''}: {error}") from error


def _assigned(tree: ast.Module) -> dict[str, ast.expr]:
    """What each name is given at the file's top level; the last time counts."""
    found: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            found |= {target.id: node.value for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            found[node.target.id] = node.value
    return found


def _literal(node: ast.expr, what: str) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        found = ast.unparse(node)[:60]
        raise _BrokenError(
            f"line {node.lineno}: {what}: found {found!r}, expected it written out, as otter assign writes it: "
            "test files are read, not run"
        ) from None


# ------------------------------------------------------------------ doctests


def _doctests(test: Any) -> TestFile:
    if not isinstance(test, dict) or "name" not in test:
        raise _BrokenError("test: found no name, expected {'name': ..., 'points': ..., 'suites': [...]}")
    suites = test.get("suites")
    if not isinstance(suites, list) or len(suites) != 1 or not isinstance(suites[0], dict):
        raise _BrokenError("test: suites: expected a list with one suite in it, as otter does")
    suite: Mapping[str, Any] = suites[0]
    if suite.get("type", "doctest") != "doctest":
        raise _BrokenError(f"test: suites: type: found {suite['type']!r}, expected 'doctest'")
    for word in ("setup", "teardown"):
        if suite.get(word):
            raise _BrokenError(f"test: suites: {word}: otter takes none; write it into the cases")
    cases = suite.get("cases")
    if not isinstance(cases, list) or not all(isinstance(case, dict) and "code" in case for case in cases):
        raise _BrokenError("test: suites: cases: expected a list of {'code': '>>> ...'}")
    found = [_case(case, case.get("name", f"{test['name']} - {number}")) for number, case in enumerate(cases, 1)]
    return TestFile(shared_out(test.get("points"), found), bool(test.get("all_or_nothing", False)))


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


_OPTIONS = ("name", "points", "hidden", "success_message", "failure_message")  # of test_case, in its order


def _functions(tree: ast.Module, source: str) -> TestFile:
    assigned = _assigned(tree)
    if "name" not in assigned:
        raise _BrokenError("OK_FORMAT is False, but found no name, expected name = '...'")
    name = _literal(assigned["name"], "name")
    found: dict[str, Mapping[str, Any]] = {}  # by the function: what defines one again takes the first one's place
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and (options := _decorated(node)) is not None:
            found[node.name] = options
    cases = [
        _case(options, options.get("name") or f"{name} - {number}", hidden=False)
        for number, options in enumerate(found.values(), 1)
    ]
    points = _literal(assigned["points"], "points") if "points" in assigned else None
    all_or_nothing = _literal(assigned["all_or_nothing"], "all_or_nothing") if "all_or_nothing" in assigned else False
    return TestFile(shared_out(points, cases), bool(all_or_nothing), source)


def _decorated(node: ast.FunctionDef) -> Mapping[str, Any] | None:
    """The options of ``@test_case(...)``; None where the function is no test case."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).rpartition(".")[2] == "test_case":
            options = dict(zip(_OPTIONS, decorator.args, strict=False))
            options |= {word.arg: word.value for word in decorator.keywords if word.arg is not None}
            unknown = options.keys() - set(_OPTIONS)
            if unknown or len(options) < len(decorator.args) + len(decorator.keywords):
                raise _BrokenError(f"line {decorator.lineno}: test_case takes {', '.join(_OPTIONS)}, each once")
            return {word: _literal(value, f"test_case: {word}") for word, value in options.items()}
    return None


# ------------------------------------------------------------------ points


def shared_out(points: Any, cases: Iterable[Case]) -> tuple[Case, ...]:
    """``cases`` with their points: of a question's ``points`` (None, a number, or one for each case) those that say
    nothing themselves share equally what the others leave; where nobody says anything a question is worth 1.
    """
    cases = list(cases)
    if isinstance(points, list):
        if len(points) != len(cases):
            raise _BrokenError(f"points: found {len(points)}, expected one for each of the {len(cases)} cases")
        cases = [replace(case, points=_points(one, "points")) for case, one in zip(cases, points, strict=True)]
        points = None
    total = _points(points, "points")
    said = math.fsum(case.points for case in cases if case.points is not None)
    silent = sum(case.points is None for case in cases)
    if total is None:
        total = said if any(case.points for case in cases) or not silent else 1.0
    if said > total + 1e-9:
        raise _BrokenError(f"points: the cases have {said:g} together, expected at most the question's {total:g}")
    each = max(0.0, total - said) / silent if silent else 0.0
    return tuple(replace(case, points=each if case.points is None else case.points) for case in cases)


def _points(value: Any, what: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _BrokenError(f"{what}: found {value!r}, expected a number")
    return float(value)
