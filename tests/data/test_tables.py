from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.data.hidden_sets import PRACTICE_SECRET, hidden_inputs, open_hidden_set, practice_assignment, public_table
from grader.execution.runner import prepare_assignment, run_submission
from grader.models.assignment import Assignment, Hidden
from grader.models.errors import AssignmentError, DatasetError
from grader.sandbox.fake import FakeSandbox, finished
from grader.sandbox.guest import protocol
from grader.sandbox.job import JobFolder
from grader.scoring.scoring import open_truth, score_run
from grader.spec.loader import load_assignment
from tests.support.assignment_folders import TABLE, coins, data_of, write_assignment
from tests.support.fake_runs import FITTED, SECRET, job_of
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


def image_arrays(rows: int = 90) -> dict[str, Any]:
    targets = np.arange(rows) % 3
    noise = np.random.default_rng(1).integers(0, 60, (rows, 6, 6))
    return {"x": (noise + 60 * targets[:, None, None]).astype(np.uint8), "y": targets.astype(np.uint8)}


def image_assignment(folder: Path, *, generator: str = DRAW, **arrays: Any) -> Assignment:
    write_assignment(folder, *ARRAYS, generator=generator)
    np.savez(folder / "coins.npz", **(image_arrays() | arrays))
    return load_assignment(folder)


# ---------------------------------------------------------------- CSV


def test_a_csv_table_has_the_columns_in_the_assignments_order(tmp_path: Path) -> None:
    table = public_table(data_of(coins(tmp_path, table="note,real,width,weight\n,1,2,3\n,0,4,5e-1\n")))
    np.testing.assert_array_equal(table.inputs, [[3, 2], [0.5, 4]])
    np.testing.assert_array_equal(table.targets, [1, 0])
    assert (table.inputs.dtype, table.targets.dtype) == (np.float64, np.int64)


def test_regression_targets_are_not_changed(tmp_path: Path) -> None:
    data = replace(data_of(coins(tmp_path, table="weight,width,real\n1,2,-0.5\n")), task="regression")
    table = public_table(data)
    assert (table.targets.dtype, table.targets.tolist()) == (np.float64, [-0.5])


def test_a_byte_order_mark_is_not_part_of_a_column_name(tmp_path: Path) -> None:
    assert public_table(data_of(coins(tmp_path, table="\ufeff" + TABLE))).inputs.shape == (60, 2)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param("", "found no rows", id="empty"),
        pytest.param("weight,width,real\n", "found no rows", id="names only"),
        pytest.param("weight,real\n1,2\n", "the columns width are missing; found weight, real", id="a column"),
        pytest.param("a;b\n1;2\n", "weight, width, real are missing; found a;b", id="another separator"),
        pytest.param("weight,width,real\n1,2,0\n1,two,0\n", "line 3, column width: found 'two', expected", id="a word"),
        pytest.param("weight,width,real\n1,,0\n", "line 2, column width: found '', expected a number", id="empty cell"),
        pytest.param("weight,width,real\n1,2,0\n3\n", "line 3, column width: found None, expected", id="a short row"),
        pytest.param("weight,width,real\nnan,2,0\n", "line 2, column weight: found 'nan', expected", id="NaN"),
        pytest.param("weight,width,real\n1,inf,0\n", "line 2, column width: found 'inf', expected", id="infinite"),
        pytest.param(
            "weight,width,real\n1,2,0\n\n\n1,x,0\n", "line 5, column width: found 'x'", id="after empty lines"
        ),
        pytest.param(
            "weight,width,real\n1,2,0.5\n", "classes must be whole numbers 0, 1, ...; found", id="half a class"
        ),
        pytest.param("weight,width,real\n1,2,-1\n", "classes must be whole numbers", id="a negative class"),
    ],
)
def test_an_invalid_csv_table_is_refused_with_its_place(tmp_path: Path, table: str, expected: str) -> None:
    data = data_of(coins(tmp_path, table=table))
    with pytest.raises(DatasetError) as refused:
        public_table(data)
    assert str(refused.value).startswith(str(data.table))
    assert expected in str(refused.value)


