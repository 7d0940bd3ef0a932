"""Grades for other programs: what the schema promises is what is written."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from grader.grading.results import SCHEMA, grades_schema, read_results, write_results
from grader.i18n.message import Message, message
from grader.models.errors import OutputError
from grader.models.grade import Grade, Graded, Score
from grader.models.run import Outcome
from tests.support.graded_class import (
    ASSIGNMENT,
    MADE_AT,
    RUBRIC,
    accuracy_score,
    good_run,
    grade,
    graded,
    other_score,
    our_fault,
    small_class,
    strong,
)

VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
NUMBERS = st.none() | st.floats()
POINTS = st.none() | st.floats(0, 100)
TEXTS = st.text(st.characters(codec=None), max_size=20)  # lone surrogates too, as broken file names have them


def written(results: list[Graded], folder: Path) -> dict[str, Any]:
    write_results(results, ASSIGNMENT, folder, MADE_AT)
    found: dict[str, Any] = json.loads((folder / "grades.json").read_bytes())
    return found


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_published_schema_is_valid_and_up_to_date() -> None:
    Draft202012Validator.check_schema(VALIDATOR.schema)
    assert VALIDATOR.schema == grades_schema(), "call grader.grading.results.write_schema"


def test_a_class_is_written_as_the_schema_says(tmp_path: Path) -> None:
    grades = written(small_class(), tmp_path)

    VALIDATOR.validate(grades)
    assert grades["made_at"] == "2025-03-01T12:00:00+00:00"
    assert [row["outcome"] for row in grades["submissions"]] == ["ok", "ok", "error", "missing", "grader_fault"]
    assert grades["title"] == {"en": "Who is ill?", "zh-TW": "疾病預測"}
    criterion = grades["submissions"][0]["criteria"][1]
    said = criterion.pop("said")
    assert said["template"].startswith("{metric} on {n} hidden rows") and said["values"]["value"] == 0.861
    assert criterion == {
        "id": "accuracy",
        "points": 60,
        "max": 60,
        "passed": True,
        "value": 0.861,
        "low": 0.843,
        "high": 0.878,
        "n": 2000,
        "reason": "accuracy_score on 2000 hidden rows: 0.861, 95 % interval 0.843 to 0.878; "
        "full points at 0.8, none at 0.58.",
        "title": {"en": "Accuracy on hidden patients", "zh-TW": "在沒看過的病人資料上的準確率"},
    }


@given(
    values=st.dictionaries(
        st.sampled_from("abc"),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        min_size=3,
    ),
    deep=st.booleans(),
)
def test_reason_survives_the_file(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, object], deep: bool
) -> None:
    reason = Message("{a}, {b}: {c}", values)
    if deep:
        reason = message("{reason} ({points:.2f})", reason=reason, points=float("nan"))
    folder = tmp_path_factory.mktemp("said")
    result = strong()
    scores = (replace(result.grade.scores[0], reason=reason), *result.grade.scores[1:])
    VALIDATOR.validate(written([replace(result, grade=replace(result.grade, scores=scores))], folder))
    said = read_results(folder).submissions[0].criteria[0].explanation
    assert str(said) == str(reason).encode("utf-8", "replace").decode()


def test_the_schema_allows_nothing_else(tmp_path: Path) -> None:
    grades = written([strong()], tmp_path)
    grades["submissions"][0]["grade"] = 1

    assert not VALIDATOR.is_valid(grades)


def test_grader_fault_has_no_total(tmp_path: Path) -> None:
    grades = written([our_fault()], tmp_path)

    assert grades["submissions"][0]["total"] is None
    assert rows(tmp_path)[0]["total"] == ""


@st.composite
def any_graded(draw: st.DrawFn) -> Graded:
    scores = [
        Score(
            criterion.id,
            criterion.title,
            draw(POINTS),
            draw(st.floats(0, 100)),
            draw(st.none() | st.booleans()),
            message("{text}", text=draw(TEXTS)),
            value=draw(NUMBERS),
            low=draw(NUMBERS),
            high=draw(NUMBERS),
            n=draw(st.none() | st.integers(0, 10**9)),
        )
        for criterion in RUBRIC
    ]
    reasons = tuple(message("{text}", text=text) for text in draw(st.lists(TEXTS, max_size=2)))
    result = Grade(tuple(scores), draw(POINTS), draw(st.floats(0, 400)), draw(st.none() | st.booleans()), reasons)
    outcome, seconds = draw(st.sampled_from(Outcome)), draw(st.floats(0, 1e6) | st.just(float("nan")))
    run = replace(good_run(), outcome=outcome, seconds=seconds, peak_memory_mb=draw(st.floats(0, 1e9)))
    return graded(draw(TEXTS), run, result, student_id=draw(TEXTS.filter(bool)))


@settings(max_examples=60, deadline=None)
@given(st.lists(any_graded(), max_size=3))
def test_any_grades_fit_the_schema(tmp_path_factory: pytest.TempPathFactory, results: list[Graded]) -> None:
    folder = tmp_path_factory.mktemp("results")

    VALIDATOR.validate(written(results, folder))
    assert len(rows(folder)) == len(results)


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ('=HYPERLINK("http://x","y")', '\'=HYPERLINK("http://x","y")'),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("＝1+1", "'＝1+1"),
        ('陳, "小明"\n二', '陳, "小明"\n二'),
    ],
    ids=["equals", "plus", "minus", "at", "tab", "return", "wide equals", "comma, quotes and line break"],
)
def test_names_are_not_formulas(tmp_path: Path, name: str, cell: str) -> None:
    write_results([graded(name, good_run(), grade(other_score(0, 10)))], ASSIGNMENT, tmp_path, MADE_AT)

    assert rows(tmp_path)[0]["name"] == cell


def test_the_table_has_a_column_of_points_for_each_criterion(tmp_path: Path) -> None:
    scores = (other_score(0, 10), accuracy_score(0.69), other_score(2, None))
    write_results([graded("Lin", good_run(), grade(*scores))], ASSIGNMENT, tmp_path, MADE_AT)

    row = rows(tmp_path)[0]
    assert (row["runs"], row["accuracy"], row["curve"], row["story"]) == ("10", "30", "", "")
    assert (row["total"], row["late"], row["needs_review"]) == ("", "false", "false")


def test_criterion_with_a_columns_name_gets_another_heading(tmp_path: Path) -> None:
    criterion = replace(RUBRIC[0], id="total")
    assignment = replace(ASSIGNMENT, rubric=(criterion,))
    score = replace(other_score(0, 7), criterion="total")
    write_results([graded("Lin", good_run(), grade(score, other_score(1, 2)))], assignment, tmp_path, MADE_AT)

    assert (rows(tmp_path)[0]["total"], rows(tmp_path)[0]["total (points)"]) == ("9", "7")


def test_unwritable_folder_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")

    with pytest.raises(OutputError, match="cannot be written"):
        write_results([], ASSIGNMENT, tmp_path / "out", MADE_AT)


def test_nothing_unfinished_is_left_behind(tmp_path: Path) -> None:
    write_results(small_class(), ASSIGNMENT, tmp_path, MADE_AT)
    write_results(small_class(), ASSIGNMENT, tmp_path, MADE_AT)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["grades.csv", "grades.json"]
