"""Attacks on an nbgrader test's points without the right answer, run in a real sandbox.

Such tests run in the student's own process. ``FORGEABLE`` lists what therefore cannot be prevented, as in
``docs/threats.md``; ``STOPPED`` lists what is prevented.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from grader.models.assignment import Limits
from grader.models.grade import Graded
from grader.models.submission import Student, Submission
from grader.pipeline import Settings, grade_class
from grader.sandbox.base import Sandbox
from tests.spec.formats import nbgrader_course as course
from tests.spec.formats.nbgrader_course import Cell, code, marked
from tests.support.fake_runs import SECRET

WRONG = "def f(x):\n    return -1"
HIDDEN = "### BEGIN HIDDEN TESTS\nassert f(1234) == 1522756, 'eleven is secret'\n### END HIDDEN TESTS"
EXACT = f"assert f(3) == 9, 'three'\n{HIDDEN}"
SHARE = "sum(f(k) == k * k for k in range(10)) / 10 * 2"
TEACHER_CELLS = [
    marked("answer", "f", "def f(x):\n    ### BEGIN SOLUTION\n    return x * x\n    ### END SOLUTION"),
    marked("test", "exact", EXACT, 2),
    marked("test", "share", SHARE, 2),
]
NOTHING = {"exact": 0.0, "share": 0.0}


@dataclass(frozen=True, slots=True)
class Attack:
    id: str
    edit: Callable[[list[Cell]], list[Cell]]
    won: dict[str, float]


def first(*lines: str) -> Callable[[list[Cell]], list[Cell]]:
    """Return an edit that runs code before the answer, which stays wrong."""
    return lambda cells: [code("\n".join(lines)), *cells]


def instead(*lines: str) -> Callable[[list[Cell]], list[Cell]]:
    """Return an edit that replaces the answer by code."""
    return lambda cells: course.answered(cells, {"f": "\n".join(lines)})


def rewritten(cells: list[Cell]) -> list[Cell]:
    """Set everything that nbgrader's metadata and Jupyter's tags allow."""
    for cell in cells:
        cell["metadata"]["tags"] = ["raises-exception", "skip-execution"]
        cell["metadata"]["nbgrader"] |= {"points": 100, "grade": False, "solution": True, "locked": False}
    return cells


def replaced(cells: list[Cell]) -> list[Cell]:
    """Empty the tests, and repeat one at the end."""
    return [*course.answered(cells, {"exact": "", "share": "2.0"}), marked("test", "exact", "pass", 2)]


STOPPED = [
    Attack("metadata-rewritten", rewritten, NOTHING),
    Attack("tests-replaced", replaced, NOTHING),
    Attack("tests-deleted", lambda cells: cells[:1], NOTHING),
    Attack("process-ended", first("import os", "os._exit(0)"), NOTHING),
    Attack("process-ended-in-the-test", instead("def f(x):", "    import os", "    os._exit(0)"), NOTHING),
    Attack("exit", first("exit()"), NOTHING),
    Attack("system-exit", instead("def f(x):", "    raise SystemExit(0)"), NOTHING),
    Attack("prints-points", instead("def f(x):", "    print(2.0)", "    display(2.0)", "    return -1"), NOTHING),
    Attack("flood", instead("def f(x):", "    print('x' * 3_000_000)", "    return -1"), NOTHING),
    Attack(
        "tracebacks-silenced",
        first("shell = get_ipython()", "shell.showtraceback = shell._showtraceback = lambda *a, **k: None"),
        NOTHING,
    ),
    Attack(
        "value-sent-by-hand",
        instead(
            "def f(x):",
            "    kernel = get_ipython().kernel",
            "    said = {'data': {'text/plain': '2.0'}, 'metadata': {}, 'execution_count': 9}",
            "    kernel.session.send(kernel.iopub_socket, 'execute_result', said, parent=kernel.get_parent())",
            "    return -1",
        ),
        NOTHING,
    ),
]
ALL = {"exact": 2.0, "share": 2.0}
FORGEABLE = [
    Attack(
        "equals-everything",
        instead("class Yes(int):", "    def __eq__(self, other): return True", "def f(x): return Yes(1)"),
        ALL,
    ),
    Attack("builtins-shadowed", first("sum = lambda values: 10"), {"exact": 0.0, "share": 2.0}),
    Attack(
        "formatter",
        first(
            "plain = get_ipython().display_formatter.formatters['text/plain']",
            "plain.for_type(float, lambda value, p, cycle: p.text('2.0'))",
        ),
        {"exact": 0.0, "share": 2.0},
    ),
    Attack("source-rewritten", first("get_ipython().input_transformers_post.append(lambda lines: ['pass\\n'])"), ALL),
    Attack("values-not-shown", first("get_ipython().ast_node_interactivity = 'none'"), {"exact": 0.0, "share": 2.0}),
]


@pytest.fixture(scope="module")
def results(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Graded]:
    """Grade all attackers and three other students, right, wrong and nearly right, as one class."""
    root = tmp_path_factory.mktemp("course")
    folder = course.write_course(root, {"p.ipynb": TEACHER_CELLS})
    edits = {attack.id: attack.edit for attack in (*STOPPED, *FORGEABLE)}
    edits |= {"right": instead("def f(x):", "    return x ** 2"), "wrong": lambda cells: cells}
    edits["nearly"] = instead("def f(x):", "    return {3: 9}.get(x, -1)")
    submissions = []
    for name, edit in edits.items():
        cells = edit(course.answered(course.handed_out(folder / "p.ipynb"), {"f": WRONG}))
        path = root / f"{name}.ipynb"
        path.write_bytes(course.notebook(cells))
        submissions.append(Submission(Student(name, name), path, "p.ipynb"))
    assignment = course.loaded(folder)
    short = replace(assignment, limits=Limits(seconds=20))
    graded = grade_class(short, submissions, sandbox, Settings(root / "out", SECRET, jobs=2))
    return {result.submission.student.id: result for result in graded}


def won(graded: Graded) -> dict[str, float | None]:
    return {score.criterion.partition("/")[2]: score.points for score in graded.grade.scores}


def test_honest_submissions_get_their_points(results: dict[str, Graded]) -> None:
    assert won(results["right"]) == ALL
    assert won(results["wrong"]) == NOTHING
    assert won(results["nearly"]) == {"exact": 0.0, "share": 0.2}


@pytest.mark.parametrize("attack", STOPPED, ids=lambda attack: attack.id)
def test_attack_earns_nothing(results: dict[str, Graded], attack: Attack) -> None:
    assert won(results[attack.id]) == attack.won
    assert results[attack.id].grade.max == 4


@pytest.mark.parametrize("attack", FORGEABLE, ids=lambda attack: attack.id)
def test_known_forgery_succeeds(results: dict[str, Graded], attack: Attack) -> None:
    assert won(results[attack.id]) == attack.won


@pytest.mark.parametrize("attack", [*STOPPED, *FORGEABLE], ids=lambda attack: attack.id)
def test_attack_is_documented(attack: Attack) -> None:
    assert f"`{attack.id}`" in (Path(__file__).parents[3] / "docs" / "threats.md").read_text("utf-8")


def pages(results: dict[str, Graded], name: str) -> str:
    executed = results[name].run.executed
    assert executed is not None
    files = [path for path in executed.parent.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"report.html", "executed.ipynb", "p.ipynb"}
    return "\n".join(path.read_text("utf-8") for path in files)


@pytest.mark.parametrize("name", ["right", "wrong", "nearly", "tests-deleted", "process-ended"])
def test_students_do_not_see_hidden_tests(results: dict[str, Graded], name: str) -> None:
    shown = pages(results, name)
    assert "f(1234)" not in shown and "1522756" not in shown and "eleven" not in shown


def test_hidden_test_reveals_only_that_it_failed(results: dict[str, Graded]) -> None:
    reasons = {name: str(results[name].grade.scores[0].reason) for name in ("wrong", "nearly")}
    assert reasons == {
        "wrong": "The test failed: AssertionError: three",
        "nearly": "A hidden test failed (AssertionError).",
    }


def test_report_warns_once_about_forgeable_points(results: dict[str, Graded]) -> None:
    assert pages(results, "right").count("could forge them") == 1
