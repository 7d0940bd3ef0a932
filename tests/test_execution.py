"""One submission through a sandbox that runs nothing: what is asked, what is believed, what is kept."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat import NotebookNode

from grader import datasets
from grader.errors import SandboxError, Stopped
from grader.execution import Exam, prepare_exam, run_submission
from grader.records import Attachment, Facts, Message, Outcome, Run, Student, Submission, message
from grader.sandbox.base import Ended, Job, Reply
from grader.sandbox.fake import EMPTY_FACTS, FakeSandbox, Script, finished, npy, replies
from grader.sandbox.guest import protocol
from grader.sandbox.guest.forms import Array
from tests.assignment_folders import coins
from tests.notebooks import notebook_bytes, submission

SECRET = b"s" * 32
FITTED = EMPTY_FACTS | {
    "chosen": {"source": "model", "preparation": "raw", "form": "labels", "public_value": 0.9, "problem": ""}
}


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> Exam:
    return prepare_exam(coins(tmp_path_factory.mktemp("coins")), SECRET)


@pytest.fixture(scope="module")
def hidden(exam: Exam) -> Array:
    assert exam.hidden_inputs is not None
    return exam.hidden_inputs


def heavier(inputs: Array) -> Array:
    """A model that looks at one row alone."""
    return (inputs[:, 0] > inputs[:, 1]).astype(np.int64)


def asked_in_batches(model: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """As the guest asks: some rows alone, some together, then all the others."""
    return lambda inputs: np.concatenate([model(inputs[rows]) for rows in protocol.batches(len(inputs))])


def run(exam: Exam, folder: Path, script: Script, *cells: str, digest: str | None = None) -> Run:
    handed_in = submission(folder, "ann", *(cells or ("x = 1",)))
    if digest is not None:
        handed_in = replace(handed_in, digest=digest)
    return run_submission(handed_in, exam, FakeSandbox(script), out=folder / "out")


def job_of(exam: Exam, handed_in: Submission, folder: Path) -> Job:
    """What the sandbox is given for a submission."""
    sandbox = FakeSandbox(finished)
    run_submission(handed_in, exam, sandbox, out=folder / "out")
    (job,) = sandbox.jobs
    return job


def answering(answers: bytes | None, facts: dict[str, Any] = FITTED) -> Script:
    return lambda job: replace(finished(job, facts=facts), predictions=answers)


# ---------------------------------------------------------------- predictions


@pytest.mark.parametrize("digest", ["", "a" * 64, "b" * 64])
def test_predictions_are_kept_in_the_hidden_sets_order_whatever_the_shuffle(
    exam: Exam, hidden: Array, tmp_path: Path, digest: str
) -> None:
    done = run(exam, tmp_path, lambda job: finished(job, answers=heavier), digest=digest)
    assert done.predictions == tmp_path / "out" / "predictions" / "ann.npy"
    np.testing.assert_array_equal(np.load(done.predictions, allow_pickle=False), heavier(hidden))
    assert done.no_predictions is None
    assert not done.depends_on_neighbours


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_columns_stay_together(exam: Exam, hidden: Array, tmp_path: Path, columns: int) -> None:
    def model(inputs: Array) -> Array:
        return np.cumsum(np.repeat(inputs[:, :1], columns, axis=1), axis=1, dtype=np.float32)

    done = run(exam, tmp_path, lambda job: finished(job, answers=model))
    assert done.predictions is not None
    kept = np.load(done.predictions)
    np.testing.assert_array_equal(kept, model(hidden))
    assert kept.dtype == np.float32


def test_each_submission_is_asked_in_another_order_and_the_same_one_always_in_the_same(
    exam: Exam, hidden: Array, tmp_path: Path
) -> None:
    first, again, other = (
        job_of(exam, replace(submission(tmp_path, "ann", "x"), digest=digest), tmp_path) for digest in "aab"
    )
    assert first.question is not None and again.question is not None and other.question is not None
    np.testing.assert_array_equal(first.question.hidden_inputs, again.question.hidden_inputs)
    repeated = protocol.ALONE + protocol.TOGETHER
    for asked in (first.question.hidden_inputs, other.question.hidden_inputs):
        assert sorted(map(tuple, asked[repeated:])) == sorted(map(tuple, hidden))
        assert set(map(tuple, asked[:repeated])) <= set(map(tuple, hidden))
        assert not np.array_equal(asked[repeated:], hidden)
    assert not np.array_equal(first.question.hidden_inputs, other.question.hidden_inputs)


def over_the_batch(inputs: Array) -> Array:
    return (inputs[:, 0] > inputs[:, 0].mean()).astype(np.int64)


def standardised_over_the_batch(inputs: Array) -> Array:
    spread = inputs[:, 0].std()
    return (inputs[:, 0] - inputs[:, 0].mean()) / (spread if spread > 0 else 1.0)


def by_place(inputs: Array) -> Array:
    return np.arange(len(inputs)) % 2


@pytest.mark.parametrize(
    ("model", "flagged"),
    [
        pytest.param(heavier, False, id="honest labels"),
        pytest.param(lambda inputs: inputs[:, 0] / 10, False, id="honest numbers"),
        pytest.param(lambda inputs: np.float32(inputs[:, 0]) * (1 + 1e-6 * (len(inputs) > 8)), False, id="rounding"),
        pytest.param(over_the_batch, True, id="cut at the batch's mean"),
        pytest.param(standardised_over_the_batch, True, id="standardised over the batch"),
        pytest.param(by_place, True, id="answers by place"),
        pytest.param(lambda inputs: np.full(len(inputs), np.nan if len(inputs) == 1 else 0), True, id="none alone"),
    ],
)
def test_a_model_that_looks_at_its_neighbours_is_flagged(
    exam: Exam, tmp_path: Path, model: Callable[[Array], Array], flagged: bool
) -> None:
    done = run(exam, tmp_path, lambda job: finished(job, answers=asked_in_batches(model)))
    assert done.predictions is not None
    assert done.depends_on_neighbours is flagged


def test_one_row_on_the_threshold_may_change(exam: Exam, tmp_path: Path) -> None:
    def answers(inputs: Array) -> Array:
        found = heavier(inputs)
        found[0] = 1 - found[0]
        return found

    assert not run(exam, tmp_path, lambda job: finished(job, answers=answers)).depends_on_neighbours


# ---------------------------------------------------------------- hostile predictions


class Bomb:
    """Leaves a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def header(text: str, content: bytes = b"\0" * 64) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + content


