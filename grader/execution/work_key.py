"""Digest of all that the run of a submission depends on: work with the same digest is not run again."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader import __version__
from grader.execution.runner import PreparedAssignment
from grader.files.plain_files import file_digest, read_plain
from grader.models.assignment import Assignment, Limits
from grader.models.submission import Submission
from grader.notebook import parse
from grader.scoring.rubric import document as report_criteria

LIBRARIES = ("numpy", "pandas", "scikit-learn", "tensorflow", "keras", "torch", "jax", "matplotlib", "ipykernel")


def class_key(prepared: PreparedAssignment, limits: Limits) -> str:
    """Return the digest of what is the same for the whole class. Rubric, thresholds and lateness are no part of it.

    ``limits`` are those of the assignment, without the memory that this machine can give.
    """
    assignment = prepared.assignment
    return _digest(
        {
            "grader": __version__,
            "python": platform.python_version(),
            "libraries": {name: _version(name) for name in LIBRARIES},
            "assignment": assignment.id,
            "secret": prepared.secret.hex(),  # decides which of a group's own photos are held out
            "pictures": str(assignment.pictures),
            "limits": asdict(limits),
            "data": _data(assignment),
            "hidden": _array(prepared.hidden_inputs),
            "public": [_array(prepared.public.inputs), _array(prepared.public.targets)] if prepared.public else None,
            "starter": sorted(prepared.starter_sources),
            "files": dict(_files(_teacher_files(assignment))),
            "library": sorted(_listing(prepared.library)) if prepared.library else None,
            "withheld": sorted(map(str, assignment.withheld)),
            "sources": sorted(map(str, assignment.sources.items())),
            "lacking": sorted(prepared.lacking_files),
            "report": str(report_criteria.wanted(assignment.rubric)),  # what is read of a PDF
        }
    )


def work_key(submission: Submission, of_class: str) -> str:
    """Return the digest of a submission's work: cells and attachments, and ``of_class``."""
    notebooks = [*([submission.notebook] if submission.notebook else []), *submission.parts.values()]
    return _digest(
        {
            "class": of_class,
            "cells": [_cells(path) for path in notebooks],
            "name": submission.notebook_name,
            "parts": sorted(submission.parts),
            "attachments": {file.name: file_digest(file.path) for file in submission.attachments},
            "problem": str(submission.problem),
        }
    )


def _digest(parts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


@cache
def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _data(assignment: Assignment) -> list[str] | None:
    data = assignment.data
    return [data.task, *map(str, data.inputs)] if data else None


def _array(array: NDArray[np.generic] | None) -> list[str] | None:
    if array is None:
        return None
    return [str(array.dtype), str(array.shape), hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()]


def _teacher_files(assignment: Assignment) -> dict[str, Path]:
    data, course = assignment.data, assignment.course
    given = {path.name: path for path in data.files} if data else {}
    return given | ({**course.notebooks, **course.tests, **course.files} if course else {})


def _files(files: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """Yield name and digest of the teacher's files, also of those in folders; only the teacher may give links."""
    for name, path in files.items():
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                yield f"{name}/{file.relative_to(path)}" if path.is_dir() else name, file_digest(file.resolve())


def _listing(folder: Path) -> Iterable[str]:
    """Yield names and sizes: reading gigabytes of weights for every grading would take longer than it saves."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield f"{path.relative_to(folder)} {path.stat().st_size}"


def _cells(path: Path) -> list[list[str]] | str:
    """Return type and source of each cell; the digest of the bytes if they are no notebook."""
    content = read_plain(path, parse.MAX_BYTES + 1)
    notebook = parse.parse(content).notebook
    if notebook is None:
        return hashlib.sha256(content).hexdigest()
    return [[cell.cell_type, cell.source] for cell in notebook.cells]
