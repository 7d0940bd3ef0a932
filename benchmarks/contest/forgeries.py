"""Notebooks without a correct solution that try to get full marks, for nbgrader and for this grader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

Test = Literal["asserting", "partial"]  # the graded cell ends with an assert, or with a number of points

GUESS = "def predict(X):\n    return np.zeros(len(X))\n"
HONEST = """
table = np.genfromtxt("patients.csv", delimiter=",", skip_header=1)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.pipeline import make_pipeline
from sklearn.linear_model import LogisticRegression
fitted = make_pipeline(StandardScaler(), PolynomialFeatures(2), LogisticRegression(max_iter=2000))
fitted.fit(table[:, :-1], table[:, -1])
def predict(X):
    return fitted.predict(X)
"""


@dataclass(frozen=True, slots=True)
class Forgery:
    """A forged notebook: the student's cell ``answer``, an ``edit`` of the notebook's JSON, and ``files`` beside it."""

    name: str
    test: Test
    answer: str
    edit: Callable[[NotebookNode], Any] = NotebookNode.copy  # changes nothing
    files: Mapping[str, str] = field(default_factory=dict)


def _test_cell(notebook: NotebookNode) -> NotebookNode:
    return next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade"))


def _add_tag(tag: str) -> Callable[[NotebookNode], Any]:
    return lambda notebook: _test_cell(notebook).metadata.update(tags=[tag])


def _change_metadata(**values: Any) -> Callable[[NotebookNode], Any]:
    return lambda notebook: _test_cell(notebook).metadata["nbgrader"].update(values)


def _copy_test_cell(notebook: NotebookNode) -> None:
    copy = new_code_cell("pass", metadata={"nbgrader": dict(_test_cell(notebook).metadata["nbgrader"])})
    notebook.cells.append(copy)


def _change_type(kind: str) -> Callable[[NotebookNode], Any]:
    def edit(notebook: NotebookNode) -> None:
        cell = _test_cell(notebook)
        cell.cell_type = kind
        for name in ("outputs", "execution_count"):
            cell.pop(name, None)

    return edit


FORMATTER = """
for kind in (float, int, object):
    get_ipython().display_formatter.formatters["text/plain"].for_type(kind, lambda value, p, cycle: p.text({shown!r}))
"""
SILENCE = """
shell = get_ipython()
shell.showtraceback = shell._showtraceback = lambda *a, **k: None
shell.set_custom_exc((Exception,), lambda *a, **k: None)
"""
TRANSFORMER = """
get_ipython().input_transformers_cleanup.append(lambda lines: [l for l in lines if "assert" not in l])
"""
TREE = """
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)
get_ipython().ast_transformers.append(Drop())
"""
RUN_CELL = """
shell = get_ipython()
def run(plain):
    return lambda code, *a, **k: plain("pass" if "assert" in code else code, *a, **k)
shell.run_cell, shell.run_cell_async = run(shell.run_cell), run(shell.run_cell_async)
"""
# The attacker knows all paths: the gradebook of nbgrader and the results of this grader.
WRITE = """
import json, pathlib, sqlite3
def write():
    for place in [*pathlib.Path.cwd().parents, pathlib.Path({out!r})]:
        if (place / "gradebook.db").is_file():
            with sqlite3.connect(place / "gradebook.db", timeout=5) as gradebook:
                gradebook.execute("update grade set manual_score = 60 where rowid = (select max(rowid) from grade)")
        for forged in place.glob("grades.*"):
            forged.write_text(json.dumps({{"submissions": [{{"total": 100}}]}}))