def shaped(shape: str, kind: str = "<f8") -> bytes:
    return header(f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}}}\n")


def test_nothing_is_ever_unpickled(exam: Exam, tmp_path: Path) -> None:
    bomb, buffer = Bomb(tmp_path / "exploded"), io.BytesIO()
    np.save(buffer, np.array([bomb] * 172, dtype=object), allow_pickle=True)
    for data in (buffer.getvalue(), pickle.dumps(bomb)):
        done = run(exam, tmp_path, answering(data))
        assert (done.outcome, done.predictions) == (Outcome.OK, None)
        assert "gave no answers for the hidden rows" in str(done.no_predictions)
    assert not (tmp_path / "exploded").exists()


def zipped() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, predictions=np.zeros(172))
    return buffer.getvalue()


NO_ARRAYS = {
    "none": None,
    "empty": b"",
    "text": b"0,1,1,0\n",
    "zip": zipped(),
    "strings": npy(np.array(["0", "1"])),
    "complex": npy(np.zeros(172, complex)),
    "times": npy(np.zeros(172, "datetime64[s]")),
    "records": npy(np.zeros(172, [("a", "f8")])),
    "cut off": npy(np.zeros(172))[:-1],
    "claims to be long": shaped("(1000000000000,)"),
    "claims to be endless": shaped(f"({10**30},)"),
    "claims to be negative": shaped("(-1,)"),
    "claims many axes": shaped("(" + "1," * 70 + ")"),
    "is true": shaped("(True,)"),
    "nested": header("(" * 5000),
    "open text": header("'''\n"),
    "unsorted": header("{1: 2, 'a': 3}\n"),
    "unhashable": header("{[]: 1}\n"),
    "of no version": b"\x93NUMPY\x09\x09",
}


@pytest.mark.parametrize("data", NO_ARRAYS.values(), ids=NO_ARRAYS)
def test_what_is_no_array_of_numbers_is_no_answer_and_nobodys_fault_but_the_notebooks(
    exam: Exam, tmp_path: Path, data: bytes | None
) -> None:
    done = run(exam, tmp_path, answering(data))
    assert (done.outcome, done.predictions, done.depends_on_neighbours) == (Outcome.OK, None, False)
    assert "model worked on the public data, but gave no answers" in str(done.no_predictions)


