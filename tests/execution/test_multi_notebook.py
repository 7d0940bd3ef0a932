"""Tests of courses of several notebooks: matching of files, separate runs and the merged run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from grader.execution.multi_notebook import run_notebooks
from grader.execution.runner import prepare_assignment
from grader.lms.archive.submissions import read_submissions
from grader.models.assignment import Assignment
from grader.models.run import Outcome, Run
from grader.models.submission import Student, Submission
from grader.pipeline import Settings, grade_class
from grader.sandbox.base import EndReason, Job, Reply
from grader.sandbox.fake import FakeSandbox, Script, finished
from grader.spec.formats.course_format import match_notebooks
from tests.spec.formats import nbgrader_course as course
from tests.spec.formats.nbgrader_course import marked
from tests.support.builders import write_folder
from tests.support.fake_runs import SECRET, VALIDATOR, grades

ONE = [marked("answer", "f", "f = 1"), marked("test", "t", "assert f == 1", 2)]
TWO = [marked("answer", "g", "g = 1"), marked("test", "t", "assert g == 1", 3)]
NEITHER = b"not a notebook"


@pytest.fixture
def assignment(tmp_path: Path) -> Assignment:
    return course.loaded(course.write_course(tmp_path / "course", {"one.ipynb": ONE, "two.ipynb": TWO}))


def handed(assignment: Assignment, name: str) -> bytes:
    return course.notebook(course.handed_out(assignment.folder / name))


# ---------------------------------------------------------------- which is which


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        pytest.param({"one.ipynb": 1, "two.ipynb": 2}, {"one": "one", "two": "two"}, id="as handed out"),
        pytest.param({"two.ipynb": 2}, {"two": "two"}, id="one left out"),
        pytest.param(
            {"one (1).ipynb": 1, "Copy of two-2.ipynb": 2}, {"one": "one (1)", "two": "Copy of two-2"}, id="copies"
        ),
        pytest.param({"x.ipynb": 2, "y.ipynb": 1}, {"one": "y", "two": "x"}, id="renamed: by the cells' marks"),
        pytest.param({"one.ipynb": 1, "one (1).ipynb": 1}, {"one": "one"}, id="the very name before a copy"),
        pytest.param({"one (1).ipynb": 1, "one (2).ipynb": 1}, {"one": "one (2)"}, id="of two copies the last"),
        pytest.param({"one.ipynb": 0, "two.ipynb": 0}, {"one": "one", "two": "two"}, id="broken: by their names"),
        pytest.param({"holiday.ipynb": 0}, {}, id="something else"),
    ],
)
def test_files_are_matched_to_notebooks(
    assignment: Assignment, tmp_path: Path, files: Mapping[str, int], chosen: Mapping[str, str]
) -> None:
    assert assignment.course is not None
    content = {0: NEITHER, 1: handed(assignment, "one.ipynb"), 2: handed(assignment, "two.ipynb")}
    write_folder(tmp_path / "in", {name: content[which] for name, which in files.items()})
    found = match_notebooks([(name, tmp_path / "in" / name) for name in files], assignment.course)
    names = [name.removesuffix(".ipynb") for name in files]
    assert {name.removesuffix(".ipynb"): names[index] for name, index in found.items()} == chosen


def test_single_notebook_is_matched_under_any_name(tmp_path: Path) -> None:
    only = course.loaded(course.write_course(tmp_path, {"one.ipynb": ONE}))
    (tmp_path / "期末.ipynb").write_bytes(NEITHER)
    assert only.course is not None
    assert match_notebooks([("期末.ipynb", tmp_path / "期末.ipynb")], only.course) == {"one.ipynb": 0}


def test_submission_folder_of_a_course_is_read(assignment: Assignment, tmp_path: Path) -> None:
    both = {name: handed(assignment, name) for name in ("one.ipynb", "two.ipynb")}
    folder = tmp_path / "submitted"
    write_folder(folder, {f"ann/ps1/{name}": data for name, data in both.items()})
    write_folder(folder, {f"ann/ps2/{name}": NEITHER for name in both} | {"ann/ps1/mine.csv": b"1"})
    write_folder(folder, {"ben/ps1/two.ipynb": both["two.ipynb"]})
    found = read_submissions([folder], workspace=tmp_path / "w", assignment=assignment).submissions
    ann, ben = (next(submission for submission in found if submission.student.name == name) for name in ("ann", "ben"))
    assert {name: path.parent.name for name, path in ann.parts.items()} == {"one.ipynb": "ps1", "two.ipynb": "ps1"}
    assert "mine.csv" in {attachment.name for attachment in ann.attachments}
    assert set(ben.parts) == {"two.ipynb"}


def test_several_notebooks_without_a_course_have_no_parts(assignment: Assignment, tmp_path: Path) -> None:
    folder = write_folder(
        tmp_path / "class",
        {f"{who}/{name}": handed(assignment, name) for who in ("ann", "ben") for name in ("one.ipynb", "two.ipynb")},
    )
    assert [submission.parts for submission in read_submissions([folder], workspace=tmp_path / "w")] == [{}, {}]


# ---------------------------------------------------------------- one run of several


def run(assignment: Assignment, room: Path, script: Script, **files: bytes) -> Run:
    room.mkdir()
    paths = {f"{name}.ipynb": room / f"{name}.ipynb" for name in files}
    for name, data in files.items():
        paths[f"{name}.ipynb"].write_bytes(data)
    submission = Submission(Student("ann", "Ann"), next(iter(paths.values())), "x.ipynb", parts=paths)
    return run_notebooks(submission, prepare_assignment(assignment, SECRET), FakeSandbox(script), out=room / "out")


def whole(assignment: Assignment) -> dict[str, bytes]:
    return {"one": handed(assignment, "one.ipynb"), "two": handed(assignment, "two.ipynb")}


def points(found: Run) -> dict[str, float | None]:
    return {test.criterion: test.points for test in found.tests}


def test_all_notebooks_earn_points(assignment: Assignment, tmp_path: Path) -> None:
    found = run(assignment, tmp_path / "room", finished, **whole(assignment))
    assert points(found) == {"one/t": 2, "two/t": 3}
    assert (found.outcome, found.seconds, found.cell_seconds, found.peak_memory_mb) == (Outcome.OK, 4.0, 2.0, 100.0)
    assert found.executed is not None
    shown = nbformat.read(found.executed, as_version=4)
    assert [cell.source for cell in shown.cells][::3] == ["# one.ipynb", "# two.ipynb"]
    assert [cell.index for cell in found.cells] == list(range(len(shown.cells)))
    kept = sorted(path.name for path in (found.executed.parent / "executed").iterdir())
    assert kept == ["one.ipynb", "two.ipynb"]


def test_missing_notebook_costs_only_its_points(assignment: Assignment, tmp_path: Path) -> None:
    found = run(assignment, tmp_path / "room", finished, two=whole(assignment)["two"])
    assert points(found) == {"two/t": 3, "one/t": 0}
    assert "one.ipynb was not submitted" in "\n".join(map(str, found.notes))


def test_unreadable_notebook_costs_only_its_points(assignment: Assignment, tmp_path: Path) -> None:
    found = run(assignment, tmp_path / "room", finished, **whole(assignment) | {"one": NEITHER})
    assert points(found) == {"two/t": 3, "one/t": 0}
    assert found.outcome is Outcome.ERROR and "one.ipynb: " in str(found.reason)


def test_submission_of_unreadable_notebooks_is_missing(assignment: Assignment, tmp_path: Path) -> None:
    found = run(assignment, tmp_path / "room", finished, one=NEITHER, two=NEITHER)
    assert found.outcome is Outcome.MISSING and set(points(found).values()) == {0.0}


def only_first(reply: Reply) -> Script:
    """Return a script that gives ``reply`` for the first notebook and finishes the second."""
    return lambda job: reply if b"f = 1" in job.notebook or b"assert f" in job.notebook else finished(job)


@pytest.mark.parametrize(
    ("reply", "outcome", "of_two"),
    [
        pytest.param(Reply(EndReason.MEMORY, used=9000), Outcome.MEMORY, 3.0, id="memory"),
        pytest.param(Reply(EndReason.TIMEOUT), Outcome.TIMEOUT, 3.0, id="time"),
        pytest.param(Reply(EndReason.DIED), Outcome.ERROR, 3.0, id="died"),
        pytest.param(Reply(EndReason.PROCESSES), Outcome.ERROR, 3.0, id="processes"),
        pytest.param(Reply(EndReason.FAULT, started=False), Outcome.GRADER_FAULT, 3.0, id="our fault"),
    ],
)
def test_worst_outcome_is_the_outcome_of_the_run(
    assignment: Assignment, tmp_path: Path, reply: Reply, outcome: Outcome, of_two: float
) -> None:
    found = run(assignment, tmp_path / "room", only_first(reply), **whole(assignment))
    assert found.outcome is outcome and points(found)["two/t"] == of_two
    assert points(found).get("one/t", 0.0) == 0.0


def test_results_of_changed_cells_are_rejected(assignment: Assignment, tmp_path: Path) -> None:
    def forging(job: Job) -> Reply:
        reply = finished(job)
        assert reply.executed is not None
        return replace(reply, executed=reply.executed.replace(b"assert f == 1", b"assert f != 2"))

    found = run(assignment, tmp_path / "room", forging, one=whole(assignment)["one"])
    assert points(found)["one/t"] == 0 and found.outcome is Outcome.ERROR


@pytest.mark.parametrize("metadata", [b"[]", b'{"died_cell": []}', b'"x"', b'{"timeout_cell": {}}'])
def test_malformed_driver_notes_are_ignored(assignment: Assignment, tmp_path: Path, metadata: bytes) -> None:
    def noting(job: Job) -> Reply:
        reply = finished(job)
        assert reply.executed is not None
        node = nbformat.reads(reply.executed.decode(), as_version=4)
        node.metadata["grader"] = "HERE"
        return replace(reply, executed=nbformat.writes(node).encode().replace(b'"HERE"', metadata))

    assert run(assignment, tmp_path / "room", noting, **whole(assignment)).outcome is not Outcome.GRADER_FAULT


def test_class_with_several_notebooks_is_graded(assignment: Assignment, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_folder(
        folder, {f"{who}/ps1/{name}.ipynb": data for who in ("ann", "ben") for name, data in whole(assignment).items()}
    )
    found = read_submissions([folder], workspace=tmp_path / "w", assignment=assignment).submissions
    grade_class(assignment, found, FakeSandbox(finished), Settings(tmp_path / "out", SECRET))
    written = grades(tmp_path / "out")
    VALIDATOR.validate(written)
    assert [entry["total"] for entry in written["submissions"]] == [5.0, 5.0]


def test_files_of_the_teacher_replace_files_of_the_student(tmp_path: Path) -> None:
    folder = course.write_course(tmp_path / "course", {"one.ipynb": ONE}, data__csv=b"teacher")
    write_folder(folder, {"pictures/cat.png": b"cat", ".ipynb_checkpoints/one.ipynb": b"", "__pycache__/x.pyc": b""})
    mine = {"data.csv": b"student", "mine.csv": b"1", "pictures/dog.png": b"dog"}
    own = write_folder(tmp_path / "in", {f"ann/{name}": data for name, data in mine.items()})
    assignment = course.loaded(folder)
    write_folder(own, {"ann/one.ipynb": handed(assignment, "one.ipynb"), "ben/one.ipynb": NEITHER})
    found = read_submissions([own], workspace=tmp_path / "w", assignment=assignment).submissions
    sandbox = FakeSandbox(finished)
    run_notebooks(found[0], prepare_assignment(assignment, SECRET), sandbox, out=tmp_path / "out")
    files = sandbox.jobs[0].files
    assert set(files) == {"data.csv", "pictures", "mine.csv"}
    assert files["data.csv"].read_bytes() == b"teacher"


def test_cell_numbers_match_the_joined_notebook(assignment: Assignment, tmp_path: Path) -> None:
    def failing(job: Job) -> Reply:
        node = nbformat.reads(job.notebook.decode(), as_version=4)
        for cell in node.cells:
            if cell.source == "assert g == 1":
                cell.outputs = [nbformat.v4.new_output("error", ename="NameError", evalue="name 'g' is not defined")]
        return replace(finished(job), executed=nbformat.writes(node).encode())

    found = run(assignment, tmp_path / "room", failing, **whole(assignment))
    (failed,) = (cell.index for cell in found.cells if cell.error is not None)
    assert failed == 5 and "ell 6 " in f"{found.reason} "
    assert any(str(note).startswith("two.ipynb: Cell 6 uses g") for note in found.notes)


def test_course_gives_no_advice_about_a_model(assignment: Assignment, tmp_path: Path) -> None:
    assert run(assignment, tmp_path / "room", finished, **whole(assignment)).no_predictions is None
