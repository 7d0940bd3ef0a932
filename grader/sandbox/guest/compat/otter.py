"""``import otter`` in a student's notebook: there is nothing to check yet, the tests run beside its cells."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from . import otter_tests
from .stub_modules import nothing, offer


def start() -> None:
    """Before what is installed: test files must meet the decorator that is looked for here."""
    offer({"otter": _otter, "otter.test_files": _test_files})


class Waiting:
    """What ``grader.check`` gives."""

    def __init__(self, question: str) -> None:
        self.question = question

    def __repr__(self) -> str:
        return f"{self.question}: its tests run when this notebook is graded; the report has their results."


class Notebook:
    """``otter.Notebook`` without tests of its own: what it would write, export or plug in has no place here."""

    def __init__(self, *_args: Any, **_options: Any) -> None:
        pass

    def check(self, question: str, *_args: Any, **_options: Any) -> Waiting:
        return Waiting(question)

    check_all = export = to_pdf = run_plugin = add_plugin_files = nothing

    @classmethod
    def init_grading_mode(cls, *_args: Any, **_options: Any) -> None:
        pass


def _otter(module: ModuleType) -> None:
    contents: Mapping[str, Any] = {"Notebook": Notebook, "__version__": "", "load_ipython_extension": nothing}
    vars(module).update(contents)


def _test_files(module: ModuleType) -> None:
    vars(module)["test_case"] = otter_tests.TestCase