@given(st.binary(max_size=60), st.binary(max_size=20))
def test_a_header_made_by_hand_never_raises(exam: Exam, tmp_path_factory: Any, start: bytes, rest: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    data = b"\x93NUMPY\x01\x00" + len(start).to_bytes(2, "little") + start + rest
    assert run(exam, folder, answering(data)).predictions is None


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(np.zeros(171), id="one too few"),
        pytest.param(np.zeros(100), id="without the repeated rows"),
        pytest.param(np.zeros(0), id="none"),
        pytest.param(np.array(1.0), id="a single number"),
        pytest.param(np.zeros((172, 1, 1)), id="three axes"),
        pytest.param(np.zeros((1, 172)), id="lying"),
    ],
)
def test_answers_of_another_shape_are_kept_for_the_metric_to_refuse(exam: Exam, tmp_path: Path, answers: Array) -> None:
    done = run(exam, tmp_path, answering(npy(answers)))
    assert done.predictions is not None
    assert np.load(done.predictions).shape == answers.shape


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(np.full(172, np.nan), id="NaN"),
        pytest.param(np.full(172, np.inf), id="infinite"),
        pytest.param(np.full(172, np.longdouble("1e4000")), id="beyond a float64"),
        pytest.param(np.zeros((172, 0)), id="no column"),
        pytest.param(np.zeros(172, bool), id="booleans"),
    ],
)
def test_strange_numbers_are_kept_too(exam: Exam, tmp_path: Path, answers: Array) -> None:
    done = run(exam, tmp_path, answering(npy(answers)))
    assert done.outcome is Outcome.OK
    assert done.predictions is not None
    assert len(np.load(done.predictions)) == 100


# ---------------------------------------------------------------- why there are none


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        pytest.param(EMPTY_FACTS, "No trained model was found", id="nothing found"),
        pytest.param(FITTED, "worked on the public data", id="no answer to the hidden rows"),
        pytest.param(
            EMPTY_FACTS | {"attempts": [{**FITTED["chosen"], "source": "predict(X)", "problem": "KeyError: 'weight'"}]},
            "predict(X) was tried on the public data: KeyError: 'weight'",
            id="tried in vain",
        ),
    ],
)
def test_why_there_are_no_answers_is_said(exam: Exam, tmp_path: Path, facts: dict[str, Any], said: str) -> None:
    assert said in str(run(exam, tmp_path, answering(None, facts)).no_predictions)


def test_a_notebook_that_was_ended_says_that_it_was_why_there_are_no_answers(exam: Exam, tmp_path: Path) -> None:
    done = run(exam, tmp_path, replies(Reply(Ended.MEMORY, used=9000)))
    assert done.outcome is Outcome.MEMORY
    assert done.no_predictions == done.reason


# ---------------------------------------------------------------- facts


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(b"{}", id="another form"),
        pytest.param(b"\xff", id="bytes"),
        pytest.param(json.dumps(EMPTY_FACTS | {"points": 100}).encode(), id="a key of its own"),
        pytest.param(json.dumps(EMPTY_FACTS | {"seeds": {"a": float("nan")}}).encode(), id="NaN"),
        pytest.param(json.dumps(EMPTY_FACTS | {"device": "x" * 10**6}).encode(), id="huge"),
    ],
)
def test_facts_of_another_form_are_none(exam: Exam, hidden: Array, tmp_path: Path, facts: bytes) -> None:
    done = run(exam, tmp_path, lambda job: replace(finished(job, answers=heavier), facts=facts))
    assert done.facts == Facts()
    assert done.outcome is Outcome.OK
    assert done.predictions is not None  # the answers count, whatever was said about them


# ---------------------------------------------------------------- how it ended


def test_a_run_tells_what_it_cost(exam: Exam, tmp_path: Path) -> None:
    done = run(exam, tmp_path, finished, "x = 1", "#md text")
    assert (done.seconds, done.cell_seconds, done.peak_memory_mb, done.confinement) == (2.0, 1.0, 100.0, "fake")
    assert [(cell.kind, cell.ran) for cell in done.cells] == [("code", True), ("markdown", False)]
    assert done.executed == tmp_path / "out" / "students" / "ann" / "executed.ipynb"
    assert nbformat.read(done.executed, as_version=4).cells[0].source == "x = 1"


