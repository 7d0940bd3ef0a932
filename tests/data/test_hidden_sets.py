"""Public and hidden data: one secret, hidden sets that follow from it, and files whose problems have their lines."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.data.hidden_sets import (
    PRACTICE_SECRET,
    derive_seed,
    hidden_inputs,
    load_secret,
    open_hidden_set,
    practice_assignment,
    public_table,
)
from grader.models.assignment import Assignment, Data, Hidden
from grader.models.errors import DatasetError
from tests.support.assignment_folders import GENERATOR, TABLE, coins

ONE, OTHER = b"1" * 32, b"2" * 32


def data_of(assignment: Assignment) -> Data:
    assert assignment.data is not None
    return assignment.data


def with_file(folder: Path, content: str = TABLE) -> Assignment:
    """The coins with a hidden set that is the teacher's own file, kept somewhere else."""
    assignment = coins(folder / "coins")
    path = folder / "hidden.csv"
    path.write_text(content, "utf-8")
    return replace(assignment, data=replace(data_of(assignment), hidden=Hidden(file=path)))


# ---------------------------------------------------------------- the secret


def test_the_secret_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "grader"
    secret = load_secret(folder)
    assert len(secret) >= 32
    assert load_secret(folder) == secret
    assert stat.S_IMODE((folder / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in folder.iterdir()] == ["secret"]


def test_every_teacher_gets_another_secret(tmp_path: Path) -> None:
    assert load_secret(tmp_path / "a") != load_secret(tmp_path / "b")


def test_threads_that_race_agree_on_one_secret(tmp_path: Path) -> None:
    start, found = threading.Barrier(8), set()

    def load() -> None:
        start.wait()
        found.add(load_secret(tmp_path / "config"))

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1


def test_processes_that_race_agree_on_one_secret(tmp_path: Path) -> None:
    """Each says that it is there, then waits for the word to begin."""
    code = (
        "import sys; from pathlib import Path; from grader.data.hidden_sets import load_secret; "
        "print('here', flush=True); sys.stdin.read(1); print(load_secret(Path(sys.argv[1])).decode())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "config")]
    pipe = subprocess.PIPE
    racers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "here\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("!")
        racer.stdin.flush()
    assert {racer.communicate()[0].strip() for racer in racers} == {load_secret(tmp_path / "config").decode()}


@pytest.mark.parametrize("content", [b"", b"short\n"])
def test_a_secret_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(DatasetError, match=r"secret: found \d bytes, expected at least 32; delete the file"):
        load_secret(tmp_path)


def test_a_file_in_the_folders_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("")
    with pytest.raises(DatasetError, match="cannot be stored here"):
        load_secret(tmp_path / "config")


SEEDS = st.tuples(st.binary(min_size=1, max_size=40), st.lists(st.text("abc", max_size=3), max_size=3))


@given(SEEDS, SEEDS)
def test_seeds_differ_by_secret_and_by_purpose(one: tuple[bytes, list[str]], other: tuple[bytes, list[str]]) -> None:
    first, second = derive_seed(one[0], *one[1]), derive_seed(other[0], *other[1])
    assert 0 <= first < 2**64
    # No purpose at all and one without a name are the same; HMAC pads short keys with zeros.
    same_purpose = (one[1] or [""]) == (other[1] or [""])
    same_key = one[0].rstrip(b"\0") == other[0].rstrip(b"\0")
    assert (first == second) == (same_purpose and same_key)


# ---------------------------------------------------------------- the hidden set


def test_a_hidden_set_is_the_same_each_time(tmp_path: Path) -> None:
    first, again = coins(tmp_path / "a"), coins(tmp_path / "b")  # another folder, so that nothing is remembered
    np.testing.assert_array_equal(hidden_inputs(first, ONE), hidden_inputs(again, ONE))
    np.testing.assert_array_equal(open_hidden_set(first, ONE).labels, open_hidden_set(again, ONE).labels)
    assert hidden_inputs(first, ONE).shape == (100, 2)
    assert open_hidden_set(first, ONE).labels.shape == (100,)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([('id = "coins"', 'id = "stamps"')], id="another assignment"),
        pytest.param([('version = "1"', 'version = "2"')], id="another version"),
    ],
)
def test_another_assignment_has_another_hidden_set(tmp_path: Path, changes: list[tuple[str, str]]) -> None:
    one, other = coins(tmp_path / "a"), coins(tmp_path / "b", *changes)
    assert not np.isin(hidden_inputs(one, ONE), hidden_inputs(other, ONE)).any()


def test_another_teacher_has_another_hidden_set(tmp_path: Path) -> None:
    assignment = coins(tmp_path)
    assert not np.isin(hidden_inputs(assignment, ONE), hidden_inputs(assignment, OTHER)).any()


def test_a_teachers_own_file_is_read_in_its_order_whatever_the_secret(tmp_path: Path) -> None:
    assignment = with_file(tmp_path, "real,note,width,weight\n1,a,2.5,7\n0,b,-1e3,8\n")
    np.testing.assert_array_equal(hidden_inputs(assignment, ONE), [[7, 2.5], [8, -1000]])
    np.testing.assert_array_equal(open_hidden_set(assignment, OTHER).labels, [1, 0])


def test_without_data_nothing_is_hidden(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"coins: has no \[data\]"):
        hidden_inputs(replace(coins(tmp_path), data=None), ONE)


