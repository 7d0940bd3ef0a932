"""Assignments whose data is arrays: pictures stay what they are on their way, and every slip is said."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.data.hidden_sets import PRACTICE_SECRET, hidden_inputs, open_hidden_set, practice_assignment, public_table
from grader.execution.runner import prepare_assignment, run_submission
from grader.models.assignment import Assignment, Data, Hidden
from grader.models.errors import AssignmentError, DatasetError
from grader.sandbox.fake import FakeSandbox, finished
from grader.sandbox.guest import protocol
from grader.sandbox.job import JobFolder
from grader.scoring.scoring import open_truth, score_run
from grader.spec.loader import load_assignment
from tests.support.assignment_folders import write_assignment
from tests.support.fake_runs import SECRET, job_of
from tests.support.notebooks import submission

ARRAYS = [
    ('"coins.csv", "notes.txt"', '"coins.npz"'),
    ('table = "coins.csv"', 'table = "coins.npz"'),
    ('inputs = ["weight", "width"]', 'inputs = ["x"]'),
    ('target = "real"', 'target = "y"'),
]
DRAW = """\
import numpy as np

def draw(rows, seed):
    random = np.random.default_rng(seed)
    targets = np.arange(rows) % 3
    return (random.integers(0, 60, (rows, 6, 6)) + 60 * targets[:, None, None]).astype(np.uint8), targets
