"""Contents of the job that a sandbox gets for a submission: the notebook, files, data, and no hidden labels."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import nbformat
import numpy as np
from nbformat import NotebookNode

from grader.data import hidden_sets
from grader.execution.runner import PreparedAssignment, prepare_assignment
from grader.models.submission import Attachment
from grader.sandbox.guest import protocol
from grader.sandbox.guest.output_forms import Array
from tests.support.fake_runs import SECRET, handed_in, job_of
from tests.support.notebooks import submission


def test_order_of_hidden_rows_depends_only_on_the_submission(
    prepared: PreparedAssignment, hidden: Array, tmp_path: Path
) -> None:
    first, again, other = (
        job_of(prepared, replace(submission(tmp_path, "ann", "x"), digest=digest), tmp_path) for digest in "aab"
    )
    assert first.question is not None and again.question is not None and other.question is not None
    np.testing.assert_array_equal(first.question.hidden_inputs, again.question.hidden_inputs)
    repeated = protocol.SINGLE_ROWS + protocol.BATCH_ROWS
    for inputs in (first.question.hidden_inputs, other.question.hidden_inputs):
        assert sorted(map(tuple, inputs[repeated:])) == sorted(map(tuple, hidden))
        assert set(map(tuple, inputs[:repeated])) <= set(map(tuple, hidden))
        assert not np.array_equal(inputs[repeated:], hidden)
    assert not np.array_equal(first.question.hidden_inputs, other.question.hidden_inputs)


def parts(value: object) -> list[object]:
    """Return all values inside a nested value."""
    if is_dataclass(value):
        return [part for field in fields(value) for part in parts(getattr(value, field.name))]
    if isinstance(value, dict):
        return [part for pair in value.items() for item in pair for part in parts(item)]
    if isinstance(value, tuple | list):
        return [part for item in value for part in parts(item)]
    return [value]


def test_job_contains_no_hidden_labels(prepared: PreparedAssignment, hidden: Array, tmp_path: Path) -> None:
    labels = hidden_sets.open_hidden_set(prepared.assignment, SECRET).labels
    job = job_of(prepared, submission(tmp_path, "ann", "x = 1"), tmp_path)
    assert job.question is not None
    positions = [int(np.flatnonzero((hidden == row).all(axis=1))[0]) for row in job.question.hidden_inputs]
    repeated = protocol.SINGLE_ROWS + protocol.BATCH_ROWS
    orders = [labels, labels[positions], labels[positions[repeated:]]]
    forms = [order.astype(kind).tobytes() for order in orders for kind in (np.int64, np.float64, np.int8, np.float32)]
    forms += [",".join(map(str, order)).encode() for order in orders]
    found = parts(job)
    arrays = [part for part in found if isinstance(part, np.ndarray)]
    files = [part.read_bytes() for part in found if isinstance(part, Path)]
    texts = [str(part).encode() for part in found if isinstance(part, str)] + [job.notebook]
    assert {id(array) for array in arrays} == {
        id(job.question.public_inputs),
        id(job.question.public_targets),
        id(job.question.hidden_inputs),
    }
    for content in (*(array.tobytes() for array in arrays), *files, *texts):
        assert not any(form in content for form in forms)
    assert job.question.hidden_inputs.shape == (repeated + len(labels), 2)


def test_prepared_assignment_contains_no_hidden_labels(prepared: PreparedAssignment) -> None:
    labels = hidden_sets.open_hidden_set(prepared.assignment, SECRET).labels.tobytes()
    assert not any(labels in part.tobytes() for part in parts(prepared) if isinstance(part, np.ndarray))


def test_question_holds_public_rows_and_targets(prepared: PreparedAssignment, tmp_path: Path) -> None:
    job = job_of(prepared, submission(tmp_path, "ann", "x = 1"), tmp_path)
    assert prepared.assignment.data is not None and job.question is not None
    public = hidden_sets.public_table(prepared.assignment.data)
    np.testing.assert_array_equal(job.question.public_inputs, public.inputs)
    np.testing.assert_array_equal(job.question.public_targets, public.targets)
    assert (job.question.task, job.question.columns) == ("classification", ("weight", "width"))


def test_job_has_the_limits_and_threads_of_the_assignment(prepared: PreparedAssignment, tmp_path: Path) -> None:
    job = job_of(replace(prepared, threads=3), submission(tmp_path, "ann", "x = 1"), tmp_path)
    assert (job.limits, job.threads) == (prepared.assignment.limits, 3)


def test_assignment_without_data_has_no_question(prepared: PreparedAssignment, tmp_path: Path) -> None:
    plain = prepare_assignment(replace(prepared.assignment, data=None), SECRET)
    job = job_of(plain, submission(tmp_path, "ann", "x = 1"), tmp_path)
    assert (job.question, job.files) == (None, {})


def test_file_of_the_assignment_replaces_an_attachment_of_the_same_name(
    prepared: PreparedAssignment, tmp_path: Path
) -> None:
    forged, own = tmp_path / "forged.csv", tmp_path / "cat.jpg"
    attachments = (Attachment("coins.csv", forged), Attachment("pictures/cat.jpg", own))
    with_attachments = replace(submission(tmp_path, "ann", "x = 1"), attachments=attachments)
    job = job_of(prepared, with_attachments, tmp_path)
    assert job.files == {
        "coins.csv": prepared.assignment.folder / "coins.csv",
        "notes.txt": prepared.assignment.folder / "notes.txt",
        "pictures/cat.jpg": own,
    }


def tricky_notebook() -> NotebookNode:
    cell = nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["skip-execution", "raises-exception"]})
    cell.execution_count = 7
    cell.outputs = [nbformat.v4.new_output("stream", text="accuracy 1.0")]
    return nbformat.v4.new_notebook(
        cells=[cell, nbformat.v4.new_markdown_cell("text", metadata={"points": 100})],
        metadata={"kernelspec": {"name": "my-own", "display_name": "Mine"}, "widgets": {}, "grader": {"died_cell": 0}},
    )


def test_notebook_in_the_job_keeps_only_sources(prepared: PreparedAssignment, tmp_path: Path) -> None:
    received = handed_in(tmp_path, nbformat.writes(tricky_notebook()).encode())
    notebook = nbformat.reads(job_of(prepared, received, tmp_path).notebook.decode(), as_version=4)
    assert [cell.source for cell in notebook.cells] == ["x = 1", ""], "a notebook could read answers in its own text"
    assert [cell.metadata for cell in notebook.cells] == [{}, {}]
    assert notebook.cells[0].outputs == []
    assert notebook.cells[0].execution_count is None
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
