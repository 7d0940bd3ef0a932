"""The class and its homework: the reference notebook, and the rows with which the peers test its model."""

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
    """Return the reference solution without the lines that mark solutions."""
    notebook = jupytext.read(ROOT / "reference" / "solutions" / "disease.py", fmt="py:percent")
    for cell in notebook.cells:
        cell.source = "\n".join(line for line in cell.source.splitlines() if " SOLUTION" not in line)
    return notebook


def rows_to_check() -> str:
    """Return public rows for the teacher's test, half ill and half healthy, as CSV without a header."""
    lines = TABLE.read_text("utf-8").split()[1:]
    chosen = random.Random(3)
    ill, healthy = ([line for line in lines if line.endswith(f",{kind}")] for kind in "10")
    picked = chosen.sample(ill, ROWS // 2) + chosen.sample(healthy, ROWS // 2)
    chosen.shuffle(picked)
    return "\n".join(picked)


def read_rows() -> str:
    """Return the code of a test that binds ``hidden`` to the rows."""
    table = f'"""\\\n{rows_to_check()}\n"""'
    return f'import io\nimport numpy as np\nhidden = np.loadtxt(io.StringIO({table}), delimiter=",")'


def write_class(folder: Path, notebook: NotebookNode, copies: int) -> None:
    for number in range(copies):
        student = folder / f"student{number:02}"
        student.mkdir(parents=True)
        nbformat.write(notebook, student / "disease.ipynb")


def cell_spans(path: Path) -> list[tuple[float, float]]:
    """Return the start and end of each code cell (s since 1970), as recorded in the executed notebook."""
    cells: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["cells"]
    recorded = [cell["metadata"]["execution"] for cell in cells if cell["metadata"].get("execution")]
    return [(_seconds(times["iopub.execute_input"]), _seconds(times["shell.execute_reply"])) for times in recorded]


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def load() -> str:
    """Return the load average of the machine over the last minute."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