"""


def pictures(rows: int = 90) -> dict[str, Any]:
    targets = np.arange(rows) % 3
    noise = np.random.default_rng(1).integers(0, 60, (rows, 6, 6))
    return {"x": (noise + 60 * targets[:, None, None]).astype(np.uint8), "y": targets.astype(np.uint8)}


def coins_in_pictures(folder: Path, *, generator: str = DRAW, **arrays: Any) -> Assignment:
    write_assignment(folder, *ARRAYS, generator=generator)
    np.savez(folder / "coins.npz", **(pictures() | arrays))
    return load_assignment(folder)


def data_of(assignment: Assignment) -> Data:
    assert assignment.data is not None
    return assignment.data


def test_pictures_stay_bytes(tmp_path: Path) -> None:
    assignment = coins_in_pictures(tmp_path)
    public = public_table(data_of(assignment))
    assert (public.inputs.shape, public.inputs.dtype, public.targets.dtype) == ((90, 6, 6), np.uint8, np.int64)
    hidden = hidden_inputs(assignment, SECRET)
    assert (hidden.shape, hidden.dtype) == ((100, 6, 6), np.uint8)


@pytest.mark.parametrize("target", [pictures()["y"], pictures()["y"][:, np.newaxis]], ids=["(n,)", "(n, 1)"])
def test_answers_may_stand_in_a_column(tmp_path: Path, target: Any) -> None:
    np.testing.assert_array_equal(
        public_table(data_of(coins_in_pictures(tmp_path, y=target))).targets, np.arange(90) % 3
    )


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        pytest.param(
            {"x": np.zeros((90, 2), object)}, "cannot be read as an .npz of plain arrays: Object", id="pickle"
        ),
        pytest.param({"x": np.full((90, 2), np.nan)}, "array x: found float64 or NaN, expected finite", id="NaN"),
        pytest.param({"x": np.array(["a"] * 90)}, "array x: found <U1", id="words"),
        pytest.param({"x": np.zeros(90)}, r"array x: found the shape \(90,\), expected \(rows, ...\)", id="no axis"),
        pytest.param({"x": np.zeros((0, 2)), "y": np.zeros(0)}, "found the shape", id="empty"),
        pytest.param({"y": np.zeros(9)}, r"array y: found the shape \(9,\), expected \(90,\)", id="too few answers"),
        pytest.param({"y": np.full(90, 0.5)}, "the classes must be whole numbers", id="half a class"),
    ],
)
def test_arrays_that_are_none_are_refused_with_their_name(tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    with pytest.raises(DatasetError, match=rf"coins\.npz.*{said}"):
        public_table(data_of(coins_in_pictures(tmp_path, **arrays)))


@pytest.mark.parametrize("content", [b"", b"x,y\n1,2\n", b"PK\x03\x04" + bytes(40)], ids=["empty", "CSV", "cut"])
def test_a_file_that_is_no_npz_is_refused(tmp_path: Path, content: bytes) -> None:
    data = data_of(coins_in_pictures(tmp_path))
    data.table.write_bytes(content)
    with pytest.raises(DatasetError, match=r"coins\.npz: cannot be read as an \.npz"):
        public_table(data)


def test_missing_arrays_are_named(tmp_path: Path) -> None:
    data = replace(data_of(coins_in_pictures(tmp_path)), inputs=("pictures",))
    with pytest.raises(DatasetError, match="the arrays pictures are missing; found x, y"):
        public_table(data)


@pytest.mark.parametrize(
    ("generator", "said"),
    [
        (DRAW.replace("6, 6", "6, 5"), r"gave shapes \(100, 6, 5\) and \(100,\), expected \(100, 6, 6\)"),
        (DRAW.replace(".astype(np.uint8)", ""), r"type int64, expected \(6, 6\) and uint8 as in coins\.npz"),
    ],
    ids=["another shape", "another type"],
)
def test_hidden_rows_are_like_the_public_ones(tmp_path: Path, generator: str, said: str) -> None:
    with pytest.raises(DatasetError, match=rf"generator\.py: draw\(100, seed\).*{said}"):
        hidden_inputs(coins_in_pictures(tmp_path, generator=generator), SECRET)


def test_a_teachers_own_file_of_hidden_arrays(tmp_path: Path) -> None:
    assignment = coins_in_pictures(tmp_path / "coins")
    path = tmp_path / "hidden.npz"
    with_file = replace(assignment, data=replace(data_of(assignment), hidden=Hidden(file=path)))
    np.savez(path, **pictures(60))
    assert hidden_inputs(with_file, SECRET).shape == (60, 6, 6)
    path = path.rename(tmp_path / "other.npz")
    np.savez(path, **pictures(60) | {"x": np.zeros((60, 6, 6))})
    with pytest.raises(DatasetError, match=r"other\.npz: found rows of shape \(6, 6\) and type float64"):
        hidden_inputs(replace(assignment, data=replace(data_of(assignment), hidden=Hidden(file=path))), SECRET)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('inputs = ["x"]', 'inputs = ["x", "z"]', "data.inputs: found 2, expected the name of one array of coins.npz"),
        ('generator = "generator.py"', 'file = "hidden.csv"', "data.hidden.file: found 'hidden.csv', expected a .npz"),
    ],
)
def test_a_slip_is_said(tmp_path: Path, old: str, new: str, said: str) -> None:
    coins_in_pictures(tmp_path)
    (tmp_path / "hidden.csv").write_text("")
    path = tmp_path / "assignment.toml"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(AssignmentError, match=said.replace(".", r"\.")):
        load_assignment(tmp_path)


def test_practice_keeps_back_every_fifth_picture(tmp_path: Path) -> None:
    assignment = coins_in_pictures(tmp_path / "coins", names=np.array(["a", "b", "c"]))
    assignment = replace(assignment, data=replace(data_of(assignment), hidden=Hidden(file=tmp_path / "gone.npz")))
    practised = practice_assignment(assignment, tmp_path / "work")
    before, seen = public_table(data_of(assignment)), public_table(data_of(practised))
    places = np.arange(90) % 5 == 0
    np.testing.assert_array_equal(seen.inputs, before.inputs[~places])
    np.testing.assert_array_equal(hidden_inputs(practised, PRACTICE_SECRET), before.inputs[places])
    np.testing.assert_array_equal(open_hidden_set(practised, PRACTICE_SECRET).labels, before.targets[places])
    with np.load(data_of(practised).table) as visible:
        assert visible["names"].tolist() == ["a", "b", "c"]


# ---------------------------------------------------------------- through a job, to a score


def test_a_job_carries_pictures(tmp_path: Path) -> None:
    exam = prepare_assignment(coins_in_pictures(tmp_path / "coins"), SECRET)
    job = job_of(exam, submission(tmp_path, "ann", "x = 1"), tmp_path)
    folder = JobFolder(job)
    try:
        assert job.question is not None
        folder.put_hidden_inputs(job.question)
        with np.load(folder.path / protocol.PUBLIC) as public:
            assert (public["inputs"].shape, public["inputs"].dtype) == ((90, 6, 6), np.uint8)
        hidden = np.load(folder.path / "hidden" / protocol.HIDDEN_INPUTS)
        assert (hidden.shape, hidden.dtype) == ((protocol.SINGLE_ROWS + protocol.BATCH_ROWS + 100, 6, 6), np.uint8)
    finally:
        folder.close()


def test_only_some_of_many_public_rows_go_into_a_job_and_of_every_class(tmp_path: Path) -> None:
    rows = 3 * protocol.PUBLIC_ROWS
    many = {"x": np.zeros((rows, 6, 6), np.uint8), "y": np.arange(rows) * 3 // rows}  # sorted, as files often are
    exam = prepare_assignment(coins_in_pictures(tmp_path, **many), SECRET)
    assert exam.public is not None
    assert len(exam.public.inputs) == protocol.PUBLIC_ROWS
    assert np.bincount(exam.public.targets).min() > protocol.PUBLIC_ROWS / 4


def test_many_classes_are_scored_against_guessing_and_a_line(tmp_path: Path) -> None:
    assignment = coins_in_pictures(tmp_path / "coins")
    truth = open_truth(assignment, SECRET)
    assert truth is not None
    assert truth.classes == 3
    assert truth.baselines["accuracy_score"]["majority"] == pytest.approx(0.34)
    assert truth.baselines["accuracy_score"]["linear"] > 0.9

    def one_column_a_class(inputs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.eye(3)[np.clip(inputs.mean(axis=(1, 2)) // 60, 0, 2).astype(int)]

    sandbox = FakeSandbox(lambda job: finished(job, answers=one_column_a_class))
    run = run_submission(
        submission(tmp_path, "ann", "x = 1"), prepare_assignment(assignment, SECRET), sandbox, out=tmp_path
    )
    scores = {score.criterion: score for score in score_run(run, assignment, truth)}
    assert scores["accuracy"].points == 60
    assert not run.depends_on_neighbours


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_linear_baseline_of_large_pictures_is_cheap(tmp_path: Path, task: str) -> None:
    rng = np.random.default_rng(1)
    arrays = {"x": rng.integers(0, 255, (400, 64, 64, 3), np.uint8), "y": rng.integers(0, 10, 400)}
    draw = (
        "import numpy as np\ndef draw(rows, seed): return np.zeros((rows, 64, 64, 3), np.uint8), np.arange(rows) % 10"
    )
    assignment = coins_in_pictures(tmp_path, generator=draw, **arrays)
    assignment = replace(assignment, data=replace(data_of(assignment), task=task))  # type: ignore[arg-type]
    began = time.monotonic()
    assert open_truth(assignment, SECRET) is not None
    assert time.monotonic() - began < 20
