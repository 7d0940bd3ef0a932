"""Otter's assignments graded for real: points, places, seeds, what a student sees, and what a student may try."""

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
    return graded(quick(assignment, **limits), cells(*sources), sandbox, place / "out")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def asked(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Every small question in one notebook, each checked where it was answered."""
    sources = [f'{case.wrote}\ngrader.check("{question}")' for question, case in CASES.items()]
    tests = {question: case.test for question, case in CASES.items()}
    return result_of(tmp_path_factory.mktemp("asked"), sandbox, tests, BEGIN, *sources)


@pytest.mark.parametrize("question", CASES)
def test_a_question_is_worth_what_it_is_in_otter(asked: Result, question: str) -> None:
    assert asked.points[question] == pytest.approx(CASES[question].points)


def test_the_notebook_itself_ran_without_a_fault(asked: Result) -> None:
    assert asked.run.outcome is Outcome.OK, asked.run.reason


# ---------------------------------------------------------------- where, and with which seed


def test_a_question_is_tested_where_it_is_checked_last_and_the_others_at_the_end(
    sandbox: Sandbox, tmp_path: Path
) -> None:
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


def test_an_ignored_cell_may_say_what_it_likes(tmp_path: Path) -> None:
    """A word that cells of text must not have made the grader fail, and the student's points wait for a person."""
    assignment = otter_format.load(folder(tmp_path, {"q1": ok(">>> x\n2")}))
    assert assignment is not None and assignment.course is not None
    ignored = new_code_cell("x = 2", metadata={"tags": ["otter_ignore"], "format": 5})
    ready = otter_format.prepare(cells(ignored), "hw.ipynb", assignment.course)[0]
    assert [cell.cell_type for cell in ready.cells] == ["raw", "code"]


@pytest.mark.parametrize(("config", "gives"), [({"seed": 42}, 1.0), ({"seed": 7}, 0.0), ({}, 0.0)], ids=str)
def test_each_cell_begins_with_the_seed(
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


def test_the_seed_may_be_a_variable(sandbox: Sandbox, tmp_path: Path) -> None:
    place = folder(tmp_path / "course", {"q1": ok(">>> x\n42")}, {"seed": 42, "seed_variable": "rng_seed"})
    assignment = otter_format.load(place)
    assert assignment is not None
    result = graded(assignment, cells("rng_seed = 1\nx = 0", "x = rng_seed"), sandbox, tmp_path / "out")
    assert result.points == {"q1": 1}


# ---------------------------------------------------------------- what a student sees


SECRET = "the_secret_of_the_hidden_one"
HIDDEN = {"code": f">>> assert f(1) == 2, '{SECRET}'", "hidden": True, "failure_message": SECRET}
HIDDEN_FUNCTION = f"@test_case(hidden=True, failure_message='{SECRET}')\ndef t(f):\n    assert f(1) == 2, '{SECRET}'"


def test_of_a_hidden_case_nothing_is_told_but_that_it_failed(sandbox: Sandbox, tmp_path: Path) -> None:
    """From the archive of what ``grader.export`` wrote to everything that is written for a class."""
    tests = {"q1": ok(HIDDEN), "q2": functions(HIDDEN_FUNCTION)}
    assignment = otter_format.load(folder(tmp_path / "course", tests))
    assert assignment is not None
    exported = zip_bytes(
        {"hw.ipynb": notebook_bytes(BEGIN, 'f = print\ngrader.check("q1")'), "hw.pdf": b"%PDF-1.4", ".OTTER_LOG": b"x"}
    )
    (tmp_path / "class.zip").write_bytes(zip_bytes({"hw_2026_11_24.zip": exported}))
    handed_in = read_submissions([tmp_path / "class.zip"], workspace=tmp_path, assignment=assignment).submissions
    (one,) = grade_class(assignment, handed_in, sandbox, Settings(tmp_path / "out", b"s" * 32))
    for score in one.grade.scores:
        assert str(score.reason).strip() == "0 of 1 test cases passed; hidden among the failed: 1."
    written = [path.read_text("utf-8") for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(written) >= 5 and not any(SECRET in text for text in written)
    assert any("could forge them" in text for text in written)


def test_of_a_public_case_its_line_and_the_teachers_words(sandbox: Sandbox, tmp_path: Path) -> None:
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


def test_a_course_file_that_fails_itself_is_nobodys_loss(sandbox: Sandbox, tmp_path: Path) -> None:
    broken = functions("import no_such_module_anywhere\n\n@test_case()\ndef t(x):\n    assert x")
    result = result_of(tmp_path, sandbox, {"q1": broken, "q2": ok(">>> x\n1")}, "x = 1")
    assert result.points == {"q1": None, "q2": 1}
    assert "No module named 'no_such_module_anywhere'" in str(result.scores["q1"].review)


def test_what_a_check_gives_says_when_the_tests_run(sandbox: Sandbox, tmp_path: Path) -> None:
    result = result_of(tmp_path, sandbox, {"q1": ok(">>> 1\n1")}, BEGIN, 'grader.check("q1")')
    shown = result.executed.cells[1].outputs[0]["data"]["text/plain"]
    assert shown == "q1: its tests run when this notebook is graded; the report has their results."


# ---------------------------------------------------------------- what a student may try

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
def test_a_wrong_answer_earns_nothing_whatever_else_the_notebook_does(
    sandbox: Sandbox, tmp_path: Path, tried: str
) -> None:
    assert result_of(tmp_path, sandbox, WRONG, F + STOPPED[tried]).points == NOTHING


def test_marks_in_a_students_cell_are_not_ours(sandbox: Sandbox, tmp_path: Path) -> None:
    forged = new_code_cell(f"print('{FAKE}')", metadata={otter_format.INSERTED: {"question": "q1", "token": "0" * 32}})
    result = result_of(tmp_path, sandbox, WRONG, F, forged)
    assert result.points == NOTHING
    assert len(result.executed.cells) == 2


FORGED = {
    "equal to everything": "class Any:\n    def __eq__(self, other): return True\n    def __repr__(self): return '2'\n"
    "def f(x): return Any()",
    "the insides of doctest and of the runner": "import doctest, sys\n"
    "doctest.DocTestRunner.run = lambda *a, **k: doctest.TestResults(0, 1)\n"
    "sys.modules['guest.compat.otter_tests']._called = lambda *a: {'passed': True, 'message': ''}",
    "the cell of the test is rewritten": "import json, re\n"
    "def forged(lines):\n    order = re.search(r'run\\((.*)\\)$', ''.join(lines).strip())\n"
    "    if order is None: return lines\n    order = json.loads(eval(order[1]))\n"
    "    result = json.dumps({'token': order['token'], 'cases': [{'passed': True}]})\n"
    '    return [f\'__import__("IPython").display.publish_display_data({{"text/plain": {result!r}}})\']\n'
    "get_ipython().input_transformers_cleanup.append(forged)",
    "the test is read": "import sys, re\nasked = open('../notebook.ipynb').read()\n"
    "def f(x): return int(re.search(r'>>> f.1.\\W+n(\\d)', asked)[1])",
}


@pytest.mark.parametrize("tried", FORGED)
def test_what_runs_in_the_students_process_can_be_forged(sandbox: Sandbox, tmp_path: Path, tried: str) -> None:
    """By the format's design, and the report says so: this is what hidden data is for."""
    assert result_of(tmp_path, sandbox, WRONG, F + FORGED[tried]).points == {"q1": 1, "q2": 1}


def test_a_process_that_ends_itself_keeps_what_was_tested_before(sandbox: Sandbox, tmp_path: Path) -> None:
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


def test_a_test_that_never_ends_leaves_the_others_theirs(sandbox: Sandbox, tmp_path: Path) -> None:
    tests = {"a": ok(">>> f()", ">>> 1\n1"), "b": ok(">>> x\n1")}
    result = result_of(
        tmp_path, sandbox, tests, "x = 1\ndef f():\n    while True: pass", seconds=30.0, cell_seconds=2.0
    )
    assert result.points["b"] == 1


def test_results_written_over_are_none(sandbox: Sandbox, tmp_path: Path) -> None:
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
    """What a notebook could leave in the place of the results of its one question, without being run."""

    assignment: Assignment
    ready: NotebookNode

    def leaves(self, *outputs: NotebookNode) -> TestResult:
        assert self.assignment.course is not None
        executed = nbformat.reads(nbformat.writes(self.ready), as_version=4)
        executed.cells[1].outputs = list(outputs)
        (test,) = otter_format.test_results(executed, self.ready, "course.ipynb", self.assignment.course)
        return test

    def says(self, **result: object) -> TestResult:
        """With the token, which a notebook can read."""
        text = json.dumps({"token": self.ready.cells[1].metadata[otter_format.INSERTED]["token"], **result})
        return self.leaves(new_output("display_data", data={"text/plain": text}))


@pytest.fixture
def forger(tmp_path: Path) -> Forger:
    assignment = otter_format.load(folder(tmp_path / "course", {"q1": ok(">>> 1\n1", ">>> 1\n1")}))
    assert assignment is not None and assignment.course is not None
    return Forger(assignment, otter_format.prepare(cells("f = None"), "course.ipynb", assignment.course)[0])


RIGHT, NOT = {"passed": True, "message": ""}, {"passed": 1, "message": ["x"] * 9}
SAID: dict[str, tuple[dict[str, object], float | None]] = {
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


@pytest.mark.parametrize("said", SAID)
def test_only_a_result_of_the_right_form_counts(forger: Forger, said: str) -> None:
    result, points = SAID[said]
    assert forger.says(**result).points == points


def test_a_result_without_its_token_or_larger_than_any_is_none(forger: Forger) -> None:
    shown = [FAKE, "[", "null", "[]", '{"token": {}}', "9" * 2_000_000, "[" * 100_000, '{"token": "\\ud800"}']
    test = forger.leaves(*(new_output("display_data", data={"text/plain": text}) for text in shown))
    assert test.points == 0


@pytest.mark.parametrize("field", ["cases", "problem"])
def test_words_of_a_student_steer_no_page_table_or_terminal(forger: Forger, field: str) -> None:
    hostile = "\x1b[31mred\ud800 \u202eback\r\n\0end"
    said = forger.says(**{field: hostile if field == "problem" else [RIGHT, {"passed": False, "message": hostile}]})
    text = str(said.reason)
    assert "[31mred" in text and "back" in text and text.isprintable()
    text.encode("utf-8")


@pytest.mark.parametrize(("text", "gives"), [("\n[output cut here: the limit", None), ("something else", 0)])
def test_results_that_were_cut_off_are_for_a_person(forger: Forger, text: str, gives: float | None) -> None:
    assert forger.leaves(new_output("stream", name="stdout", text=text)).points == gives


def test_a_case_is_stopped_in_time_whatever_it_catches() -> None:
    began = time.monotonic()
    with pytest.raises(otter_tests.TooLongError, match=r"not ready after 0.1 s"), otter_tests._at_most(0.1):
        while time.monotonic() < began + 5:
            with contextlib.suppress(Exception):
                time.sleep(1)
    assert time.monotonic() < began + 4
