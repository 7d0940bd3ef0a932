"""The ``otter`` package in a student's notebook, and Otter's tests of one question, run in the notebook's namespace.

The result of each test case is displayed as JSON. This module is loaded before the first cell, and binds what it uses
at once: a notebook that replaces the ``json`` or ``doctest`` module changes nothing here. A notebook that changes the
contents of these modules does: such tests can be forged.
"""

from __future__ import annotations

import doctest
import importlib.util
import inspect
import io
import pdb
import signal
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec
from json import dumps, loads
from types import ModuleType
from typing import Any, TypedDict

from .stub_modules import do_nothing, provide, provide_missing

_PDB = pdb.Pdb
CASE_SECONDS = 60.0  # wall clock; otter itself has no limit
MAX_MESSAGE = 2000  # characters of the message of a failed case
Namespace = dict[str, Any]
Write = Callable[[str], object]
Result = dict[str, Any]  # of one case: {"passed": bool, "message": str}


class TooLongError(BaseException):
    """Time limit of a test case. It is no ``Exception``, because the student's code may catch those."""


FAILURES = (
    Exception,
    SystemExit,
    KeyboardInterrupt,
    TooLongError,
)  # all ways to end without returning


class Order(TypedDict):
    """Tests to run: the texts of doctests in ``cases``, or a file of test functions in ``source``."""

    question: str
    token: str  # returned with the results; output printed before cannot contain it
    cases: list[str]
    source: str


@dataclass(eq=False)
class TestCase:
    """The decorator ``otter.test_files.test_case``; only the host reads its options."""

    name: str | None = None
    points: float | None = None
    hidden: bool = False
    success_message: str | None = None
    failure_message: str | None = None
    function: Callable[..., Any] = field(default=lambda: None, repr=False)

    def __call__(self, function: Callable[..., Any]) -> TestCase:
        self.function = function
        return self


def run(text: str) -> None:
    """Run the tests in ``text`` (an ``Order`` as JSON) in the notebook's namespace, and display their results."""
    from IPython.core.getipython import get_ipython
    from IPython.display import publish_display_data

    order: Order = loads(text)
    namespace: Namespace = get_ipython().user_ns
    result: dict[str, Any] = {"token": order["token"]}
    with _without_output():
        try:
            result["cases"] = list(_run_cases(order, namespace))
        except BaseException as error:  # noqa: BLE001  the teacher's file itself failed, perhaps with SystemExit
            result["problem"] = _describe(error)
    publish_display_data({"text/plain": dumps(result)})


def _run_cases(order: Order, namespace: Namespace) -> Iterator[Result]:
    """Run each case separately: an exit in a case does not end the others."""
    if order["source"]:
        name, source = f"<tests of {order['question']}>", order["source"]
        for case in _load_cases(name, source):
            yield _run_function(case, namespace, name, source.splitlines())
    else:
        for number, text in enumerate(order["cases"]):
            yield _run_doctest(f"{order['question']} {number}", text, namespace)


def _result(message: str | None) -> Result:
    """Return a failure with ``message``, or a pass for None."""
    return {"passed": message is None, "message": (message or "").strip()[:MAX_MESSAGE]}


# ------------------------------------------------------------------ doctests


def _run_doctest(name: str, text: str, namespace: Namespace) -> Result:
    """Run a doctest in a copy of the namespace, as otter does: cases do not see each other's assignments."""
    output = io.StringIO()
    try:
        examples = doctest.DocTestParser().get_examples(text, name)
        test = doctest.DocTest(examples, namespace, name, None, None, text)
        with _standard_debugger(), _time_limit(CASE_SECONDS):
            failed = _BriefRunner(verbose=False).run(test, out=output.write, clear_globs=False).failed
    except FAILURES as error:  # a doctest that cannot be parsed, or the time limit
        return _result(_describe(error))
    return _result(output.getvalue() or "failed" if failed else None)


class _BriefRunner(doctest.DocTestRunner):
    """A runner that writes a line per failure: a traceback would show the grader's code and paths."""

    def report_failure(self, out: Write, _test: doctest.DocTest, example: doctest.Example, got: str) -> None:
        out(f"{example.source.strip()}: expected {example.want.strip() or 'nothing'}, got {got.strip() or 'nothing'}\n")

    def report_unexpected_exception(
        self, out: Write, _test: doctest.DocTest, example: doctest.Example, exc_info: Any
    ) -> None:
        out(f"{example.source.strip()}: {_describe(exc_info[1])}\n")


