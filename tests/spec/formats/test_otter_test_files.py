"""Tests of parsing otter's test files without running them."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.models.errors import AssignmentError
from grader.spec.formats.otter_test_files import Case, read_file, read_metadata, share_points
from tests.spec.formats.otter_course import functions, ok

TWO = ">>> 1\n1"


def test_parse_doctests() -> None:
    words = {"success_message": "yes", "failure_message": None, "locked": False}
    file = read_file(ok({"code": "  >>> 1\n  1", "name": "first", **words}, TWO, points=3, all_or_nothing=True), "q.py")
    assert file.cases == (
        Case("first", TWO, True, 1.5, "yes", ""),
        Case("the_questions_own_name - 2", TWO, False, 1.5),
    )
    assert (file.possible, file.all_or_nothing, file.source) == (3, True, "")
    assert (file.earned([True, False]), file.earned([True, True])) == (0, 3)


def test_parse_functions() -> None:
    source = functions(
        "import otter\n\ndef helper(): ...\n\n@otter.test_files.test_case('named', hidden=True)\ndef a(x): ...\n\n"
        "@test_case(points=2, success_message='yes')\n@helper\ndef b(env): ...",
        points=5,
    )
    file = read_file(source, "q.py")
    assert file.cases == (Case("named", "", True, 3), Case("the_questions_own_name - 2", "", False, 2, "yes"))
    assert file.source == source


def test_parse_tests_in_notebook_metadata() -> None:
    test = ast.literal_eval(ok(TWO, points=2).partition("test = ")[2])
    assert read_metadata(test, "hw.ipynb").possible == 2
    assert read_metadata(functions("@test_case()\ndef t(): ..."), "hw.ipynb").possible == 1


BROKEN: dict[str, tuple[str, str]] = {
    "no Python": ("OK_FORMAT = True\ntest = {", "q.py: found a Python syntax error: '{' was never closed (line 2)"),
    "a null byte": ("OK_FORMAT = True\0", "found a Python syntax error"),
    "no format": ("test = {}", "found no OK_FORMAT, expected OK_FORMAT = True (doctests) or False"),
    "no test": ("OK_FORMAT = True", "found no test, expected test = {...}"),
    "no name": ("OK_FORMAT = True\ntest = {'suites': []}", "test: found no name"),
    "no dict": ("OK_FORMAT = True\ntest = []", "test: found no name"),
    "computed": ("OK_FORMAT = True\ntest = make(1)", "line 2: test: found 'make(1)', expected a literal value"),
    "a call inside": ("OK_FORMAT = True\ntest = {'name': str(1)}", "test files are read, not run"),
    "two suites": ("OK_FORMAT = True\ntest = {'name': 'q', 'suites': [{}, {}]}", "expected a list with one suite"),
    "another type": ("OK_FORMAT = True\ntest = {'name': 'q', 'suites': [{'type': 'wwpp'}]}", "found 'wwpp'"),
    "a setup": ("OK_FORMAT = True\ntest = {'name': 'q', 'suites': [{'setup': '>>> 1'}]}", "otter accepts none"),
    "no cases": ("OK_FORMAT = True\ntest = {'name': 'q', 'suites': [{'cases': [1]}]}", "cases: expected a list of"),
    "too many points": (ok({"code": TWO, "points": 3}, points=2), "found 3 for all cases, expected at most"),
    "points of another number": (ok(TWO, points=[1, 2]), "points: found 2, expected one for each of the 1 cases"),
    "points in words": (ok(TWO, points="2"), "points: found '2', expected a number"),
    "endless points": (ok(TWO).replace("'points': None", "'points': 1e999"), "found inf, expected a number"),
    "a case's points": (ok({"code": TWO, "points": True}), "points: found True, expected a number"),
    "functions without a name": ("OK_FORMAT = False", "found no name, expected name = '...'"),
    "a computed option": (functions("@test_case(points=1 + 1)\ndef t(): ..."), "test_case: points: found '1 + 1'"),
    "an unknown option": (functions("@test_case(point=1)\ndef t(): ..."), "test_case takes name, points, hidden"),
    "options from elsewhere": (functions("@test_case(**more)\ndef t(): ..."), "each once"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_problem_names_the_file(name: str) -> None:
    source, says = BROKEN[name]
    with pytest.raises(AssignmentError) as raised:
        read_file(source, "q.py")
    assert len(raised.value.problems) == 1
    assert str(raised.value).startswith("q.py: ") and says in str(raised.value)


def test_test_file_is_not_executed() -> None:
    source = f"raise SystemExit\n{ok(TWO)}"
    assert read_file(source, "q.py").possible == 1


# ---------------------------------------------------------------- points

amounts = st.one_of(st.none(), st.integers(0, 8).map(lambda eighths: eighths / 8))
questions = st.lists(amounts, min_size=1, max_size=6)


def otter_points(total: float | None, points: list[float | None]) -> list[float] | None:
    """Return the points by the rules in otter's documentation, or None where otter raises."""
    own = sum(value for value in points if value is not None)
    unset = points.count(None)
    if total is not None:
        if own > total:
            return None
        share = (total - own) / unset if unset else 0.0
    else:
        share = 1 / unset if own == 0 and unset else 0.0
    return [share if value is None else value for value in points]


def shared(total: Any, points: list[float | None]) -> list[float | None] | None:
    try:
        return [case.points for case in share_points(total, [Case("", points=value) for value in points])]
    except AssignmentError:
        return None


@given(st.one_of(st.none(), st.integers(0, 6)), questions)
def test_points_are_shared_as_in_otter(total: float | None, points: list[float | None]) -> None:
    expected = otter_points(total, points)
    assert shared(total, points) == (None if expected is None else pytest.approx(expected))


@given(questions)
def test_list_of_points_equals_points_of_the_cases(points: list[float | None]) -> None:
    assert shared(points, [None] * len(points)) == pytest.approx(otter_points(None, points))


@given(st.integers(0, 6), questions, st.data())
def test_earned_points_never_exceed_the_possible_points(
    total: int, points: list[float | None], data: st.DataObject
) -> None:
    if shared(total, points) is None:
        return
    file = read_file(ok(*({"code": TWO, "points": value} for value in points), points=total), "q.py")
    passed = data.draw(st.lists(st.booleans(), min_size=len(points), max_size=len(points)))
    assert 0 <= file.earned(passed) <= file.possible + 1e-9 <= total + 2e-9
