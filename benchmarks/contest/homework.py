"""The class and its homework: the reference notebook, and what each peer's teacher would add to check its model."""

from __future__ import annotations

import json
import os
import random
from datetime import datetime
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).parents[2]
ASSIGNMENT = ROOT / "assignments" / "disease"
TABLE = ASSIGNMENT / "patients.csv"
ROWS = 120
FULL_AT, NOTHING_AT, POINTS = 0.80, 0.53, 60


def reference() -> NotebookNode:
    """The reference solution without the marks that say what students do not get."""
    notebook = jupytext.read(ROOT / "reference" / "solutions" / "disease.py", fmt="py:percent")
    for cell in notebook.cells:
        cell.source = "\n".join(line for line in cell.source.splitlines() if " SOLUTION" not in line)
    return notebook


def rows_to_check() -> str:
    """Public rows, half ill and half healthy, as CSV without a header: the teacher's own to test with."""
    lines = TABLE.read_text("utf-8").split()[1:]
    chosen = random.Random(3)
    ill, healthy = ([line for line in lines if line.endswith(f",{kind}")] for kind in "10")
    picked = chosen.sample(ill, ROWS // 2) + chosen.sample(healthy, ROWS // 2)
    chosen.shuffle(picked)
    return "\n".join(picked)


def read_rows() -> str:
    """Lines of a test that bind ``hidden`` to the rows."""
    table = f'"""\\\n{rows_to_check()}\n"""'
    return f'import io\nimport numpy as np\nhidden = np.loadtxt(io.StringIO({table}), delimiter=",")'


def write_class(folder: Path, notebook: NotebookNode, copies: int) -> None:
    for number in range(copies):
        student = folder / f"student{number:02}"
        student.mkdir(parents=True)
        nbformat.write(notebook, student / "disease.ipynb")


def cell_spans(path: Path) -> list[tuple[float, float]]:
    """When each code cell began and ended (s since 1970), as the program that executed the notebook noted it."""
    cells: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["cells"]
    noted = [cell["metadata"]["execution"] for cell in cells if cell["metadata"].get("execution")]
    return [(_seconds(one["iopub.execute_input"]), _seconds(one["shell.execute_reply"])) for one in noted]


def _seconds(written: str) -> float:
    return datetime.fromisoformat(written).timestamp()


def load() -> str:
    """How busy the machine is: runnable processes on average over the last minute."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
