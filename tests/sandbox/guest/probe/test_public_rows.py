"""What a sandbox is given for a submission, and what is nowhere in it."""

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


def test_each_submission_is_asked_in_another_order_and_the_same_one_always_in_the_same(
    exam: Exam, hidden: Array, tmp_path: Path
) -> None:
    first, again, other = (
        job_of(exam, replace(submission(tmp_path, "ann", "x"), digest=digest), tmp_path) for digest in "aab"
    )
    assert first.question is not None and again.question is not None and other.question is not None
    np.testing.assert_array_equal(first.question.hidden_inputs, again.question.hidden_inputs)
    repeated = protocol.SINGLE_ROWS + protocol.BATCH_ROWS
    for asked in (first.question.hidden_inputs, other.question.hidden_inputs):
        assert sorted(map(tuple, asked[repeated:])) == sorted(map(tuple, hidden))
        assert set(map(tuple, asked[:repeated])) <= set(map(tuple, hidden))
        assert not np.array_equal(asked[repeated:], hidden)
    assert not np.array_equal(first.question.hidden_inputs, other.question.hidden_inputs)


def parts(value: object) -> list[object]:
    """Everything that a value is made of."""
    if is_dataclass(value):
        return [part for field in fields(value) for part in parts(getattr(value, field.name))]
    if isinstance(value, dict):
        return [part for pair in value.items() for item in pair for part in parts(item)]
    if isinstance(value, tuple | list):
        return [part for item in value for part in parts(item)]
    return [value]


def test_hidden_labels_are_nowhere_in_a_job(exam: Exam, hidden: Array, tmp_path: Path) -> None:
    labels = hidden_sets.open_hidden_set(exam.assignment, SECRET).labels
    job = job_of(exam, submission(tmp_path, "ann", "x = 1"), tmp_path)
    assert job.question is not None
    places = [int(np.flatnonzero((hidden == row).all(axis=1))[0]) for row in job.question.hidden_inputs]
    repeated = protocol.SINGLE_ROWS + protocol.BATCH_ROWS
    orders = [labels, labels[places], labels[places[repeated:]]]
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


def test_an_exam_holds_no_labels(exam: Exam) -> None:
    labels = hidden_sets.open_hidden_set(exam.assignment, SECRET).labels.tobytes()
    assert not any(labels in part.tobytes() for part in parts(exam) if isinstance(part, np.ndarray))


def test_the_question_is_the_public_rows_with_their_answers(exam: Exam, tmp_path: Path) -> None:
    job = job_of(exam, submission(tmp_path, "ann", "x = 1"), tmp_path)
    assert exam.assignment.data is not None and job.question is not None
    public = hidden_sets.public_table(exam.assignment.data)
    np.testing.assert_array_equal(job.question.public_inputs, public.inputs)
    np.testing.assert_array_equal(job.question.public_targets, public.targets)
    assert (job.question.task, job.question.columns) == ("classification", ("weight", "width"))


def test_limits_and_threads_are_handed_on(exam: Exam, tmp_path: Path) -> None:
    job = job_of(replace(exam, threads=3), submission(tmp_path, "ann", "x = 1"), tmp_path)
    assert (job.limits, job.threads) == (exam.assignment.limits, 3)


def test_without_data_nothing_is_asked(exam: Exam, tmp_path: Path) -> None:
    plain = prepare_exam(replace(exam.assignment, data=None), SECRET)
    job = job_of(plain, submission(tmp_path, "ann", "x = 1"), tmp_path)
    assert (job.question, job.files) == (None, {})


def test_the_teachers_file_wins_over_an_attachment_of_its_name(exam: Exam, tmp_path: Path) -> None:
    forged, own = tmp_path / "forged.csv", tmp_path / "cat.jpg"
    attachments = (Attachment("coins.csv", forged), Attachment("pictures/cat.jpg", own))
    one = replace(submission(tmp_path, "ann", "x = 1"), attachments=attachments)
    job = job_of(exam, one, tmp_path)
    assert job.files == {
        "coins.csv": exam.assignment.folder / "coins.csv",
        "notes.txt": exam.assignment.folder / "notes.txt",
        "pictures/cat.jpg": own,
    }


def full_of_tricks() -> NotebookNode:
    cell = nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["skip-execution", "raises-exception"]})
    cell.execution_count = 7
    cell.outputs = [nbformat.v4.new_output("stream", text="accuracy 1.0")]
    return nbformat.v4.new_notebook(
        cells=[cell, nbformat.v4.new_markdown_cell("text", metadata={"points": 100})],
        metadata={"kernelspec": {"name": "my-own", "display_name": "Mine"}, "widgets": {}, "grader": {"died_cell": 0}},
    )


def test_the_sandbox_gets_the_sources_and_nothing_else_that_could_steer_it(exam: Exam, tmp_path: Path) -> None:
    one = handed_in(tmp_path, nbformat.writes(full_of_tricks()).encode())
    given_on = nbformat.reads(job_of(exam, one, tmp_path).notebook.decode(), as_version=4)
    assert [cell.source for cell in given_on.cells] == ["x = 1", "text"]
    assert [cell.metadata for cell in given_on.cells] == [{}, {}]
    assert given_on.cells[0].outputs == []
    assert given_on.cells[0].execution_count is None
    assert given_on.metadata.kernelspec.name == "python3"
    assert set(given_on.metadata) == {"kernelspec", "language_info"}
