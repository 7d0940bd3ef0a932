"""Notebooks for tests, written as lists of cells."""

from __future__ import annotations

import hashlib
from pathlib import Path

import nbformat

from grader.models.submission import Student, Submission

TRAIN = """
import numpy as np
from sklearn.linear_model import LogisticRegression
table = np.genfromtxt("patients.csv", delimiter=",", skip_header=1)
model = LogisticRegression(max_iter=2000).fit(table[:, :8], table[:, 8])
"""


def notebook_bytes(*cells: str) -> bytes:
    """Code cells; one that starts with "#md" is Markdown."""
    made = [
        nbformat.v4.new_markdown_cell(cell.removeprefix("#md"))
        if cell.startswith("#md")
        else nbformat.v4.new_code_cell(cell)
        for cell in cells
    ]
    return str(nbformat.writes(nbformat.v4.new_notebook(cells=made))).encode()


def submission(folder: Path, name: str, *cells: str) -> Submission:
    """Write a notebook and return it as the submission of a student called ``name``."""
    return submission_of(folder, name, notebook_bytes(*cells))


def submission_of(folder: Path, name: str, data: bytes) -> Submission:
    path = folder / f"{name}.ipynb"
    path.write_bytes(data)
    return Submission(Student(name, name), path, path.name, digest=hashlib.sha256(data).hexdigest())
