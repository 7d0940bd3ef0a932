"""Submissions, and a class of them, through a sandbox that runs nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jsonschema import Draft202012Validator

from grader.execution.runner import PreparedAssignment, run_submission
from grader.grading.results import SCHEMA
from grader.models.run import Run
from grader.models.submission import Student, Submission
from grader.sandbox.base import Job
from grader.sandbox.fake import EMPTY_FACTS, FakeSandbox, Script, finished
from grader.sandbox.guest.output_forms import Array
from tests.support.notebooks import submission

SECRET = b"s" * 32
VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
FITTED = EMPTY_FACTS | {
    "chosen": {
        "source": "model",
        "preparation": "raw",
        "form": "labels",
        "variable": "",
        "trained": True,
        "held_out_value": None,
        "public_value": 0.9,
        "problem": "",
    }
}


def heavier(inputs: Array) -> Array:
    """Predict like a model that looks at one row alone."""
    return (inputs[:, 0] > inputs[:, 1]).astype(np.int64)


def run(exam: PreparedAssignment, folder: Path, script: Script, *cells: str, digest: str | None = None) -> Run:
    handed_in = submission(folder, "ann", *(cells or ("x = 1",)))
    if digest is not None:
        handed_in = replace(handed_in, digest=digest)
    return run_submission(handed_in, exam, FakeSandbox(script), out=folder / "out")


def job_of(exam: PreparedAssignment, handed_in: Submission, folder: Path) -> Job:
    """Return the job that the sandbox is given for a submission."""
    sandbox = FakeSandbox(finished)
    run_submission(handed_in, exam, sandbox, out=folder / "out")
    (job,) = sandbox.jobs
    return job


def answering(answers: bytes | None, facts: dict[str, Any] = FITTED) -> Script:
    return lambda job: replace(finished(job, facts=facts), predictions=answers)


def handed_in(folder: Path, content: bytes) -> Submission:
    path = folder / "homework.ipynb"
    path.write_bytes(content)
    return Submission(Student("ann", "Ann"), path, path.name)


def class_of(folder: Path, *names: str) -> list[Submission]:
    """Build a class whose notebooks print their student's name, by which a script recognises them, and train."""
    return [submission(folder, name, f"print('{name}')\nmodel.fit(X, y)") for name in names]


def whose(job: Job) -> str:
    return "".join(json.loads(job.notebook)["cells"][0]["source"]).split("'")[1]


def grades(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "grades.json").read_bytes())
    VALIDATOR.validate(found)
    return found


def names(out: Path) -> list[str]:
    return [row["student"]["id"] for row in grades(out)["submissions"]]


def reports(out: Path) -> set[str]:
    return {path.parent.name for path in out.glob("students/*/report.html")}