def test_a_table_in_another_encoding_is_refused(tmp_path: Path) -> None:
    data = data_of(coins(tmp_path))
    data.table.write_bytes("重量,width,real\n".encode("big5"))
    with pytest.raises(DatasetError, match="cannot be read as CSV in UTF-8"):
        public_table(data)


# ---------------------------------------------------------------- arrays


def test_images_stay_uint8(tmp_path: Path) -> None:
    assignment = image_assignment(tmp_path)
    public = public_table(data_of(assignment))
    assert (public.inputs.shape, public.inputs.dtype, public.targets.dtype) == ((90, 6, 6), np.uint8, np.int64)
    hidden = hidden_inputs(assignment, SECRET)
    assert (hidden.shape, hidden.dtype) == ((100, 6, 6), np.uint8)


@pytest.mark.parametrize("target", [image_arrays()["y"], image_arrays()["y"][:, np.newaxis]], ids=["(n,)", "(n, 1)"])
def test_targets_may_be_a_column(tmp_path: Path, target: Any) -> None:
    np.testing.assert_array_equal(
        public_table(data_of(image_assignment(tmp_path, y=target))).targets, np.arange(90) % 3
    )


@pytest.mark.parametrize(
    ("arrays", "expected"),
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
def test_invalid_arrays_are_refused_with_their_name(tmp_path: Path, arrays: dict[str, Any], expected: str) -> None:
    with pytest.raises(DatasetError, match=rf"coins\.npz.*{expected}"):
        public_table(data_of(image_assignment(tmp_path, **arrays)))


@pytest.mark.parametrize("content", [b"", b"x,y\n1,2\n", b"PK\x03\x04" + bytes(40)], ids=["empty", "CSV", "cut"])
def test_a_file_that_is_not_an_npz_is_refused(tmp_path: Path, content: bytes) -> None:
    data = data_of(image_assignment(tmp_path))
    data.table.write_bytes(content)
    with pytest.raises(DatasetError, match=r"coins\.npz: cannot be read as an \.npz"):
        public_table(data)


def test_missing_arrays_are_named(tmp_path: Path) -> None:
    data = replace(data_of(image_assignment(tmp_path)), inputs=("pictures",))
    with pytest.raises(DatasetError, match="the arrays pictures are missing; found x, y"):
        public_table(data)


@pytest.mark.parametrize(
    ("generator", "expected"),
    [
        (DRAW.replace("6, 6", "6, 5"), r"gave shapes \(100, 6, 5\) and \(100,\), expected \(100, 6, 6\)"),
        (DRAW.replace(".astype(np.uint8)", ""), r"type int64, expected \(6, 6\) and uint8 as in coins\.npz"),
    ],
    ids=["another shape", "another type"],
)
def test_hidden_rows_must_have_the_shape_and_type_of_public_rows(tmp_path: Path, generator: str, expected: str) -> None:
    with pytest.raises(DatasetError, match=rf"generator\.py: draw\(100, seed\).*{expected}"):
        hidden_inputs(image_assignment(tmp_path, generator=generator), SECRET)


def test_a_hidden_npz_must_have_the_type_of_the_public_one(tmp_path: Path) -> None:
    assignment = image_assignment(tmp_path / "coins")
    path = tmp_path / "hidden.npz"
    with_file = replace(assignment, data=replace(data_of(assignment), hidden=Hidden(file=path)))
    np.savez(path, **image_arrays(60))
    assert hidden_inputs(with_file, SECRET).shape == (60, 6, 6)
    path = path.rename(tmp_path / "other.npz")
    np.savez(path, **image_arrays(60) | {"x": np.zeros((60, 6, 6))})
    with pytest.raises(DatasetError, match=r"other\.npz: found rows of shape \(6, 6\) and type float64"):
        hidden_inputs(replace(assignment, data=replace(data_of(assignment), hidden=Hidden(file=path))), SECRET)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('inputs = ["x"]', 'inputs = ["x", "z"]', "data.inputs: found 2, expected the name of one array of coins.npz"),
        ('generator = "generator.py"', 'file = "hidden.csv"', "data.hidden.file: found 'hidden.csv', expected a .npz"),
    ],
)
def test_an_invalid_data_section_is_reported(tmp_path: Path, old: str, new: str, expected: str) -> None:
    image_assignment(tmp_path)
    (tmp_path / "hidden.csv").write_text("")
    path = tmp_path / "assignment.toml"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(AssignmentError, match=expected.replace(".", r"\.")):
        load_assignment(tmp_path)


