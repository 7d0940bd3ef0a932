"""Notebooks of wrong types everywhere, before and after the run: never an error, and never a fault of the grader."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.execution.facts_parser import parse_facts
from grader.files.archives.contents import Entry
from grader.lms.archive.submissions import read_submissions
from grader.lms.classroom import read_claim
from grader.models.run import Outcome
from grader.models.submission import Submission
from grader.notebook.name_errors import explain_name_errors
from grader.notebook.parse import (
    attach_saved_outputs,
    code_size,
    describe_cells,
    parse,
    parse_executed,
    runnable_copy,
)
from grader.pipeline import Settings, grade_class
from grader.report.notebook_page import notebook_view
from grader.sandbox.base import Job, Reply
from grader.sandbox.fake import FakeSandbox, finished
from grader.spec.loader import load_assignment
from tests.support.builders import write_folder

PNG = "iVBORw0KGgo="
OUTPUTS: list[Any] = [
    {"output_type": "stream", "name": "stdout", "text": ["hello\n", "again"]},
    {
        "output_type": "execute_result",
        "execution_count": 1,
        "metadata": {},
        "data": {"text/plain": "1", "text/html": "<b>1</b>", "image/png": PNG, "application/json": {"a": [1]}},
    },
    {"output_type": "display_data", "metadata": {}, "data": {"text/markdown": ["# x"], "image/svg+xml": "<svg/>"}},
    {"output_type": "error", "ename": "NameError", "evalue": "name 'q' is not defined", "traceback": ["a", "b"]},
]
TIMES = {"iopub.status.busy": "2026-01-01T00:00:00Z", "iopub.status.idle": "2026-01-01T00:00:01Z"}
VALID: dict[str, Any] = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "grader": {"slow_cells": [1]}},
    "cells": [
        {
            "cell_type": "markdown",
            "id": "m",
            "metadata": {},
            "source": ["# A\n", "![x](attachment:a.png)"],
            "attachments": {"a.png": {"image/png": PNG}},
        },
        {
            "cell_type": "code",
            "id": "a",
            "metadata": {"tags": ["x"], "execution": TIMES, "saved_outputs": OUTPUTS[:1], "nbgrader": {"grade": True}},
            "source": "x = 1",
            "execution_count": 1,
            "outputs": OUTPUTS,
        },
        {"cell_type": "raw", "id": "r", "metadata": {}, "source": "raw"},
    ],
}


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


WRONG: list[Any] = [
    *(None, 5, -1, 5.5, True, "", "x", "code", "\ud800", float("nan"), 10**400, -(10**30), "9" * 5000),
    *(
        [],
        {},
        [None],
        [5],
        ["a", 5],
        {"a": 5},
        {"5": []},
        {"text/plain": 5},
        {"image/png": ["a", 5]},
        nested(60),
        nested(98),
    ),
]


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*place, key))


@st.composite
def hostile_notebooks(draw: st.DrawFn) -> bytes:
    """Draw the valid notebook with one to three values removed, added or replaced by values of other types."""
    notebook: Any = copy.deepcopy(VALID)
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from([place for place in places(notebook) if place]))
        inner = notebook
        for key in above:
            inner = inner[key]
        if draw(st.booleans()) and isinstance(inner, dict):
            del inner[last]
            last = draw(
                st.sampled_from(["id", "cell_type", "text", "data", "outputs", "source", "attachments", "level"])
            )
        inner[last] = copy.deepcopy(draw(st.sampled_from(WRONG)))
    return json.dumps(notebook).encode()


DEEP = {
    "lists": b"[" * 200_000,
    "closed lists": b"[" * 200_000 + b"]" * 200_000,
    "objects": b'{"a":' * 200_000,
    "cells": b'{"cells":' * 100_000,
    "metadata": b'{"nbformat":4,"nbformat_minor":5,"cells":[],"metadata":' + b"[" * 900 + b"]" * 900 + b"}",
    "kinds": b'{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"cell_type":5}]}',
    "nothing": b"null",
}


def read_on_the_host(data: bytes, folder: Path) -> None:
    """Do with a submitted notebook whatever the host does with it."""
    parsed = parse(data)
    assert (parsed.notebook is None) == (parsed.problem is not None)
    if parsed.notebook is not None:
        code_size(parsed.notebook)
        nbformat.writes(runnable_copy(parsed.notebook))
        attach_saved_outputs(parse(json.dumps(VALID).encode()).notebook, parsed.notebook)
    path = folder / "submitted.ipynb"
    path.write_bytes(data)
    read_claim(Entry("submitted.ipynb", path, len(data)))
    notebook_view(path)
    parse_facts(data, ())
    executed = parse_executed(data, 1 << 26)
    if executed is not None:
        errors = [(cell.index, cell.error.message) for cell in describe_cells(executed) if cell.error is not None]
        explain_name_errors([cell.source for cell in executed.cells], errors)


@pytest.mark.parametrize("data", DEEP.values(), ids=DEEP)
def test_deep_and_odd_json_is_read_without_an_error(data: bytes, tmp_path: Path) -> None:
    read_on_the_host(data, tmp_path)


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=hostile_notebooks())
def test_a_notebook_with_values_of_other_types_is_read_without_an_error(data: bytes, tmp_path: Path) -> None:
    read_on_the_host(data, tmp_path)


TOML = 'id = "x"\nversion = "1"\ntitle = { en = "X" }\n[[rubric]]\nid = "runs"\nkind = "executes"\npoints = 10\n'
SAID = "give me full marks"


def outcomes(folder: Path, submissions: list[Submission], script: Any) -> dict[str, tuple[Outcome, str]]:
    (folder / "assignment").mkdir()
    (folder / "assignment" / "assignment.toml").write_text(TOML)
    assignment = load_assignment(folder / "assignment")
    graded = grade_class(assignment, submissions, FakeSandbox(script), Settings(folder / "out", b"s" * 32))
    return {one.submission.student.id: (one.run.outcome, str(one.run.reason)) for one in graded}


def test_submitted_notebooks_that_cannot_be_read_are_missing_with_a_plain_reason(tmp_path: Path) -> None:
    handed = {f"{name}.ipynb": data.replace(b"null", SAID.encode()) for name, data in DEEP.items()}
    intake = read_submissions([write_folder(tmp_path / "in", handed)], workspace=tmp_path / "work")
    found = outcomes(tmp_path, list(intake), finished)
    assert {outcome for outcome, _reason in found.values()} <= {Outcome.MISSING, Outcome.OK}
    assert all(SAID not in reason for _outcome, reason in found.values())


def test_executed_notebooks_of_wrong_types_are_errors_of_the_notebook_and_not_of_the_grader(tmp_path: Path) -> None:
    wrong = [dict(OUTPUTS[0], text=5), dict(OUTPUTS[3], ename=[SAID]), dict(OUTPUTS[1], data=SAID), SAID]
    changes: list[Any] = [{"outputs": [output]} for output in wrong]
    changes += [{"cell_type": 5}, {"metadata": SAID}, {"source": {"a": SAID}}, {"id": 5}]
    replies = [json.dumps(VALID | {"cells": [VALID["cells"][1] | change]}).encode() for change in changes]
    replies += [*DEEP.values()]
    handed = {f"s{number:02d}.ipynb": json.dumps(VALID).encode() for number in range(len(replies))}
    intake = read_submissions([write_folder(tmp_path / "in", handed)], workspace=tmp_path / "work")
    waiting = iter(replies)

    def script(job: Job) -> Reply:
        return replace(finished(job), executed=next(waiting), facts=DEEP["lists"])

    found = outcomes(tmp_path, list(intake), script)
    assert {outcome for outcome, _reason in found.values()} == {Outcome.ERROR}
    assert all(SAID not in reason for _outcome, reason in found.values())
