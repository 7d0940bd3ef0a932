"""Compare grades with otter-grader itself on the same assignments and notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from grader.sandbox.base import Sandbox
from grader.spec.formats import otter_format
from tests.spec.formats import otter_peer
from tests.spec.formats.otter_cases import CASES
from tests.spec.formats.otter_course import BEGIN, cells, folder, functions, graded, ok

pytestmark = pytest.mark.network


def test_small_questions_have_the_same_points_in_otter(tmp_path: Path) -> None:
    course = folder(tmp_path / "course", {question: case.test for question, case in CASES.items()}, {})
    checked = [f'{case.wrote}\ngrader.check("{question}")' for question, case in CASES.items()]
    path = tmp_path / "hw.ipynb"
    nbformat.write(cells(BEGIN, *checked), path)
    found = otter_peer.points(path, otter_peer.archive_of(course), tmp_path / "out")
    assert found == {question: pytest.approx(case.points, abs=1e-5) for question, case in CASES.items()}


# ---------------------------------------------------------------- from otter assign


def _question(name: str, options: str, solved: str, tests: Sequence[str]) -> list[nbformat.NotebookNode]:
    """Return the cells of a question in a master notebook; a test that ends in an expression has its output saved."""
    made = [new_code_cell(test) for test in tests]
    for cell in made:
        if not cell.source.rstrip().startswith(("def ", "# HIDDEN\ndef ")) and "assert" not in cell.source:
            cell.outputs = [new_output("execute_result", {"text/plain": "True"}, execution_count=1)]
    return [
        new_raw_cell(f"# BEGIN QUESTION\nname: {name}\n{options}"),
        new_markdown_cell(f"**{name}**"),
        new_raw_cell("# BEGIN SOLUTION"),
        new_code_cell(f"# BEGIN SOLUTION\n{solved}\n# END SOLUTION"),
        new_raw_cell("# END SOLUTION"),
        new_raw_cell("# BEGIN TESTS"),
        *made,
        new_raw_cell("# END TESTS"),
        new_raw_cell("# END QUESTION"),
    ]


DOCTESTS = (
    ("cube(2) == 8", "cube(0) == 0", "# HIDDEN\ncube(-1) == -1"),
    (
        "assert sum(table) == 6",
        "# HIDDEN\nassert len(table) == 3",
    ),
)
FUNCTIONS = (
    (
        "def test_two(cube):\n    assert cube(2) == 8",
        "def test_nothing(cube):\n    assert cube(0) == 0",
        "# HIDDEN\ndef test_below(cube):\n    assert cube(-1) == -1",
    ),
    (
        "def test_sum(table):\n    assert sum(table) == 6",
        "# HIDDEN\ndef test_length(env):\n    assert len(env['table']) == 3",
    ),
)
KINDS = {
    "doctests in the notebook": ("tests:\n  files: false", DOCTESTS),
    "doctests in files": ("tests:\n  files: true", DOCTESTS),
    "functions in the notebook": ("tests:\n  files: false\n  ok_format: false", FUNCTIONS),
    "functions in files, seeded": (
        "tests:\n  files: true\n  ok_format: false\ngenerate:\n  seed: 42\n  points_possible: 20",
        FUNCTIONS,
    ),
}
STUDENTS = {
    "right": ("def cube(x): return x ** 3", "table = [1, 2, 3]"),
    "public only": ("def cube(x): return abs(x) ** 3", "table = [6]"),
    "fails": ("def cube(x): raise ValueError", "table = ]["),
    "nothing": ("...", "..."),
}


@pytest.mark.parametrize("kind", KINDS)
def test_output_of_otter_assign_has_the_same_points_as_otter_run(sandbox: Sandbox, tmp_path: Path, kind: str) -> None:
    settings, (first, second) = KINDS[kind]
    master = new_notebook(
        cells=[
            new_raw_cell(f"# ASSIGNMENT CONFIG\nname: hw\nexport_cell: true\n{settings}"),
            *_question("cube", "points: 3", "def cube(x):\n    return x ** 3", first),
            *_question("table", "points: 4\nall_or_nothing: true", "table = [1, 2, 3]", second),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(master, tmp_path / "hw.ipynb")
    otter_peer.otter("assign", "hw.ipynb", "dist", "--no-run-tests", "--no-pdfs", cwd=tmp_path)
    (archive,) = (tmp_path / "dist" / "autograder").glob("*.zip")
    assignment = otter_format.load(tmp_path / "dist")
    assert assignment is not None
    for name, answers in STUDENTS.items():
        notebook = nbformat.read(tmp_path / "dist" / "student" / "hw.ipynb", as_version=4)
        blanks = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip() == "..."]
        for cell, answer in zip(blanks, answers, strict=True):
            cell.source = answer
        nbformat.write(notebook, tmp_path / "handed_in.ipynb")
        expected = otter_peer.points(tmp_path / "handed_in.ipynb", archive, tmp_path / "out")
        found = graded(assignment, notebook, sandbox, tmp_path / "here").points
        scale = 20 / 7 if "seeded" in kind else 1  # otter scales the total alone
        assert found == {question: pytest.approx(value * scale, abs=1e-4) for question, value in expected.items()}, name


# ---------------------------------------------------------------- differences listed in docs/otter.md


def test_exit_costs_one_case_here_and_everything_in_otter(sandbox: Sandbox, tmp_path: Path) -> None:
    course = folder(
        tmp_path / "course",
        {"q1": functions("@test_case()\ndef t(f):\n    f()"), "q2": ok(">>> 1\n1")},
        {},
    )
    notebook = cells("def f(): raise SystemExit")
    nbformat.write(notebook, tmp_path / "hw.ipynb")
    assert otter_peer.points(tmp_path / "hw.ipynb", otter_peer.archive_of(course), tmp_path / "out") == {}
    assignment = otter_format.load(course)
    assert assignment is not None
    assert graded(assignment, notebook, sandbox, tmp_path / "here").points == {"q1": 0, "q2": 1}
