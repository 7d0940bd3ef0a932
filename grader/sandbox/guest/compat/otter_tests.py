"""Otter's tests of one question, run among the student's own objects; what each case gave is shown as JSON.

Loaded before the first cell, with what it uses bound at once: a notebook that puts a ``json`` or a ``doctest`` of its
own in their place changes nothing here. One that changes the insides of these modules does: such tests can be forged.
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
from typing import Any, TypedDict

_PDB = pdb.Pdb
CASE_SECONDS = 60.0  # wall clock; otter has no limit, and waits for ever
MAX_MESSAGE = 2000  # characters kept of what a case that failed has to say
Namespace = dict[str, Any]
Say = Callable[[str], object]
Given = dict[str, Any]  # one case: {"passed": bool, "message": str}


class TooLongError(BaseException):
    """No ``Exception``: what a student wrote may catch these."""


FAILURES = (Exception, SystemExit, KeyboardInterrupt, TooLongError)  # every way of a case not to return


class Order(TypedDict):
    """``cases`` are doctests, one text each; where there are none, ``source`` is a file of test functions."""

    question: str
    token: str  # comes back with the results: what was printed beforehand does not know it
    cases: list[str]
    source: str


@dataclass(eq=False)
class TestCase:
    """The decorator ``otter.test_files.test_case``; only the grader looks at its options."""

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
    """Runs the order in ``text`` (JSON, an ``Order``) in the notebook's namespace."""
    from IPython.core.getipython import get_ipython
    from IPython.display import publish_display_data

    order: Order = loads(text)
    namespace: Namespace = get_ipython().user_ns
    result: dict[str, Any] = {"token": order["token"]}
    with _silence():
        try:
            result["cases"] = list(_cases(order, namespace))
        except BaseException as error:  # noqa: BLE001  the teacher's file itself failed; SystemExit is one way to
            result["problem"] = _words(error)
    publish_display_data({"text/plain": dumps(result)})


def _cases(order: Order, namespace: Namespace) -> Iterator[Given]:
    """Every case by itself: what ends one, an exit too, does not end the others."""
    if order["source"]:
        name, source = f"<tests of {order['question']}>", order["source"]
        for case in _functions(name, source):
            yield _called(case, namespace, name, source.splitlines())
    else:
        for number, text in enumerate(order["cases"]):
            yield _doctested(f"{order['question']} {number}", text, namespace)


def _given(message: str | None) -> Given:
    return {"passed": message is None, "message": (message or "").strip()[:MAX_MESSAGE]}


# ------------------------------------------------------------------ doctests


def _doctested(name: str, text: str, namespace: Namespace) -> Given:
    """In a copy of the namespace, as otter does: a case does not see what another assigned."""
    said = io.StringIO()
    try:
        examples = doctest.DocTestParser().get_examples(text, name)
        test = doctest.DocTest(examples, namespace, name, None, None, text)
        with _pythons_debugger(), _at_most(CASE_SECONDS):
            failed = _Brief(verbose=False).run(test, out=said.write, clear_globs=False).failed
    except FAILURES as error:  # a doctest that cannot be read, or time
        return _given(_words(error))
    return _given(said.getvalue() or "failed" if failed else None)


class _Brief(doctest.DocTestRunner):
    """A line for each failure: a traceback would be our own, and tell of this machine."""

    def report_failure(self, out: Say, _test: doctest.DocTest, example: doctest.Example, got: str) -> None:
        out(f"{example.source.strip()}: expected {example.want.strip() or 'nothing'}, got {got.strip() or 'nothing'}\n")

    def report_unexpected_exception(
        self, out: Say, _test: doctest.DocTest, example: doctest.Example, exc_info: Any
    ) -> None:
        out(f"{example.source.strip()}: {_words(exc_info[1])}\n")


@contextmanager
def _pythons_debugger() -> Iterator[None]:
    """The kernel puts IPython's in its place, which doctest, loaded before it, does not understand."""
    kept = pdb.Pdb
    pdb.Pdb = _PDB  # type: ignore[misc]
    try:
        yield
    finally:
        pdb.Pdb = kept  # type: ignore[misc]


# ------------------------------------------------------------------ functions that raise


class _Source(InspectLoader):
    """A module that was never in a file."""

    def __init__(self, source: str) -> None:
        self.source = source

    def get_source(self, fullname: str) -> str:  # noqa: ARG002  there is one
        return self.source

    def get_filename(self, fullname: str) -> str:
        return fullname

    def create_module(self, spec: ModuleSpec) -> None:  # noqa: ARG002
        return None

    def get_code(self, fullname: str) -> Any:
        return self.source_to_code(self.source, fullname)


def _functions(name: str, source: str) -> list[TestCase]:
    """In the order of their names' first assignment, as otter finds them."""
    module = importlib.util.module_from_spec(ModuleSpec(name, _Source(source)))
    assert module.__spec__ is not None and isinstance(module.__spec__.loader, _Source)
    module.__spec__.loader.exec_module(module)
    return [value for value in vars(module).values() if isinstance(value, TestCase)]


def _called(case: TestCase, namespace: Namespace, name: str, lines: list[str]) -> Given:
    """With what its parameters name: a missing one is None, ``env`` is the whole namespace."""
    try:
        wanted = inspect.signature(case.function).parameters
        with _at_most(CASE_SECONDS):
            case.function(**{one: namespace if one == "env" else namespace.get(one) for one in wanted})
    except FAILURES as error:
        places = [place for place in traceback.extract_tb(error.__traceback__) if place.filename == name]
        line = places[-1].lineno if places else None
        shown = lines[line - 1].strip() if line and line <= len(lines) else ""
        return _given(f"{shown}\n{_words(error)}")
    return _given(None)


def _words(error: BaseException) -> str:
    """What a student's exception says of itself, if it can."""
    try:
        return ": ".join(filter(None, [type(error).__name__, str(error)]))[:MAX_MESSAGE]
    except BaseException:  # noqa: BLE001  a __str__ that raises
        return type(error).__name__


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raises TooLongError, again every second: one that comes while Python tidies an object up is lost."""
    if not hasattr(signal, "setitimer"):  # Windows: the limit of the whole notebook has to do
        yield
        return

    def stop(_number: int, _frame: object) -> None:
        raise TooLongError(f"not ready after {seconds:g} s")

    kept = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, kept)


@contextmanager
def _silence() -> Iterator[None]:
    """What tests print and show is nobody's: it may tell of hidden ones."""
    from IPython.core.getipython import get_ipython

    formatter = get_ipython().display_formatter
    kept: Mapping[str, Any] = formatter.formatters
    formatter.formatters = {}
    nowhere = io.StringIO()
    try:
        with redirect_stdout(nowhere), redirect_stderr(nowhere):
            yield
    finally:
        formatter.formatters = kept
