"""Tests of the execution of one submission, with a sandbox that runs nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest

from grader.execution.runner import PreparedAssignment, prepare_assignment, run_submission
from grader.i18n.message import Message, message
from grader.models.errors import SandboxError, Stopped
from grader.models.facts import Facts
from grader.models.run import Outcome
from grader.models.submission import Student, Submission
from grader.sandbox.base import EndReason, Job, Reply
from grader.sandbox.fake import EMPTY_FACTS, FakeSandbox, Script, finished, replies
from grader.sandbox.guest.output_forms import Array
from grader.scoring.scoring import open_truth, score_run
from tests.support.assignment_folders import coins
from tests.support.fake_runs import FITTED, SECRET, answering, handed_in, heavier, job_of, run
from tests.support.notebooks import notebook_bytes

# ---------------------------------------------------------------- why there are none


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param(EMPTY_FACTS, "No trained model was found", id="nothing found"),
        pytest.param(FITTED, "worked on the public data", id="no answer to the hidden rows"),
        pytest.param(
            EMPTY_FACTS | {"attempts": [{**FITTED["chosen"], "source": "predict(X)", "problem": "KeyError: 'weight'"}]},
            "predict(X) failed on the public data: KeyError: 'weight'",
            id="tried in vain",
        ),
    ],
)
def test_reason_for_missing_predictions(
    prepared: PreparedAssignment, tmp_path: Path, facts: dict[str, Any], expected: str
) -> None:
    assert expected in str(run(prepared, tmp_path, answering(None, facts)).no_predictions)


def test_killed_notebook_gives_the_reason_for_missing_predictions(prepared: PreparedAssignment, tmp_path: Path) -> None:
    done = run(prepared, tmp_path, replies(Reply(EndReason.MEMORY, used=9000)))
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
def test_malformed_facts_are_dropped(prepared: PreparedAssignment, hidden: Array, tmp_path: Path, facts: bytes) -> None:
    done = run(prepared, tmp_path, lambda job: replace(finished(job, answers=heavier), facts=facts))
    assert done.facts == Facts()
    assert done.outcome is Outcome.OK
    assert done.predictions is not None  # the answers count, whatever was expected about them


# ---------------------------------------------------------------- how it ended


def test_run_has_times_memory_and_cells(prepared: PreparedAssignment, tmp_path: Path) -> None:
    done = run(prepared, tmp_path, finished, "x = 1", "#md text")
    assert (done.seconds, done.cell_seconds, done.peak_memory_mb, done.confinement) == (2.0, 1.0, 100.0, "fake")
    assert [(cell.kind, cell.ran) for cell in done.cells] == [("code", True), ("markdown", False)]
    assert done.executed == tmp_path / "out" / "students" / "ann" / "executed.ipynb"
    assert nbformat.read(done.executed, as_version=4).cells[0].source == "x = 1"


def broken(error: Exception) -> Script:
    def script(_job: Job) -> Reply:
        raise error

    return script


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(
            broken(SandboxError(message("no process can be started"))), "no process can be started", id="sandbox"
        ),
        pytest.param(broken(OSError(28, "No space left on device")), "No space left", id="disk"),
        pytest.param(
            replies(Reply(EndReason.FAULT, started=False, log="Traceback ...\nKeyError: 'x'\n\n")),
            "KeyError: 'x'",
            id="driver",
        ),
        pytest.param(replies(Reply(EndReason.DIED, started=False)), "could not be started", id="driver without a word"),
    ],
)
def test_fault_of_the_grader_is_a_grader_fault(
    prepared: PreparedAssignment, tmp_path: Path, script: Script, expected: str
) -> None:
    done = run(prepared, tmp_path, script)
    assert done.outcome is Outcome.GRADER_FAULT
    assert str(done.reason).startswith("The grader failed: ")
    assert expected in str(done.reason)
    assert done.confinement == "fake"


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(EndReason.TIMEOUT), Outcome.TIMEOUT),
        (Reply(EndReason.MEMORY), Outcome.MEMORY),
        (Reply(EndReason.DISK), Outcome.DISK),
        (Reply(EndReason.PROCESSES), Outcome.FORBIDDEN),
        (Reply(EndReason.DIED), Outcome.ERROR),
        (Reply(EndReason.FAULT, log="KeyError: 'words of a student'"), Outcome.ERROR),
        (Reply(EndReason.FINISHED), Outcome.ERROR),
        (Reply(EndReason.FINISHED, executed=b"{}"), Outcome.ERROR),
    ],
)
def test_fault_of_the_notebook_is_not_a_grader_fault(
    prepared: PreparedAssignment, tmp_path: Path, reply: Reply, outcome: Outcome
) -> None:
    done = run(prepared, tmp_path, replies(reply))
    assert (done.outcome, done.cells, done.executed) == (outcome, (), None)
    assert done.reviews and "words" not in str((done.reason, done.reviews))
    assert done.reason is not None


def test_closed_sandbox_raises_stopped(prepared: PreparedAssignment, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run(prepared, tmp_path, broken(Stopped()))


# ---------------------------------------------------------------- what was not handed in


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
def test_file_that_is_not_a_notebook_is_missing_and_not_run(
    prepared: PreparedAssignment, tmp_path: Path, content: bytes
) -> None:
    sandbox = FakeSandbox(finished)
    done = run_submission(handed_in(tmp_path, content), prepared, sandbox, out=tmp_path / "out")
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
def test_problem_of_the_intake_becomes_the_outcome(
    prepared: PreparedAssignment, tmp_path: Path, outcome: Outcome | None, problem: Message | None, found: Outcome
) -> None:
    sandbox = FakeSandbox(finished)
    submission = Submission(Student("ann", "Ann"), problem=problem, outcome=outcome)
    done = run_submission(submission, prepared, sandbox, out=tmp_path / "out")
    assert done.outcome is found
    assert done.reason == (problem or message("No notebook was handed in."))
    assert sandbox.jobs == []


def test_deleted_notebook_is_a_grader_fault(prepared: PreparedAssignment, tmp_path: Path) -> None:
    gone = Submission(Student("ann", "Ann"), tmp_path / "gone.ipynb")
    assert run_submission(gone, prepared, FakeSandbox(finished), out=tmp_path).outcome is Outcome.GRADER_FAULT


# ---------------------------------------------------------------- what is noted


def test_repairs_are_noted(prepared: PreparedAssignment, tmp_path: Path) -> None:
    submission = handed_in(tmp_path, b"\xef\xbb\xbf" + notebook_bytes("x = 1"))
    done = run_submission(submission, prepared, FakeSandbox(finished), out=tmp_path / "out")
    assert done.outcome is Outcome.OK
    assert any("byte order mark" in str(note) for note in done.notes)


def test_name_error_note_names_the_defining_cell(prepared: PreparedAssignment, tmp_path: Path) -> None:
    def failing(job: Job) -> Reply:
        executed = nbformat.reads(job.notebook.decode(), as_version=4)
        executed.cells[1].outputs = [
            nbformat.v4.new_output("error", ename="NameError", evalue="name 'scaler' is not defined", traceback=[])
        ]
        return replace(finished(job), executed=nbformat.writes(executed).encode())

    done = run(prepared, tmp_path, failing, "#md scaler = 0", "scaler.fit(1)", "scaler = 3")
    assert [str(note).partition(".")[0] for note in done.notes] == [
        "Cell 2 uses scaler, which only cell 3 defines",
    ]


def test_job_has_sources_and_library(tmp_path: Path) -> None:
    assignment = coins(tmp_path / "coins", ("[limits]", '[sources]\n"money.csv" = "coins.csv"\n[limits]'))
    prepared = prepare_assignment(assignment, SECRET, library=tmp_path)
    job = job_of(prepared, handed_in(tmp_path, notebook_bytes("x = 1")), tmp_path)
    assert job.sources == {"coins.csv": "coins.csv", "notes.txt": "notes.txt", "money.csv": "coins.csv"}
    assert job.library == tmp_path


def test_cells_of_the_starter_are_recognised(tmp_path: Path) -> None:
    assignment = coins(tmp_path / "coins")
    (assignment.folder / "starter.ipynb").write_bytes(notebook_bytes("#md Tell your story here.", "import keras"))
    cells = ("#md Tell your story here. ", "#md I weighed them.", "import keras", "x = 1")
    done = run(prepare_assignment(assignment, SECRET), tmp_path, finished, *cells)
    assert [cell.given for cell in done.cells] == [True, False, True, False]


# ---------------------------------------------------------------- libraries that are not installed


@pytest.mark.parametrize(
    ("module", "waits"),
    [
        pytest.param("xgboost", True, id="a known library"),
        pytest.param("nonsense_xyz", False, id="a name that nobody can install"),
        pytest.param("my_helpers", False, id="a file that was not handed in"),
    ],
)
def test_a_missing_library_costs_nothing_and_earns_nothing(
    prepared: PreparedAssignment, tmp_path: Path, module: str, waits: bool
) -> None:
    def failing(job: Job) -> Reply:
        executed = nbformat.reads(job.notebook.decode(), as_version=4)
        text = f"No module named '{module}'"
        executed.cells[0].outputs = [
            nbformat.v4.new_output("error", ename="ModuleNotFoundError", evalue=text, traceback=[])
        ]
        return replace(finished(job), executed=nbformat.writes(executed).encode())

    done = run(prepared, tmp_path, failing, f"import {module}")
    scores = score_run(done, prepared.assignment, open_truth(prepared.assignment, SECRET))
    assert done.outcome is Outcome.ERROR
    assert {score.points for score in scores if score.criterion in ("runs", "accuracy")} == {None if waits else 0}
    assert any(f"pip install {module}" in str(reason) for reason in done.reviews) is waits