@pytest.mark.parametrize(
    ("generator", "said"),
    [
        pytest.param(GENERATOR.replace("(rows, 2)", "(rows, 3)"), r"\(100, 3\) and \(100,\), expected", id="columns"),
        pytest.param(GENERATOR.replace("(rows, 2)", "(rows - 1, 2)"), r"gave shapes \(99, 2\)", id="rows"),
        pytest.param(GENERATOR.replace("2, rows)", "2, (rows, 1))"), r"\(100, 1\), expected .* \(100,\)", id="labels"),
        pytest.param("def draw(rows, seed): return 1 / 0", "draw.* failed: ZeroDivisionError", id="an error"),
        pytest.param("def draw(rows, seed): return []", "draw.* failed: ValueError", id="nothing"),
        pytest.param("def draw(rows): return [], []", "draw.* failed: TypeError", id="another signature"),
        pytest.param("x = 1", r"found no function draw\(rows, seed\)", id="no draw"),
        pytest.param("import no_such_module", "ModuleNotFoundError", id="cannot be imported"),
        pytest.param("def", "SyntaxError", id="no Python"),
    ],
)
def test_a_generator_that_keeps_no_promise_is_refused(tmp_path: Path, generator: str, said: str) -> None:
    with pytest.raises(DatasetError, match=rf"generator\.py: .*{said}"):
        hidden_inputs(coins(tmp_path, generator=generator), ONE)


# ---------------------------------------------------------------- tables


def test_a_table_is_numbers_in_the_assignments_order(tmp_path: Path) -> None:
    table = public_table(data_of(coins(tmp_path, table="note,real,width,weight\n,1,2,3\n,0,4,5e-1\n")))
    np.testing.assert_array_equal(table.inputs, [[3, 2], [0.5, 4]])
    np.testing.assert_array_equal(table.targets, [1, 0])
    assert (table.inputs.dtype, table.targets.dtype) == (np.float64, np.int64)


def test_answers_of_a_regression_stay_as_they_are(tmp_path: Path) -> None:
    data = replace(data_of(coins(tmp_path, table="weight,width,real\n1,2,-0.5\n")), task="regression")
    table = public_table(data)
    assert (table.targets.dtype, table.targets.tolist()) == (np.float64, [-0.5])


def test_excels_mark_at_the_beginning_is_no_part_of_a_name(tmp_path: Path) -> None:
    assert public_table(data_of(coins(tmp_path, table="\ufeff" + TABLE))).inputs.shape == (60, 2)


@pytest.mark.parametrize(
    ("table", "said"),
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
def test_a_table_that_is_none_is_refused_with_its_place(tmp_path: Path, table: str, said: str) -> None:
    data = data_of(coins(tmp_path, table=table))
    with pytest.raises(DatasetError) as refused:
        public_table(data)
    assert str(refused.value).startswith(str(data.table))
    assert said in str(refused.value)


def test_a_table_in_another_encoding_is_refused(tmp_path: Path) -> None:
    data = data_of(coins(tmp_path))
    data.table.write_bytes("重量,width,real\n".encode("big5"))
    with pytest.raises(DatasetError, match="cannot be read as CSV in UTF-8"):
        public_table(data)


# ---------------------------------------------------------------- practice


def test_practice_draws_from_a_seed_that_everybody_knows(tmp_path: Path) -> None:
    assignment = coins(tmp_path / "coins")
    assert practice_assignment(assignment, tmp_path / "work") == assignment
    assert not np.isin(hidden_inputs(assignment, PRACTICE_SECRET), hidden_inputs(assignment, ONE)).any()


def test_practice_keeps_back_every_fifth_public_row(tmp_path: Path) -> None:
    assignment = with_file(tmp_path)
    (tmp_path / "hidden.csv").unlink()  # a student has no such file
    before = public_table(data_of(assignment))
    practised = practice_assignment(assignment, tmp_path / "work")
    seen, kept_back = public_table(data_of(practised)), hidden_inputs(practised, PRACTICE_SECRET)
    places = np.arange(60) % 5 == 0
    np.testing.assert_array_equal(kept_back, before.inputs[places])
    np.testing.assert_array_equal(open_hidden_set(practised, PRACTICE_SECRET).labels, before.targets[places])
    np.testing.assert_array_equal(seen.inputs, before.inputs[~places])
    np.testing.assert_array_equal(seen.targets, before.targets[~places])


def test_practice_hands_out_the_shortened_table_under_its_own_name(tmp_path: Path) -> None:
    assignment = with_file(tmp_path)
    data, practised = data_of(assignment), data_of(practice_assignment(assignment, tmp_path / "work"))
    assert [path.name for path in practised.files] == ["coins.csv", "notes.txt"]
    assert practised.table in practised.files
    assert practised.hidden.file not in practised.files
    assert data.table.read_text("utf-8") == TABLE  # the teacher's own is left as it is


def test_practice_without_data_is_the_assignment_itself(tmp_path: Path) -> None:
    plain = replace(coins(tmp_path), data=None)
    assert practice_assignment(plain, tmp_path / "work") == plain


def test_practice_refuses_a_broken_table_with_its_line(tmp_path: Path) -> None:
    assignment = with_file(tmp_path)
    data_of(assignment).table.write_text("")
    with pytest.raises(DatasetError, match="found no rows"):
        practice_assignment(assignment, tmp_path / "work")
