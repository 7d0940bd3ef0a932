"""Tests of grading otter assignments in a real sandbox: points, order, seeds, reports and attacks."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from grader.lms.archive.submissions import read_submissions
from grader.models.assignment import Assignment
from grader.models.course import TestResult
from grader.models.run import Outcome
from grader.pipeline import Settings, grade_class
from grader.sandbox.base import Sandbox
from grader.sandbox.guest.compat import otter_tests
from grader.spec.formats import otter_format
from tests.spec.formats.otter_cases import CASES
from tests.spec.formats.otter_course import BEGIN, Result, cells, folder, functions, graded, ok, quick
from tests.support.builders import zip_bytes
from tests.support.notebooks import notebook_bytes


def result_of(place: Path, sandbox: Sandbox, tests: dict[str, str], *sources: object, **limits: float) -> Result:
    assignment = otter_format.load(folder(place / "course", tests))
    assert assignment is not None
    limits = {"seconds": 60.0, **limits}
    return graded(quick(assignment, **limits), cells(*sources), sandbox, place / "out")


@pytest.fixture(scope="module")
def asked(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Return the result of one notebook that answers and checks every small question."""
    sources = [f'{case.wrote}\ngrader.check("{question}")' for question, case in CASES.items()]
    tests = {question: case.test for question, case in CASES.items()}
    return result_of(tmp_path_factory.mktemp("asked"), sandbox, tests, BEGIN, *sources)


@pytest.mark.parametrize("question", CASES)
def test_points_of_a_question_equal_otters(asked: Result, question: str) -> None:
    assert asked.points[question] == pytest.approx(CASES[question].points)


def test_notebook_with_all_questions_runs(asked: Result) -> None:
    assert asked.run.outcome is Outcome.OK, asked.run.reason


# ---------------------------------------------------------------- order and seed


def test_questions_are_tested_after_their_last_check_or_at_the_end(sandbox: Sandbox, tmp_path: Path) -> None:
    is_two = ok(">>> x\n2")
    by_mark = new_code_cell("x = 2", metadata={"otter": {"tests": ["marked"]}})
    tests = {"early": is_two, "twice": is_two, "late": is_two, "marked": is_two, "gone": is_two}
    result = result_of(
        tmp_path,
        sandbox,
        tests,
        BEGIN,
        'x = 1\ngrader.check("twice")\ngrader.check("early")',
        by_mark,
        "grader.check( 'twice' )",
        '# grader.check("early")\nx = 3; grader.check_all(); grader.export("a.zip", pdf=False)',
        new_code_cell("x = 2", metadata={"tags": ["otter_ignore"]}),
        new_code_cell("x = 2", metadata={"otter": {"ignore": True}}),
    )
    assert result.points == {"early": 0, "gone": 0, "late": 0, "marked": 1, "twice": 1}
    assert result.executed.cells[0].source == BEGIN
    assert len(result.executed.cells) == 7


def test_ignored_cell_becomes_raw_without_metadata(tmp_path: Path) -> None:
    """A raw cell must not keep metadata that is only valid for code cells."""
    assignment = otter_format.load(folder(tmp_path, {"q1": ok(">>> x\n2")}))
    assert assignment is not None and assignment.course is not None
    ignored = new_code_cell("x = 2", metadata={"tags": ["otter_ignore"], "format": 5})
    ready = otter_format.prepare(cells(ignored), "hw.ipynb", assignment.course)[0]
    assert [cell.cell_type for cell in ready.cells] == ["raw", "code"]


@pytest.mark.parametrize(("config", "gives"), [({"seed": 42}, 1.0), ({"seed": 7}, 0.0), ({}, 0.0)], ids=str)
def test_seed_is_set_before_each_cell(
    sandbox: Sandbox, tmp_path: Path, config: dict[str, object], gives: float
) -> None:
    import random

    random.seed(42)
    drawn = random.random()
    place = folder(tmp_path / "course", {"q1": ok(f">>> x == y == {drawn}\nTrue")}, config)
    assignment = otter_format.load(place)
    assert assignment is not None
    notebook = cells("import random\nx = random.random()", "y = random.random()")
    result = graded(assignment, notebook, sandbox, tmp_path / "out")
    assert result.points == {"q1": gives}
    assert len(result.executed.cells) == 2


def test_seed_variable_is_set_before_each_cell(sandbox: Sandbox, tmp_path: Path) -> None:
    place = folder(tmp_path / "course", {"q1": ok(">>> x\n42")}, {"seed": 42, "seed_variable": "rng_seed"})
    assignment = otter_format.load(place)
    assert assignment is not None
    result = graded(assignment, cells("rng_seed = 1\nx = 0", "x = rng_seed"), sandbox, tmp_path / "out")
    assert result.points == {"q1": 1}


