from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grader.data.generators import (
    PUBLISHED_RULE,
    Generator,
    derive_secret,
    draw_own_table,
    is_published_table,
    load_generator,
    table_origin,
)
from grader.data.hidden_sets import (
    PRACTICE_SECRET,
    hidden_inputs,
    open_hidden_set,
    practice_assignment,
    prepare_data,
    public_table,
)
from grader.data.tables import write_table
from grader.models.assignment import Assignment
from grader.models.errors import DatasetError
from grader.spec.discovery import by_name
from grader.spec.loader import load_assignment
from tests.support.assignment_folders import coins, data_of

ONE, OTHER = b"1" * 32, b"2" * 32
DISEASE = "disease"


def own(secret: bytes, folder: Path) -> Assignment:
    """Return a copy of the disease assignment with the table of ``secret``."""
    published = by_name(DISEASE)
    shutil.copytree(published.folder, folder, ignore=shutil.ignore_patterns("samples", "__pycache__"))
    assignment = load_assignment(folder)
    write_table(data_of(assignment).table, data_of(assignment), draw_own_table(published, secret))
    return load_assignment(folder)


def disease_generator() -> Generator:
    path = data_of(by_name(DISEASE)).hidden.generator
    assert path is not None
    return load_generator(path)


def published_answers(inputs: object) -> np.ndarray:
    """Return what a notebook with the published rule written into it predicts."""
    generator = disease_generator()
    probability = generator.draw.__globals__["probability"]
    return np.asarray(probability(inputs) > 0.5)


# ---------------------------------------------------------------- whose table it is


def test_the_table_in_the_repository_is_recognised_as_published_with_any_secret() -> None:
    for secret in (ONE, OTHER, PRACTICE_SECRET):
        assert table_origin(by_name(DISEASE), secret).is_published


def test_an_own_table_is_recognised_with_its_secret_and_that_of_its_kit(tmp_path: Path) -> None:
    assignment = own(ONE, tmp_path / "own")
    origin = table_origin(assignment, ONE)
    assert not origin.is_published
    assert origin.rule not in (None, PUBLISHED_RULE)
    assert table_origin(assignment, derive_secret(ONE, assignment)) == origin


def test_an_own_table_with_another_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="was not drawn from the secret on this machine"):
        table_origin(own(ONE, tmp_path / "own"), OTHER)


def test_an_own_table_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="version 2027"):
        table_origin(replace(own(ONE, tmp_path / "own"), version="2027"), ONE)


def test_a_table_with_one_changed_answer_is_refused(tmp_path: Path) -> None:
    assignment = own(ONE, tmp_path / "own")
    path = data_of(assignment).table
    first, *rest = path.read_text("utf-8").splitlines()
    row = rest[0].rsplit(",", 1)
    path.write_text("\n".join([first, f"{row[0]},{1 - int(row[1])}", *rest[1:]]), "utf-8")
    with pytest.raises(DatasetError, match="was not drawn"):
        table_origin(load_assignment(assignment.folder), ONE)


def test_a_table_saved_again_by_a_spreadsheet_is_still_recognised(tmp_path: Path) -> None:
    assignment = own(ONE, tmp_path / "own")
    path = data_of(assignment).table
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert not table_origin(assignment, ONE).is_published


def test_a_generator_with_one_rule_has_no_published_and_no_own_table(tmp_path: Path) -> None:
    assignment = coins(tmp_path)
    assert table_origin(assignment, ONE).rule is None
    assert not is_published_table(data_of(assignment).table, data_of(assignment))
    with pytest.raises(DatasetError, match=r"no generator with draw\(rows, seed, rule\)"):
        draw_own_table(assignment, ONE)


def test_a_generator_with_rules_needs_the_seed_of_its_table(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="PUBLIC_SEED is missing"):
        table_origin(coins(tmp_path, generator="def draw(rows, seed, rule): ..."), ONE)


# ---------------------------------------------------------------- what the rule decides


def test_hidden_rows_follow_the_rule_of_the_table(tmp_path: Path) -> None:
    mine, published = own(ONE, tmp_path / "own"), by_name(DISEASE)
    hidden, shown = open_hidden_set(published, ONE), public_table(data_of(mine))
    assert (published_answers(hidden.inputs) == hidden.labels).mean() > 0.88
    for inputs, labels in (
        (shown.inputs, shown.targets),
        (open_hidden_set(mine, ONE).inputs, open_hidden_set(mine, ONE).labels),
    ):
        assert (published_answers(inputs) == labels).mean() < 0.78
    np.testing.assert_array_equal(hidden_inputs(mine, ONE), open_hidden_set(mine, ONE).inputs)


def test_every_rule_is_as_hard_as_the_published_one() -> None:
    generator = disease_generator()
    probability = generator.draw.__globals__["probability"]
    best, healthy = [], []
    for rule in (PUBLISHED_RULE, *range(1, 41)):
        inputs, labels = generator.draw(20_000, 5, rule)
        ill = probability(inputs, rule)
        best.append(np.maximum(ill, 1 - ill).mean())
        healthy.append((np.asarray(labels) == 0).mean())
    assert np.ptp(best) < 0.008
    assert np.ptp(healthy) < 0.03


def test_the_published_rule_written_into_a_notebook_rarely_passes_an_own_table() -> None:
    generator = disease_generator()
    accuracies = []
    for rule in range(1, 101):
        inputs, labels = generator.draw(2000, 5, rule)
        accuracies.append((published_answers(inputs) == labels).mean())
    assert np.mean(accuracies) < 0.6
    assert np.mean(np.array(accuracies) > 0.8) <= 0.05


# ---------------------------------------------------------------- warnings and practice


def test_only_the_published_table_is_warned_about(tmp_path: Path) -> None:
    (warning,) = prepare_data(by_name(DISEASE), ONE, None, tmp_path).warnings
    assert "patients.csv is the published one, so its rule is public" in str(warning)
    assert prepare_data(own(ONE, tmp_path / "own"), ONE, None, tmp_path).warnings == ()
    assert prepare_data(by_name(DISEASE), PRACTICE_SECRET, None, tmp_path).warnings == ()
    assert prepare_data(coins(tmp_path / "coins"), ONE, None, tmp_path).warnings == ()


def test_practice_with_the_published_table_draws_new_rows(tmp_path: Path) -> None:
    published = by_name(DISEASE)
    assert practice_assignment(published, tmp_path / "work") == published
    assert practice_assignment(published, tmp_path / "work", data_of(published).table) == published
    assert practice_assignment(published, tmp_path / "work", tmp_path / "no such file") == published


def test_practice_with_a_teachers_table_holds_back_rows_of_it(tmp_path: Path) -> None:
    mine = own(ONE, tmp_path / "own")
    before = public_table(data_of(mine))
    for assignment in (mine, by_name(DISEASE)):  # from the teacher's folder, and from the grader's with the table alone
        practised = practice_assignment(assignment, tmp_path / "work" / assignment.folder.name, data_of(mine).table)
        hidden = open_hidden_set(practised, PRACTICE_SECRET)
        np.testing.assert_array_equal(hidden.inputs, before.inputs[::5])
        np.testing.assert_array_equal(hidden.labels, before.targets[::5])
        assert len(public_table(data_of(practised)).inputs) == 640
