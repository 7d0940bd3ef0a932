"""Every bundled assignment: data of the described shape, drawn as described, and documents in both languages."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import tomllib
from functools import cache
from pathlib import Path
from types import ModuleType

import jupytext
import nbformat
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, LogisticRegression

from grader.scoring.rubric.metric import MetricReached
from grader.spec.loader import load_assignment
from grader.spec.starter import release_starter

ROOT = Path(__file__).parents[2]
ASSIGNMENTS = ROOT / "assignments"
BOTH = pytest.mark.parametrize("name", ["disease", "regression"])
PUBLIC = pytest.mark.parametrize("name", ["mnist", "cifar10", "cats-dogs"])
ALL = pytest.mark.parametrize("name", ["disease", "regression", "mnist", "cifar10", "cats-dogs"])
SAMPLES = ASSIGNMENTS / "disease" / "samples"


@cache
def generator(name: str) -> ModuleType:
    path = ASSIGNMENTS / name / "generator.py"
    spec = importlib.util.spec_from_file_location(f"generator_of_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def students() -> list[dict[str, str]]:
    listed: list[dict[str, str]] = tomllib.loads((SAMPLES / "class.toml").read_text(encoding="utf-8"))["student"]
    return listed


@ALL
def test_assignment_loads_with_a_hundred_points_and_both_languages(name: str) -> None:
    assignment = load_assignment(ASSIGNMENTS / name)
    assert (assignment.id, assignment.points) == (name, 100)
    for titles in (assignment.title, *(criterion.title for criterion in assignment.rubric)):
        assert set(titles) == {"en", "zh-TW"}


@BOTH
def test_table_has_the_columns_that_the_assignment_names(name: str) -> None:
    data = load_assignment(ASSIGNMENTS / name).data
    assert data is not None
    assert list(pd.read_csv(data.table).columns) == [*data.inputs, data.target]


def test_patients_are_800_rows_of_whole_degrees() -> None:
    table = pd.read_csv(ASSIGNMENTS / "disease" / "patients.csv")
    degrees = table.drop(columns="has_disease")
    assert table.shape == (800, 9)
    assert (table.dtypes == "int64").all()
    assert degrees.min().min() >= 0
    assert degrees.max().max() <= 100
    assert (degrees.nunique() > 50).all()
    assert set(table["has_disease"]) == {0, 1}
    assert 0.5 <= (table["has_disease"] == 0).mean() <= 0.6


def test_patients_are_written_again_byte_for_byte(tmp_path: Path) -> None:
    generator("disease").write_public(tmp_path / "patients.csv")
    assert (tmp_path / "patients.csv").read_bytes() == (ASSIGNMENTS / "disease" / "patients.csv").read_bytes()


def test_cosine_points_are_those_of_the_course(tmp_path: Path) -> None:
    random = np.random.RandomState(0)
    x = np.linspace(-10, 10, num=2000)
    y = 2.9 * np.cos(0.6 * x) + random.normal(size=2000)
    generator("regression").write_public(tmp_path / "cosine.csv")
    for path in (tmp_path / "cosine.csv", ASSIGNMENTS / "regression" / "cosine.csv"):
        table = pd.read_csv(path, float_precision="round_trip")
        # Not byte for byte: the last digit of a cosine depends on the processor.
        np.testing.assert_allclose(table["x"], x, rtol=0, atol=1e-13)
        np.testing.assert_allclose(table["y"], y, rtol=0, atol=1e-13)


@BOTH
@settings(deadline=None, max_examples=20)
@given(rows=st.integers(1, 300), seed=st.integers(0, 2**256 - 1))
def test_draw_gives_the_described_shape_and_range_for_any_seed(name: str, rows: int, seed: int) -> None:
    draw = generator(name).draw
    inputs, targets = draw(rows, seed)
    columns = {"disease": 8, "regression": 1}[name]
    assert (inputs.shape, inputs.dtype) == ((rows, columns), np.float64)
    assert (targets.shape, targets.dtype) == ((rows,), {"disease": np.int64, "regression": np.float64}[name])
    again = draw(rows, seed)
    np.testing.assert_array_equal(inputs, again[0])
    np.testing.assert_array_equal(targets, again[1])


@BOTH
def test_another_seed_draws_other_rows(name: str) -> None:
    draw = generator(name).draw
    first, second = draw(500, 1)[0], draw(500, 2)[0]
    assert (first == second).all(axis=1).mean() < 0.01


def test_hidden_points_lie_on_the_curve_in_the_public_interval() -> None:
    x, y = generator("regression").draw(5000, 4)
    np.testing.assert_allclose(y, 2.9 * np.cos(0.6 * x[:, 0]), atol=1e-12)
    assert x.min() >= -10
    assert x.max() <= 10
    assert np.histogram(x, bins=10, range=(-10, 10))[0].min() > 400


def test_a_straight_line_finds_seven_patients_in_ten_and_nobody_finds_more_than_nine() -> None:
    X, y = generator("disease").draw(20_000, 99)
    public = pd.read_csv(ASSIGNMENTS / "disease" / "patients.csv").to_numpy(float)
    linear = LogisticRegression(max_iter=5000).fit(public[:, :8], public[:, 8])
    ill = generator("disease").probability(X)
    assert 0.68 <= linear.score(X, y) <= 0.72
    assert 0.89 <= np.maximum(ill, 1 - ill).mean() <= 0.91
    assert ((ill > 0.5) == y).mean() == pytest.approx(np.maximum(ill, 1 - ill).mean(), abs=0.01)


def test_a_curved_model_passes_the_threshold_with_room() -> None:
    """Squares and products stand in for what a hidden layer finds."""
    X, y = generator("disease").draw(20_000, 98)
    public = pd.read_csv(ASSIGNMENTS / "disease" / "patients.csv").to_numpy(float)

    def curved(degrees: np.ndarray) -> np.ndarray:
        z = (degrees - 50) / 22
        first, second = np.triu_indices(8)
        return np.hstack([z, z[:, first] * z[:, second]])

    assert LogisticRegression(C=0.1, max_iter=5000).fit(curved(public[:, :8]), public[:, 8]).score(curved(X), y) > 0.84


def test_a_straight_line_earns_nothing_for_the_cosine() -> None:
    x, y = generator("regression").public()
    hidden_x, hidden_y = generator("regression").draw(2000, 5)
    assert LinearRegression().fit(x, y).score(hidden_x, hidden_y) < 0.05


@BOTH
def test_both_readmes_show_the_same_measurements(name: str) -> None:
    numbers = [
        re.findall(r"\d\.\d{3}", (ASSIGNMENTS / name / file).read_text(encoding="utf-8"))
        for file in ("README.md", "README.zh-TW.md")
    ]
    assert len(numbers[0]) >= 15
    assert numbers[0] == numbers[1]


@PUBLIC
def test_a_public_assignment_says_its_thresholds_and_points_in_both_readmes(name: str) -> None:
    assignment = load_assignment(ASSIGNMENTS / name)
    texts = [(ASSIGNMENTS / name / file).read_text(encoding="utf-8") for file in ("README.md", "README.zh-TW.md")]
    assert assignment.public is not None
    for text in texts:
        assert re.findall(r"^\| (\d+) \|", text, re.MULTILINE) == [f"{one.points:g}" for one in assignment.rubric]
        assert f"{assignment.public.rows}" in text
        for criterion in assignment.rubric:
            assert not isinstance(criterion, MetricReached) or f"{criterion.full_at:.2f}" in text


def test_measurements_in_the_readme_fit_the_homework() -> None:
    text = (ASSIGNMENTS / "disease" / "README.md").read_text(encoding="utf-8")
    means = {name: float(mean) for name, mean in re.findall(r"^\| ([^|]+?) \| (0\.\d{3}) \|", text, re.MULTILINE)}
    assert 0.68 <= means["logistic regression"] <= 0.72
    assert all(0.84 <= mean <= 0.89 for name, mean in means.items() if name.startswith("Keras"))
    assert means["best possible (the true chances are known)"] == pytest.approx(0.9, abs=0.01)


@ALL
def test_chinese_readme_uses_chinese_punctuation(name: str) -> None:
    text = (ASSIGNMENTS / name / "README.zh-TW.md").read_text(encoding="utf-8")
    assert re.findall(r"[\u4e00-\u9fff][,:;?!]", text) == []


@ALL
def test_starter_is_the_released_reference(name: str) -> None:
    committed = nbformat.read(ASSIGNMENTS / name / "starter.ipynb", as_version=4)
    assert committed == release_starter(ROOT / "reference" / "solutions" / f"{name.replace('-', '_')}.py", name)


@BOTH
def test_starter_runs_and_leaves_no_model(name: str, tmp_path: Path) -> None:
    starter = nbformat.read(ASSIGNMENTS / name / "starter.ipynb", as_version=4)
    code = [cell.source for cell in starter.cells if cell.cell_type == "code"]
    # Keras costs seconds and the starter only imports and seeds it; the picture needs no screen.
    lines = [line for line in "\n".join(code).split("\n") if "keras" not in line and "plt." not in line]
    data = load_assignment(ASSIGNMENTS / name).data
    assert data is not None
    for path in data.files:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    left: dict[str, object] = {}
    with contextlib.chdir(tmp_path):
        exec(compile("\n".join(lines), "starter", "exec"), left)
    assert not any(hasattr(value, "predict") for value in left.values())
    assert "predict" not in left


@ALL
def test_reference_is_a_whole_notebook(name: str) -> None:
    notebook = jupytext.read(ROOT / "reference" / "solutions" / f"{name.replace('-', '_')}.py", fmt="py:percent")
    kinds = [cell.cell_type for cell in notebook.cells]
    assert kinds.count("code") >= 4
    assert kinds.count("markdown") >= 4
    for cell in notebook.cells:
        if cell.cell_type == "code":
            compile(cell.source, name, "exec")


def test_the_disease_reference_has_a_full_length_story() -> None:
    notebook = jupytext.read(ROOT / "reference" / "solutions" / "disease.py", fmt="py:percent")
    markdown = "".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    rubric = tomllib.loads((ASSIGNMENTS / "disease" / "assignment.toml").read_text(encoding="utf-8"))["rubric"]
    wanted = next(rule["full_characters"] for rule in rubric if rule["id"] == "story")
    assert len("".join(markdown.split())) > 2 * wanted


def test_the_class_is_complete_and_its_numbers_are_unique() -> None:
    listed = [name for student in students() for name in (student["file"], *student.get("attachments", []))]
    assert sorted(listed) == sorted(path.name for path in SAMPLES.iterdir() if path.name != "class.toml")
    assert len(students()) >= 12
    assert len({student["id"] for student in students()}) == len(students())
    assert len({student["name"] for student in students()}) == len(students()) - 1  # two share a name
    assert any("'" in student["name"] for student in students())


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_sample_is_a_notebook_of_code_that_parses(path: Path) -> None:
    notebook = jupytext.read(path, fmt="py:percent")
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert sources
    for source in sources:
        compile(source, path.name, "exec")


def test_old_notebook_is_valid_and_carries_junk() -> None:
    text = (SAMPLES / "14_old_colab.ipynb").read_text(encoding="utf-8")
    notebook = nbformat.read(io.StringIO(text), as_version=4)
    outputs = [output.output_type for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert "error" in outputs
    assert notebook.metadata.kernelspec.name != "python3"