def broken(error: Exception) -> Script:
    def script(_job: Job) -> Reply:
        raise error

    return script


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param(broken(SandboxError("no process can be started")), "no process can be started", id="sandbox"),
        pytest.param(broken(OSError(28, "No space left on device")), "No space left", id="disk"),
        pytest.param(replies(Reply(Ended.FAULT, log="Traceback ...\nKeyError: 'x'\n\n")), "KeyError: 'x'", id="driver"),
        pytest.param(replies(Reply(Ended.FAULT)), "no executed notebook came back", id="driver without a word"),
        pytest.param(replies(Reply(Ended.FINISHED)), "no executed notebook came back", id="no notebook"),
        pytest.param(replies(Reply(Ended.FINISHED, executed=b"{}")), "no executed notebook", id="no valid notebook"),
    ],
)
def test_what_breaks_on_our_side_is_our_fault(exam: Exam, tmp_path: Path, script: Script, said: str) -> None:
    done = run(exam, tmp_path, script)
    assert done.outcome is Outcome.GRADER_FAULT
    assert str(done.reason).startswith("The grader failed: ")
    assert said in str(done.reason)
    assert done.confinement == "fake"


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(Ended.TIMEOUT), Outcome.TIMEOUT),
        (Reply(Ended.MEMORY), Outcome.MEMORY),
        (Reply(Ended.DISK), Outcome.DISK),
        (Reply(Ended.PROCESSES), Outcome.FORBIDDEN),
        (Reply(Ended.DIED), Outcome.ERROR),
    ],
)
def test_what_a_notebook_does_to_itself_is_not(exam: Exam, tmp_path: Path, reply: Reply, outcome: Outcome) -> None:
    done = run(exam, tmp_path, replies(reply))
    assert (done.outcome, done.cells, done.executed) == (outcome, (), None)
    assert done.reason is not None


def test_a_closed_sandbox_leaves_the_submission_ungraded(exam: Exam, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run(exam, tmp_path, broken(Stopped()))


# ---------------------------------------------------------------- what was not handed in


def handed_in(folder: Path, content: bytes) -> Submission:
    path = folder / "homework.ipynb"
    path.write_bytes(content)
    return Submission(Student("ann", "Ann"), path, path.name)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not json", id="text"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"%PDF-1.7", id="a PDF"),
        pytest.param(b"<!DOCTYPE html><html></html>", id="a page"),
        pytest.param(notebook_bytes("x = 1")[:-20], id="cut off"),
        pytest.param(b"[" * 100_000, id="nested"),
    ],
)
def test_what_is_no_notebook_is_missing_and_nothing_is_run(exam: Exam, tmp_path: Path, content: bytes) -> None:
    sandbox = FakeSandbox(finished)
    done = run_submission(handed_in(tmp_path, content), exam, sandbox, out=tmp_path / "out")
    assert done.outcome is Outcome.MISSING
    assert done.reason is not None
    assert sandbox.jobs == []


@pytest.mark.parametrize(
    ("outcome", "problem", "found"),
    [
        (None, None, Outcome.MISSING),
        (Outcome.MISSING, message("Only a PDF."), Outcome.MISSING),
        (Outcome.FORBIDDEN, message("Its path leads out."), Outcome.FORBIDDEN),
    ],
)
def test_a_problem_on_the_way_in_is_the_outcome(
    exam: Exam, tmp_path: Path, outcome: Outcome | None, problem: Message | None, found: Outcome
) -> None:
    sandbox = FakeSandbox(finished)
    one = Submission(Student("ann", "Ann"), problem=problem, outcome=outcome)
    done = run_submission(one, exam, sandbox, out=tmp_path / "out")
    assert done.outcome is found
    assert done.reason == (problem or message("No notebook was handed in."))
    assert sandbox.jobs == []


def test_a_notebook_that_is_gone_is_our_fault(exam: Exam, tmp_path: Path) -> None:
    gone = Submission(Student("ann", "Ann"), tmp_path / "gone.ipynb")
    assert run_submission(gone, exam, FakeSandbox(finished), out=tmp_path).outcome is Outcome.GRADER_FAULT


# ---------------------------------------------------------------- what the sandbox is given


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
    labels = datasets.hidden_labels(exam.assignment, SECRET)
    job = job_of(exam, submission(tmp_path, "ann", "x = 1"), tmp_path)
    assert job.question is not None
    places = [int(np.flatnonzero((hidden == row).all(axis=1))[0]) for row in job.question.hidden_inputs]
    repeated = protocol.ALONE + protocol.TOGETHER
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
    labels = datasets.hidden_labels(exam.assignment, SECRET).tobytes()
    assert not any(labels in part.tobytes() for part in parts(exam) if isinstance(part, np.ndarray))


def test_the_question_is_the_public_rows_with_their_answers(exam: Exam, tmp_path: Path) -> None:
    job = job_of(exam, submission(tmp_path, "ann", "x = 1"), tmp_path)
    assert exam.assignment.data is not None and job.question is not None
    public = datasets.public_table(exam.assignment.data)
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


def test_what_was_repaired_on_the_way_is_noted(exam: Exam, tmp_path: Path) -> None:
    one = handed_in(tmp_path, b"\xef\xbb\xbf" + notebook_bytes("x = 1"))
    done = run_submission(one, exam, FakeSandbox(finished), out=tmp_path / "out")
    assert done.outcome is Outcome.OK
    assert any("byte order mark" in str(note) for note in done.notes)
