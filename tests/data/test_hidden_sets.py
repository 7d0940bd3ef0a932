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

from grader.data.generators import derive_seed
from grader.data.hidden_sets import (
    PRACTICE_SECRET,
    hidden_inputs,
    load_secret,
    open_hidden_set,
    practice_assignment,
    public_table,
)
from grader.models.assignment import Assignment, Hidden
from grader.models.errors import DatasetError
from tests.support.assignment_folders import GENERATOR, TABLE, coins, data_of

ONE, OTHER = b"1" * 32, b"2" * 32


def with_file(folder: Path, content: str = TABLE) -> Assignment:
    """Return the coins assignment with a hidden set in a file outside its folder."""
    assignment = coins(folder / "coins")
    path = folder / "hidden.csv"
    path.write_text(content, "utf-8")
    return replace(assignment, data=replace(data_of(assignment), hidden=Hidden(file=path)))


# ---------------------------------------------------------------- the secret


def test_the_secret_is_created_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "grader"
    secret = load_secret(folder)
    assert len(secret) >= 32
    assert load_secret(folder) == secret
    assert stat.S_IMODE((folder / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in folder.iterdir()] == ["secret"]


def test_every_teacher_gets_a_different_secret(tmp_path: Path) -> None:
    assert load_secret(tmp_path / "a") != load_secret(tmp_path / "b")


def test_concurrent_threads_agree_on_one_secret(tmp_path: Path) -> None:
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


def test_concurrent_processes_agree_on_one_secret(tmp_path: Path) -> None:
    """Start processes that wait for a signal, then let all of them load the secret."""
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
def test_a_secret_that_is_too_short_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(DatasetError, match=r"secret: found \d bytes, expected at least 32; delete the file"):
        load_secret(tmp_path)


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("")
    with pytest.raises(DatasetError, match="cannot be stored here"):
        load_secret(tmp_path / "config")


SEEDS = st.tuples(st.binary(min_size=1, max_size=40), st.lists(st.text("abc", max_size=3), max_size=3))


@given(SEEDS, SEEDS)
def test_seeds_differ_by_secret_and_by_purpose(first: tuple[bytes, list[str]], second: tuple[bytes, list[str]]) -> None:
    seed, other = derive_seed(first[0], *first[1]), derive_seed(second[0], *second[1])
    assert 0 <= seed < 2**64
    # No purpose and an empty purpose are the same; HMAC pads short keys with zeros.
    same_purpose = (first[1] or [""]) == (second[1] or [""])
    same_key = first[0].rstrip(b"\0") == second[0].rstrip(b"\0")
    assert (seed == other) == (same_purpose and same_key)


# ---------------------------------------------------------------- the hidden set


def test_a_hidden_set_is_the_same_each_time(tmp_path: Path) -> None:
    first, again = coins(tmp_path / "a"), coins(tmp_path / "b")  # another folder, so that no cached result is used
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
def test_another_id_or_version_has_a_different_hidden_set(tmp_path: Path, changes: list[tuple[str, str]]) -> None:
    first, second = coins(tmp_path / "a"), coins(tmp_path / "b", *changes)
    assert not np.isin(hidden_inputs(first, ONE), hidden_inputs(second, ONE)).any()


def test_another_secret_has_a_different_hidden_set(tmp_path: Path) -> None:
    assignment = coins(tmp_path)
    assert not np.isin(hidden_inputs(assignment, ONE), hidden_inputs(assignment, OTHER)).any()


def test_a_hidden_file_is_read_in_its_order_with_any_secret(tmp_path: Path) -> None:
    assignment = with_file(tmp_path, "real,note,width,weight\n1,a,2.5,7\n0,b,-1e3,8\n")
    np.testing.assert_array_equal(hidden_inputs(assignment, ONE), [[7, 2.5], [8, -1000]])
    np.testing.assert_array_equal(open_hidden_set(assignment, OTHER).labels, [1, 0])


def test_an_assignment_without_data_has_no_hidden_set(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"coins: has no \[data\]"):
        hidden_inputs(replace(coins(tmp_path), data=None), ONE)


@pytest.mark.parametrize(
    ("generator", "expected"),
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
def test_an_invalid_generator_is_refused_with_the_reason(tmp_path: Path, generator: str, expected: str) -> None:
    with pytest.raises(DatasetError, match=rf"generator\.py: .*{expected}"):
        hidden_inputs(coins(tmp_path, generator=generator), ONE)


# ---------------------------------------------------------------- practice


def test_practice_draws_generated_data_from_a_public_seed(tmp_path: Path) -> None:
    assignment = coins(tmp_path / "coins")
    assert practice_assignment(assignment, tmp_path / "work") == assignment
    assert not np.isin(hidden_inputs(assignment, PRACTICE_SECRET), hidden_inputs(assignment, ONE)).any()


def test_practice_holds_back_every_fifth_public_row(tmp_path: Path) -> None:
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
    assert data.table.read_text("utf-8") == TABLE  # the teacher's file is not changed


def test_practice_without_data_returns_the_same_assignment(tmp_path: Path) -> None:
    plain = replace(coins(tmp_path), data=None)
    assert practice_assignment(plain, tmp_path / "work") == plain


def test_practice_refuses_a_broken_table_with_its_line(tmp_path: Path) -> None:
    assignment = with_file(tmp_path)
    data_of(assignment).table.write_text("")
    with pytest.raises(DatasetError, match="found no rows"):
        practice_assignment(assignment, tmp_path / "work")