# ---------------------------------------------------------------- reports


SECRET = "the_secret_of_the_hidden_one"
HIDDEN = {"code": f">>> assert f(1) == 2, '{SECRET}'", "hidden": True, "failure_message": SECRET}
HIDDEN_FUNCTION = f"@test_case(hidden=True, failure_message='{SECRET}')\ndef t(f):\n    assert f(1) == 2, '{SECRET}'"


def test_hidden_case_reveals_only_that_it_failed(sandbox: Sandbox, tmp_path: Path) -> None:
    """Check every file written for a class, starting from the archive of ``grader.export``."""
    tests = {"q1": ok(HIDDEN), "q2": functions(HIDDEN_FUNCTION)}
    assignment = otter_format.load(folder(tmp_path / "course", tests))
    assert assignment is not None
    exported = zip_bytes(
        {"hw.ipynb": notebook_bytes(BEGIN, 'f = print\ngrader.check("q1")'), "hw.pdf": b"%PDF-1.4", ".OTTER_LOG": b"x"}
    )
    (tmp_path / "class.zip").write_bytes(zip_bytes({"hw_2026_11_24.zip": exported}))
    handed_in = read_submissions([tmp_path / "class.zip"], workspace=tmp_path, assignment=assignment).submissions
    (student,) = grade_class(assignment, handed_in, sandbox, Settings(tmp_path / "out", b"s" * 32))
    for score in student.grade.scores:
        assert str(score.reason).strip() == "0 of 1 test cases passed; hidden among the failed: 1."
    written = [path.read_bytes().decode("utf-8", "replace") for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(written) >= 5 and not any(SECRET in text for text in written)
    assert any("could forge them" in text for text in written)


def test_public_case_shows_its_line_and_the_teachers_message(sandbox: Sandbox, tmp_path: Path) -> None:
    words = {"hidden": False, "failure_message": "Think of 0.", "success_message": "Well done."}
    tests = {
        "q1": ok({"code": ">>> f(1)\n2", **words}, {"code": ">>> 1\n1", **words}),
        "q2": functions(
            "@test_case(failure_message='Look again.')\ndef t(f):\n    half = f(1)\n    assert half == 2, 'was not 2'"
        ),
        "q3": ok({"code": ">>> 1\n1", **words}),
    }
    result = result_of(tmp_path, sandbox, tests, "def f(x): return 1")
    assert result.reason("q1") == ("1 of 2 test cases passed. q1 - 1: Think of 0. f(1): expected 2, got 1 Well done.")
    assert result.reason("q2").endswith("q2 - 1: Look again. assert half == 2, 'was not 2' AssertionError: was not 2")
    assert result.reason("q3") == "All 1 test cases passed. Well done."


def test_broken_test_file_leaves_points_open(sandbox: Sandbox, tmp_path: Path) -> None:
    broken = functions("import no_such_module_anywhere\n\n@test_case()\ndef t(x):\n    assert x")
    result = result_of(tmp_path, sandbox, {"q1": broken, "q2": ok(">>> x\n1")}, "x = 1")
    assert result.points == {"q1": None, "q2": 1}
    assert "No module named 'no_such_module_anywhere'" in str(result.scores["q1"].review)


def test_check_says_when_the_tests_run(sandbox: Sandbox, tmp_path: Path) -> None:
    """Also by OK and Gofer, otter's forerunners, whose packages a notebook imports in its first cell."""
    forerunners = (
        "from client.api.notebook import Notebook; ok = Notebook('hw.ok'); _ = ok.auth(inline=True)",
        "ok.grade('q1')",
        "from gofer.ok import check",
        "check('tests/q1.py')",
    )
    checks = BEGIN, 'grader.check("q1")', *forerunners
    result = result_of(tmp_path, sandbox, {"q1": ok(">>> 1\n1").replace("OK_FORMAT = True", "")}, *checks)
    for cell, named in ((1, "q1"), (3, "q1"), (5, "tests/q1.py")):
        shown = result.executed.cells[cell].outputs[0]["data"]["text/plain"]
        assert shown == f"{named}: its tests run when this notebook is graded; the report shows their results."
    assert (result.run.outcome, result.points) == (Outcome.OK, {"q1": 1})


# ---------------------------------------------------------------- attacks

WRONG = {"q1": ok(">>> f(1)\n2"), "q2": functions("@test_case()\ndef t(f):\n    assert f(1) == 2")}
NOTHING = {"q1": 0.0, "q2": 0.0}
F = "def f(x): return 1\n"
FAKE = json.dumps({"token": "0" * 32, "cases": [{"passed": True, "message": ""}]})
STOPPED = {
    "a result is printed": f"print('{FAKE}')",
    "a result is shown": "from IPython.display import publish_display_data as show\n"
    f"show({{'text/plain': '{FAKE}'}})",
    "json's functions are replaced": f"import json\njson.dumps = lambda *a, **k: '{FAKE}'\njson.loads = None",
    "doctest's runner is replaced": "import doctest\n"
    "doctest.DocTestRunner = doctest.DocTest = doctest.DocTestParser = None",
    "the name doctest is taken": "doctest = json = sys = None",
    "a display hook stays behind": f"import sys\nsys.displayhook = lambda value: print('{FAKE}')",
    "a cell hook prints": f"get_ipython().events.register('pre_run_cell', lambda info: print('{FAKE}'))",
    "a later print from a thread": "import threading, time\n"
    f"def on():\n    while True: print('{FAKE}'); time.sleep(0.001)\nthreading.Thread(target=on, daemon=True).start()",
    "the stand-in is replaced": "import otter\notter.Notebook.check = lambda *a: None\n"
    "import sys\nsys.modules['otter.test_files'].test_case = lambda **k: lambda f: f",
    "tests beside the notebook": "import os\nos.makedirs('tests', exist_ok=True)\n"
    "open('tests/q1.py', 'w').write('OK_FORMAT = True')",
    "standard output is closed": "import sys\nsys.stdout.close()",
    "an exception that cannot be shown": "class E(Exception):\n    def __str__(self): raise SystemExit\n"
    "def f(x): raise E()",
    "an exit while it is tested": "def f(x): raise SystemExit(0)",
    "an interruption while it is tested": "def f(x): raise KeyboardInterrupt",
}  # fmt: skip


@pytest.mark.parametrize("tried", STOPPED)
def test_attack_with_a_wrong_answer_earns_nothing(sandbox: Sandbox, tmp_path: Path, tried: str) -> None:
    assert result_of(tmp_path, sandbox, WRONG, F + STOPPED[tried]).points == NOTHING


def test_forged_cell_metadata_is_ignored(sandbox: Sandbox, tmp_path: Path) -> None:
    forged = new_code_cell(f"print('{FAKE}')", metadata={otter_format.INSERTED: {"question": "q1", "token": "0" * 32}})
    result = result_of(tmp_path, sandbox, WRONG, F, forged)
    assert result.points == NOTHING
    assert len(result.executed.cells) == 2


FORGED = {
    "equal to everything": "class Any:\n    def __eq__(self, other): return True\n    def __repr__(self): return '2'\n"
    "def f(x): return Any()",
    "the insides of doctest and of the runner": "import doctest, sys\n"
    "doctest.DocTestRunner.run = lambda *a, **k: doctest.TestResults(0, 1)\n"
    "sys.modules['guest.compat.otter_tests']._run_function = lambda *a: {'passed': True, 'message': ''}",
    "the cell of the test is rewritten": "import json, re\n"
    "def forged(lines):\n    order = re.search(r'run\\((.*)\\)$', ''.join(lines).strip())\n"
    "    if order is None: return lines\n    order = json.loads(eval(order[1]))\n"
    "    result = json.dumps({'token': order['token'], 'cases': [{'passed': True}]})\n"
    '    return [f\'__import__("IPython").display.publish_display_data({{"text/plain": {result!r}}})\']\n'
    "get_ipython().input_transformers_cleanup.append(forged)",
}


@pytest.mark.parametrize("tried", FORGED)
def test_known_forgeries_succeed(sandbox: Sandbox, tmp_path: Path, tried: str) -> None:
    """The format requires this, and the report says so; hidden data prevents it."""
    assert result_of(tmp_path, sandbox, WRONG, F + FORGED[tried]).points == {"q1": 1, "q2": 1}


READS_THE_TEST = (
    "import sys, re\nasked = open('../notebook.ipynb').read()\n"
    "def f(x): return int(re.search(r'>>> f.1.\\W+n(\\d)', asked)[1])"
)


def test_tests_cannot_be_read_from_the_folder_of_the_job(sandbox: Sandbox, tmp_path: Path) -> None:
    assert result_of(tmp_path, sandbox, WRONG, F + READS_THE_TEST).points == {"q1": 0, "q2": 0}


def test_results_before_the_process_ended_are_kept(sandbox: Sandbox, tmp_path: Path) -> None:
    right = {"a": ok(">>> f(1)\n1"), "b": ok(">>> f(1)\n1"), "c": ok(">>> f(2)")}
    result = result_of(
        tmp_path,
        sandbox,
        right,
        BEGIN,
        F + 'grader.check("a")',
        "import os\ndef f(x): os._exit(0)",
        'grader.check("c")',
    )
    assert result.points == {"a": 1, "b": 0, "c": 0}
    assert result.reason("c").startswith("No result: ")
    assert result.run.outcome is Outcome.ERROR


def test_endless_test_does_not_affect_other_questions(sandbox: Sandbox, tmp_path: Path) -> None:
    tests = {"a": ok(">>> f()", ">>> 1\n1"), "b": ok(">>> x\n1")}
    result = result_of(
        tmp_path, sandbox, tests, "x = 1\ndef f():\n    while True: pass", seconds=30.0, cell_seconds=2.0
    )
    assert result.points["b"] == 1


def test_overwritten_results_earn_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    assignment = otter_format.load(folder(tmp_path / "course", WRONG))
    assert assignment is not None and assignment.course is not None
    ready = otter_format.prepare(cells("f = None"), "course.ipynb", assignment.course)[0]
    other = nbformat.reads(nbformat.writes(ready), as_version=4)
    other.cells[1].source = "print('something else')"
    found = otter_format.test_results(other, ready, "course.ipynb", assignment.course)
    assert [test.points for test in found] == [0, 0]
    assert otter_format.student_view(other, ready, "course.ipynb", assignment.course) is None


@dataclass
class Forger:
    """A notebook with one question, whose output is set without running it."""

    assignment: Assignment
    ready: NotebookNode

    def leaves(self, *outputs: NotebookNode) -> TestResult:
        assert self.assignment.course is not None
        executed = nbformat.reads(nbformat.writes(self.ready), as_version=4)
        executed.cells[1].outputs = list(outputs)
        (test,) = otter_format.test_results(executed, self.ready, "course.ipynb", self.assignment.course)
        return test

    def says(self, **result: object) -> TestResult:
        """Return the test result of an output with the cell's token, which a notebook can read."""
        text = json.dumps({"token": self.ready.cells[1].metadata[otter_format.INSERTED]["token"], **result})
        return self.leaves(new_output("display_data", data={"text/plain": text}))


@pytest.fixture
def forger(tmp_path: Path) -> Forger:
    assignment = otter_format.load(folder(tmp_path / "course", {"q1": ok(">>> 1\n1", ">>> 1\n1")}))
    assert assignment is not None and assignment.course is not None
    return Forger(assignment, otter_format.prepare(cells("f = None"), "course.ipynb", assignment.course)[0])


RIGHT, NOT = {"passed": True, "message": ""}, {"passed": 1, "message": ["x"] * 9}
RESULTS: dict[str, tuple[dict[str, object], float | None]] = {
    "both": ({"cases": [RIGHT, RIGHT]}, 1),
    "one that is no truth": ({"cases": [RIGHT, NOT]}, 0.5),
    "one without a word": ({"cases": [RIGHT, {}]}, 0.5),
    "too many": ({"cases": [RIGHT] * 3}, 0),
    "no list": ({"cases": {"0": RIGHT, "1": RIGHT}}, 0),
    "no cases": ({"cases": [True, True]}, 0),
    "nothing": ({}, 0),
    "a problem": ({"problem": "x"}, None),
    "a problem that is none": ({"problem": 1}, 0),
}


@pytest.mark.parametrize("name", RESULTS)
def test_result_of_another_form_earns_nothing(forger: Forger, name: str) -> None:
    result, points = RESULTS[name]
    assert forger.says(**result).points == points


def test_result_without_the_token_or_too_large_earns_nothing(forger: Forger) -> None:
    shown = [FAKE, "[", "null", "[]", '{"token": {}}', "9" * 2_000_000, "[" * 100_000, '{"token": "\\ud800"}']
    test = forger.leaves(*(new_output("display_data", data={"text/plain": text}) for text in shown))
    assert test.points == 0


@pytest.mark.parametrize("field", ["cases", "problem"])
def test_control_characters_of_a_student_are_removed(forger: Forger, field: str) -> None:
    hostile = "\x1b[31mred\ud800 \u202eback\r\n\0end"
    result = forger.says(**{field: hostile if field == "problem" else [RIGHT, {"passed": False, "message": hostile}]})
    text = str(result.reason)
    assert "[31mred" in text and "back" in text and text.isprintable()
    text.encode("utf-8")


@pytest.mark.parametrize(("text", "gives"), [("\n[output cut here: the limit", None), ("something else", 0)])
def test_cut_results_leave_points_open(forger: Forger, text: str, gives: float | None) -> None:
    assert forger.leaves(new_output("stream", name="stdout", text=text)).points == gives


def test_endless_case_is_interrupted_although_it_catches_exceptions() -> None:
    began = time.monotonic()
    with pytest.raises(otter_tests.TooLongError, match=r"not finished after 0.1 s"), otter_tests._time_limit(0.1):
        while time.monotonic() < began + 5:
            with contextlib.suppress(Exception):
                time.sleep(1)
    assert time.monotonic() < began + 4