def test_practice_holds_back_every_fifth_image(tmp_path: Path) -> None:
    assignment = image_assignment(tmp_path / "coins", names=np.array(["a", "b", "c"]))
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


def test_a_job_contains_images(tmp_path: Path) -> None:
    prepared = prepare_assignment(image_assignment(tmp_path / "coins"), SECRET)
    job = job_of(prepared, submission(tmp_path, "ann", "x = 1"), tmp_path)
    folder = JobFolder(job)
    try:
        assert job.question is not None
        folder.put_hidden_inputs(job.question)
        with np.load(folder.path / protocol.EXCHANGE / protocol.PUBLIC) as public:
            assert (public["inputs"].shape, public["inputs"].dtype) == ((90, 6, 6), np.uint8)
        hidden = np.load(folder.path / protocol.EXCHANGE / protocol.HIDDEN_INPUTS)
        assert (hidden.shape, hidden.dtype) == ((protocol.SINGLE_ROWS + protocol.BATCH_ROWS + 100, 6, 6), np.uint8)
    finally:
        folder.close()


def test_a_job_contains_a_sample_of_public_rows_of_every_class(tmp_path: Path) -> None:
    rows = 3 * protocol.PUBLIC_ROWS
    labels = np.arange(rows) * 3 // rows  # sorted, as files often are
    many: dict[str, Any] = {"x": np.zeros((rows, 6, 6), np.uint8), "y": labels}
    prepared = prepare_assignment(image_assignment(tmp_path, **many), SECRET)
    assert prepared.public is not None
    assert len(prepared.public.inputs) == protocol.PUBLIC_ROWS
    assert np.bincount(prepared.public.targets).min() > protocol.PUBLIC_ROWS / 4


def test_many_classes_have_majority_and_linear_baselines(tmp_path: Path) -> None:
    assignment = image_assignment(tmp_path / "coins")
    truth = open_truth(assignment, SECRET)
    assert truth is not None
    assert truth.classes == 3
    assert truth.baselines["accuracy_score"]["majority"] == pytest.approx(0.34)
    assert truth.baselines["accuracy_score"]["linear"] > 0.9

    def one_column_a_class(inputs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.eye(3)[np.clip(inputs.mean(axis=(1, 2)) // 60, 0, 2).astype(int)]

    sandbox = FakeSandbox(lambda job: finished(job, answers=one_column_a_class, facts={"chosen": FITTED["chosen"]}))
    run = run_submission(
        submission(tmp_path, "ann", "model.fit(X, y)"), prepare_assignment(assignment, SECRET), sandbox, out=tmp_path
    )
    scores = {score.criterion: score for score in score_run(run, assignment, truth)}
    assert scores["accuracy"].points == 60
    assert not run.depends_on_neighbours


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_linear_baseline_of_large_images_is_fast(tmp_path: Path, task: str) -> None:
    rng = np.random.default_rng(1)
    arrays = {"x": rng.integers(0, 255, (400, 64, 64, 3), np.uint8), "y": rng.integers(0, 10, 400)}
    draw = (
        "import numpy as np\ndef draw(rows, seed): return np.zeros((rows, 64, 64, 3), np.uint8), np.arange(rows) % 10"
    )
    assignment = image_assignment(tmp_path, generator=draw, **arrays)
    assignment = replace(assignment, data=replace(data_of(assignment), task=task))  # type: ignore[arg-type]
    began = time.monotonic()
    assert open_truth(assignment, SECRET) is not None
    assert time.monotonic() - began < 20
