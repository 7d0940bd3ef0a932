"""An assignment in otter-grader as its documentation shows: a master notebook, ``otter assign``, ``otter run``."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from contest.environment import Environment, Unavailable
from contest.homework import FULL_AT, POINTS, TABLE, read_rows, reference
from contest.timing import Timed

ASSIGNMENT = """\
# ASSIGNMENT CONFIG
name: disease
environment: false
export_cell: false
init_cell: true
check_all_cell: false
files:
  - patients.csv"""
QUESTION = f"# BEGIN QUESTION\nname: accuracy\npoints: {POINTS}"
TEST = f"""\
# HIDDEN
{{rows}}
bool(np.mean((model.predict(hidden[:, :-1], verbose=0)[:, 0] > 0.5) == hidden[:, -1]) >= {FULL_AT})"""


def master_notebook() -> NotebookNode:
    """Return the reference notebook as a question, with a hidden test of ``model`` at its end."""
    notebook = reference()
    raw = nbformat.v4.new_raw_cell
    first = next(number for number, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    given, solved = notebook.cells[:first], notebook.cells[first:]
    for cell in solved:
        if cell.cell_type == "code":
            cell.source = f"# BEGIN SOLUTION\n{cell.source}\n# END SOLUTION"
    test = nbformat.v4.new_code_cell(TEST.format(rows=read_rows()))
    test.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "True"}, execution_count=1)]
    prompt = nbformat.v4.new_markdown_cell("**Question 1.** Predict who is ill.")
    notebook.cells = [
        *(raw(ASSIGNMENT), *given, raw(QUESTION), prompt, raw("# BEGIN SOLUTION"), *solved, raw("# END SOLUTION")),
        *(raw("# BEGIN TESTS"), test, raw("# END TESTS"), raw("# END QUESTION")),
    ]
    return notebook


def assign(environment: Environment, folder: Path) -> tuple[Path, Path]:
    """Return the paths of the autograder archive and of the solved notebook that students submit."""
    folder.mkdir(parents=True)
    nbformat.write(master_notebook(), folder / "disease.ipynb")
    shutil.copy(TABLE, folder)
    environment.run("otter", "assign", "disease.ipynb", "dist", "--no-run-tests", "--no-pdfs", cwd=folder)
    archives = sorted((folder / "dist" / "autograder").glob("*.zip"))
    if not archives:
        raise Unavailable("otter assign: no autograder archive was created")
    return archives[0], folder / "dist" / "autograder" / "disease.ipynb"


def run_class(environment: Environment, folder: Path, copies: int) -> Timed:
    """Grade the class with a process per submission: otter accepts a single submission."""
    archive, solved = assign(environment, folder)
    seconds, points = [], []
    for number in range(copies):
        handed_in, out = folder / f"student{number:02}" / "disease.ipynb", folder / f"out{number:02}"
        handed_in.parent.mkdir()
        out.mkdir()
        shutil.copy(solved, handed_in)
        began = time.perf_counter()
        environment.run("otter", "run", handed_in, "-a", archive, "-o", out, "--no-logo", cwd=folder)
        seconds.append(time.perf_counter() - began)
        tests = json.loads((out / "results.json").read_text("utf-8"))["tests"]
        points.append(sum(test.get("score", 0) for test in tests))
    return Timed(sum(seconds), copies, points=tuple(points), commands=tuple(seconds))
