"""Contents of the job that a sandbox gets for a submission: the notebook, files, data, and no hidden labels."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat import NotebookNode

from grader.data import hidden_sets
from grader.execution.runner import Exam, prepare_exam
from grader.models.submission import Attachment
from grader.sandbox.guest import protocol
from grader.sandbox.guest.output_forms import Array
from tests.support.assignment_folders import coins
from tests.support.fake_runs import SECRET, handed_in, job_of
from tests.support.notebooks import submission


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> Exam:
    return prepare_exam(coins(tmp_path_factory.mktemp("coins")), SECRET)


@pytest.fixture(scope="module")
def hidden(exam: Exam) -> Array:
    assert exam.hidden_inputs is not None
    return exam.hidden_inputs


def test_order_of_hidden_rows_depends_only_on_the_submission(exam: Exam, hidden: Array, tmp_path: Path) -> None:
    first, again, other = (
        job_of(exam, replace(submission(tmp_path, "ann", "x"), digest=digest), tmp_path) for digest in "aab"
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


def test_job_contains_no_hidden_labels(exam: Exam, hidden: Array, tmp_path: Path) -> None:
    labels = hidden_sets.open_hidden_set(exam.assignment, SECRET).labels
    job = job_of(exam, submission(tmp_path, "ann", "x = 1"), tmp_path)
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


def test_exam_contains_no_hidden_labels(exam: Exam) -> None:
    labels = hidden_sets.open_hidden_set(exam.assignment, SECRET).labels.tobytes()
    assert not any(labels in part.tobytes() for part in parts(exam) if isinstance(part, np.ndarray))


def test_question_holds_public_rows_and_targets(exam: Exam, tmp_path: Path) -> None:
    job = job_of(exam, submission(tmp_path, "ann", "x = 1"), tmp_path)
    assert exam.assignment.data is not None and job.question is not None
    public = hidden_sets.public_table(exam.assignment.data)
    np.testing.assert_array_equal(job.question.public_inputs, public.inputs)
    np.testing.assert_array_equal(job.question.public_targets, public.targets)
    assert (job.question.task, job.question.columns) == ("classification", ("weight", "width"))


def test_job_has_the_limits_and_threads_of_the_exam(exam: Exam, tmp_path: Path) -> None:
    job = job_of(replace(exam, threads=3), submission(tmp_path, "ann", "x = 1"), tmp_path)
    assert (job.limits, job.threads) == (exam.assignment.limits, 3)


def test_assignment_without_data_has_no_question(exam: Exam, tmp_path: Path) -> None:
    plain = prepare_exam(replace(exam.assignment, data=None), SECRET)
    job = job_of(plain, submission(tmp_path, "ann", "x = 1"), tmp_path)
    assert (job.question, job.files) == (None, {})


def test_file_of_the_assignment_replaces_an_attachment_of_the_same_name(exam: Exam, tmp_path: Path) -> None:
    forged, own = tmp_path / "forged.csv", tmp_path / "cat.jpg"
    attachments = (Attachment("coins.csv", forged), Attachment("pictures/cat.jpg", own))
    with_attachments = replace(submission(tmp_path, "ann", "x = 1"), attachments=attachments)
    job = job_of(exam, with_attachments, tmp_path)
    assert job.files == {
        "coins.csv": exam.assignment.folder / "coins.csv",
        "notes.txt": exam.assignment.folder / "notes.txt",
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


def test_notebook_in_the_job_keeps_only_sources(exam: Exam, tmp_path: Path) -> None:
    received = handed_in(tmp_path, nbformat.writes(tricky_notebook()).encode())
    notebook = nbformat.reads(job_of(exam, received, tmp_path).notebook.decode(), as_version=4)
    assert [cell.source for cell in notebook.cells] == ["x = 1", "text"]
    assert [cell.metadata for cell in notebook.cells] == [{}, {}]
    assert notebook.cells[0].outputs == []
    assert notebook.cells[0].execution_count is None
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