"""
NOW = "\nwrite()\n"
LATER = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for _ in range(16):
            time.sleep(0.5)
            try:
                write()
            except Exception:
                pass
    os._exit(0)
"""
EQUAL = """
class Equal:
    def __init__(self, n): self.n = n
    def __len__(self): return self.n
    def __eq__(self, other): return np.ones(len(other), bool)
    __array_ufunc__ = None
def predict(X):
    return Equal(len(X))
"""
NEVER = EQUAL.replace("np.ones(len(other), bool)", "np.full(len(other), np.nan)")
LABELS = """
import sys
def predict(X):
    labels = sys._getframe(1).f_globals.get("hidden")
    return np.zeros(len(X)) if labels is None else labels[:, -1]
"""
HISTORY = """
import io, re
def predict(X):
    rows = re.search("'''(.*?)'''".replace("'", '"'), In[-1].replace(chr(92) + chr(10), ""), re.S)
    if rows is None:
        return np.zeros(len(X))
    return np.loadtxt(io.StringIO(rows[1]), delimiter=",")[:, -1]
"""
MESSAGE = """
shell = get_ipython()
def claim(*_):
    kernel = shell.kernel
    content = {"execution_count": 1, "data": {"text/plain": "60.0"}, "metadata": {}}
    kernel.session.send(kernel.iopub_socket, "execute_result", content, parent=kernel.get_parent())
shell.events.register("pre_run_cell", claim)
"""
SHADOW = """
import sys
here, self = sys.path.copy(), sys.modules.pop("numpy")
sys.path = [place for place in sys.path if "-packages" in place or "python3" in place]
import numpy
sys.path = here
numpy.mean = lambda *a, **k: 1.0
"""
KERNEL = {"name": "none", "display_name": "None", "language": "python"}


def forgeries(out: str) -> tuple[Forgery, ...]:
    """Return the forgeries, numbered as in tests/attacks; ``out`` is the folder of the results, known to attackers."""
    write = WRITE.format(out=out)
    return (
        Forgery("01 prints points", "partial", GUESS + "print(60.0)\ndisplay(60.0)\n60.0"),
        Forgery("02 display formatter", "partial", GUESS + FORMATTER.format(shown="60.0")),
        Forgery("02 formatter, more than full", "partial", GUESS + FORMATTER.format(shown="600.0")),
        Forgery("02 formatter, a word", "partial", GUESS + FORMATTER.format(shown="full")),
        Forgery("03 silenced errors", "asserting", GUESS + SILENCE),
        Forgery("04 tag skip-execution", "asserting", GUESS, _add_tag("skip-execution")),
        Forgery("04 tag raises-exception", "asserting", GUESS, _add_tag("raises-exception")),
        Forgery("05 input transformer", "asserting", GUESS + TRANSFORMER),
        Forgery("05 syntax tree transformer", "asserting", GUESS + TREE),
        Forgery("06 run_cell replaced", "asserting", GUESS + RUN_CELL),
        Forgery("07 gradebook written", "asserting", GUESS + write + NOW),
        Forgery("08 gradebook written later", "asserting", GUESS + write + LATER),
        Forgery("11 early exit", "asserting", GUESS + "import os\nos._exit(0)"),
        Forgery("11 exit while tested", "asserting", GUESS.replace("return", "quit(); return")),
        Forgery("13 labels from the caller", "asserting", LABELS),
        Forgery("13 labels from the history", "asserting", HISTORY),
        Forgery("14 always equal", "asserting", EQUAL),
        Forgery("15 patched mean", "asserting", GUESS + "np.mean = lambda *a, **k: 1.0"),
        Forgery("16 not a number", "partial", NEVER),
        Forgery("17 forged message", "partial", GUESS + MESSAGE),
        Forgery("18 test deleted", "asserting", GUESS, lambda notebook: notebook.cells.remove(_test_cell(notebook))),
        Forgery("18 grade_id doubled", "asserting", GUESS, _copy_test_cell),
        Forgery("18 more points", "asserting", GUESS, _change_metadata(points=600)),
        Forgery("18 test no longer graded", "asserting", GUESS, _change_metadata(grade=False)),
        Forgery("18 test as Markdown", "asserting", GUESS, _change_type("markdown")),
        Forgery("18 another kernel", "asserting", GUESS, lambda notebook: notebook.metadata.update(kernelspec=KERNEL)),
        Forgery("19 a numpy.py beside it", "asserting", GUESS, files={"numpy.py": SHADOW}),
    )


WARN = "import warnings; warnings.warn('slow'); return"
# Notebooks without a trick, which check the measurement: these must get no points, and RIGHT all points.
PLAIN = (Forgery("wrong", "asserting", GUESS), Forgery("wrong, partial", "partial", GUESS))
RIGHT = (
    Forgery("right", "asserting", HONEST),
    Forgery("right, partial", "partial", HONEST),
    Forgery("right, with a warning", "asserting", HONEST.replace("return", WARN)),
)