@contextmanager
def _standard_debugger() -> Iterator[None]:
    """Restore Python's debugger class: the kernel replaces it by IPython's, which doctest cannot use."""
    previous = pdb.Pdb
    pdb.Pdb = _PDB  # type: ignore[misc]
    try:
        yield
    finally:
        pdb.Pdb = previous  # type: ignore[misc]


# ------------------------------------------------------------------ functions that raise


class _Source(InspectLoader):
    """Loader of a module from text."""

    def __init__(self, source: str) -> None:
        self.source = source

    def get_source(self, fullname: str) -> str:  # noqa: ARG002
        return self.source

    def get_filename(self, fullname: str) -> str:
        return fullname

    def create_module(self, spec: ModuleSpec) -> None:  # noqa: ARG002
        return None

    def get_code(self, fullname: str) -> Any:
        return self.source_to_code(self.source, fullname)


def _load_cases(name: str, source: str) -> list[TestCase]:
    """Return the test cases in the order of the first assignment of their names, as otter does."""
    module = importlib.util.module_from_spec(ModuleSpec(name, _Source(source)))
    assert module.__spec__ is not None and isinstance(module.__spec__.loader, _Source)
    module.__spec__.loader.exec_module(module)
    return [value for value in vars(module).values() if isinstance(value, TestCase)]


def _run_function(case: TestCase, namespace: Namespace, name: str, lines: list[str]) -> Result:
    """Call a test function with the variables that its parameters name.

    A missing variable is None; ``env`` is the whole namespace.
    """
    try:
        parameters = inspect.signature(case.function).parameters
        with _time_limit(CASE_SECONDS):
            case.function(**{key: namespace if key == "env" else namespace.get(key) for key in parameters})
    except FAILURES as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == name]
        line = frames[-1].lineno if frames else None
        shown = lines[line - 1].strip() if line and line <= len(lines) else ""
        return _result(f"{shown}\n{_describe(error)}")
    return _result(None)


def _describe(error: BaseException) -> str:
    """Return the type and the text of an exception; only the type if the student's ``__str__`` fails."""
    try:
        return ": ".join(filter(None, [type(error).__name__, str(error)]))[:MAX_MESSAGE]
    except BaseException:  # noqa: BLE001  raised by the student's __str__
        return type(error).__name__


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise TooLongError after ``seconds``, and again every second: Python ignores an exception in a destructor."""
    if not hasattr(signal, "setitimer"):  # on Windows only the limit of the whole notebook applies
        yield
        return

    def stop(_number: int, _frame: object) -> None:
        raise TooLongError(f"not finished after {seconds:g} s")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@contextmanager
def _without_output() -> Iterator[None]:
    """Discard everything that tests print and display: it may reveal hidden tests."""
    from IPython.core.getipython import get_ipython

    formatter = get_ipython().display_formatter
    formatters: Mapping[str, Any] = formatter.formatters
    formatter.formatters = {}
    discarded = io.StringIO()
    try:
        with redirect_stdout(discarded), redirect_stderr(discarded):
            yield
    finally:
        formatter.formatters = formatters


# ------------------------------------------------------------------ the package ``otter``


def install() -> None:
    """Provide ``otter`` even where it is installed: test files must use the decorator ``TestCase`` of this module.

    The packages of its forerunners, OK and Gofer, have the same tests; modules of the student's take precedence.
    """
    provide({"otter": _fill_otter, "otter.test_files": _fill_test_files})
    provide_missing({"gofer": do_nothing, "gofer.ok": _fill_otter})
    provide_missing({"client": do_nothing, "client.api": do_nothing, "client.api.notebook": _fill_otter})


class PendingCheck:
    """Result of ``grader.check`` in a notebook: the tests run later, next to its cells."""

    def __init__(self, question: str, *_args: Any) -> None:
        self.question = question

    def __repr__(self) -> str:
        return f"{self.question}: its tests run when this notebook is graded; the report shows their results."


class Notebook:
    """``otter.Notebook``, and OK's, without tests; exports and plugins do nothing."""

    def __init__(self, *_args: Any, **_options: Any) -> None:
        pass

    def check(self, question: str, *_args: Any, **_options: Any) -> PendingCheck:
        return PendingCheck(question)

    grade = check
    check_all = export = to_pdf = run_plugin = add_plugin_files = do_nothing
    auth = backup = score = submit = do_nothing

    @classmethod
    def init_grading_mode(cls, *_args: Any, **_options: Any) -> None:
        pass


def _fill_otter(module: ModuleType) -> None:
    vars(module).update(Notebook=Notebook, check=PendingCheck, __version__="", load_ipython_extension=do_nothing)


def _fill_test_files(module: ModuleType) -> None:
    vars(module)["test_case"] = TestCase
